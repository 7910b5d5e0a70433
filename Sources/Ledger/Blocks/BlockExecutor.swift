package import Primitives
internal import Records

/// Executes transactions one after another over a parent's state.
struct BlockExecutor {
    let rules: LedgerRules
    let context: BlockContext
    private var overlay: StateOverlay
    private(set) var receipts: [TransactionReceipt] = []
    private(set) var events: [LedgerEvent] = []

    init(rules: LedgerRules, parent: ExecutedBlock, time: Timestamp) {
        self.rules = rules
        self.context = BlockContext(height: parent.header.height.next, time: time)
        self.overlay = StateOverlay(base: parent.state)
    }

    /// Executes `transaction`, or says why it may not stand in this block and leaves everything as it was.
    mutating func append(_ transaction: Transaction, isSignatureKnown: Bool) -> TransactionRefusal? {
        let call: LedgerCall
        switch self.rules.admission(
            of: transaction,
            at: self.context.height,
            in: self.overlay,
            isSignatureKnown: isSignatureKnown
        ) {
        case .success(let admitted): call = admitted
        case .failure(let refusal): return refusal
        }
        let outcome = self.run(call, of: transaction)
        for write in outcome.writes { self.overlay.write(write.value, at: write.key) }
        self.overlay.write(self.context.height.canonicalBytes, at: StateKey.seen(transaction.id).digest)
        self.events += outcome.events
        self.receipts.append(TransactionReceipt(transaction: transaction.id, refusal: outcome.refusal))
        return nil
    }

    /// Ends the block: keeps the ids of its transactions, and forgets those whose time is over everywhere.
    mutating func finish() -> [StateChange] {
        if !self.receipts.isEmpty {
            // Sorted, so that the state does not depend on the order of transactions that do not depend on each other.
            let ids = SeenList(ids: self.receipts.map(\.transaction).sorted())
            self.overlay.write(ids.canonicalBytes, at: StateKey.seenList(self.context.height).digest)
        }
        // A transaction of block h is valid until h - 1 + W at the latest, so its mark is needed up to that block.
        let window = UInt64(self.rules.parameters.replayWindowBlocks)
        let height = self.context.height.value
        if height >= window, let old: SeenList = self.overlay.value(at: .seenList(Height(height + 1 - window))) {
            for id in old.ids { self.overlay.write(nil, at: StateKey.seen(id).digest) }
            self.overlay.write(nil, at: StateKey.seenList(Height(height + 1 - window)).digest)
        }
        return self.overlay.changes
    }

    private struct Outcome {
        var writes: [(key: Digest, value: [UInt8]?)] = []
        var events: [LedgerEvent] = []
        var refusal: TransactionRefusal?
    }

    private func run(_ call: LedgerCall, of transaction: Transaction) -> Outcome {
        var context = ExecutionContext(
            chain: self.rules.chain,
            block: self.context,
            parameters: self.rules.parameters,
            module: call.module,
            transaction: transaction.id,
            signers: transaction.body.signers,
            overlay: self.overlay
        )
        do throws(TransactionRefusal) {
            try call.execute(in: &context)
            return Outcome(writes: context.pendingWrites, events: context.events)
        } catch {
            return Outcome(refusal: error)
        }
    }
}

/// The transactions of one block, as they stand in the state until their marks can go.
struct SeenList: CanonicalCodable {
    var ids: [TransactionID]

    init(ids: [TransactionID]) { self.ids = ids }

    func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.ids) }

    init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.ids = try decoder.decodeArray(max: BlockBody.transactionsMax)
    }
}

extension StateKey {
    /// The height of the block in which a transaction stands, for as long as it could be replayed.
    package static func seen(_ id: TransactionID) -> StateKey { StateKey(.chain, tag: 1, id) }

    static func seenList(_ height: Height) -> StateKey { StateKey(.chain, tag: 2, height) }
}

extension StateReading {
    /// Where a transaction stands on the chain; forgotten when the replay window has passed.
    package func heightOfTransaction(_ id: TransactionID) -> Height? { self.value(at: .seen(id)) }
}
