import AgentCore
package import Consensus
package import Ledger
package import Primitives
import Synchronization

/// Where the loop posts what is final, and others read it or wait for it.
package final class ChainBoard: Sendable {
    /// The newest final block and what executing it gave.
    package struct Tip: Sendable {
        package var block: ExecutedBlock
        /// `nil` for the genesis block.
        package var certificate: Certificate?

        package var height: Height { self.block.header.height }
        package var state: LedgerState { self.block.state }
    }

    /// What became of a transaction.
    package enum Decision: Sendable {
        case inBlock(Height, TransactionReceipt)
        case refused(TransactionRefusal)
    }

    /// Finality times kept for the operator's figures.
    private static let samplesMax = 512

    private struct State {
        var tip: Tip
        var view = View(0)
        var pending = 0
        var peers: [InstitutionID: Height] = [:]
        var expected: [TransactionID: [PendingDecision]] = [:]
        /// When own transactions were submitted, for ``finality``.
        var submitted: [TransactionID: Int64] = [:]
        var samples: [Int64] = []
        var nextSample = 0
        var isClosed = false
    }

    private let state: Mutex<State>

    package init(tip: Tip) { self.state = Mutex(State(tip: tip)) }

    package var tip: Tip { self.state.withLock { $0.tip } }
    package var view: View { self.state.withLock { $0.view } }
    package var pendingCount: Int { self.state.withLock { $0.pending } }

    package func peerHeight(_ peer: InstitutionID) -> Height? { self.state.withLock { $0.peers[peer] } }

    /// Milliseconds from submission to finality of the last own transactions: median and 99th percentile.
    package var finality: (p50: Int64, p99: Int64)? {
        let samples = self.state.withLock { $0.samples }.sorted()
        guard !samples.isEmpty else { return nil }
        return (samples[samples.count / 2], samples[min(samples.count - 1, samples.count * 99 / 100)])
    }

    /// Registers for the decision on `id`.
    ///
    /// Call it before the transaction is submitted, so that none is missed.
    package func expect(_ id: TransactionID) -> PendingDecision {
        let pending = PendingDecision()
        let isClosed = self.state.withLock { state in
            guard !state.isClosed else { return true }
            state.expected[id, default: []].append(pending)
            state.submitted[id] = Clock.uptime
            return false
        }
        if isClosed { pending.resolve(.refused(TransactionRefusal(.expired))) }
        return pending
    }

    /// Ends every wait, also those to come: the agent is stopping.
    package func close() {
        let expected = self.state.withLock { state in
            defer { state.expected = [:] }
            state.isClosed = true
            return state.expected.values.joined().map { $0 }
        }
        for pending in expected { pending.resolve(.refused(TransactionRefusal(.expired))) }
    }

    /// Takes back what ``expect(_:)`` registered.
    package func forget(_ id: TransactionID, _ pending: PendingDecision) {
        self.state.withLock { state in
            state.expected[id]?.removeAll { $0 === pending }
            if state.expected[id]?.isEmpty == true { state.expected[id] = nil }
        }
    }

    // MARK: Posted by the loop

    func update(view: View, pending: Int) {
        self.state.withLock { state in
            state.view = view
            state.pending = pending
        }
    }

    func peer(_ peer: InstitutionID, isAt height: Height) { self.state.withLock { $0.peers[peer] = height } }

    func refused(_ id: TransactionID, _ refusal: TransactionRefusal) {
        let pending = self.state.withLock { state in
            state.submitted[id] = nil
            return state.expected.removeValue(forKey: id) ?? []
        }
        for decision in pending { decision.resolve(.refused(refusal)) }
    }

    func committed(_ range: CommittedRange) {
        var decided: [(PendingDecision, Decision)] = []
        self.state.withLock { state in
            for (_, executed) in range.blocks {
                for receipt in executed.receipts {
                    if let since = state.submitted.removeValue(forKey: receipt.transaction) {
                        Self.sample(Clock.uptime - since, &state)
                    }
                    guard let pending = state.expected.removeValue(forKey: receipt.transaction) else { continue }
                    let decision = Decision.inBlock(executed.header.height, receipt)
                    decided += pending.map { ($0, decision) }
                }
            }
            if let last = range.blocks.last {
                state.tip = Tip(block: last.executed, certificate: range.certificate)
            }
        }
        for (pending, decision) in decided { pending.resolve(decision) }
    }

    private static func sample(_ milliseconds: Int64, _ state: inout State) {
        if state.samples.count < Self.samplesMax {
            state.samples.append(milliseconds)
        } else {
            state.samples[state.nextSample] = milliseconds
        }
        state.nextSample = (state.nextSample + 1) % Self.samplesMax
    }
}

/// The decision on one transaction, for one task that waits for it.
package final class PendingDecision: Sendable {
    private enum State {
        /// Can become any other.
        case open
        /// Can become `decided`.
        case waited(CheckedContinuation<ChainBoard.Decision, Never>)
        /// Final.
        case decided(ChainBoard.Decision)
    }

    private let state = Mutex(State.open)

    func resolve(_ decision: ChainBoard.Decision) {
        let waiter = self.state.withLock { state -> CheckedContinuation<ChainBoard.Decision, Never>? in
            defer { if case .decided = state {} else { state = .decided(decision) } }
            guard case .waited(let continuation) = state else { return nil }
            return continuation
        }
        waiter?.resume(returning: decision)
    }

    /// Cancelling the task ends the wait with a refusal of expiry.
    package var value: ChainBoard.Decision {
        get async {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let decided = self.state.withLock { state -> ChainBoard.Decision? in
                        if case .decided(let decision) = state { return decision }
                        state = .waited(continuation)
                        return nil
                    }
                    if let decided { continuation.resume(returning: decided) }
                }
            } onCancel: {
                self.resolve(.refused(TransactionRefusal(.expired)))
            }
        }
    }
}
