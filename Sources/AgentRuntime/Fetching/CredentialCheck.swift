import Ledger
package import Primitives
package import Records
import Synchronization
import Vault

/// Checks that a clinician of this institution asks, and that the question is a fresh one.
package final class CredentialCheck: Sendable {
    /// A person or script signs within seconds.
    private static let nonceLifeMilliseconds: Int64 = 120_000
    /// Requests that may be open at once; more make the oldest void.
    private static let openMax = 4096

    private struct Open {
        var request: FetchRequest
        var expires: Int64
    }

    private let context: AgentContext
    private let open = Mutex<[Open]>([])

    package init(context: AgentContext) { self.context = context }

    /// Reads and checks a credential of this institution.
    package func credential(_ bytes: [UInt8], now: Timestamp) throws(AgentFailure) -> ClinicianCredential {
        let credential: ClinicianCredential
        do throws(CanonicalError) {
            credential = try ClinicianCredential(canonicalBytes: bytes)
        } catch {
            throw Self.invalid("the credential is not one")
        }
        guard credential.institution == self.context.institution else {
            throw Self.invalid("the credential is of another institution")
        }
        let message = credential.signedBytes(chain: self.context.rules.chain)
        guard self.context.keys.verifyingKey.isValid(credential.signature, over: message) else {
            throw Self.invalid("this institution did not sign the credential")
        }
        guard credential.issuedAt <= now.advanced(byMilliseconds: 600_000), now < credential.expiresAt else {
            throw AgentFailure(
                .credentialExpired,
                "the credential is not valid now",
                hint: "Issue a new one: clinician add."
            )
        }
        return credential
    }

    /// Opens a request that the clinician is to sign.
    package func request(
        record: ContentAddress,
        purpose: PurposeOfUse,
        credential: ClinicianCredential
    ) -> FetchRequest {
        var generator = SystemRandomNumberGenerator()
        let nonce = (0..<FetchRequest.nonceBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let request = FetchRequest(record: record, purpose: purpose, nonce: nonce, credential: credential.id)
        let uptime = Clock.uptime
        self.open.withLock { open in
            open.removeAll { $0.expires < uptime }
            if open.count >= Self.openMax { open.removeFirst() }
            open.append(Open(request: request, expires: uptime + Self.nonceLifeMilliseconds))
        }
        return request
    }

    package func bytesToSign(_ request: FetchRequest) -> [UInt8] {
        request.signedBytes(chain: self.context.rules.chain)
    }

    /// Closes an open request: succeeds once, for the holder of the credential's key.
    package func close(
        _ request: FetchRequest,
        signature: Signature,
        credential: ClinicianCredential
    ) throws(AgentFailure) {
        guard request.credential == credential.id,
            credential.key.isValid(signature, over: self.bytesToSign(request))
        else { throw Self.invalid("the request is not signed by the credential's key") }
        let uptime = Clock.uptime
        let isOpen = self.open.withLock { open in
            guard let index = open.firstIndex(where: { $0.request == request }) else { return false }
            return open.remove(at: index).expires >= uptime
        }
        guard isOpen else { throw Self.invalid("the request is unknown, used or too old") }
    }

    private static func invalid(_ message: String) -> AgentFailure {
        AgentFailure(.credentialInvalid, message, hint: "Use a credential made by clinician add at this institution.")
    }
}
