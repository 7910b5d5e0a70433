internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import Primitives

/// Stands between TLS and HTTP/2 on every connection: nothing passes until the peer is known, and that must be soon.
///
/// It also takes the failures of closing (a peer that never answers `close_notify`) off the hands of gRPC, whose server
/// ends as a whole when the closing of one connection fails.
final class ConnectionGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The connection's number in the ``ConnectionRegistry``; 0 on dialled connections.
    let number: UInt64
    private let verifier: PeerVerifier
    private let expected: InstitutionID?
    private let timeout: TimeAmount
    /// Called once when the peer is known; `false` closes the connection.
    private let authenticated: @Sendable (PeerVerifier.Peer) -> Bool
    /// Called once when the connection has ended.
    private let closed: @Sendable ((any Error)?) -> Void

    private var isOpen = false
    private var isClosed = false
    private var timer: Scheduled<Void>?
    private var firstError: (any Error)?

    init(
        number: UInt64 = 0,
        verifier: PeerVerifier,
        expected: InstitutionID? = nil,
        timeout: Duration,
        authenticated: @escaping @Sendable (PeerVerifier.Peer) -> Bool,
        closed: @escaping @Sendable ((any Error)?) -> Void
    ) {
        self.number = number
        self.verifier = verifier
        self.expected = expected
        self.timeout = TimeAmount(timeout)
        self.authenticated = authenticated
        self.closed = closed
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.timer = context.eventLoop.assumeIsolated().scheduleTask(in: self.timeout) {
            self.close(context, PeerLinkError(code: .notConnected, message: "the peer did not finish the handshake"))
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            guard let peer = self.verifier.peer(presenting: certificate, expected: self.expected),
                self.authenticated(peer)
            else {
                self.close(context, PeerLinkError(code: .peerMismatch, message: "the peer's key is not accepted"))
                return
            }
            self.timer?.cancel()
            self.isOpen = true
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.isOpen else { return }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Only TLS and the socket are below: nothing can follow.
        self.close(context, error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.finish()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.finish() }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else {
            context.close(mode: mode, promise: promise)
            return
        }
        context.close(mode: mode, promise: nil)
        if let promise { context.channel.closeFuture.cascade(to: promise) }
    }

    private func close(_ context: ChannelHandlerContext, _ error: any Error) {
        if self.firstError == nil { self.firstError = error }
        self.isOpen = false
        context.close(promise: nil)
    }

    private func finish() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.timer?.cancel()
        self.closed(self.firstError)
    }
}
