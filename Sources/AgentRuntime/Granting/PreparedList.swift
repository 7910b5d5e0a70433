import Synchronization

/// Remembers what this agent prepared for somebody's signature, so that nothing else is signed or handed on in its name.
///
/// The chain answers a made-up transaction with the reason, and the reason tells what exists. What an agent prepares, it has
/// judged before.
package final class PreparedList<Item: Equatable & Sendable>: Sendable {
    private let max: Int
    private let items = Mutex<[Item]>([])

    /// `max`: more make the oldest void; a person or script signs within seconds.
    package init(max: Int) { self.max = max }

    package func add(_ item: Item) {
        self.items.withLock { items in
            if items.count >= self.max { items.removeFirst() }
            items.append(item)
        }
    }

    /// Also again and again: who was not answered in time submits once more.
    package func contains(_ item: Item) -> Bool { self.items.withLock { $0.contains(item) } }

    /// Whether it was prepared here; told once.
    package func take(_ item: Item) -> Bool {
        self.items.withLock { items in
            guard let index = items.firstIndex(of: item) else { return false }
            items.remove(at: index)
            return true
        }
    }
}
