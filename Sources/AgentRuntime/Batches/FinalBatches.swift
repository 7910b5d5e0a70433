package import LedgerStore
package import Primitives
import Synchronization

/// Tells those who wait for a batch of this institution that it is in a final block.
package final class FinalBatches: Sendable {
    private struct Key: Hashable {
        var kind: ManifestKind
        var number: UInt64
    }

    private let custody: CustodyStore
    private struct State {
        var waiters: [Key: [CheckedContinuation<Height?, Never>]] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    package init(custody: CustodyStore) { self.custody = custody }

    /// The height of the block that holds the batch; `nil` if the agent stops first.
    package func height(of number: UInt64, kind: ManifestKind) async -> Height? {
        // Registered before the store is asked, so that a batch that becomes final in between is not missed.
        await withCheckedContinuation { continuation in
            let isClosed = self.state.withLock { state in
                guard !state.isClosed else { return true }
                state.waiters[Key(kind: kind, number: number), default: []].append(continuation)
                return false
            }
            guard !isClosed else {
                continuation.resume(returning: nil)
                return
            }
            if let batch = try? self.custody.batch(kind, number: number), let height = batch.height {
                self.resolve(number, kind, height)
            }
        }
    }

    /// Whether the agent is stopping.
    package var isClosed: Bool { self.state.withLock { $0.isClosed } }

    package func resolve(_ number: UInt64, _ kind: ManifestKind, _ height: Height) {
        let resumed = self.state.withLock { $0.waiters.removeValue(forKey: Key(kind: kind, number: number)) ?? [] }
        for continuation in resumed { continuation.resume(returning: height) }
    }

    /// Ends every wait, also those to come.
    package func close() {
        let all = self.state.withLock { state in
            defer { state.waiters = [:] }
            state.isClosed = true
            return state.waiters.values.flatMap { $0 }
        }
        for continuation in all { continuation.resume(returning: nil) }
    }
}
