import AgentAPI
import Foundation
import Ledger
import Primitives
import Records
import SwiftProtobuf

/// Grants as the local API carries them.
enum GrantMessages {
    static func grant(_ terms: AccessTerms, uses: UInt32, now: Timestamp) -> Entente_Api_V1_Grant {
        let grant = terms.state.grant
        return .with { message in
            message.id = Data(terms.id.digest.bytes)
            message.grantees = grant.grantees.map(\.text)
            message.groups = grant.groups.map(\.text)
            message.custodians = grant.custodians.map(\.text)
            Self.scope(terms.scope, &message)
            message.notBefore = grant.notBefore.milliseconds
            message.notAfter = grant.notAfter.milliseconds
            message.createdHeight = terms.state.createdHeight.value
            message.revokedHeight = terms.state.revokedHeight?.value ?? 0
            message.revokedAt = terms.state.revokedTime?.milliseconds ?? 0
            message.selfWitnessed = terms.state.isSelfWitnessed
            message.uses = uses
            message.narrowings = zip(terms.state.narrowings, terms.narrowings).map(Self.narrowing)
            switch grant.grantor {
            case .patient: message.grantor = "patient"
            case .witness(let institution, _): message.grantor = institution.text
            case .emergency: message.grantor = "emergency"
            case .delegate(_, let delegation):
                message.grantor = terms.mandate?.state.delegation.capacity.name ?? "delegate"
                message.delegation = Data(delegation.digest.bytes)
            }
            message.state = Self.state(terms, now)
        }
    }

    private static func scope(_ scope: GrantScope, _ message: inout Entente_Api_V1_Grant) {
        message.kinds = scope.kinds.map(\.rawValue)
        message.items = scope.items
        message.examsFrom = scope.examsFrom?.milliseconds ?? 0
        message.examsUntil = scope.examsUntil?.milliseconds ?? 0
        message.purpose = scope.purpose.code
        message.leaseSeconds = scope.leaseSeconds
        message.records = scope.records.map { Data($0.digest.bytes) }
        message.usesMax = scope.usesMax ?? 0
        message.sensitive = scope.sensitive.map(\.name)
        message.readers = scope.readers.map { Data($0.bytes) }
        message.hidden = scope.hidden
        if let referral = scope.referral { message.referral = Data(referral.digest.bytes) }
    }

    private static func narrowing(_ state: GrantState.Narrowed, _ scope: GrantScope) -> Entente_Api_V1_Narrowing {
        .with { message in
            message.height = state.height.value
            message.withoutGrantees = state.narrowing.withoutGrantees.map(\.text)
            message.withoutCustodians = state.narrowing.withoutCustodians.map(\.text)
            message.kinds = scope.kinds.map(\.rawValue)
            message.items = scope.items
            message.examsFrom = scope.examsFrom?.milliseconds ?? 0
            message.examsUntil = scope.examsUntil?.milliseconds ?? 0
            message.hidden = scope.hidden
        }
    }

    private static func state(_ terms: AccessTerms, _ now: Timestamp) -> String {
        let grant = terms.state.grant
        if terms.state.revokedHeight != nil { return "revoked" }
        if case .delegate = grant.grantor, terms.mandate?.state.endedHeight != nil || terms.mandate == nil {
            return "delegation-over"
        }
        let scopes = [terms.scope] + terms.narrowings
        let isClosed = scopes.compactMap(\.referral).contains { id in
            !terms.referrals.contains { $0.referral.id == id && $0.closedHeight == nil }
        }
        if isClosed { return "referral-closed" }
        if now >= grant.notAfter { return "expired" }
        return now < grant.notBefore ? "not-yet" : "active"
    }
}
