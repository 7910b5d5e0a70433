package import Records
import Synchronization

/// Erasures that something happened to, for the one service that looks at them.
package final class ErasureInbox: Sendable {
    private let ids = Mutex<Set<ErasureID>>([])
    package let bell = Bell()

    package init() {}

    package func add(_ id: ErasureID) {
        self.ids.withLock { _ = $0.insert(id) }
        self.bell.ring()
    }

    package func take() -> Set<ErasureID> {
        self.ids.withLock { ids in
            defer { ids = [] }
            return ids
        }
    }
}
