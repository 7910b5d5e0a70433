import NIOCore
import NIOPosix
import NIOSSL
import PeerLink
import Primitives
import Synchronization
import Testing

import enum Crypto.P256

@Suite("Who is let in")
struct TrustTests {
    @Test("A key that is not registered is refused on both sides and logged once")
    func unknownKey() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        let impostor = try TestAgent("hospital-b")
        try await running([a, b, impostor]) {
            let registry = [try await a.entry(), try await b.entry()]
            a.directory.update(registry)
            b.directory.update(registry)
            // It knows everybody, but nobody knows its key.
            impostor.directory.update([try await a.entry()])
            impostor.link.send([66], .consensus, to: a.id)
            try await until { a.log.all.contains { $0.contains("not registered") } }
            b.link.send([1], .consensus, to: a.id)
            let frames = try await a.receive(1)
            #expect(frames == [InboundFrame(from: b.id, messageClass: .consensus, bytes: [1])])
            #expect(!impostor.isConnected(to: a))
            // The impostor dials again and again.
            let refusals = a.log.all.filter { $0.contains("\(impostor.credentials.digest)") }
            #expect(refusals.count == 1)
        }
    }

    @Test("A registered peer under another institution's address is not spoken to")
    func dialMismatch() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        let c = try TestAgent("hospital-c")
        try await running([a, b, c]) {
            let registry = [try await a.entry(), try await b.entry(), try await c.entry()]
            b.directory.update(registry)
            c.directory.update(registry)
            // As if the name server gave C's address for B.
            let wrong = try await b.entry(address: try await c.link.listeningAddress)
            a.directory.update([try await a.entry(), wrong, try await c.entry()])
            a.link.send([7], .consensus, to: b.id)
            try await until { a.log.all.contains { $0.contains("another institution") } }
            a.link.send([8], .consensus, to: c.id)
            try await c.expect([[8]])
            #expect(!a.isConnected(to: b))
            // With the right address it goes on.
            a.directory.update(registry)
            try await b.expect([[7]])
        }
    }

    @Test("A withdrawn key ends its connections, a new one is taken without a restart")
    func rotation() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        let new = try Credentials(b.id)
        try await connected([a, b]) {
            b.link.send([1], .consensus, to: a.id)
            a.link.send([2], .consensus, to: b.id)
            try await a.expect([[1]])
            try await b.expect([[2]])
            try await until { a.isConnected(to: b) && b.isConnected(to: a) }
            let before = [a, b].compactMap { $0.link.peers.first?.since }.max() ?? Timestamp(milliseconds: 0)
            // First the chain learns the new key, then the agent uses it; what is up stays up.
            a.directory.update([try await a.entry(), try await b.entry(keys: [b.credentials.digest, new.digest])])
            try b.source.replace(with: try new.identity)
            #expect(b.source.keyDigest == new.digest)
            b.link.send([3], .consensus, to: a.id)
            try await a.expect([[3]])
            #expect([a, b].allSatisfy { $0.link.peers.first.map { $0.connected && $0.since <= before } ?? false })
            // Then the old one is withdrawn: both directions come back under the new one.
            a.directory.update([try await a.entry(), try await b.entry(keys: [new.digest])])
            try await until {
                [a, b].allSatisfy { $0.link.peers.first.map { $0.connected && $0.since > before } ?? false }
            }
            b.link.send([4], .consensus, to: a.id)
            a.link.send([5], .consensus, to: b.id)
            try await a.expect([[4]])
            try await b.expect([[5]])
            // Without any key the peer is out.
            a.directory.update([try await a.entry(), try await b.entry(keys: [])])
            try await until { !a.isConnected(to: b) && !b.isConnected(to: a) }
        }
    }

    @Test("A peer that leaves the directory is cut off")
    func removal() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        try await connected([a, b]) {
            try await until { a.isConnected(to: b) && b.isConnected(to: a) }
            a.directory.update([try await a.entry()])
            try await until { a.link.peers.isEmpty && !b.isConnected(to: a) }
            #expect(a.link.send([1], .consensus, to: b.id) == .refused(.unknownPeer))
        }
    }

    @Test("TLS below 1.3 is refused, also with a registered key", arguments: [TLSVersion.tlsv12, .tlsv11])
    func oldTLS(version: TLSVersion) async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        try await running([a]) {
            a.directory.update([
                PeerEntry(institution: b.id, keyDigests: [b.credentials.digest], addresses: [])
            ])
            let address = try await a.link.listeningAddress
            let old = try await handshake(to: address, as: b.credentials) { $0.maximumTLSVersion = version }
            #expect(!old)
            let new = try await handshake(to: address, as: b.credentials) { $0.maximumTLSVersion = .tlsv13 }
            #expect(new)
        }
    }

    @Test("A client without a certificate is refused")
    func noCertificate() async throws {
        let a = try TestAgent("hospital-a")
        try await running([a]) {
            let isServed = try await handshake(to: try await a.link.listeningAddress, as: nil) { _ in }
            #expect(!isServed)
        }
    }

    @Test("A certificate over another key is no identity")
    func foreignCertificate() throws {
        let id = try institution("hospital-a")
        let error = #expect(throws: PeerLinkError.self) {
            try TransportIdentity(certificateDER: try Credentials(id).certificate, key: P256.Signing.PrivateKey())
        }
        #expect(error?.code == .identityInvalid)
        #expect(throws: PeerLinkError.self) {
            try TransportIdentity(certificateDER: [1, 2, 3], key: P256.Signing.PrivateKey())
        }
        let credentials = try Credentials(id)
        let certificate = try NIOSSLCertificate(bytes: credentials.certificate, format: .der)
        #expect(Digest(hashing: try certificate.extractPublicKey().toSPKIBytes()) == credentials.digest)
    }
}

/// Opens TLS by hand; whether the server then speaks (HTTP/2 SETTINGS come unasked) before it closes.
private func handshake(
    to address: PeerAddress,
    as credentials: Credentials?,
    _ configure: @escaping @Sendable (inout TLSConfiguration) -> Void
) async throws -> Bool {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    configuration.minimumTLSVersion = .tlsv1
    configuration.applicationProtocols = ["h2"]
    if let credentials {
        configuration.certificateChain = [
            .certificate(try NIOSSLCertificate(bytes: credentials.certificate, format: .der))
        ]
        configuration.privateKey = .privateKey(
            try NIOSSLPrivateKey(bytes: Array(credentials.key.derRepresentation), format: .der)
        )
    }
    configure(&configuration)
    let context = try NIOSSLContext(configuration: configuration)
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: address.host, port: address.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    NIOSSLClientHandler(context: context, serverHostname: nil)
                )
                return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    do {
        return try await channel.executeThenClose { inbound, _ in
            for try await _ in inbound { return true }
            return false
        }
    } catch {
        return false
    }
}
