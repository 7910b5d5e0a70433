import Synchronization

/// Wakes one waiting task.
///
/// Ringing while nobody waits is remembered once.
package final class Bell: Sendable {
    private enum State {
        /// Can become `rung` or `waited`.
        case quiet
        /// Can become `quiet`.
        case rung
        /// Can become `quiet`.
        case waited(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.quiet)

    package init() {}

    package func ring() {
        let waiter = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .waited(let continuation) = state else {
                state = .rung
                return nil
            }
            state = .quiet
            return continuation
        }
        waiter?.resume()
    }

    /// Returns at the next ring, or at once if it rang since the last wait.
    ///
    /// For one task at a time; a cancelled task returns.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRung = self.state.withLock { state in
                    if case .rung = state {
                        state = .quiet
                        return true
                    }
                    state = .waited(continuation)
                    return false
                }
                if isRung {
                    continuation.resume()
                } else if Task.isCancelled {
                    self.ring()
                }
            }
        } onCancel: {
            self.ring()
        }
    }

    /// Returns at the next ring or after `duration`.
    package func wait(atMost duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: duration) }
            await group.next()
            group.cancelAll()
        }
    }
}
