package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Prepares enrolments, grants and revocations, and lists what a patient has granted.
package struct GrantDesk: Sendable {
    /// Half a year, where nothing else was asked for.
    package static let periodDefaultMilliseconds: Int64 = 180 * 24 * 3600 * 1000

    /// Who speaks for the patient.
    package enum Grantor: Sendable {
        case patient(VerifyingKey)
        /// This institution, with the digest of the evidence of consent.
        case witness(Digest)
        case delegate(VerifyingKey, DelegationID)
    }

    /// A transaction's body with what it is about.
    package struct Prepared: Sendable {
        package var body: TransactionBody
        /// The handle, or the grant's id.
        package var subject: Digest
        /// The block in which this was done before; then the body is not needed.
        package var doneHeight: Height?

        package init(body: TransactionBody, subject: Digest, doneHeight: Height? = nil) {
            self.body = body
            self.subject = subject
            self.doneHeight = doneHeight
        }
    }

    let context: AgentContext
    let desk: TransactionDesk
    let judge: AccessJudge
    let resolver: PatientResolver
    private let disclosure: Disclosure

    package init(context: AgentContext, desk: TransactionDesk, judge: AccessJudge, names: PseudonymDesk) {
        self.disclosure = Disclosure(context: context, judge: judge)
        self.context = context
        self.desk = desk
        self.judge = judge
        self.resolver = PatientResolver(context: context, names: names)
    }

    package func enrolment(patient: String, key: VerifyingKey) async throws -> Prepared {
        let pseudonym = try await self.resolver.primary(patient)
        // A new key takes the place of a lost one: it can end what that one granted.
        // What is proposed for a patient without one is as steady: asking twice does not tell whether there is one.
        let salt = self.enrolledSalt(pseudonym) ?? self.firstSalt(pseudonym)
        let enrolment = Enrolment(
            key: key,
            institution: self.context.institution,
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            bucket: pseudonym.bucket
        )
        let signers: [Signer] = [.institution(self.context.institution), .key(key)]
        return Prepared(
            body: self.desk.body(.grants(.enrolPatient(enrolment)), signers: signers),
            subject: enrolment.handle.digest
        )
    }

    package func grant(_ wish: Wish) async throws -> Prepared {
        let pseudonym = try await self.resolver.primary(wish.patient)
        let salt = try self.salt(for: wish.grantor, pseudonym)
        let scope = try wish.scope(salt: salt)
        try self.check(scope)
        let notBefore = wish.notBefore ?? Clock.now
        var notAfter = wish.notAfter ?? notBefore.advanced(byMilliseconds: Self.periodDefaultMilliseconds)
        if wish.notAfter == nil, case .delegate(_, let id) = wish.grantor,
            let delegation = self.context.board.tip.state.delegation(id)
        {
            notAfter = min(notAfter, delegation.delegation.notAfter)
        }
        guard notBefore < notAfter else {
            throw AgentFailure(.badRequest, "the grant ends before it begins", hint: "Check --from and --until.")
        }
        let grant = AccessGrant(
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            nonce: Self.random(count: 8).reduce(0) { $0 << 8 | UInt64($1) },
            bucket: pseudonym.bucket,
            custodians: try wish.custodians.map(self.institution),
            grantees: try wish.grantees.map(self.institution),
            groups: try wish.groups.map(self.group),
            scopeCommitment: scope.commitment(salt: salt),
            sealedScope: try PseudonymSealing.sealScope(scope, pseudonym: pseudonym, salt: salt),
            notBefore: notBefore,
            notAfter: notAfter,
            grantor: self.grantor(wish.grantor)
        )
        guard !grant.grantees.isEmpty || !grant.groups.isEmpty, grant.grantees.count <= AccessGrant.granteesMax,
            grant.groups.count <= AccessGrant.groupsMax, grant.custodians.count <= AccessGrant.granteesMax
        else {
            throw AgentFailure(
                .badRequest,
                "a grant names institutions or groups that may read, at most 64 and 8 of them"
            )
        }
        return Prepared(
            body: self.desk.body(.grants(.createGrant(grant)), signers: [Self.signer(grant.grantor)]),
            subject: grant.id.digest
        )
    }

    /// `signer`: a person's key; `nil` means this institution.
    package func revocation(_ id: GrantID, by signer: VerifyingKey?) throws -> Prepared {
        let (state, signer) = try self.endable(id, by: signer)
        let body = self.desk.body(.grants(.revokeGrant(id)), signers: [signer])
        return Prepared(body: body, subject: id.digest, doneHeight: state.revokedHeight)
    }

    /// A grant and who is to sign its end.
    func endable(_ id: GrantID, by key: VerifyingKey?) throws -> (GrantState, Signer) {
        let state = self.context.board.tip.state
        // In the same words whether there is such a grant or another's: the difference is not everybody's to know.
        guard let known = state.grant(id) else { throw Self.unknownGrant }
        let signer = key.map(Signer.key) ?? .institution(self.context.institution)
        if case .emergency(self.context.institution) = known.grant.grantor {
            throw AgentFailure(
                .transactionRefused,
                "an emergency access ends by itself",
                hint: "It is reviewed, not revoked: entente review."
            )
        }
        // The evidence need not be the same paper; that this institution witnessed the grant is what counts.
        var mayEnd = signer == Self.signer(known.grant.grantor)
        if let key, state.enrolment(key)?.handle == known.grant.handle { mayEnd = true }
        if key == nil, case .delegate(_, let delegation) = known.grant.grantor {
            mayEnd = state.delegation(delegation)?.delegation.principal == .witness(self.context.institution)
        }
        guard mayEnd else { throw Self.unknownGrant }
        return (known, signer)
    }

    static let unknownGrant = AgentFailure(
        .grantUnknown,
        "there is no such grant that whoever signs could end",
        hint: "List them: entente grants. Only the patient or whoever made a grant can end it."
    )
    static let unknownEnrolment = AgentFailure(
        .enrolmentUnknown,
        "the key is not enrolled for this patient",
        hint: "Check the identifier and the key file, or enrol the key first: entente patient enroll."
    )
    static let unknownDelegation = AgentFailure(
        .delegationUnknown,
        "there is no such delegation of this person about this patient",
        hint: "Check the identifier, the key file and the delegation."
    )

    /// All grants about a person, newest last.
    package func grants(of patient: String) async throws -> [(terms: AccessTerms, uses: UInt32)] {
        var seen: Set<GrantID> = []
        var found: [(terms: AccessTerms, uses: UInt32)] = []
        for pseudonym in try await self.resolver.pseudonyms(patient) {
            let grants = self.judge.grants(of: pseudonym)
            let uses = try self.judge.uses(of: pseudonym, under: grants)
            for terms in grants {
                guard try self.disclosure.isListed(terms, of: pseudonym), seen.insert(terms.id).inserted else {
                    continue
                }
                found.append((terms, uses[terms.id] ?? 0))
            }
        }
        return found.sorted {
            ($0.terms.state.createdHeight, $0.terms.id) < ($1.terms.state.createdHeight, $1.terms.id)
        }
    }

    /// The salt of an earlier key of the patient, if one is known to have granted anything.
    private func enrolledSalt(_ pseudonym: PatientPseudonym) -> [UInt8]? {
        for terms in self.judge.grants(of: pseudonym) {
            if case .patient = terms.state.grant.grantor { return terms.state.grant.salt }
        }
        return nil
    }

    /// Follows from this home's secrets and the patient: nobody else can form it, and it is the same each time.
    private func firstSalt(_ pseudonym: PatientPseudonym) -> [UInt8] {
        let bytes = Array("enrolment-salt/1".utf8) + self.context.secrets.tag(of: pseudonym).bytes
        return Array(Digest(hashing: bytes).bytes.prefix(Enrolment.saltBytes))
    }

    private func check(_ scope: GrantScope) throws {
        if let referral = scope.referral, self.context.board.tip.state.referral(referral)?.closedHeight != nil {
            throw AgentFailure(
                .referralClosed,
                "the referral is closed",
                hint: "Open a new one: entente referral open."
            )
        }
        if let referral = scope.referral, self.context.board.tip.state.referral(referral) == nil {
            throw AgentFailure(.referralUnknown, "the chain knows no such referral", hint: "See entente referral open.")
        }
    }

    private func salt(for grantor: Grantor, _ pseudonym: PatientPseudonym) throws -> [UInt8] {
        switch grantor {
        case .witness: return Self.random(count: AccessGrant.saltBytes)
        case .patient(let key): return try self.salt(of: key, pseudonym)
        case .delegate(let key, let id):
            guard let delegation = self.context.board.tip.state.delegation(id)?.delegation,
                delegation.delegate == key, pseudonym.handle(salt: delegation.salt) == delegation.handle
            else { throw Self.unknownDelegation }
            return delegation.salt
        }
    }

    /// The salt under which a patient's key was enrolled.
    func salt(of key: VerifyingKey, _ pseudonym: PatientPseudonym) throws -> [UInt8] {
        guard let enrolment = self.context.board.tip.state.enrolment(key),
            pseudonym.handle(salt: enrolment.salt) == enrolment.handle
        else { throw Self.unknownEnrolment }
        return enrolment.salt
    }

    private func grantor(_ grantor: Grantor) -> AccessGrant.Grantor {
        switch grantor {
        case .patient(let key): .patient(key)
        case .witness(let evidence): .witness(self.context.institution, evidence: evidence)
        case .delegate(let key, let id): .delegate(key, id)
        }
    }

    private static func signer(_ grantor: AccessGrant.Grantor) -> Signer {
        switch grantor {
        case .patient(let key), .delegate(let key, _): .key(key)
        case .witness(let institution, _), .emergency(let institution): .institution(institution)
        }
    }

    private func group(_ text: String) throws -> GroupID {
        guard let id = GroupID(text), self.context.board.tip.state.group(id) != nil else {
            throw AgentFailure(
                .groupUnknown,
                "a group named in the grant is not on the chain",
                hint: "Make it: entente group create."
            )
        }
        return id
    }

    func institution(_ text: String) throws -> InstitutionID {
        guard let id = InstitutionID(text), self.context.board.tip.state.institution(id) != nil else {
            throw AgentFailure(
                .institutionUnknown,
                "an institution named in the grant is not a member of the chain",
                hint: "See entente status for the members."
            )
        }
        return id
    }

    static func random(count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
