internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix

/// The frames of a fetch as they arrive; reading slowly slows the peer.
///
/// Iteration throws a ``FetchRefusal`` if the peer refuses, at the start or later, and ``PeerLinkError`` `protocolViolation`
/// or, if the connection ends before the transfer does, `interrupted`. A sequence that ends without an error is complete.
package struct FetchFrames: AsyncSequence, Sendable {
    let parts: RPCAsyncSequence<RPCResponsePart<GRPCNIOTransportBytes>, any Error>
    let count: @Sendable (Int) -> Void

    /// Reads one frame after another.
    package struct AsyncIterator: AsyncIteratorProtocol {
        var parts: RPCAsyncSequence<RPCResponsePart<GRPCNIOTransportBytes>, any Error>.AsyncIterator
        let count: @Sendable (Int) -> Void

        package mutating func next() async throws -> [UInt8]? {
            try await self.next(isolation: #isolation)
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(any Error) -> [UInt8]? {
            while let part = try await self.parts.next(isolation: actor) {
                switch part {
                case .metadata: continue
                case .message(let bytes):
                    self.count(bytes.count)
                    return bytes.array
                case .status(let status, let trailers):
                    guard status.code != .ok else { return nil }
                    throw Self.error(status, trailers)
                }
            }
            throw PeerLinkError(code: .interrupted, message: "the fetch ended early; resume it, here or elsewhere")
        }

        private static func error(_ status: Status, _ trailers: Metadata) -> any Error {
            for text in trailers[stringValues: PeerMethod.refusalKey] {
                return FetchRefusal(rawValue: text) ?? .failed
            }
            if status.code == .internalError {
                // What gRPC makes of a message's frame that it cannot read.
                return PeerLinkError(
                    code: .protocolViolation,
                    message: "the peer sent a malformed or oversized frame; fetch from another holder"
                )
            }
            return PeerLinkError(code: .interrupted, message: "the fetch ended early; resume it, here or elsewhere")
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(parts: self.parts.makeAsyncIterator(), count: self.count)
    }
}
