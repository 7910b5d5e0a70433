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
    private let waiters = Mutex<[Key: [CheckedContinuation<Height?, Never>]]>([:])

    package init(custody: CustodyStore) { self.custody = custody }

    /// The height of the block that holds the batch; `nil` if the agent stops first.
    package func height(of number: UInt64, kind: ManifestKind) async throws -> Height? {
        // Registered before the store is asked, so that a batch that becomes final in between is not missed.
        async let height = withCheckedContinuation { continuation in
            self.waiters.withLock { $0[Key(kind: kind, number: number), default: []].append(continuation) }
            if let batch = try? self.custody.batch(kind, number: number), let height = batch.height {
                self.resolve(number, kind, height)
            }
        }
        return await height
    }

    package func resolve(_ number: UInt64, _ kind: ManifestKind, _ height: Height) {
        let resumed = self.waiters.withLock { $0.removeValue(forKey: Key(kind: kind, number: number)) ?? [] }
        for continuation in resumed { continuation.resume(returning: height) }
    }

    /// Ends every wait.
    package func close() {
        let all = self.waiters.withLock { waiters in
            defer { waiters = [:] }
            return waiters.values.flatMap { $0 }
        }
        for continuation in all { continuation.resume(returning: nil) }
    }
}
