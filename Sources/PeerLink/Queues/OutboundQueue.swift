internal import NIOCore
internal import Synchronization

/// Frames of one class that wait for one peer.
///
/// Putting a frame in never blocks; one task takes them out.
final class OutboundQueue: Sendable {
    private struct State {
        var frames: CircularBuffer<[UInt8]> = []
        var byteCount = 0
        var isFinished = false
    }

    private let messageClass: MessageClass
    private let framesMax: Int
    private let bytesMax: Int
    private let state = Mutex(State())
    private let arrival = Signal()

    init(_ messageClass: MessageClass, limits: PeerLinkLimits) {
        self.messageClass = messageClass
        self.framesMax = limits.outboundFramesMax
        self.bytesMax = max(limits.outboundBytesMax, limits.messageBytesMax)
    }

    /// - Precondition: the frame is within the limit for messages.
    func put(_ frame: [UInt8]) -> SendOutcome {
        precondition(frame.count <= self.bytesMax, "the link checks a frame's size first")
        let outcome = self.state.withLock { state -> SendOutcome in
            guard !state.isFinished else { return .refused(.stopping) }
            var outcome = SendOutcome.queued
            while state.frames.count >= self.framesMax || state.byteCount + frame.count > self.bytesMax {
                guard self.messageClass == .consensus else { return .refused(.full) }
                state.byteCount -= state.frames.removeFirst().count
                outcome = .queuedDroppingOldest
            }
            state.frames.append(frame)
            state.byteCount += frame.count
            return outcome
        }
        self.arrival.raise()
        return outcome
    }

    /// The oldest frames, at most `max`, as soon as there are any; `nil` when finished and empty, or when cancelled.
    func take(max: Int) async -> [[UInt8]]? {
        while !Task.isCancelled {
            let (batch, isFinished) = self.state.withLock { state -> ([[UInt8]], Bool) in
                let batch = Array(state.frames.prefix(max))
                state.frames.removeFirst(batch.count)
                state.byteCount -= batch.reduce(0) { $0 + $1.count }
                return (batch, state.isFinished)
            }
            if !batch.isEmpty { return batch }
            if isFinished { return nil }
            await self.arrival.wait()
        }
        return nil
    }

    /// Nothing more will be put in.
    func finish() {
        self.state.withLock { $0.isFinished = true }
        self.arrival.raise()
    }
}
