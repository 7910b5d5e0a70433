internal import Dispatch
internal import Records
internal import Synchronization

/// How long an append may wait for company before it is made durable.
package enum Urgency: Sendable {
    /// Up to 5 ms or 1 MiB.
    case interactive
    /// Up to 200 ms or 8 MiB. For callers that keep several appends under way.
    case bulk

    var bytes: Int { self == .interactive ? 1 << 20 : 8 << 20 }
    var milliseconds: Int { self == .interactive ? 5 : 200 }
}

/// Gathers appends of many callers and makes them durable together, on a thread of its own.
///
/// Bounded: a caller waits while more than ``queuedBytesMax`` are ahead of it.
final class CommitQueue: Sendable {
    struct Item: Sendable {
        var objects: [SealedObject]
        /// Data keys of the institution's own records among the objects.
        var keys: [DataKeyPages.NewKey]

        var byteCount: Int { self.objects.reduce(0) { $0 + Frame.byteCount($1) } }
    }

    private struct Request {
        var item: Item
        var byteCount: Int
        var reply: CheckedContinuation<VaultError?, Never>
    }

    private struct State {
        var requests: [Request] = []
        var byteCount = 0
        /// Fewest bytes and earliest instant at which the gathered requests are committed.
        var bytesDue = Int.max
        var due = ContinuousClock.Instant.now
        var admitted = 0
        var waiting: [(byteCount: Int, admit: CheckedContinuation<Void, Never>)] = []
        var isClosed = false
    }

    /// Four bulk groups: enough to keep the disk busy, little enough to hold in memory.
    static let queuedBytesMax = 32 << 20

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "entente.vault.writer")
    private let commit: @Sendable ([Item]) throws(VaultError) -> Void

    init(commit: @escaping @Sendable ([Item]) throws(VaultError) -> Void) { self.commit = commit }

    /// Returns when the item is durable.
    func append(_ item: Item, _ urgency: Urgency) async throws(VaultError) {
        let byteCount = item.byteCount
        await self.admit(byteCount)
        let failure = await withCheckedContinuation { reply in
            self.enqueue(Request(item: item, byteCount: byteCount, reply: reply), urgency)
        }
        if let failure { throw failure }
    }

    /// Commits what is queued and refuses everything after it.
    ///
    /// Returns when the writer is idle.
    func close() async {
        self.state.withLock { $0.isClosed = true }
        await withCheckedContinuation { done in
            self.queue.async {
                self.drain()
                done.resume()
            }
        }
    }

    private func admit(_ byteCount: Int) async {
        await withCheckedContinuation { admit in
            let isAdmitted = self.state.withLock { state in
                guard state.waiting.isEmpty, Self.hasRoom(state, byteCount) else {
                    state.waiting.append((byteCount, admit))
                    return false
                }
                state.admitted += byteCount
                return true
            }
            if isAdmitted { admit.resume() }
        }
    }

    private func release(_ byteCount: Int) {
        let admitted = self.state.withLock { state in
            state.admitted -= byteCount
            var admitted: [CheckedContinuation<Void, Never>] = []
            while let first = state.waiting.first, Self.hasRoom(state, first.byteCount) {
                state.waiting.removeFirst()
                state.admitted += first.byteCount
                admitted.append(first.admit)
            }
            return admitted
        }
        for continuation in admitted { continuation.resume() }
    }

    /// A single item larger than the bound passes when it is alone.
    private static func hasRoom(_ state: State, _ byteCount: Int) -> Bool {
        state.admitted == 0 || state.admitted + byteCount <= Self.queuedBytesMax
    }

    private func enqueue(_ request: Request, _ urgency: Urgency) {
        let now = ContinuousClock.now
        let isDue: Bool? = self.state.withLock { state in
            guard !state.isClosed else { return nil }
            let due = now + .milliseconds(urgency.milliseconds)
            state.due = state.requests.isEmpty ? due : min(state.due, due)
            state.bytesDue = min(state.bytesDue, urgency.bytes)
            state.requests.append(request)
            state.byteCount += request.byteCount
            return state.byteCount >= state.bytesDue
        }
        switch isDue {
        case nil:
            self.release(request.byteCount)
            request.reply.resume(returning: VaultError(.closed, "the vault is closed"))
        case true?: self.queue.async { self.drain() }
        case false?:
            self.queue.asyncAfter(deadline: .now() + .milliseconds(urgency.milliseconds)) {
                let isDue = self.state.withLock { ContinuousClock.now >= $0.due || $0.byteCount >= $0.bytesDue }
                if isDue { self.drain() }
            }
        }
    }

    private func drain() {
        let requests = self.state.withLock { state in
            let requests = state.requests
            state.requests = []
            state.byteCount = 0
            state.bytesDue = .max
            return requests
        }
        guard !requests.isEmpty else { return }
        var failure: VaultError?
        do { try self.commit(requests.map(\.item)) } catch { failure = error }
        self.release(requests.reduce(0) { $0 + $1.byteCount })
        for request in requests { request.reply.resume(returning: failure) }
    }
}
