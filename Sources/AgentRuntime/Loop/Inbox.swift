import AgentCore
import Dispatch
import Synchronization

/// The queue before an agent's loop: any thread or task puts inputs in, the loop's thread takes them out.
final class Inbox: Sendable {
    /// Messages of peers wait at the socket once so many inputs are queued.
    ///
    /// Own inputs are never held up: their number is bounded by the effects that cause them.
    static let peerInputsMax = 2048

    private struct State {
        var inputs: [AgentInput] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    func put(_ input: AgentInput) {
        self.state.withLock { $0.inputs.append(input) }
        self.wake.signal()
    }

    /// Puts in a peer's message as soon as there is room.
    func putWhenRoom(_ input: AgentInput) async {
        await withCheckedContinuation { continuation in
            let mustWait = self.state.withLock { state in
                guard state.inputs.count >= Self.peerInputsMax, !state.isClosed else { return false }
                state.waiting.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
        self.put(input)
    }

    /// All inputs, waiting for the first until `deadline`.
    func take(until deadline: DispatchTime) -> [AgentInput] {
        let ready = self.takeNow()
        guard ready.isEmpty else { return ready }
        _ = self.wake.wait(timeout: deadline)
        return self.takeNow()
    }

    func close() {
        let waiting = self.state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        self.wake.signal()
    }

    var isClosed: Bool { self.state.withLock { $0.isClosed } }

    private func takeNow() -> [AgentInput] {
        let (inputs, waiting) = self.state.withLock { state in
            defer {
                state.inputs = []
                state.waiting = []
            }
            return (state.inputs, state.waiting)
        }
        for continuation in waiting { continuation.resume() }
        return inputs
    }
}
