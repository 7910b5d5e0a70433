import NIOCore
import NIOPosix
import NIOSSL
import PeerLink
import Primitives
import TestSupport
import Testing

import enum Crypto.P256

@Suite("Hostile and broken peers")
struct HostilePeerTests {
    @Test("Garbage on the port ends that connection and nothing else", arguments: 0..<8 as Range<UInt64>)
    func garbage(seed: UInt64) async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        try await connected([a, b]) {
            var generator = SeededGenerator(seed: seed)
            var bytes = [UInt8].random(count: 4096, using: &generator)
            switch seed {
            case 0: bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            case 1: bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
            case 2: bytes = [0x16, 0x03, 0x01, 0xff, 0xff] + bytes
            default: break
            }
            try await sendRaw(bytes, to: try await a.link.listeningAddress)
            b.link.send([1], .consensus, to: a.id)
            try await a.expect([[1]])
        }
    }

    @Test("Whoever connects and stays silent is cut off when the handshake is due")
    func silence() async throws {
        var limits = PeerLinkLimits()
        limits.handshakeTimeout = .milliseconds(50)
        let a = try TestAgent("hospital-a", limits: limits)
        try await running([a]) { try await sendRaw([], to: try await a.link.listeningAddress) }
    }

    @Test("Connections beyond the limit for unknown ones are closed, and room comes back")
    func tooManyUnknown() async throws {
        var limits = PeerLinkLimits()
        limits.connectionsUnknownMax = 2
        let a = try TestAgent("hospital-a", limits: limits)
        let b = try TestAgent("hospital-b")
        try await running([a, b]) {
            let address = try await a.link.listeningAddress
            var channels: [any Channel] = []
            for _ in 0..<3 { channels.append(try await connectRaw(to: address)) }
            // Which one is too much depends on which event loop is first.
            let closed = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Void.self)
            for channel in channels { channel.closeFuture.whenComplete { _ in closed.succeed() } }
            try await closed.futureResult.get()
            for channel in channels { try? await channel.close() }
            let entries = [try await a.entry(), try await b.entry()]
            a.directory.update(entries)
            b.directory.update(entries)
            b.link.send([1], .consensus, to: a.id)
            try await a.expect([[1]])
        }
    }

    @Test("A frame over the limit ends the connection with a log line, and the peer may come back")
    func oversizedFrame() async throws {
        var small = PeerLinkLimits()
        small.messageBytesMax = 1000
        let a = try TestAgent("hospital-a", limits: small)
        let b = try TestAgent("hospital-b")
        try await connected([a, b]) {
            b.link.send([1], .consensus, to: a.id)
            try await a.expect([[1]])
            try await until { b.isConnected(to: a) }
            let before = try #require(b.link.peers.first?.since)
            b.link.send([UInt8](repeating: 0, count: 1001), .consensus, to: a.id)
            try await until { a.log.all.contains { $0.contains("oversized") } }
            try await until { b.link.peers.first.map { $0.connected && $0.since > before } ?? false }
            b.link.send([2], .consensus, to: a.id)
            try await a.expect([[2]])
        }
    }

    @Test("A peer that speaks nonsense inside TLS and never closes its side does not stop the listener")
    func nonsenseInsideTLS() async throws {
        let a = try TestAgent("hospital-a")
        let b = try TestAgent("hospital-b")
        try await connected([a, b]) {
            let address = try await a.link.listeningAddress
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.certificateVerification = .none
            configuration.applicationProtocols = ["h2"]
            configuration.certificateChain = [
                .certificate(try NIOSSLCertificate(bytes: b.credentials.certificate, format: .der))
            ]
            configuration.privateKey = .privateKey(
                try NIOSSLPrivateKey(bytes: Array(b.credentials.key.derRepresentation), format: .der)
            )
            let context = try NIOSSLContext(configuration: configuration)
            var channels: [any Channel] = []
            for _ in 0..<3 {
                let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: address.host, port: address.port) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            let sync = channel.pipeline.syncOperations
                            try sync.addHandler(NeverCloses())
                            try sync.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                            return channel
                        }
                    }
                try await channel.writeAndFlush(ByteBuffer(repeating: 0xee, count: 500))
                channels.append(channel)
            }
            for number in UInt8(0)..<50 {
                b.link.send([number], .consensus, to: a.id)
                try await a.expect([[number]])
            }
            for channel in channels { try? await channel.close() }
            #expect(!a.log.all.contains { $0.contains("started again") })
        }
    }

    @Test("A peer's oldest connection gives way to its newest")
    func connectionsPerPeer() async throws {
        var limits = PeerLinkLimits()
        limits.connectionsPerPeerMax = 2
        let a = try TestAgent("hospital-a", limits: limits)
        let b = try TestAgent("hospital-b")
        let twin = try TestAgent("hospital-b", credentials: b.credentials)
        try await running([a, b, twin]) {
            a.directory.update([try await a.entry(), try await b.entry()])
            b.directory.update([try await a.entry()])
            try await until { b.isConnected(to: a) }
            twin.directory.update([try await a.entry()])
            // The two push each other out, and what is under way on a closed connection is lost: so again and again.
            let arrived = Event()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await a.expect([[1]])
                    arrived.happen()
                }
                try await until {
                    twin.link.send([1], .consensus, to: a.id)
                    return arrived.happened
                }
                try await group.waitForAll()
            }
        }
    }
}

/// Swallows what would close the connection: the peer's end stays open.
private final class NeverCloses: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private var reads = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The handshake passes, the close_notify does not.
        self.reads += 1
        if self.reads <= 2 { context.fireChannelRead(data) }
    }
}

private func connectRaw(to address: PeerAddress) async throws -> any Channel {
    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: address.host, port: address.port).get()
}

/// Sends bytes outside TLS and returns when the other side has closed.
private func sendRaw(_ bytes: [UInt8], to address: PeerAddress) async throws {
    let channel = try await connectRaw(to: address)
    try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    try await channel.closeFuture.get()
}
