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
    package static func call(of prepared: Entente_Api_V1_PreparedTransaction) throws(AgentFailure) -> GrantsCall {
        guard let body = try? TransactionBody(canonicalBytes: Array(prepared.transaction)),
            Data(body.signedBytes) == prepared.toSign, case .grants(let call)? = try? LedgerCall(of: body)
        else { throw self.mismatch }
        return call
    }

    package static func enrolment(_ call: GrantsCall, key: Data) throws(AgentFailure) {
        guard case .enrolPatient(let enrolment) = call, Data(enrolment.key.bytes) == key else {
            throw self.mismatch
        }
    }

    /// The handle and the sealed scope cannot be read here: the chain holds the handle against the key's enrolment, and
    /// agents hold the scope against its commitment.
    package static func grant(
        _ call: GrantsCall,
        key: Data,
        _ wish: Entente_Api_V1_PrepareGrantRequest,
        now: Timestamp
    ) throws {
        guard case .createGrant(let grant) = call, case .patient(let signer) = grant.grantor else {
            throw self.mismatch
        }
        let wish = GrantDesk.Wish(wish, by: .patient(signer))
        let around = self.dayMilliseconds
        let today = now.advanced(byMilliseconds: -around)...now.advanced(byMilliseconds: around)
        let isStartRight = wish.notBefore.map { $0 == grant.notBefore } ?? today.contains(grant.notBefore)
        let end =
            wish.notAfter ?? grant.notBefore.advanced(byMilliseconds: GrantDesk.periodDefaultMilliseconds)
        guard Data(signer.bytes) == key, isStartRight, grant.notAfter == end,
            grant.grantees.map(\.text) == Set(wish.grantees).sorted(),
            grant.custodians.map(\.text) == Set(wish.custodians).sorted(),
            grant.scopeCommitment == (try wish.scope().commitment(salt: grant.salt))
        else { throw self.mismatch }
    }

    package static func revocation(_ call: GrantsCall, _ grant: Data) throws(AgentFailure) {
        guard case .revokeGrant(let id) = call, Data(id.digest.bytes) == grant else { throw self.mismatch }
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
