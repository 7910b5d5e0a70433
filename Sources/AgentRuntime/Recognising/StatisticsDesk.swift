package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Figures over the facts of all institutions, with what made them.
package struct StatisticsDesk: Sendable {
    private static let blocksPerRead = 4 << 20

    /// Figures, the block up to which they count, and what they lack.
    package struct Figures: Sendable {
        package var table: StatisticsTable
        package var height: Height
        package var gaps: [PlacedBatch.Gap]
    }

    /// Whether figures made again from the chain and the manifests alone are the same.
    package struct Verified: Sendable {
        package var figures: Figures
        /// Keys of rows that differ, the total as an empty key.
        package var differences: [[String]]
        package var blocks: UInt64
    }

    /// An event of which a figure is made.
    package struct Event: Sendable {
        package var id: FactID
        package var institution: InstitutionID
        package var transaction: TransactionID
        /// Time of the block.
        package var blockTime: Timestamp
        package var content: Content

        /// What stands at the place.
        package enum Content: Sendable {
            case exam(ExamLeaf)
            case fact(RecognitionFact)
            /// The manifest is not here any more.
            case missing
        }
    }

    private let context: AgentContext
    private let book: FactBook

    package init(context: AgentContext, book: FactBook) {
        self.context = context
        self.book = book
    }

    package func figures(_ query: StatisticsQuery) async throws -> Figures {
        let reading = try await self.book.reading()
        return Figures(table: StatisticsTable(of: reading.book, query), height: reading.height, gaps: reading.gaps)
    }

    /// The names of own departments: others' are known by their keys only.
    package func departments() throws -> [String: String] {
        let maker = FactMaker(context: self.context)
        var names: [String: String] = [maker.department("").text: ""]
        for fact in try self.context.custody.facts(fromBatch: 0) {
            let key = fact.entry.fact.department.text
            guard names[key] == nil else { continue }
            names[key] = try maker.detail(fact.entry).departmentName
        }
        return names
    }

    // MARK: Checking

    /// Makes the figures again from the stored blocks and manifests, past everything that is kept in memory, and compares.
    ///
    /// Each block must follow the one before and hold the transactions and receipts that its header names.
    package func verify(_ query: StatisticsQuery) async throws -> Verified {
        let figures = try await self.figures(query)
        var replay = RecognitionReplay(policies: self.context.board.tip.state.policies)
        var (next, parent) = (Height(1), self.context.rules.genesisBlock.hash)
        while next <= figures.height {
            let blocks = try self.context.chain.blocks(from: next, maxBytes: Self.blocksPerRead)
            guard !blocks.isEmpty else { throw AgentFailure(.storeDamaged, "a block is missing") }
            for block in blocks where next <= figures.height {
                let body = try BlockBody(canonicalBytes: block.body)
                let receipts = try block.receipts.map { try TransactionReceipt(canonicalBytes: $0) }
                guard block.header.height == next, block.header.parentHash == parent,
                    block.header.transactionRoot == body.transactionRoot,
                    block.header.receiptRoot == MerkleTree.root(receipts.map(\.leafHash))
                else {
                    throw AgentFailure(
                        .proofIncomplete,
                        "a stored block is not the one that the chain made final",
                        hint: "Run entente doctor --full."
                    )
                }
                replay.apply(
                    header: block.header,
                    body: body,
                    receipts: receipts
                ) { address in try? self.context.vault.read(address) }
                (next, parent) = (next.next, block.header.hash)
            }
            await Task.yield()
        }
        let table = StatisticsTable(of: replay.book, query)
        return Verified(
            figures: Figures(table: table, height: figures.height, gaps: replay.gaps),
            differences: figures.table.differences(from: table),
            blocks: figures.height.value
        )
    }

    // MARK: Lineage

    /// What stands at the places that made a figure, in their order.
    package func events(_ ids: [FactID]) throws -> [Event] {
        var events: [Event] = []
        var batches: [PlacedBatch] = []
        var loaded: (batch: PlacedBatch, object: SealedObject?)?
        for id in ids {
            if loaded?.batch.height != id.height || loaded?.batch.transaction != id.transaction {
                if batches.first?.height != id.height { batches = try self.batches(at: id.height) }
                guard let batch = batches.first(where: { $0.transaction == id.transaction }) else { continue }
                loaded = (batch, try? self.context.vault.read(batch.anchor.manifest))
            }
            guard let loaded, let state = self.state(of: loaded.batch) else { continue }
            events.append(
                Event(
                    id: id,
                    institution: loaded.batch.anchor.institution,
                    transaction: state.transaction,
                    blockTime: loaded.batch.time,
                    content: Self.content(loaded.object, loaded.batch, row: Int(id.row))
                )
            )
        }
        return events
    }

    private func batches(at height: Height) throws -> [PlacedBatch] {
        guard let block = try self.context.chain.block(at: height) else { return [] }
        return PlacedBatch.batches(
            header: block.header,
            body: try BlockBody(canonicalBytes: block.body),
            receipts: try block.receipts.map { try TransactionReceipt(canonicalBytes: $0) }
        )
    }

    private func state(of batch: PlacedBatch) -> BatchState? {
        let state = self.context.board.tip.state
        return switch batch.content {
        case .exams: state.commitmentBatch(batch.anchor.institution, batch.anchor.number)
        case .facts: state.factBatch(batch.anchor.institution, batch.anchor.number)
        }
    }

    private static func content(_ object: SealedObject?, _ batch: PlacedBatch, row: Int) -> Event.Content {
        guard let object else { return .missing }
        switch batch.content {
        case .exams:
            guard let list = try? Manifest(canonicalBytes: object.body), list.entries.indices.contains(row) else {
                return .missing
            }
            return .exam(list.entries[row].leaf)
        case .facts:
            guard let list = try? FactManifest(canonicalBytes: object.body), list.entries.indices.contains(row) else {
                return .missing
            }
            return .fact(list.entries[row].fact)
        }
    }
}
