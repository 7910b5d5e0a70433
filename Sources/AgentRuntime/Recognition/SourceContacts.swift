package import Primitives
import Synchronization

/// Which institutions can be reached, and when each was last, since this agent runs.
package final class SourceContacts: Sendable {
    private struct State {
        var connected: Set<InstitutionID> = []
        var last: [InstitutionID: Timestamp] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// Called again and again with those that are connected.
    package func saw(_ connected: Set<InstitutionID>, now: Timestamp) {
        self.state.withLock { state in
            for institution in state.connected.union(connected) { state.last[institution] = now }
            state.connected = connected
        }
    }

    package func isReachable(_ institution: InstitutionID) -> Bool {
        self.state.withLock { $0.connected.contains(institution) }
    }

    /// When it was last connected; `nil` if it never was in this run.
    package func last(_ institution: InstitutionID) -> Timestamp? { self.state.withLock { $0.last[institution] } }
}
