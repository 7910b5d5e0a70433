internal import Logging
internal import NIOCore
internal import NIOSSL
internal import Primitives
internal import Synchronization

/// Decides who a peer is, by the digest of its key alone: certificates are self-signed and the chain is the authority.
final class PeerVerifier: Sendable {
    struct Peer: Hashable, Sendable {
        var institution: InstitutionID
        var keyDigest: Digest
    }

    private let directory: PeerDirectory
    private let logger: Logger
    private let refusedKeysMax: Int
    private let refusedKeys = Mutex<Set<Digest>>([])

    init(directory: PeerDirectory, refusedKeysMax: Int, logger: Logger) {
        self.directory = directory
        self.refusedKeysMax = refusedKeysMax
        self.logger = logger
    }

    /// The peer behind a certificate, or `nil` if the directory does not list its key or lists it for another
    /// institution than `expected`.
    func peer(presenting certificate: NIOSSLCertificate?, expected: InstitutionID?) -> Peer? {
        guard let spki = try? certificate?.extractPublicKey().toSPKIBytes() else { return nil }
        let digest = Digest(hashing: spki)
        guard let institution = self.directory.institution(forKeyDigest: digest) else {
            self.logRefusal(digest, reason: "the key is not registered")
            return nil
        }
        guard expected == nil || expected == institution else {
            self.logRefusal(digest, reason: "the key belongs to another institution than the one dialled")
            return nil
        }
        return Peer(institution: institution, keyDigest: digest)
    }

    /// The check during the handshake.
    ///
    /// ``ConnectionGate`` repeats it when the handshake is complete, because a resumed session does not come through
    /// here.
    func callback(expected: InstitutionID?) -> NIOSSLCustomVerificationCallbackWithMetadata {
        { certificates, promise in
            if self.peer(presenting: certificates.first, expected: expected) == nil {
                promise.succeed(.failed)
            } else {
                promise.succeed(.certificateVerified(VerificationMetadata(nil)))
            }
        }
    }

    /// Logs each key once: whoever knocks with a wrong key knocks again.
    private func logRefusal(_ digest: Digest, reason: String) {
        let isNew = self.refusedKeys.withLock { keys in
            keys.count < self.refusedKeysMax && keys.insert(digest).inserted
        }
        guard isNew else { return }
        self.logger.warning("peer refused", metadata: ["key": "\(digest)", "reason": "\(reason)"])
    }
}
