package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Declares what happened in patients' lives, settles what guardians disagree about, and shows who speaks for whom.
package struct MandateDesk: Sendable {
    /// Somebody who was appointed to speak for a patient.
    package struct Mandate: Sendable {
        package var id: DelegationID
        package var state: DelegationState
        package var speaks: Bool
    }

    /// An objection of one guardian to another's grant.
    package struct Objection: Sendable {
        package var grant: GrantID
        package var state: ObjectionState
    }

    /// Who speaks for a patient, and what bears on it.
    package struct Overview: Sendable {
        package var mandates: [Mandate] = []
        package var events: [LifeEventState] = []
        package var objections: [Objection] = []
    }

    private let context: AgentContext
    private let desk: TransactionDesk
    private let judge: AccessJudge
    private let resolver: PatientResolver
    private let disclosure: Disclosure

    package init(context: AgentContext, desk: TransactionDesk, judge: AccessJudge, names: PseudonymDesk) {
        self.context = context
        self.desk = desk
        self.judge = judge
        self.resolver = PatientResolver(context: context, names: names)
        self.disclosure = Disclosure(context: context, judge: judge)
    }

    /// What this institution signs about a patient, having seen the papers.
    package func event(_ kind: String, of patient: String, evidence: Digest) async throws -> LifeEvent {
        guard let kind = LifeEvent.Kind(name: kind) else {
            throw AgentFailure(
                .badRequest,
                "there is no such event",
                hint: "Events: " + LifeEvent.Kind.allCases.map(\.name).joined(separator: ", ")
            )
        }
        let pseudonym = try await self.resolver.primary(patient)
        let salt = GrantDesk.random(count: AccessGrant.saltBytes)
        return LifeEvent(
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            bucket: pseudonym.bucket,
            kind: kind,
            institution: self.context.institution,
            evidence: evidence,
            nonce: GrantDesk.random(count: 8).reduce(0) { $0 << 8 | UInt64($1) }
        )
    }

    package func checkOwn(_ event: LifeEventID) throws(AgentFailure) {
        guard let state = self.context.board.tip.state.lifeEvent(event),
            state.event.institution == self.context.institution
        else {
            throw AgentFailure(
                .lifeEventUnknown,
                "this institution declared no such event",
                hint: "See entente mandates."
            )
        }
    }

    /// A guardian's objection, for that guardian's key to sign.
    ///
    /// Whoever has another key is told the same as of a grant and a delegation that do not exist.
    package func objection(
        to grant: GrantID,
        by id: DelegationID,
        guardian: VerifyingKey
    ) throws -> GrantDesk.Prepared {
        let state = self.context.board.tip.state
        guard state.grant(grant) != nil, let delegation = state.delegation(id),
            delegation.delegation.delegate == guardian
        else {
            throw AgentFailure(
                .grantUnknown,
                "the chain knows no such grant, or no such delegation of this key",
                hint: "See entente grants and entente mandates."
            )
        }
        let body = self.desk.body(
            .delegations(.object(grant, by: id)),
            signers: [.key(delegation.delegation.delegate)]
        )
        return GrantDesk.Prepared(body: body, subject: grant.digest)
    }

    package func decision(on grant: GrantID, by id: DelegationID, outcome: String) throws -> DelegationsCall {
        guard let outcome = ObjectionOutcome(name: outcome) else {
            throw AgentFailure(.badRequest, "an objection is upheld or dismissed")
        }
        return .decide(grant, id, outcome, by: self.context.institution)
    }

    package func overview(of patient: String) async throws -> Overview {
        let tip = self.context.board.tip
        let now = Clock.now
        var overview = Overview()
        for pseudonym in try await self.resolver.pseudonyms(patient) where try self.disclosure.isOpen(pseudonym) {
            let events = self.judge.lifeEvents(of: pseudonym, in: tip.state)
            overview.events += events
            for (id, mandate) in self.judge.delegations(of: pseudonym) {
                let speaks =
                    mandate.state.holds(at: tip.height, time: now)
                    && LifeEventState.allow(mandate.state, under: events, at: tip.height)
                overview.mandates.append(Mandate(id: id, state: mandate.state, speaks: speaks))
            }
            for terms in self.judge.grants(of: pseudonym, in: tip.state) {
                overview.objections += terms.objections.map { Objection(grant: terms.id, state: $0.objection) }
            }
        }
        overview.mandates.sort { ($0.state.createdHeight, $0.id) < ($1.state.createdHeight, $1.id) }
        return overview
    }
}
