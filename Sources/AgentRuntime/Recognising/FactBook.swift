package import Ledger
package import LedgerStore
import Logging
package import Primitives
package import Records
import Vault

/// The book of recognition facts as this agent holds it: made anew at every start from the chain and the manifests, and
/// kept up with them.
package actor FactBook {
    private static let blocksPerRead = 4 << 20

    /// What the book says, and what it lacks.
    package struct Reading: Sendable {
        package var book: RecognitionBook
        /// The block up to which it is read.
        package var height: Height
        package var gaps: [PlacedBatch.Gap]
    }

    private let context: AgentContext
    private let bell: Bell
    private var next = Height(1)
    private var book: GrowingBook
    /// Own facts of batches from this number on are not read yet.
    private var nextOwnBatch: UInt64 = 0
    private var refused: [FactID: RecognitionCode] = [:]

    /// `bell`: rung when the chain has a block, or a manifest has come.
    package init(context: AgentContext, bell: Bell) {
        self.context = context
        self.bell = bell
        self.book = GrowingBook(policies: context.board.tip.state.policies)
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                self.book.manifestsCame()
                _ = try await self.reading()
                await self.bell.wait()
            } catch {
                self.context.logger.error("the book of recognition is held up", metadata: ["error": "\(error)"])
                await self.bell.wait(atMost: .seconds(5))
            }
        }
    }

    /// The book up to the newest final block.
    package func reading() async throws -> Reading {
        // Blocks are stored before they are posted, so what the board shows can be read.
        while try self.readOn() { await Task.yield() }
        try self.book.advance(self.objects)
        let reading = try self.book.reading(self.objects)
        self.noteJudged()
        self.context.voids.set(reading.book.voided)
        return Reading(book: reading.book, height: Height(self.next.value - 1), gaps: reading.gaps)
    }

    /// A book of these matches and records alone, with this institution's facts about them that are not in a final block.
    ///
    /// What is tried out in it becomes of a fact that is anchored now.
    package func excerpt(matches: Set<MatchID>, records: Set<ContentAddress> = []) async throws -> RecognitionBook {
        let book = try await self.reading().book
        let own = self.context.institution
        let waiting = try self.context.custody.facts(fromBatch: self.nextOwnBatch).map(\.entry.fact)
        var records = records
        var named = matches
        for fact in waiting where !named.isDisjoint(with: fact.matches) { named.formUnion(fact.matches) }
        for fact in waiting {
            if let match = fact.match, named.contains(match.id) { records.formUnion(match.items.map(\.candidate)) }
        }
        var excerpt = book.excerpt(matches: named, records: records, of: own)
        let relevant = waiting.filter { fact in
            switch fact.content {
            case .void(let record, _): excerpt.candidates[record] != nil
            case .production: matches.isEmpty && records.isEmpty
            default: !named.isDisjoint(with: fact.matches)
            }
        }
        _ = excerpt.record(relevant, by: own, at: self.context.board.tip.height.next, transaction: 0, time: Clock.now)
        return excerpt
    }

    /// Why an own fact that is on the chain counts for nobody; `nil` if it counts, or is not on the chain.
    package func refusal(of place: StoredFact.Place) -> RecognitionCode? {
        guard let batch = self.context.board.tip.state.factBatch(self.context.institution, place.batch) else {
            return nil
        }
        return self.refused.first { $0.key.height == batch.height && $0.key.row == place.index }?.value
    }

    // MARK: Reading

    /// Reads the next blocks.
    ///
    /// Whether there were any.
    private func readOn() throws -> Bool {
        let blocks = try self.context.chain.blocks(from: self.next, maxBytes: Self.blocksPerRead)
        guard !blocks.isEmpty else { return false }
        // Read after the blocks, so that it holds every pack that was adopted up to the last of them.
        self.book.adopt(self.context.board.tip.state.policies)
        let objects = self.objects
        for block in blocks {
            let batches = PlacedBatch.batches(
                header: block.header,
                body: try BlockBody(canonicalBytes: block.body),
                receipts: try block.receipts.map { try TransactionReceipt(canonicalBytes: $0) }
            )
            for batch in batches {
                try self.book.append(batch, objects)
                if batch.content == .facts, batch.anchor.institution == self.context.institution {
                    self.nextOwnBatch = batch.anchor.number + 1
                }
            }
            self.next = block.header.height.next
        }
        return true
    }

    /// Remembers which own facts count for nobody.
    private func noteJudged() {
        for judged in self.book.takeJudged() where judged.batch.anchor.institution == self.context.institution {
            for (row, outcome) in judged.outcomes.enumerated() {
                let batch = judged.batch
                let id = FactID(height: batch.height, transaction: batch.transaction, row: UInt32(row))
                guard case .refused(let code) = outcome else {
                    self.refused[id] = nil
                    continue
                }
                guard self.refused.updateValue(code, forKey: id) == nil else { continue }
                self.context.logger.warning(
                    "a fact of this institution counts for nobody",
                    metadata: ["fact": "\(id.text)", "code": "\(code.name)"]
                )
            }
        }
    }

    /// The object at a manifest's address; `nil` if it is not here or cannot be read.
    private nonisolated var objects: GrowingBook.Objects {
        let vault = self.context.vault
        return { address in
            do throws(VaultError) {
                return try vault.read(address)
            } catch {
                guard error.code == .damaged || error.code == .notFound else { throw error }
                return nil
            }
        }
    }
}
