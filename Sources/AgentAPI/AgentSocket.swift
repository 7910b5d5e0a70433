public import GRPCNIOTransportHTTP2Posix
internal import Glibc
public import NIOCore
internal import NIOPosix

/// The Unix socket at which an agent serves its local API.
public enum AgentSocket {
    /// Largest message of a call: an upload comes in parts, and no other request is large.
    private static let requestBytesMax = 4 << 20
    /// The name of the socket in an agent's home.
    public static let fileName = "agent.sock"

    /// Listens at `path` with mode 0600 and returns the transport for a gRPC server.
    ///
    /// The mode is set before the file exists, so there is no moment at which others could connect. A socket that
    /// a killed agent left behind is replaced.
    ///
    /// - Throws: ``AgentAPIError`` `agent.already-running`, or `agent.socket-unusable` with what to do.
    public static func listen(at path: String) throws -> HTTP2ServerTransport.Custom<AgentListener> {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Self.unusable(errno) }
        do {
            try Self.bind(descriptor, to: path)
        } catch {
            _ = close(descriptor)
            throw error
        }
        var config = HTTP2ServerTransport.Custom<AgentListener>.Config.defaults
        config.rpc.maxRequestPayloadSize = Self.requestBytesMax
        // Calls come one at a time: waiting for more to send only delays them.
        config.connection.flushCoalescing = nil
        return HTTP2ServerTransport.Custom(listenerFactory: AgentListener(descriptor: descriptor), config: config)
    }

    private static func bind(_ descriptor: Int32, to path: String) throws {
        guard var address = Self.address(path) else { throw Self.unusable(ENAMETOOLONG) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        func withAddress(_ call: (UnsafePointer<sockaddr>) -> Int32) -> Int32 {
            withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1, call) }
        }
        // Linux gives the file the mode of the descriptor.
        guard fchmod(descriptor, 0o600) == 0 else { throw Self.unusable(errno) }
        if withAddress({ Glibc.bind(descriptor, $0, length) }) != 0 {
            guard errno == EADDRINUSE else { throw Self.unusable(errno) }
            let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { _ = close(probe) }
            if withAddress({ connect(probe, $0, length) }) == 0 {
                throw AgentAPIError(
                    code: "agent.already-running",
                    message: "an agent is running for this home",
                    hint: "stop it first, or name another home with --home",
                    exitStatus: .notReady
                )
            }
            guard errno == ECONNREFUSED, unlink(path) == 0,
                withAddress({ Glibc.bind(descriptor, $0, length) }) == 0
            else { throw Self.unusable(errno) }
        }
        guard Glibc.listen(descriptor, SOMAXCONN) == 0 else { throw Self.unusable(errno) }
    }

    /// `nil` if the path is too long for a socket: 107 bytes.
    private static func address(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    static func unusable(_ number: Int32) -> AgentAPIError {
        AgentAPIError(
            code: "agent.socket-unusable",
            message: "the agent's socket cannot be used: \(String(cString: strerror(number)))",
            hint: number == ENAMETOOLONG
                ? "choose a home with a shorter path; a socket's path has at most 107 bytes"
                : "check that the home exists and belongs to you",
            exitStatus: .internalError
        )
    }
}

/// Accepts connections at a socket that listens already.
public struct AgentListener: HTTP2ServerTransport.ListenerFactory {
    let descriptor: Int32

    /// The threads that serve connections.
    public var eventLoopGroup: any EventLoopGroup { MultiThreadedEventLoopGroup.singleton }

    /// Hands the socket over to gRPC.
    public func makeListeningChannel(
        listenerConfigurator: HTTP2ServerTransport.ListenerConfigurator,
        connectionConfigurator: HTTP2ServerTransport.ConnectionConfigurator
    ) async throws -> NIOAsyncChannel<HTTP2ServerTransport.ConnectionConfigurator.ConnectionChannel, Never> {
        try await ServerBootstrap(group: self.eventLoopGroup)
            .serverChannelInitializer { listenerConfigurator.configure(channel: $0) }
            .bind(self.descriptor) { channel in
                connectionConfigurator.configure(channel: channel, tls: .none).map { connection in
                    // A listener that stops drops connections it has not begun to serve; NIO traps when one goes away
                    // before it is closed.
                    channel.closeFuture.whenComplete { _ in withExtendedLifetime(connection) {} }
                    return connection
                }
            }
    }
}
