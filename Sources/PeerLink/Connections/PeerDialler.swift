internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Primitives
internal import Synchronization

/// Keeps a connection of one role to one peer up, for as long as the peer is in the directory.
struct PeerDialler: Sendable {
    /// Frames handed to gRPC at once: enough to fill TLS records, little to lose when the connection breaks.
    private static let framesPerWrite = 64

    let peer: RemotePeer
    let role: RemotePeer.Role
    let directory: PeerDirectory
    let identity: TransportIdentitySource
    let verifier: PeerVerifier
    let limits: PeerLinkLimits
    let logger: Logger
    let isStopping: @Sendable () -> Bool

    func run() async {
        var backoff = Backoff(first: self.limits.backoffFirst, last: self.limits.backoffLast)
        var generator = SystemRandomNumberGenerator()
        var attempt = 0
        while !self.isOver {
            let addresses = self.directory.entry(self.peer.institution)?.addresses ?? []
            guard !addresses.isEmpty else {
                await self.peer.wake(self.role).wait()
                continue
            }
            let wasUp = await self.connect(to: addresses[attempt % addresses.count])
            attempt &+= 1
            if self.isOver { return }
            if wasUp {
                attempt = 0
                backoff.reset()
            }
            await self.peer.wake(self.role).wait(upTo: backoff.next(using: &generator))
        }
    }

    private var isOver: Bool { Task.isCancelled || self.isStopping() || self.peer.isRemoved }

    /// One connection from dial to end.
    ///
    /// The result is whether it was ever up.
    private func connect(to address: PeerAddress) async -> Bool {
        do {
            let (transport, handshake) = try await self.dial(address)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await transport.connect() }
                group.addTask {
                    let (peer, channel) = try await handshake.get()
                    self.peer.connected(
                        self.role,
                        RemotePeer.Dialled(transport: transport, channel: channel, keyDigest: peer.keyDigest)
                    )
                    // The directory may have changed during the handshake.
                    guard self.directory.institution(forKeyDigest: peer.keyDigest) == self.peer.institution else {
                        throw PeerLinkError(code: .peerMismatch, message: "the peer's key was withdrawn")
                    }
                    try await self.use(transport)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            self.logger.debug(
                "connection to peer ended",
                metadata: ["peer": "\(self.peer.institution)", "role": "\(self.role)", "error": "\(error)"]
            )
        }
        return self.peer.disconnected(self.role)
    }

    private typealias Handshake = (PeerVerifier.Peer, any Channel)

    private func dial(
        _ address: PeerAddress
    ) async throws -> (HTTP2ClientTransport.WrappedChannel, EventLoopFuture<Handshake>) {
        let group = MultiThreadedEventLoopGroup.singleton
        let handshake = group.any().makePromise(of: Handshake.self)
        let context = self.identity.contexts.client
        do {
            let transport = try await HTTP2ClientTransport.WrappedChannel.wrapping(
                config: self.transportConfig
            ) { configure in
                let configured = try await ClientBootstrap(group: group)
                    .connectTimeout(TimeAmount(self.limits.connectTimeout))
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .connect(host: address.host, port: address.port) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try self.secure(channel, context, handshake)
                        }.flatMap { configure(channel) }
                    }
                // NIO traps when gRPC's part of a connection goes away before the connection is closed.
                configured.channel.closeFuture.whenComplete { _ in withExtendedLifetime(configured) {} }
                return configured
            }
            return (transport, handshake.futureResult)
        } catch {
            handshake.fail(error)
            throw error
        }
    }

    private var transportConfig: HTTP2ClientTransport.WrappedChannel.Config {
        var config = HTTP2ClientTransport.WrappedChannel.Config.defaults
        config.connection.maxIdleTime = nil
        config.connection.keepalive = HTTP2ClientTransport.Config.Keepalive(
            time: self.limits.keepaliveInterval,
            timeout: self.limits.keepaliveTimeout,
            allowWithoutCalls: true
        )
        switch self.role {
        case .messages: config.connection.flushCoalescing = nil
        case .bulk: config.http2.targetWindowSize = self.limits.fetchWindowBytes
        }
        return config
    }

    private func secure(
        _ channel: any Channel,
        _ context: NIOSSLContext,
        _ handshake: EventLoopPromise<Handshake>
    ) throws {
        let sync = channel.pipeline.syncOperations
        try sync.addHandler(
            NIOSSLClientHandler(
                context: context,
                serverHostname: nil,
                customVerificationCallbackWithMetadata: self.verifier.callback(expected: self.peer.institution)
            )
        )
        try sync.addHandler(
            ConnectionGate(
                verifier: self.verifier,
                expected: self.peer.institution,
                timeout: self.limits.handshakeTimeout + self.limits.connectTimeout,
                authenticated: { peer in
                    handshake.succeed((peer, channel))
                    return true
                },
                closed: { error in
                    handshake.fail(
                        error ?? PeerLinkError(code: .notConnected, message: "the peer closed the connection")
                    )
                }
            )
        )
    }

    private func use(_ transport: HTTP2ClientTransport.WrappedChannel) async throws {
        switch self.role {
        case .bulk:
            // Fetches open their own streams; this task only holds the connection.
            while !self.isOver { await self.peer.wake(.bulk).wait() }
        case .messages:
            try await withThrowingTaskGroup(of: Void.self) { group in
                for messageClass in MessageClass.allCases {
                    group.addTask { try await self.send(messageClass, over: transport) }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Sends what is queued until the queue is finished or the stream ends.
    private func send(
        _ messageClass: MessageClass,
        over transport: HTTP2ClientTransport.WrappedChannel
    ) async throws {
        let queue = self.peer.queue(messageClass)
        try await transport.withStream(
            descriptor: PeerMethod.messages(messageClass),
            options: .defaults
        ) { stream, _ in
            try await stream.outbound.write(.metadata([:]))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await part in stream.inbound {
                        if case .status = part { return }
                        guard messageClass == .consensus else { continue }
                        var clock: Int64?
                        if case .metadata(let metadata) = part {
                            clock = metadata[stringValues: PeerMethod.clockKey].first { _ in true }.flatMap(Int64.init)
                        }
                        self.peer.accepted(clock: clock)
                    }
                }
                group.addTask {
                    while let frames = await queue.take(max: Self.framesPerWrite) {
                        try await stream.outbound.write(
                            contentsOf: frames.map { .message(GRPCNIOTransportBytes($0)) }
                        )
                        self.peer.count(bytesIn: 0, bytesOut: frames.reduce(0) { $0 + $1.count })
                    }
                    await stream.outbound.finish()
                    // The peer's status ends the stream; its absence ends it when the agent's grace does.
                    try await Task.sleep(for: self.limits.shutdownGrace)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }
}
