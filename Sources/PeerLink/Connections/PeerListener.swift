internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import NIOPosix
internal import NIOSSL
internal import Primitives

/// Makes the listening socket of a gRPC server whose connections are mutual TLS 1.3 under the identity of the moment.
struct PeerListener: HTTP2ServerTransport.ListenerFactory {
    let address: PeerAddress
    let identity: TransportIdentitySource
    let verifier: PeerVerifier
    let registry: ConnectionRegistry
    let limits: PeerLinkLimits
    /// Told of each peer that opens a connection.
    let arrived: @Sendable (InstitutionID) -> Void

    var eventLoopGroup: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

    func makeListeningChannel(
        listenerConfigurator: HTTP2ServerTransport.ListenerConfigurator,
        connectionConfigurator: HTTP2ServerTransport.ConnectionConfigurator
    ) async throws -> NIOAsyncChannel<HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel, Never> {
        try await ServerBootstrap(group: self.eventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelInitializer { listenerConfigurator.configure(channel: $0) }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(host: self.address.host, port: self.address.port) { channel in
                // A failure here would end the listener, so a surplus connection is set up as any and then closed.
                channel.eventLoop.makeCompletedFuture {
                    let sync = channel.pipeline.syncOperations
                    try sync.addHandler(
                        NIOSSLServerHandler(
                            context: self.identity.contexts.server,
                            customVerificationCallbackWithMetadata: self.verifier.callback(expected: nil)
                        )
                    )
                    try sync.addHandler(self.gate(channel))
                }.flatMap {
                    connectionConfigurator.configure(channel: channel, tls: .configured(requireALPN: true))
                }.map { connection in
                    // A listener that stops drops connections it has not begun to serve; NIO traps when one goes away
                    // before it is closed.
                    channel.closeFuture.whenComplete { _ in withExtendedLifetime(connection) {} }
                    return connection
                }
            }
    }

    private func gate(_ channel: any Channel) -> ConnectionGate {
        let registry = self.registry
        let arrived = self.arrived
        guard let number = registry.admit(channel) else {
            return ConnectionGate(
                verifier: self.verifier,
                timeout: .zero,
                authenticated: { _ in false },
                closed: { _ in }
            )
        }
        return ConnectionGate(
            number: number,
            verifier: self.verifier,
            timeout: self.limits.handshakeTimeout,
            authenticated: { peer in
                registry.authenticate(number, as: peer)
                arrived(peer.institution)
                return true
            },
            closed: { _ in registry.remove(number) }
        )
    }
}

/// Tells a stream's handler which connection the stream is on, in a header that replaces any of that name from the peer.
final class ConnectionStamp: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload

    static let header = "entente-connection"

    private let number: UInt64

    private init(number: UInt64) { self.number = number }

    /// Adds a stamp to a new stream.
    static func add(to stream: any Channel) -> EventLoopFuture<Void> {
        stream.eventLoop.makeCompletedFuture {
            let gate = try stream.parent?.pipeline.syncOperations.handler(type: ConnectionGate.self)
            let stamp = ConnectionStamp(number: gate?.number ?? 0)
            try stream.pipeline.syncOperations.addHandler(stamp, position: .first)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .headers(var headers) = self.unwrapInboundIn(data) else {
            context.fireChannelRead(data)
            return
        }
        headers.headers.remove(name: Self.header)
        headers.headers.add(name: Self.header, value: String(self.number))
        context.fireChannelRead(self.wrapInboundOut(.headers(headers)))
    }
}
