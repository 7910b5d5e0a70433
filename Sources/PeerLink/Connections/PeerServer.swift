internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
package import Primitives

/// Answers a peer's fetch: writes frames, or throws a ``FetchRefusal`` that the peer gets to see.
package typealias FetchHandler =
    @Sendable (_ from: InstitutionID, _ request: [UInt8], _ response: FetchResponse) async throws -> Void

/// Where a ``FetchHandler`` puts its frames.
package struct FetchResponse: Sendable {
    fileprivate let outbound: RPCWriter<RPCResponsePart<GRPCNIOTransportBytes>>.Closable
    fileprivate let frameBytesMax: Int
    fileprivate let count: @Sendable (Int) -> Void

    /// Suspends while the peer does not read.
    ///
    /// - Throws: ``PeerLinkError`` `frameTooLarge`, or an error of the connection if the peer is gone.
    package func write(_ frame: [UInt8]) async throws {
        guard frame.count <= self.frameBytesMax else {
            throw PeerLinkError(code: .frameTooLarge, message: "a fetched frame is over its limit")
        }
        try await self.outbound.write(.message(GRPCNIOTransportBytes(frame)))
        self.count(frame.count)
    }
}

/// Serves the streams that peers open.
struct PeerServer: Sendable {
    typealias Inbound = RPCAsyncSequence<RPCRequestPart<GRPCNIOTransportBytes>, any Error>
    typealias Outbound = RPCWriter<RPCResponsePart<GRPCNIOTransportBytes>>.Closable

    let registry: ConnectionRegistry
    let inbound: InboundQueue
    let serve: FetchHandler
    let limits: PeerLinkLimits
    let logger: Logger
    /// Counts bytes of a peer: received, sent.
    let count: @Sendable (InstitutionID, Int, Int) -> Void

    func transport(_ listener: PeerListener) -> HTTP2ServerTransport.Custom<PeerListener> {
        var config = HTTP2ServerTransport.Custom<PeerListener>.Config.defaults
        config.http2.targetWindowSize = self.limits.streamWindowBytes
        config.http2.maxConcurrentStreams = self.limits.streamsPerConnectionMax
        config.rpc.maxRequestPayloadSize = self.limits.messageBytesMax
        config.connection.keepalive.time = self.limits.keepaliveInterval
        config.connection.keepalive.timeout = self.limits.keepaliveTimeout
        config.connection.keepalive.clientBehavior.allowWithoutCalls = true
        // Peers ping each `keepaliveInterval`; a third of it leaves room for clocks and delays.
        config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = self.limits.keepaliveInterval / 3
        config.channelDebuggingCallbacks.onAcceptHTTP2Stream = { ConnectionStamp.add(to: $0) }
        return HTTP2ServerTransport.Custom(listenerFactory: listener, config: config)
    }

    /// Runs one stream to its end.
    func handle(_ stream: RPCStream<Inbound, Outbound>, _ context: ServerContext) async {
        guard stream.descriptor == PeerMethod.fetch else {
            await self.run(stream, context.cancellation)
            return
        }
        // Ends the handler when gRPC says that the peer is gone or this agent stops.
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.run(stream, context.cancellation) }
            group.addTask { try? await context.cancellation.cancelled }
            await group.next()
            group.cancelAll()
        }
    }

    private func run(
        _ stream: RPCStream<Inbound, Outbound>,
        _ cancellation: ServerContext.RPCCancellationHandle
    ) async {
        var parts = stream.inbound.makeAsyncIterator()
        let status: Status
        var trailers: Metadata = [:]
        do {
            guard case .metadata(let metadata)? = try await parts.next(isolation: #isolation),
                let number = metadata[stringValues: ConnectionStamp.header].first(where: { _ in true })
                    .flatMap(UInt64.init),
                let institution = self.registry.institution(number)
            else {
                try await stream.outbound.write(.status(Status(code: .unauthenticated, message: ""), [:]))
                return
            }
            if let messageClass = PeerMethod.messageClass(stream.descriptor) {
                status = try await self.receive(
                    messageClass,
                    from: institution,
                    on: number,
                    &parts,
                    stream.outbound,
                    cancellation
                )
            } else if stream.descriptor == PeerMethod.fetch {
                let refusal = try await self.fetch(from: institution, on: number, &parts, stream.outbound)
                if let refusal { trailers.addString(refusal.rawValue, forKey: PeerMethod.refusalKey) }
                status = Status(code: refusal == nil ? .ok : .failedPrecondition, message: "")
            } else {
                status = Status(code: .unimplemented, message: "no such method")
            }
        } catch {
            // The stream is gone, and with it the way to tell the peer why.
            return
        }
        try? await stream.outbound.write(.status(status, trailers))
    }

    private func receive(
        _ messageClass: MessageClass,
        from institution: InstitutionID,
        on number: UInt64,
        _ parts: inout Inbound.AsyncIterator,
        _ outbound: Outbound,
        _ cancellation: ServerContext.RPCCancellationHandle
    ) async throws -> Status {
        guard self.registry.openMessages(messageClass, on: number) else {
            return Status(code: .alreadyExists, message: "one stream per class and connection")
        }
        defer { self.registry.closeMessages(messageClass, on: number) }
        // Tells the peer that its messages are taken from now on, and what time it is here.
        try await outbound.write(.metadata([PeerMethod.clockKey: "\(RemotePeer.now.milliseconds)"]))
        let clock = ContinuousClock()
        var bucket = TokenBucket(
            capacity: self.limits.frameBurst,
            refillPerSecond: self.limits.framesPerSecond,
            now: clock.now
        )
        do {
            while let part = try await parts.next(isolation: #isolation) {
                guard case .message(let bytes) = part else { continue }
                let pause = bucket.take(at: clock.now)
                if pause > .zero { try await Task.sleep(for: pause) }
                let frame = InboundFrame(from: institution, messageClass: messageClass, bytes: bytes.array)
                while !self.inbound.put(frame), !cancellation.isCancelled {
                    await self.waitForRoom(messageClass, institution, cancellation)
                }
                self.count(institution, frame.bytes.count, 0)
            }
        } catch let error as RPCError where error.code == .internalError {
            // gRPC could not read a message's frame: it is over the limit, or there is none.
            self.logger.warning("peer sent a malformed or oversized frame", metadata: ["peer": "\(institution)"])
            self.registry.close(number)
            throw error
        }
        return Status(code: .ok, message: "")
    }

    private func waitForRoom(
        _ messageClass: MessageClass,
        _ institution: InstitutionID,
        _ cancellation: ServerContext.RPCCancellationHandle
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.inbound.waitForRoom(messageClass, from: institution) }
            group.addTask { try? await cancellation.cancelled }
            await group.next()
            group.cancelAll()
        }
    }

    private func fetch(
        from institution: InstitutionID,
        on number: UInt64,
        _ parts: inout Inbound.AsyncIterator,
        _ outbound: Outbound
    ) async throws -> FetchRefusal? {
        guard case .message(let request)? = try await parts.next(isolation: #isolation),
            request.count <= self.limits.fetchRequestBytesMax
        else { return .malformed }
        self.count(institution, request.count, 0)
        guard self.registry.openFetch(on: number) else { return .busy }
        defer { self.registry.closeFetch(on: number) }
        let response = FetchResponse(outbound: outbound, frameBytesMax: self.limits.fetchFrameBytesMax) { byteCount in
            self.count(institution, 0, byteCount)
        }
        do {
            try await outbound.write(.metadata([:]))
            try await self.serve(institution, request.array, response)
            return nil
        } catch let refusal as FetchRefusal {
            return refusal
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            self.logger.warning("a fetch could not be served", metadata: ["peer": "\(institution)"])
            return .failed
        }
    }
}
