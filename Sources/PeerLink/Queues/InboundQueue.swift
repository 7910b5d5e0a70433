internal import NIOCore
internal import Primitives
internal import Synchronization

/// Frames that arrived and wait for the agent: one lane per peer and class.
///
/// A full lane suspends the stream that feeds it, hence the socket, hence the peer; other lanes are not held up. The
/// agent gets consensus before transactions and peers in turn.
final class InboundQueue: Sendable {
    private struct LaneKey: Hashable {
        var institution: InstitutionID
        var messageClass: MessageClass
    }

    private struct Lane {
        var frames: CircularBuffer<[UInt8]> = []
        var byteCount = 0
        /// Streams that wait for room, by ticket: more than one while a peer reconnects.
        var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private struct State {
        var lanes: [LaneKey: Lane] = [:]
        /// Peers with frames, per class; a peer stands in its line once.
        var lines: [CircularBuffer<InstitutionID>] = MessageClass.allCases.map { _ in [] }
        var nextTicket: UInt64 = 0
        var isFinished = false
    }

    private let framesMax: Int
    private let bytesMax: Int
    private let state = Mutex(State())
    private let arrival = Signal()

    init(limits: PeerLinkLimits) {
        self.framesMax = limits.inboundFramesMax
        self.bytesMax = limits.inboundBytesMax
    }

    /// Takes the frame if its lane has room.
    ///
    /// When finished it takes everything and keeps nothing.
    func put(_ frame: InboundFrame) -> Bool {
        let key = LaneKey(institution: frame.from, messageClass: frame.messageClass)
        let isPut = self.state.withLock { state in
            if state.isFinished { return true }
            var lane = state.lanes[key] ?? Lane()
            guard lane.frames.count < self.framesMax, lane.byteCount < self.bytesMax else { return false }
            if lane.frames.isEmpty { state.lines[key.messageClass.rawValue].append(key.institution) }
            lane.frames.append(frame.bytes)
            lane.byteCount += frame.bytes.count
            state.lanes[key] = lane
            return true
        }
        if isPut { self.arrival.raise() }
        return isPut
    }

    /// The next frame; `nil` when finished or cancelled.
    ///
    /// One task takes.
    func take() async -> InboundFrame? {
        while !Task.isCancelled {
            let (frame, waiting, isFinished) = self.state.withLock { Self.takeFirst(&$0) }
            for continuation in waiting { continuation.resume() }
            if let frame { return frame }
            if isFinished { return nil }
            await self.arrival.wait()
        }
        return nil
    }

    /// Wakes everybody; frames not yet taken are dropped.
    func finish() {
        let waiting = self.state.withLock { state in
            state.isFinished = true
            let waiting = state.lanes.values.flatMap { $0.waiting.map(\.continuation) }
            state.lanes = [:]
            state.lines = MessageClass.allCases.map { _ in [] }
            return waiting
        }
        for continuation in waiting { continuation.resume() }
        self.arrival.raise()
    }

    private static func takeFirst(
        _ state: inout State
    ) -> (InboundFrame?, [CheckedContinuation<Void, Never>], isFinished: Bool) {
        for messageClass in MessageClass.allCases {
            guard let institution = state.lines[messageClass.rawValue].popFirst() else { continue }
            let key = LaneKey(institution: institution, messageClass: messageClass)
            guard var lane = state.lanes[key], let bytes = lane.frames.popFirst() else {
                preconditionFailure("a peer stands in line with frames only")
            }
            lane.byteCount -= bytes.count
            let waiting = lane.waiting.map(\.continuation)
            lane.waiting = []
            if lane.frames.isEmpty {
                state.lanes[key] = nil
            } else {
                state.lanes[key] = lane
                state.lines[messageClass.rawValue].append(institution)
            }
            return (InboundFrame(from: institution, messageClass: messageClass, bytes: bytes), waiting, false)
        }
        return (nil, [], state.isFinished)
    }

    /// Returns when a lane may have room, or when cancelled.
    func waitForRoom(_ messageClass: MessageClass, from institution: InstitutionID) async {
        let key = LaneKey(institution: institution, messageClass: messageClass)
        let ticket = self.state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = self.state.withLock { state in
                    // The lane may have emptied since the caller looked.
                    guard !Task.isCancelled, !state.isFinished, var lane = state.lanes[key],
                        lane.frames.count >= self.framesMax || lane.byteCount >= self.bytesMax
                    else { return false }
                    lane.waiting.append((ticket, continuation))
                    state.lanes[key] = lane
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.lanes[key]?.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                    return nil
                }
                return state.lanes[key]?.waiting.remove(at: index).continuation
            }
            continuation?.resume()
        }
    }
}

/// Messages from all peers as they arrive, for one reader.
package struct InboundFrames: AsyncSequence, Sendable {
    let queue: InboundQueue

    /// Takes one message after another.
    package struct AsyncIterator: AsyncIteratorProtocol {
        let queue: InboundQueue
        package mutating func next() async -> InboundFrame? { await self.queue.take() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: self.queue) }
}
