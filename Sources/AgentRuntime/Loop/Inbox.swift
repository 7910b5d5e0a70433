import AgentCore
import Dispatch
import Primitives
import Synchronization

/// The queue before an agent's loop: any thread or task puts inputs in, the loop's thread takes them out.
final class Inbox: Sendable {
    /// Messages of peers wait at the socket once so many inputs are queued.
    ///
    /// Own inputs are never held up: their number is bounded by the effects that cause them.
    static let peerInputsMax = 256
    static let peerBytesMax = 32 << 20
    /// Transactions of peers taken in one turn: checking their signatures takes time that votes do not have.
    private static let slowPerTurn = 4

    private struct State {
        var inputs: [AgentInput] = []
        /// Messages of peers that carry no votes.
        var slow: [AgentInput] = []
        var peerInputs = 0
        var peerBytes = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let doorbell = Doorbell()

    func put(_ input: AgentInput) {
        self.state.withLock { $0.inputs.append(input) }
        self.doorbell.ring()
    }

    /// Puts in a peer's message as soon as there is room; `isUrgent` for what carries votes.
    func putWhenRoom(_ bytes: [UInt8], from peer: InstitutionID, isUrgent: Bool) async {
        await withCheckedContinuation { continuation in
            let mustWait = self.state.withLock { state in
                let isFull = state.peerInputs >= Self.peerInputsMax || state.peerBytes >= Self.peerBytesMax
                guard isFull, !state.isClosed else { return false }
                state.waiting.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
        self.state.withLock { state in
            state.peerInputs += 1
            state.peerBytes += bytes.count
            let input = AgentInput.message(bytes, from: peer)
            if isUrgent { state.inputs.append(input) } else { state.slow.append(input) }
        }
        self.doorbell.ring()
    }

    /// All inputs, waiting for the first until `deadline`.
    func take(until deadline: DispatchTime) -> [AgentInput] {
        let ready = self.takeNow()
        guard ready.isEmpty else { return ready }
        self.doorbell.wait(until: deadline)
        return self.takeNow()
    }

    func close() {
        let waiting = self.state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        self.doorbell.ring()
    }

    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    private func takeNow() -> [AgentInput] {
        let (inputs, waiting) = self.state.withLock { state in
            let slow = state.slow.prefix(Self.slowPerTurn)
            state.slow.removeFirst(slow.count)
            let inputs = state.inputs + slow
            for input in inputs {
                guard case .message(let bytes, _) = input else { continue }
                state.peerInputs -= 1
                state.peerBytes -= bytes.count
            }
            state.inputs = []
            defer { state.waiting = [] }
            return (inputs, state.waiting)
        }
        for continuation in waiting { continuation.resume() }
        return inputs
    }
}
