package import Ledger
import Synchronization

/// Remembers what this agent prepared for somebody's signature, so that nothing else is handed to the chain in its name.
///
/// The chain answers a made-up transaction with the reason, and the reason tells what exists. What an agent prepares, it has
/// judged before.
package final class PreparedTransactions: Sendable {
    /// More make the oldest void; a person or script signs within seconds.
    private static let keptMax = 4096

    private struct Kept {
        var order: [TransactionID] = []
        var first = 0
        var known: Set<TransactionID> = []
    }

    private let kept = Mutex(Kept())

    package init() {}

    package func add(_ id: TransactionID) {
        self.kept.withLock { kept in
            guard kept.known.insert(id).inserted else { return }
            guard kept.order.count == Self.keptMax else {
                kept.order.append(id)
                return
            }
            kept.known.remove(kept.order[kept.first])
            kept.order[kept.first] = id
            kept.first = (kept.first + 1) % Self.keptMax
        }
    }

    /// Also again and again: who was not answered in time submits once more.
    package func contains(_ id: TransactionID) -> Bool { self.kept.withLock { $0.known.contains(id) } }
}
