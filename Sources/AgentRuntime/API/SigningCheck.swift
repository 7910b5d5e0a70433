package import AgentAPI
package import Foundation
package import Ledger
package import Primitives
import Records

/// Compares what an agent hands out for signing with what its holder asked for.
///
/// A key signs what its holder wants and nothing an agent made up: the agent may be another's, or broken into.
package enum SigningCheck {
    private static let dayMilliseconds: Int64 = 24 * 3600 * 1000

    /// A call that one person's key signs, taken out of a prepared transaction.
    package static func call(of prepared: Entente_Api_V1_PreparedTransaction) throws(AgentFailure) -> LedgerCall {
        guard let body = try? TransactionBody(canonicalBytes: Array(prepared.transaction)),
            Data(body.signedBytes) == prepared.toSign, let call = try? LedgerCall(of: body)
        else { throw self.mismatch }
        switch call {
        case .grants, .delegations, .emergency, .erasures, .identities: return call
        default: throw self.mismatch
        }
    }

    package static func enrolment(_ call: LedgerCall, key: Data) throws(AgentFailure) {
        guard case .grants(.enrolPatient(let enrolment)) = call, Data(enrolment.key.bytes) == key else {
            throw self.mismatch
        }
    }

    /// The handle and the sealed scope cannot be read here: the chain holds the handle against the key's enrolment, and
    /// agents hold the scope against its commitment.
    package static func grant(
        _ call: LedgerCall,
        key: Data,
        _ asked: Entente_Api_V1_PrepareGrantRequest,
        now: Timestamp
    ) throws {
        guard case .grants(.createGrant(let grant)) = call else { throw self.mismatch }
        let signer: VerifyingKey
        let wish: GrantDesk.Wish
        switch (grant.grantor, asked.grantor) {
        case (.patient(let key), .patientKey):
            signer = key
            wish = try GrantDesk.Wish(asked, by: .patient(key))
        case (.delegate(let key, let delegation), .delegateKey):
            guard Data(delegation.digest.bytes) == asked.delegation else { throw self.mismatch }
            signer = key
            wish = try GrantDesk.Wish(asked, by: .delegate(key, delegation))
        default: throw self.mismatch
        }
        let around = self.dayMilliseconds
        let today = now.advanced(byMilliseconds: -around)...now.advanced(byMilliseconds: around)
        let isStartRight = wish.notBefore.map { $0 == grant.notBefore } ?? today.contains(grant.notBefore)
        let end =
            wish.notAfter ?? grant.notBefore.advanced(byMilliseconds: GrantDesk.periodDefaultMilliseconds)
        // Where no end was asked for, a delegate's grant ends with the delegation if that is sooner.
        var isEndRight = grant.notAfter == end
        if case .delegate = grant.grantor, wish.notAfter == nil { isEndRight = grant.notAfter <= end }
        guard Data(signer.bytes) == key, isStartRight, isEndRight,
            grant.grantees.map(\.text) == Set(wish.grantees).sorted(),
            grant.groups.map(\.text) == Set(wish.groups).sorted(),
            grant.custodians.map(\.text) == Set(wish.custodians).sorted(),
            grant.scopeCommitment == (try wish.scope(salt: grant.salt).commitment(salt: grant.salt))
        else { throw self.mismatch }
    }

    package static func revocation(_ call: LedgerCall, _ grant: Data) throws(AgentFailure) {
        guard case .grants(.revokeGrant(let id)) = call, Data(id.digest.bytes) == grant else { throw self.mismatch }
    }

    /// What remains of a grant is sealed; that it is what was asked for is for agents to hold against its commitment.
    package static func narrowing(
        _ call: LedgerCall,
        _ asked: Entente_Api_V1_PrepareNarrowingRequest
    ) throws(AgentFailure) {
        guard case .grants(.narrowGrant(let id, let narrowing)) = call, Data(id.digest.bytes) == asked.grant,
            narrowing.withoutGrantees.map(\.text) == Set(asked.withoutGrantees).sorted(),
            narrowing.withoutCustodians.map(\.text) == Set(asked.withoutCustodians).sorted()
        else { throw self.mismatch }
    }

    package static func delegation(
        _ call: LedgerCall,
        key: Data,
        _ asked: Entente_Api_V1_PrepareDelegationRequest,
        now: Timestamp
    ) throws(AgentFailure) {
        guard case .delegations(.create(let delegation)) = call, case .patient(let signer) = delegation.principal,
            let evidence = Digest(Array(asked.evidence))
        else { throw self.mismatch }
        let wish = GrantDesk.Appointment(asked, principal: signer, delegate: delegation.delegate, evidence: evidence)
        let around = self.dayMilliseconds
        let today = now.advanced(byMilliseconds: -around)...now.advanced(byMilliseconds: around)
        let isStartRight = wish.notBefore.map { $0 == delegation.notBefore } ?? today.contains(delegation.notBefore)
        let end =
            wish.notAfter ?? delegation.notBefore.advanced(byMilliseconds: GrantDesk.periodDefaultMilliseconds)
        let scope = try wish.scope(salt: delegation.salt)
        guard Data(signer.bytes) == key, Data(delegation.delegate.bytes) == asked.delegateKey, isStartRight,
            delegation.notAfter <= end, delegation.notAfter == end || delegation.capacity == .guardian,
            delegation.evidence == evidence, delegation.capacity.name == asked.capacity,
            delegation.scopeCommitment == scope.commitment(salt: delegation.salt)
        else { throw self.mismatch }
    }

    package static func delegationEnd(_ call: LedgerCall, _ delegation: Data) throws(AgentFailure) {
        guard case .delegations(.end(let id)) = call, Data(id.digest.bytes) == delegation else { throw self.mismatch }
    }

    package static func objection(
        _ call: LedgerCall,
        _ asked: Entente_Api_V1_PrepareObjectionRequest
    ) throws(AgentFailure) {
        guard case .delegations(.object(let grant, let delegation)) = call,
            Data(grant.digest.bytes) == asked.grant, Data(delegation.digest.bytes) == asked.delegation
        else { throw self.mismatch }
    }

    package static func discovery(_ call: LedgerCall, key: Data, isHidden: Bool) throws(AgentFailure) {
        guard case .grants(.chooseDiscovery(let choice)) = call, choice.isHidden == isHidden,
            case .patient(let signer) = choice.principal, Data(signer.bytes) == key
        else { throw self.mismatch }
    }

    /// An emergency access by this clinician and nobody else, for hours.
    package static func breakGlass(
        _ call: LedgerCall,
        _ asked: Entente_Api_V1_PrepareBreakGlassRequest
    ) throws(AgentFailure) {
        guard case .emergency(.open(let opening)) = call else { throw self.mismatch }
        try self.declaration(opening, asked)
    }

    /// The same without contact, where no transaction is made.
    package static func offlineBreakGlass(
        _ prepared: Entente_Api_V1_PreparedOfflineBreakGlass,
        _ asked: Entente_Api_V1_PrepareBreakGlassRequest
    ) throws(AgentFailure) {
        let signed = Array(prepared.toSign)
        guard let opening = try? BreakGlass(canonicalBytes: Array(prepared.opening)),
            let chain = SignedBytes.chain(of: signed), opening.offlineSignedBytes(chain: chain) == signed
        else { throw self.mismatch }
        try self.declaration(opening, asked)
    }

    private static func declaration(
        _ opening: BreakGlass,
        _ asked: Entente_Api_V1_PrepareBreakGlassRequest
    ) throws(AgentFailure) {
        guard let credential = try? ClinicianCredential(canonicalBytes: Array(asked.credential)),
            opening.clinician == credential.key, opening.grant.grantees == [credential.institution],
            opening.reason.name == asked.reason, (opening.approver != nil) == !asked.approver.isEmpty,
            (opening.widens.map { Data($0.digest.bytes) } ?? Data()) == asked.widens
        else { throw self.mismatch }
    }

    package static func review(
        _ call: LedgerCall,
        _ asked: Entente_Api_V1_PrepareReviewRequest
    ) throws(AgentFailure) {
        guard case .emergency(.review(let id, let outcome, let reviewer)) = call,
            let credential = try? ClinicianCredential(canonicalBytes: Array(asked.credential)),
            Data(id.digest.bytes) == asked.emergency, outcome.name == asked.outcome, reviewer == credential.key
        else { throw self.mismatch }
    }

    /// An erasure of these records and no others, in the name of this key.
    package static func erasure(
        _ call: LedgerCall,
        key: Data,
        _ asked: Entente_Api_V1_PrepareErasureRequest
    ) throws(AgentFailure) {
        guard case .erasures(.request(let erasure)) = call, case .patient(let signer) = erasure.requester,
            Data(signer.bytes) == key,
            Set(erasure.records.map { Data($0.digest.bytes) }) == Set(asked.records)
        else { throw self.mismatch }
    }

    /// The two identities are sealed; that they are the ones that were meant is for those who can open the link.
    package static func link(
        _ call: LedgerCall,
        key: Data,
        _ asked: Entente_Api_V1_PrepareIdentityLinkRequest
    ) throws(AgentFailure) {
        guard case .identities(.link(let link)) = call, link.kind.name == asked.kind,
            Data(link.evidence.bytes) == asked.evidence, let signer = link.patientKey, Data(signer.bytes) == key
        else { throw self.mismatch }
    }

    package static func unlink(
        _ call: LedgerCall,
        key: Data,
        _ asked: Entente_Api_V1_PrepareIdentityUnlinkRequest
    ) throws(AgentFailure) {
        guard case .identities(.unlink(let unlink)) = call, Data(unlink.link.digest.bytes) == asked.link,
            unlink.reason.name == asked.reason, Data(unlink.evidence.bytes) == asked.evidence,
            case .patient(let signer) = unlink.signer, Data(signer.bytes) == key
        else { throw self.mismatch }
    }

    /// A reading: of this record, for this purpose, by this credential.
    package static func reading(
        _ prepared: Entente_Api_V1_PrepareFetchReply,
        _ asked: Entente_Api_V1_PrepareFetchRequest
    ) throws(AgentFailure) {
        do throws(CanonicalError) {
            let request = try FetchRequest(canonicalBytes: Array(prepared.request))
            let credential = try ClinicianCredential(canonicalBytes: Array(asked.credential))
            let signed = Array(prepared.toSign)
            // The signed bytes name a chain, which only the agent knows; everything else in them is known here.
            guard let chain = SignedBytes.chain(of: signed), request.signedBytes(chain: chain) == signed,
                Data(request.record.digest.bytes) == asked.record, request.purpose.code == asked.purpose,
                request.credential == credential.id
            else { throw CanonicalError.invalid }
        } catch {
            throw self.mismatch
        }
    }

    private static var mismatch: AgentFailure {
        AgentFailure(
            .signatureMismatch,
            "the agent asked for a signature on something else than what was ordered; nothing was signed",
            hint: "Do not use this agent before its operator has checked it."
        )
    }
}
