package import Consensus
package import Primitives
import Synchronization

/// When the other validators last said that nothing newer than this agent's tip is final: the basis of leases.
///
/// In one run spans are measured on a clock that is never set. Across a restart only the wall clock is left: a time in the
/// future, as after a clock was set back, counts as no confirmation.
package final class TipConfirmations: Sendable {
    private struct State {
        /// Uptime of the last confirmation, by validator index.
        var heard: [UInt16: Int64] = [:]
        /// Uptime that the last run's confirmation corresponds to.
        var restored: Int64?
    }

    private let validators: ValidatorSet
    private let local: UInt16?
    private let state: Mutex<State>

    /// `last`: wall clock of the last run's confirmation.
    package init(validators: ValidatorSet, local: UInt16?, last: Timestamp?, now: Timestamp, uptime: Int64) {
        self.validators = validators
        self.local = local
        var state = State()
        if let last, last <= now { state.restored = uptime - (now.milliseconds - last.milliseconds) }
        self.state = Mutex(state)
    }

    package func heard(_ validator: UInt16, uptime: Int64) {
        self.state.withLock { $0.heard[validator] = uptime }
    }

    /// Uptime at which a quorum had confirmed the tip; `nil` if it never did.
    package func confirmed(uptime: Int64) -> Int64? {
        self.state.withLock { state in
            var times = state.heard.filter { $0.key != self.local }.map(\.value)
            if self.local != nil { times.append(uptime) }
            times.sort(by: >)
            let quorum = self.validators.quorum
            let current = times.count >= quorum ? times[quorum - 1] : nil
            return [current, state.restored].compactMap { $0 }.max()
        }
    }
}
