package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Whether this institution may open an exam now, and if not, the nearest reason.
package enum Access: Sendable {
    case own
    case granted(GrantID, GrantState, GrantScope)
    case notGranted
    case purposeNotCovered
    case notYet
    case expired
    case revoked
    /// A grant would allow it, but this agent has had no contact with a quorum for longer than the grant's lease.
    case stale

    package var name: String {
        switch self {
        case .own: "own"
        case .granted: "granted"
        case .notGranted, .purposeNotCovered, .notYet: "not-granted"
        case .expired: "expired"
        case .revoked: "revoked"
        case .stale: "stale"
        }
    }

    /// How near a refusal is to a permission: of several grants the nearest one explains best.
    fileprivate var rank: Int {
        switch self {
        case .own, .granted: 6
        case .stale: 5
        case .notYet: 4
        case .purposeNotCovered: 3
        case .revoked: 2
        case .expired: 1
        case .notGranted: 0
        }
    }
}

/// Judges access by the final state of the chain, the clock, and when a quorum last confirmed this agent's tip.
package struct AccessJudge: Sendable {
    /// A grant about one person, with its scope opened.
    package struct Grant: Sendable {
        package var id: GrantID
        package var state: GrantState
        package var scope: GrantScope
    }

    private let context: AgentContext
    private let book: GrantBook

    package init(context: AgentContext, book: GrantBook) {
        self.context = context
        self.book = book
    }

    /// All grants about a person whose scope this person's pseudonym opens.
    package func grants(of pseudonym: PatientPseudonym) -> [Grant] {
        self.grants(of: pseudonym, in: self.context.board.tip.state)
    }

    /// The same as of one state of the chain.
    package func grants(of pseudonym: PatientPseudonym, in state: LedgerState) -> [Grant] {
        self.book.grants(of: pseudonym).compactMap { id in
            guard let grant = state.grant(id),
                let scope = try? PseudonymSealing.openScope(
                    grant.grant.sealedScope,
                    pseudonym: pseudonym,
                    salt: grant.grant.salt
                ), scope.commitment(salt: grant.grant.salt) == grant.grant.scopeCommitment
            else { return nil }
            return Grant(id: id, state: grant, scope: scope)
        }
    }

    /// `purpose`: `nil` judges for any purpose, as a list does.
    package func access(
        to summary: LocatorSummary,
        of custodian: InstitutionID,
        grants: [Grant],
        purpose: PurposeOfUse?,
        now: Timestamp
    ) -> Access {
        guard custodian != self.context.institution else { return .own }
        var best = Access.notGranted
        for grant in grants {
            let judged = self.judge(grant, summary, custodian, purpose, now)
            if judged.rank > best.rank { best = judged }
        }
        return best
    }

    private func judge(
        _ grant: Grant,
        _ summary: LocatorSummary,
        _ custodian: InstitutionID,
        _ purpose: PurposeOfUse?,
        _ now: Timestamp
    ) -> Access {
        let terms = grant.state.grant
        guard terms.grantees.contains(self.context.institution), grant.state.covers(custodian: custodian),
            grant.scope.covers(kind: summary.kind, itemCode: summary.itemCode, examTime: summary.examTime)
        else { return .notGranted }
        guard grant.state.revokedHeight == nil else { return .revoked }
        guard now < terms.notAfter else { return .expired }
        guard now >= terms.notBefore else { return .notYet }
        guard purpose.map({ $0 == grant.scope.purpose }) ?? true else { return .purposeNotCovered }
        guard self.isFresh(leaseSeconds: grant.scope.leaseSeconds) else { return .stale }
        return .granted(grant.id, grant.state, grant.scope)
    }

    private func isFresh(leaseSeconds: UInt32) -> Bool {
        let uptime = Clock.uptime
        guard let confirmed = self.context.confirmations.confirmed(uptime: uptime) else { return false }
        return uptime - confirmed <= Int64(leaseSeconds) * 1000
    }
}
