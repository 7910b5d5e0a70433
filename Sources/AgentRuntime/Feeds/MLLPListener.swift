import Formats
import Foundation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import PeerLink
import ServiceLifecycle

/// Listens for HL7 version 2 messages over MLLP and answers each when ``MessageDesk`` has made it durable.
///
/// A connection reads, works and answers in turn: while its messages are made durable nothing more is read, so a sender that is
/// faster than the disk waits in its own `send`. What one read brought is worked on together and answered in order, so a
/// sender may send ahead without waiting for answers.
///
/// A graceful shutdown takes no more messages, answers those in work, and ends.
struct MLLPListener: Service {
    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// What one read takes: some hundred usual messages.
    private static let readBytes = 256 << 10
    private static let backlog: Int32 = 64
    private static let sweepInterval: Duration = .seconds(1)
    /// So many sweeps between two lines of counts in the log.
    private static let sweepsPerReport = 60

    private let server: NIOAsyncChannel<Connection, Never>
    private let desk: MessageDesk
    private let counts: FeedCounts
    private let connections = MLLPConnections()
    private let logger: Logger

    /// Listens, and holds connections until ``run()``.
    static func open(
        _ address: String,
        tls: FeedConfiguration.TLS?,
        desk: MessageDesk,
        counts: FeedCounts,
        logger: Logger
    ) async throws -> MLLPListener {
        guard let address = PeerAddress(address) else {
            throw AgentFailure(.badRequest, "the address to listen on for HL7 messages is not HOST:PORT")
        }
        let security = try tls.map { try MLLPSecurity.context($0) }
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptErrors())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A sender that has said all it has to say still wants its answers.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readBytes))
            .childChannelOption(.maxMessagesPerRead, value: 1)
        do {
            let server = try await bootstrap.bind(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture { try Self.connection(on: channel, security) }
            }
            return MLLPListener(server: server, desk: desk, counts: counts, logger: logger)
        } catch {
            throw AgentFailure(
                .badRequest,
                "HL7 messages cannot be listened for at this address",
                hint: "See whether another program listens there, and whether this machine has the address.",
                cause: error
            )
        }
    }

    private init(
        server: NIOAsyncChannel<Connection, Never>,
        desk: MessageDesk,
        counts: FeedCounts,
        logger: Logger
    ) {
        self.server = server
        self.desk = desk
        self.counts = counts
        self.logger = logger
    }

    private static func connection(on channel: any Channel, _ security: NIOSSLContext?) throws -> Connection {
        if let security { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: security)) }
        let connection = try Connection(
            wrappingChannelSynchronously: channel,
            configuration: NIOAsyncChannel.Configuration(
                // Reads stop while one piece waits to be worked on.
                backPressureStrategy: .init(lowWatermark: 1, highWatermark: 1)
            )
        )
        // A listener that stops drops connections it has not begun to serve; NIO traps when one goes away before it is
        // closed.
        channel.closeFuture.whenComplete { _ in withExtendedLifetime(connection) {} }
        return connection
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.accept() }
                group.addTask { await self.sweep() }
                defer { group.cancelAll() }
                try await group.next()
            }
        } onGracefulShutdown: {
            self.server.channel.close(promise: nil)
            self.connections.stop(uptime: Clock.uptime)
        }
        self.counts.tell(self.logger)
    }

    /// Returns when the listener is closed and every connection has ended.
    private func accept() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await self.server.executeThenClose { inbound in
                for try await connection in inbound {
                    group.addTask { await self.serve(connection) }
                }
            }
        }
    }

    private func sweep() async {
        var count = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.sweepInterval)
            self.connections.closeOverdue(uptime: Clock.uptime)
            count += 1
            if count.isMultiple(of: Self.sweepsPerReport) { self.counts.tell(self.logger) }
        }
    }

    // MARK: One connection

    private func serve(_ connection: Connection) async {
        guard let number = self.connections.admit(connection.channel, uptime: Clock.uptime) else {
            self.logger.warning("an HL7 connection is refused: there are too many")
            try? await connection.executeThenClose { _, _ in }
            return
        }
        defer { self.connections.remove(number) }
        do {
            try await connection.executeThenClose { inbound, _ in
                try await self.exchange(number, inbound, connection.channel)
            }
        } catch is ChannelError {
            // The sender went away; what was not answered comes again.
        } catch is CancellationError {
        } catch let error as NIOSSLError {
            self.logger.info("an HL7 connection failed in TLS", metadata: ["error": "\(error)"])
        } catch is IOError {
        } catch {
            let failure = AgentFailure(any: error)
            self.logger.error(
                "an HL7 connection is closed without an answer",
                metadata: ["code": "\(failure.code.rawValue)", "what": "\(failure.message)"]
            )
        }
    }

    private func exchange(
        _ number: UInt64,
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ channel: any Channel
    ) async throws {
        var splitter = MLLPFrameSplitter()
        let reader = HL7v2MessageReader()
        var isParting = false
        for try await buffer in inbound {
            // Read, so that the connection can be closed without a reset; its sender keeps what was not answered.
            guard !isParting else { continue }
            let incoming = splitter.append(Array(buffer.readableBytesView)).map(Self.incoming)
            let phase: MLLPConnections.Phase = splitter.isBetweenFrames ? .waiting : .receiving
            guard try await self.answer(incoming, number, reader, channel),
                self.connections.enter(phase, number, bytesHeld: splitter.bytesHeld, uptime: Clock.uptime)
            else {
                isParting = true
                self.connections.part(number, uptime: Clock.uptime)
                continue
            }
        }
        guard !isParting, !Task.isCancelled else { return }
        // A frame that was cut off is not answered: its sender keeps it.
        let last = splitter.finish().filter { event in
            if case .frame = event { true } else { false }
        }
        _ = try await self.answer(last.map(Self.incoming), number, reader, channel)
    }

    /// Returns `false` if the connection must end.
    private func answer(
        _ incoming: [MessageDesk.Incoming],
        _ number: UInt64,
        _ reader: HL7v2MessageReader,
        _ channel: any Channel
    ) async throws -> Bool {
        guard !incoming.isEmpty else { return true }
        guard self.connections.enter(.working, number, uptime: Clock.uptime) else { return false }
        let answers = try await self.desk.answers(to: incoming, reader)
        guard self.connections.enter(.answering, number, uptime: Clock.uptime) else { return false }
        var buffer = ByteBuffer()
        for answer in answers {
            buffer.writeInteger(MLLPFrameSplitter.start)
            buffer.writeBytes(answer)
            buffer.writeBytes(MLLPFrameSplitter.end)
        }
        // Not through the connection's writer, which returns before the bytes are with the kernel: closing after a shutdown
        // would drop them.
        try await channel.writeAndFlush(buffer)
        return true
    }

    private static func incoming(_ event: MLLPFrameSplitter.Event) -> MessageDesk.Incoming {
        switch event {
        case .frame(let bytes, _): .message(bytes)
        case .garbage: .unreadable(.frameGarbage)
        case .open: .unreadable(.frameOpen)
        case .tooLarge: .unreadable(.tooLarge)
        }
    }
}

/// Keeps the listener going when one connection cannot be accepted, for want of file descriptors or because it is gone.
private final class AcceptErrors: ChannelInboundHandler {
    typealias InboundIn = Channel

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// TLS of the MLLP port.
private enum MLLPSecurity {
    static func context(_ files: FeedConfiguration.TLS) throws -> NIOSSLContext {
        var status = stat()
        guard stat(files.key, &status) == 0, status.st_mode & 0o007 == 0 else {
            throw AgentFailure(
                .badRequest,
                "the key for TLS on the HL7 port cannot be read, or everybody can read it",
                hint: "Set its mode to 0600."
            )
        }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map(NIOSSLCertificateSource.certificate)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain,
                privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem))
            )
            // Analysers and older engines have no 1.3.
            configuration.minimumTLSVersion = .tlsv12
            if let authority = files.clientAuthority {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
                // Senders are programs behind an address translation as a rule: their names prove nothing.
                configuration.certificateVerification = .noHostnameVerification
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw AgentFailure(
                .badRequest,
                "the certificate, key or authority for TLS on the HL7 port cannot be used",
                hint: "They are PEM files, and the key belongs to the first certificate.",
                cause: error
            )
        }
    }
}
