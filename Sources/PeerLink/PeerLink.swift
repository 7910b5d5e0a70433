internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
package import Logging
internal import NIOCore
package import Primitives
internal import ServiceLifecycle
internal import Synchronization

/// The way to and from the other institutions' agents: gRPC over mutual TLS 1.3.
///
/// Each agent dials every other and sends on the connections it dialled; what it receives comes on those dialled by the
/// peers. A message connection carries one long-lived stream per ``MessageClass``; fetches have a connection of
/// their own. Who a peer is follows from the key it proves, looked up in a ``PeerDirectory``.
package final class PeerLink: Service {
    /// Where to listen, and as whom.
    package struct Configuration: Sendable {
        package var institution: InstitutionID
        /// Port 0 takes a free one; see ``PeerLink/listeningAddress``.
        package var address: PeerAddress
        package var limits: PeerLinkLimits

        package init(institution: InstitutionID, address: PeerAddress, limits: PeerLinkLimits = PeerLinkLimits()) {
            self.institution = institution
            self.address = address
            self.limits = limits
        }
    }

    private enum Listening {
        /// Can become `bound` or `failed`.
        case waiting([CheckedContinuation<PeerAddress, any Error>])
        /// Final, also when the listener is started again.
        case bound(PeerAddress)
        /// Final.
        case failed(PeerLinkError)
    }

    private struct State {
        var peers: [InstitutionID: RemotePeer] = [:]
        var listening = Listening.waiting([])
        var isStopping = false
    }

    private let configuration: Configuration
    private let identity: TransportIdentitySource
    private let directory: PeerDirectory
    private let serve: FetchHandler
    private let logger: Logger
    private let verifier: PeerVerifier
    private let registry: ConnectionRegistry
    private let inbound: InboundQueue
    private let directoryChange = Signal()
    private let stopping = Signal()
    private let state = Mutex(State())

    package init(
        configuration: Configuration,
        identity: TransportIdentitySource,
        directory: PeerDirectory,
        logger: Logger,
        serve: @escaping FetchHandler
    ) {
        self.configuration = configuration
        self.identity = identity
        self.directory = directory
        self.serve = serve
        self.logger = logger
        self.verifier = PeerVerifier(
            directory: directory,
            refusedKeysMax: configuration.limits.refusedKeysRemembered,
            logger: logger
        )
        self.registry = ConnectionRegistry(limits: configuration.limits)
        self.inbound = InboundQueue(limits: configuration.limits)
        directory.observe { [weak self] in
            self?.updatePeers()
            self?.directoryChange.raise()
        }
        self.updatePeers()
    }

    /// Messages from all peers, for one reader.
    package var frames: InboundFrames { InboundFrames(queue: self.inbound) }

    /// All peers of the directory, by name.
    package var peers: [PeerStatus] {
        self.state.withLock { $0.peers.values.map(\.status) }.sorted { $0.institution < $1.institution }
    }

    /// The address in use, as soon as it is.
    package var listeningAddress: PeerAddress {
        get async throws {
            try await withCheckedThrowingContinuation { continuation in
                let known = self.state.withLock { state -> Result<PeerAddress, any Error>? in
                    switch state.listening {
                    case .waiting(let waiters):
                        state.listening = .waiting(waiters + [continuation])
                        return nil
                    case .bound(let address): return .success(address)
                    case .failed(let error): return .failure(error)
                    }
                }
                if let known { continuation.resume(with: known) }
            }
        }
    }

    /// Queues a message for a peer.
    ///
    /// Never blocks and never fails because the peer is away.
    @discardableResult
    package func send(_ bytes: [UInt8], _ messageClass: MessageClass, to institution: InstitutionID) -> SendOutcome {
        guard bytes.count <= self.configuration.limits.messageBytesMax else { return .refused(.tooLarge) }
        guard let peer = self.state.withLock({ $0.peers[institution] }) else { return .refused(.unknownPeer) }
        return peer.queue(messageClass).put(bytes)
    }

    /// Asks a peer for bytes and hands them to `body` as they come.
    ///
    /// Leaving `body` ends the transfer.
    ///
    /// - Throws: ``PeerLinkError`` `notConnected`, `unknownPeer` or `frameTooLarge`; what iteration throws (see
    ///   ``FetchFrames``); what `body` throws.
    @concurrent
    package func fetch<Result: Sendable>(
        _ request: [UInt8],
        from institution: InstitutionID,
        _ body: @concurrent (FetchFrames) async throws -> Result
    ) async throws -> Result {
        let limits = self.configuration.limits
        guard request.count <= limits.fetchRequestBytesMax else {
            throw PeerLinkError(code: .frameTooLarge, message: "the fetch request is over its limit; ask for less")
        }
        guard let peer = self.state.withLock({ $0.peers[institution] }) else {
            throw PeerLinkError(code: .unknownPeer, message: "the institution is not in the directory")
        }
        guard let transport = peer.dialled(.bulk)?.transport else {
            throw PeerLinkError(code: .notConnected, message: "the peer is not connected; try another holder or later")
        }
        var options = CallOptions.defaults
        // Names the request, but bounds the response.
        options.maxRequestMessageBytes = limits.fetchFrameBytesMax
        do {
            return try await transport.withStream(descriptor: PeerMethod.fetch, options: options) { stream, _ in
                try await stream.outbound.write(.metadata([:]))
                try await stream.outbound.write(.message(GRPCNIOTransportBytes(request)))
                await stream.outbound.finish()
                return try await body(
                    FetchFrames(parts: stream.inbound) { peer.count(bytesIn: $0, bytesOut: 0) }
                )
            }
        } catch let error as RPCError {
            throw PeerLinkError(code: .interrupted, message: "the fetch ended early; resume it", cause: error)
        }
    }

    /// Listens and keeps connections to all peers up until cancelled or shut down gracefully: then it takes no more
    /// messages, sends what is queued within the grace, and returns.
    package func run() async throws {
        defer { self.inbound.finish() }
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.listen() }
                // Ends when stopping and everything queued is sent.
                group.addTask { await self.connect() }
                group.addTask {
                    await self.stopping.wait()
                    try? await Task.sleep(for: self.configuration.limits.shutdownGrace)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } onGracefulShutdown: {
            self.stop()
        }
        self.logger.info("peer link stopped")
    }

    private func stop() {
        let peers = self.state.withLock { state in
            state.isStopping = true
            return Array(state.peers.values)
        }
        for peer in peers { peer.stopSending() }
        self.directoryChange.raise()
        self.stopping.raise()
    }

    private var isStopping: Bool { self.state.withLock { $0.isStopping } }

    /// Serves until cancelled.
    ///
    /// A listener that fails later than at its start (descriptors ran out, say) is started again: peers come back by
    /// themselves.
    private func listen() async throws {
        var address = self.configuration.address
        var backoff = Backoff(
            first: self.configuration.limits.backoffFirst,
            last: self.configuration.limits.backoffLast
        )
        var generator = SystemRandomNumberGenerator()
        while !Task.isCancelled {
            let server = PeerServer(
                registry: self.registry,
                inbound: self.inbound,
                serve: self.serve,
                limits: self.configuration.limits,
                logger: self.logger
            ) { institution, bytesIn, bytesOut in
                self.state.withLock { $0.peers[institution] }?.count(bytesIn: bytesIn, bytesOut: bytesOut)
            }
            let listener = PeerListener(
                address: address,
                identity: self.identity,
                verifier: self.verifier,
                registry: self.registry,
                limits: self.configuration.limits,
                arrived: { institution in self.peerArrived(institution) }
            )
            let transport = server.transport(listener)
            do {
                // Not a child task: cancelling a listener that is about to hand over a connection traps inside NIO
                // ("Deinited NIOAsyncWriter without calling finish"). It is closed in order, and then ends by itself.
                let serving = Task {
                    try await transport.listen { stream, context in await server.handle(stream, context) }
                }
                try await withTaskCancellationHandler {
                    if let bound = await transport.listeningAddress.flatMap(PeerAddress.init(grpc:)) {
                        address = bound
                        self.resolveListening(.success(bound))
                        backoff.reset()
                    }
                    try await serving.value
                } onCancel: {
                    // Lets go of streams that wait for the agent to read.
                    self.inbound.finish()
                    transport.beginGracefulShutdown()
                    self.registry.closeAll()
                }
            } catch {
                if Task.isCancelled { return }
                guard case .bound = self.state.withLock({ $0.listening }) else {
                    let failure = PeerLinkError(
                        code: .addressUnusable,
                        message: "cannot listen for peers; check that the address is this machine's and is free",
                        cause: error
                    )
                    self.resolveListening(.failure(failure))
                    throw failure
                }
                self.logger.error("listening for peers failed and is started again")
            }
            try? await Task.sleep(for: backoff.next(using: &generator))
        }
    }

    private func resolveListening(_ result: Result<PeerAddress, PeerLinkError>) {
        let waiters = self.state.withLock { state -> [CheckedContinuation<PeerAddress, any Error>] in
            guard case .waiting(let waiters) = state.listening else { return [] }
            switch result {
            case .success(let address): state.listening = .bound(address)
            case .failure(let error): state.listening = .failed(error)
            }
            return waiters
        }
        for waiter in waiters { waiter.resume(with: result.mapError { $0 }) }
    }

    /// A peer that dials us is there: no need to wait before dialling it.
    private func peerArrived(_ institution: InstitutionID) {
        guard let peer = self.state.withLock({ $0.peers[institution] }) else { return }
        for role in RemotePeer.Role.allCases where peer.dialled(role) == nil { peer.wake(role).raise() }
    }

    /// Runs a dialler per peer and role until stopping, and follows the directory.
    private func connect() async {
        await withDiscardingTaskGroup { group in
            var started: Set<InstitutionID> = []
            while !Task.isCancelled, !self.isStopping {
                let peers = self.state.withLock { $0.peers }
                started.formIntersection(peers.keys)
                for (institution, peer) in peers where started.insert(institution).inserted {
                    for role in RemotePeer.Role.allCases { group.addTask { await self.dialler(peer, role).run() } }
                }
                self.registry.closeRevoked(self.directory)
                for peer in peers.values { peer.directoryChanged(self.directory) }
                await self.directoryChange.wait()
            }
        }
    }

    private func dialler(_ peer: RemotePeer, _ role: RemotePeer.Role) -> PeerDialler {
        PeerDialler(
            peer: peer,
            role: role,
            directory: self.directory,
            identity: self.identity,
            verifier: self.verifier,
            limits: self.configuration.limits,
            logger: self.logger,
            isStopping: { self.isStopping }
        )
    }

    /// Makes the peers those of the directory, without this agent itself.
    private func updatePeers() {
        let institutions = Set(self.directory.entries.map(\.institution)).subtracting([self.configuration.institution])
        let removed = self.state.withLock { state in
            let removed = state.peers.filter { !institutions.contains($0.key) }
            for institution in removed.keys { state.peers[institution] = nil }
            for institution in institutions where state.peers[institution] == nil {
                state.peers[institution] = RemotePeer(institution, limits: self.configuration.limits)
            }
            return removed.values
        }
        for peer in removed { peer.remove() }
    }
}

extension PeerAddress {
    fileprivate init?(grpc address: GRPCNIOTransportCore.SocketAddress) {
        if let v4 = address.ipv4 {
            self.init(host: v4.host, port: v4.port)
        } else if let v6 = address.ipv6 {
            self.init(host: v6.host, port: v6.port)
        } else {
            return nil
        }
    }
}
