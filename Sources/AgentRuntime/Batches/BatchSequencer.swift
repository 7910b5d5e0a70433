package import Ledger
package import LedgerStore
package import Primitives
import Synchronization

/// Numbers this institution's batches of one kind: each names the one before, so only one is prepared at a time.
package final class BatchSequencer: Sendable {
    package let kind: ManifestKind
    private let context: AgentContext
    private let head: Mutex<BatchHead>

    /// Continues after what the chain holds and what waits in the store.
    package init(kind: ManifestKind, context: AgentContext) throws {
        self.kind = kind
        self.context = context
        var head = Self.chainHead(kind, context)
        for transaction in try context.custody.outgoingTransactions() {
            guard let anchor = Self.anchor(in: transaction.bytes, kind: kind), anchor.number >= head.next else {
                continue
            }
            head = BatchHead(next: anchor.number + 1, previous: anchor.digest)
        }
        self.head = Mutex(head)
    }

    package static func chainHead(_ kind: ManifestKind, _ context: AgentContext) -> BatchHead {
        let state = context.board.tip.state
        return switch kind {
        case .exams: state.commitmentHead(context.institution)
        case .receipts: state.receiptHead(context.institution)
        case .facts: state.factHead(context.institution)
        }
    }

    /// The batch that a transaction commits, if it is one of this kind.
    package static func anchor(in bytes: [UInt8], kind: ManifestKind) -> BatchAnchor? {
        guard let transaction = try? Transaction(canonicalBytes: bytes),
            let call = try? LedgerCall(of: transaction.body)
        else { return nil }
        switch (kind, call) {
        case (.exams, .commitments(.commitExams(let anchor))): return anchor
        case (.receipts, .receipts(.anchorReceipts(let anchor))): return anchor
        case (.facts, .recognition(.anchorFacts(let anchor))): return anchor
        default: return nil
        }
    }

    package static func call(_ anchor: BatchAnchor, kind: ManifestKind) -> LedgerCall {
        switch kind {
        case .exams: .commitments(.commitExams(anchor))
        case .receipts: .receipts(.anchorReceipts(anchor))
        case .facts: .recognition(.anchorFacts(anchor))
        }
    }

    /// Runs `prepare` with the next number and the digest of the batch before; what it returns takes that number.
    ///
    /// If it throws, the number stays free.
    package func next(_ prepare: (_ number: UInt64, _ previous: Digest) throws -> BatchAnchor) throws -> BatchAnchor {
        try self.head.withLock { head in
            self.advance(&head)
            let anchor = try prepare(head.next, head.previous)
            head = BatchHead(next: anchor.number + 1, previous: anchor.digest)
            return anchor
        }
    }

    package var nextNumber: UInt64 {
        self.head.withLock { head in
            self.advance(&head)
            return head.next
        }
    }

    /// An agent that was restored from an older backup finds own batches on the chain that it did not number.
    private func advance(_ head: inout BatchHead) {
        let chain = Self.chainHead(self.kind, self.context)
        if chain.next > head.next { head = chain }
    }
}
