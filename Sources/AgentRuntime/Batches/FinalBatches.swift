package import LedgerStore
package import Primitives
import Synchronization

/// Tells those who wait for a batch of this institution that it is in a final block.
package final class FinalBatches: Sendable {
    private struct Key: Hashable {
        var kind: ManifestKind
        var number: UInt64
    }

    private struct State {
        var waiters: [Key: [UInt64: CheckedContinuation<Height?, Never>]] = [:]
        var lastWaiter: UInt64 = 0
        var isClosed = false
    }

    private let custody: CustodyStore
    private let feeds: FeedBook
    private let state = Mutex(State())

    package init(custody: CustodyStore, feeds: FeedBook) {
        self.custody = custody
        self.feeds = feeds
    }

    /// The height of the block that holds the batch; `nil` if the agent stops first or the task is cancelled.
    package func height(of number: UInt64, kind: ManifestKind) async -> Height? {
        let key = Key(kind: kind, number: number)
        let waiter = self.state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return await withTaskCancellationHandler {
            // Registered before the store is asked, so that a batch that becomes final in between is not missed.
            await withCheckedContinuation { continuation in
                let isClosed = self.state.withLock { state in
                    guard !state.isClosed else { return true }
                    state.waiters[key, default: [:]][waiter] = continuation
                    return false
                }
                guard !isClosed, !Task.isCancelled else {
                    if isClosed { continuation.resume(returning: nil) } else { self.cancel(key, waiter) }
                    return
                }
                do {
                    if let height = try self.custody.batch(kind, number: number)?.height {
                        self.resume(number, kind, height)
                    }
                } catch {
                    // The caller learns nothing now; the batch stays durable and becomes final by itself.
                    self.cancel(key, waiter)
                }
            }
        } onCancel: {
            self.cancel(key, waiter)
        }
    }

    private func cancel(_ key: Key, _ waiter: UInt64) {
        self.state.withLock { $0.waiters[key]?.removeValue(forKey: waiter) }?.resume(returning: nil)
    }

    /// Whether the agent is stopping.
    package var isClosed: Bool { self.state.withLock { $0.isClosed } }

    /// Notes that a batch is in a final block.
    package func resolve(_ number: UInt64, _ kind: ManifestKind, _ height: Height) {
        if kind == .exams { self.feeds.final(number, now: Clock.now) }
        self.resume(number, kind, height)
    }

    private func resume(_ number: UInt64, _ kind: ManifestKind, _ height: Height) {
        let resumed = self.state.withLock { $0.waiters.removeValue(forKey: Key(kind: kind, number: number)) ?? [:] }
        for continuation in resumed.values { continuation.resume(returning: height) }
    }

    /// Ends every wait, also those to come.
    package func close() {
        let all = self.state.withLock { state in
            defer { state.waiters = [:] }
            state.isClosed = true
            return state.waiters.values.flatMap(\.values)
        }
        for continuation in all { continuation.resume(returning: nil) }
    }
}
