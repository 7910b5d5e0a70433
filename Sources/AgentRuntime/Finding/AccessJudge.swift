package import Ledger
package import LedgerStore
package import Primitives
package import Records
import Vault

/// Gathers what the chain, the clock and this agent's receipts say, and has ``AccessRule`` judge it.
package struct AccessJudge: Sendable {
    private let context: AgentContext
    private let book: GrantBook
    private let policy = SensitivityPolicy.standard

    package init(context: AgentContext, book: GrantBook) {
        self.context = context
        self.book = book
    }

    /// All grants about a person whose scopes this person's pseudonym opens.
    package func grants(of pseudonym: PatientPseudonym) -> [AccessTerms] {
        self.grants(of: pseudonym, in: self.context.board.tip.state)
    }

    /// The same as of one state of the chain.
    package func grants(of pseudonym: PatientPseudonym, in state: LedgerState) -> [AccessTerms] {
        self.book.grants(of: pseudonym).compactMap { id in
            guard let grant = state.grant(id) else { return nil }
            let terms = grant.grant
            guard let scope = Self.scope(terms.sealedScope, terms.scopeCommitment, pseudonym, terms.salt) else {
                return nil
            }
            let narrowings = grant.narrowings.compactMap { narrowed in
                Self.scope(
                    narrowed.narrowing.sealedScope,
                    narrowed.narrowing.scopeCommitment,
                    pseudonym,
                    terms.salt
                )
            }
            // What cannot be read might take everything away.
            guard narrowings.count == grant.narrowings.count else { return nil }
            let mandate = Self.mandate(of: terms, pseudonym, state)
            let isGuardians = mandate?.state.delegation.capacity == .guardian
            let guardians = isGuardians ? self.guardians(of: pseudonym, state) : []
            let referrals = ([scope] + narrowings + ((mandate.map { [$0] } ?? []) + guardians).map(\.scope))
                .compactMap(\.referral)
            return AccessTerms(
                id: id,
                state: grant,
                scope: scope,
                narrowings: narrowings,
                groups: state.groups(of: terms),
                mandate: mandate,
                referrals: referrals.compactMap(state.referral),
                guardians: guardians,
                objections: isGuardians ? Self.objections(id, pseudonym, state) : [],
                events: mandate == nil ? [] : self.lifeEvents(of: pseudonym, in: state)
            )
        }
    }

    /// What institutions declared about a person's life, oldest first.
    package func lifeEvents(of pseudonym: PatientPseudonym, in state: LedgerState) -> [LifeEventState] {
        self.book.lifeEvents(of: pseudonym).compactMap(state.lifeEvent).sorted {
            ($0.height, $0.event.id) < ($1.height, $1.event.id)
        }
    }

    private func guardians(of pseudonym: PatientPseudonym, _ state: LedgerState) -> [AccessTerms.Mandate] {
        self.book.delegations(of: pseudonym).compactMap { Self.mandate($0, pseudonym, state) }
            .filter { $0.state.delegation.capacity == .guardian }
    }

    /// Those by guardians of the same child: anybody else's say nothing about it.
    private static func objections(
        _ grant: GrantID,
        _ pseudonym: PatientPseudonym,
        _ state: LedgerState
    ) -> [GuardianObjection] {
        state.objections(to: grant).compactMap { objection in
            guard let guardian = state.delegation(objection.delegation),
                pseudonym.handle(salt: guardian.delegation.salt) == guardian.delegation.handle
            else { return nil }
            return GuardianObjection(objection: objection, guardian: guardian)
        }
    }

    /// A grant that bears on exams listed under an identity, and how it is reached.
    package struct Bearing: Sendable {
        package var principal: PatientPseudonym
        package var terms: AccessTerms
        /// Empty where the grant speaks of the identity itself.
        package var steps: [IdentityWeb.Step]
    }

    /// The grants about an identity, and those about identities that links of the chain join with it.
    package func bearings(on pseudonym: PatientPseudonym, in state: LedgerState) -> [Bearing] {
        self.context.web(state).principals(of: pseudonym).flatMap { principal in
            self.grants(of: principal.pseudonym, in: state).map {
                Bearing(principal: principal.pseudonym, terms: $0, steps: principal.steps)
            }
        }
    }

    /// The grants that bear on exams listed under an identity when `reader` asks.
    package func grants(
        on pseudonym: PatientPseudonym,
        for reader: InstitutionID,
        in state: LedgerState
    ) -> [AccessTerms] {
        let web = self.context.web(state)
        return self.bearings(on: pseudonym, in: state).filter { web.carries($0.steps, to: reader) }.map(\.terms)
    }

    /// The delegations about a person that this person's pseudonym opens.
    package func delegations(of pseudonym: PatientPseudonym) -> [(id: DelegationID, mandate: AccessTerms.Mandate)] {
        let state = self.context.board.tip.state
        return self.book.delegations(of: pseudonym).compactMap { id in
            Self.mandate(id, pseudonym, state).map { (id, $0) }
        }
    }

    /// Whether the person does not want to be listed, under whichever identity that was said.
    package func isHidden(_ pseudonym: PatientPseudonym) -> Bool {
        self.context.web(self.context.board.tip.state).principals(of: pseudonym)
            .contains { self.book.isHidden($0.pseudonym) }
    }

    package func facts(_ summary: LocatorSummary) -> ExamFacts {
        ExamFacts(
            record: summary.record,
            kind: summary.kind,
            itemCode: summary.itemCode,
            examTime: summary.examTime,
            sensitive: self.policy.classes(of: summary.itemCode)
        )
    }

    package func facts(_ exam: StoredExam) -> ExamFacts {
        ExamFacts(
            record: exam.record,
            kind: exam.kind,
            itemCode: exam.itemCode,
            examTime: exam.examTime,
            sensitive: self.policy.classes(of: exam.itemCode)
        )
    }

    /// Whether a clinician of this institution may open an exam.
    ///
    /// `purpose`: `nil` judges for any purpose, as a list does.
    package func opening(
        of exam: ExamFacts,
        about pseudonym: PatientPseudonym,
        at custodian: InstitutionID,
        by credential: ClinicianCredential,
        purpose: PurposeOfUse?,
        tip: ChainBoard.Tip,
        uses: [GrantID: UInt32]
    ) -> AccessQuestion {
        let uptime = Clock.uptime
        return AccessQuestion(
            stage: .open,
            reader: self.context.institution,
            person: AccessQuestion.Person(clinician: credential.clinician, role: credential.role),
            custodian: custodian,
            exam: exam,
            purpose: purpose,
            height: tip.height,
            time: Clock.now,
            uses: uses,
            silence: self.context.confirmations.confirmed(uptime: uptime).map { uptime - $0 },
            declarations: self.context.offline.extents(of: pseudonym, user: self.user(credential))
        )
    }

    /// The name under which a clinician's emergencies are counted.
    package func user(_ credential: ClinicianCredential) -> Digest {
        BreakGlass.user(clinician: credential.clinician, at: self.context.institution)
    }

    /// Whether this institution gives an own exam's key and ciphertext to another.
    package func mayRelease(
        _ exam: ExamFacts,
        to reader: InstitutionID,
        under grants: [AccessTerms],
        now: Timestamp
    ) -> Bool {
        let question = AccessQuestion(
            stage: .release,
            reader: reader,
            custodian: self.context.institution,
            exam: exam,
            height: self.context.board.tip.height,
            time: now
        )
        guard case .allowed = AccessRule.answer(question, under: grants) else { return false }
        return true
    }

    /// How often records of the person were opened here under the grants that count it.
    ///
    /// Read from the receipts, which are durable before anything is shown: no crash forgets an opening.
    package func uses(of pseudonym: PatientPseudonym, under grants: [AccessTerms]) throws -> [GrantID: UInt32] {
        let counted = grants.contains { terms in
            ([terms.scope] + terms.narrowings + (terms.mandate.map { [$0.scope] } ?? []))
                .contains { $0.usesMax != nil }
        }
        guard counted else { return [:] }
        // One grant may have opened exams of several identities: all openings under it count.
        let web = self.context.web(self.context.board.tip.state)
        let identities = web.principals(of: pseudonym).flatMap { web.found(from: $0.pseudonym) }.map(\.pseudonym)
        let tags = Set(identities.map(self.context.secrets.tag(of:))).sorted()
        var uses: [GrantID: UInt32] = [:]
        for patient in try self.context.custody.patients(tags: tags) {
            guard let patient else { continue }
            for stored in try self.context.custody.receipts(patient: patient.number) {
                guard let grant = try self.context.secrets.openReceipt(stored.sealed).grant else { continue }
                uses[grant, default: 0] += 1
            }
        }
        return uses
    }

    private static func scope(
        _ sealed: [UInt8],
        _ commitment: Digest,
        _ pseudonym: PatientPseudonym,
        _ salt: [UInt8]
    ) -> GrantScope? {
        guard let scope = try? PseudonymSealing.openScope(sealed, pseudonym: pseudonym, salt: salt),
            scope.commitment(salt: salt) == commitment
        else { return nil }
        return scope
    }

    private static func mandate(
        of grant: AccessGrant,
        _ pseudonym: PatientPseudonym,
        _ state: LedgerState
    ) -> AccessTerms.Mandate? {
        guard case .delegate(_, let id) = grant.grantor else { return nil }
        return Self.mandate(id, pseudonym, state)
    }

    private static func mandate(
        _ id: DelegationID,
        _ pseudonym: PatientPseudonym,
        _ state: LedgerState
    ) -> AccessTerms.Mandate? {
        guard let known = state.delegation(id) else { return nil }
        let delegation = known.delegation
        let scope = Self.scope(delegation.sealedScope, delegation.scopeCommitment, pseudonym, delegation.salt)
        return scope.map { AccessTerms.Mandate(state: known, scope: $0) }
    }
}

extension AccessAnswer {
    /// How `find` says it.
    var name: String {
        switch self {
        case .own: "own"
        case .allowed: "granted"
        case .refused(.expired, _): "expired"
        case .refused(.revoked, _), .refused(.narrowed, _): "revoked"
        case .refused(.stale, _): "stale"
        case .refused(.undeclared, _): "emergency"
        case .refused: "not-granted"
        }
    }

    /// The failure of an opening that is refused, and that an explanation shows as well.
    var failure: AgentFailure? {
        guard case .refused(let refusal, _) = self else { return nil }
        return switch refusal {
        case .grantee, .custodian, .scope:
            AgentFailure(
                .notGranted,
                "no grant allows this institution to open the record",
                hint: "Ask the patient for a grant: entente grant."
            )
        case .sensitive:
            AgentFailure(
                .sensitive,
                "the exam is of a sensitive class that no grant names",
                hint: "Ask the patient for a grant that names it: entente grant --sensitive."
            )
        case .reader:
            AgentFailure(
                .readerNotNamed,
                "the grant is for other clinicians of this institution",
                hint: "The patient chose a role or a person: see entente grants."
            )
        case .purpose:
            AgentFailure(
                .purposeNotCovered,
                "the grant is for another purpose of use",
                hint: "See entente grants for the purposes granted."
            )
        case .notYet:
            AgentFailure(.grantNotYet, "the grant has not begun", hint: "See entente grants for its period.")
        case .expired:
            AgentFailure(.grantExpired, "the grant has ended", hint: "Ask the patient for a new grant.")
        case .revoked:
            AgentFailure(.grantRevoked, "the patient has revoked the grant", hint: "Ask the patient.")
        case .narrowed:
            AgentFailure(
                .grantNarrowed,
                "the patient has revoked this part of the grant",
                hint: "See entente grants for what is left of it."
            )
        case .delegationOver:
            AgentFailure(
                .delegationOver,
                "who granted does not speak for the patient any more",
                hint: "Ask the patient for a new grant."
            )
        case .beyondDelegation:
            AgentFailure(
                .beyondDelegation,
                "who granted may not grant this for the patient",
                hint: "Ask the patient for a grant."
            )
        case .guardiansDisagree:
            AgentFailure(
                .guardiansDisagree,
                "another guardian of the child objects to the grant",
                hint: "It opens nothing until the institution that appointed a guardian has reviewed it."
            )
        case .undeclared:
            AgentFailure(
                .undeclared,
                "the grant is for emergencies, and this clinician has declared none",
                hint: "Declare it: entente break-glass, with --offline while the chain cannot be reached."
            )
        case .referralClosed:
            AgentFailure(
                .referralClosed,
                "the referral to which the grant is bound is closed",
                hint: "Ask the patient for a new grant."
            )
        case .usedUp:
            AgentFailure(
                .usedUp,
                "the grant's openings are used up",
                hint: "Ask the patient for a new grant."
            )
        case .stale:
            AgentFailure(
                .stale,
                "this agent has had no contact with the chain for longer than the grant's lease",
                hint: "The grant may have been revoked meanwhile. Restore the network: entente doctor."
            )
        }
    }
}
