internal import NIOCore
internal import NIOSSL
package import Primitives
internal import Synchronization

package import enum Crypto.P256

/// The certificate and key under which an agent speaks to its peers.
///
/// Printing it shows neither.
package struct TransportIdentity: Sendable, CustomStringConvertible {
    package let keyDigest: Digest
    fileprivate let certificate: NIOSSLCertificate
    fileprivate let privateKey: NIOSSLPrivateKey

    /// - Throws: ``PeerLinkError`` with code `identityInvalid` if the certificate is not one over this key.
    package init(certificateDER: [UInt8], key: P256.Signing.PrivateKey) throws(PeerLinkError) {
        let spki: [UInt8]
        do {
            self.certificate = try NIOSSLCertificate(bytes: certificateDER, format: .der)
            self.privateKey = try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der)
            spki = try self.certificate.extractPublicKey().toSPKIBytes()
        } catch {
            throw PeerLinkError(
                code: .identityInvalid,
                message: "the transport certificate or its key cannot be read; make a new one",
                cause: error
            )
        }
        self.keyDigest = Digest(hashing: spki)
        guard self.keyDigest == TransportCertificate.keyDigest(key.publicKey) else {
            throw PeerLinkError(
                code: .identityInvalid,
                message: "the transport certificate is for another key; make a new one"
            )
        }
    }

    /// An identity with a fresh self-signed certificate over a P-256 key in PEM.
    package static func selfSigned(
        privateKeyPEM: String,
        institution: InstitutionID,
        notBefore: Timestamp,
        notAfter: Timestamp
    ) throws(PeerLinkError) -> TransportIdentity {
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM) else {
            throw PeerLinkError(code: .identityInvalid, message: "the transport key cannot be read; make a new one")
        }
        let certificate = try TransportCertificate.make(
            key: key,
            institution: institution,
            notBefore: notBefore,
            notAfter: notAfter
        )
        return try TransportIdentity(certificateDER: certificate, key: key)
    }

    package var description: String { "TransportIdentity(\(self.keyDigest))" }
}

/// The identity in use.
///
/// Replacing it touches no connection: those that are up keep the old one, new ones use the new.
package final class TransportIdentitySource: Sendable {
    struct Contexts: Sendable {
        var keyDigest: Digest
        var server: NIOSSLContext
        var client: NIOSSLContext
    }

    private let state: Mutex<Contexts>

    package init(_ identity: TransportIdentity) throws(PeerLinkError) {
        self.state = Mutex(try Self.contexts(identity))
    }

    package func replace(with identity: TransportIdentity) throws(PeerLinkError) {
        let contexts = try Self.contexts(identity)
        self.state.withLock { $0 = contexts }
    }

    package var keyDigest: Digest { self.state.withLock { $0.keyDigest } }

    var contexts: Contexts { self.state.withLock { $0 } }

    private static func contexts(_ identity: TransportIdentity) throws(PeerLinkError) -> Contexts {
        do {
            var server = TLSConfiguration.makeServerConfiguration(
                certificateChain: [.certificate(identity.certificate)],
                privateKey: .privateKey(identity.privateKey)
            )
            var client = TLSConfiguration.makeClientConfiguration()
            client.certificateChain = [.certificate(identity.certificate)]
            client.privateKey = .privateKey(identity.privateKey)
            Self.harden(&server)
            Self.harden(&client)
            return Contexts(
                keyDigest: identity.keyDigest,
                server: try NIOSSLContext(configuration: server),
                client: try NIOSSLContext(configuration: client)
            )
        } catch {
            throw PeerLinkError(
                code: .identityInvalid,
                message: "TLS cannot be set up with the transport certificate; make a new one",
                cause: error
            )
        }
    }

    /// TLS 1.3 only.
    ///
    /// The mode makes both sides demand a certificate; what it is worth is decided by callback, so no root is trusted.
    private static func harden(_ configuration: inout TLSConfiguration) {
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([])
        configuration.applicationProtocols = ["h2"]
        // How long a peer may leave a close_notify unanswered.
        configuration.shutdownTimeout = .seconds(1)
    }
}
