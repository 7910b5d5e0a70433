import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("Whoever holds the chain and the manifests computes the same figures")
struct RecognitionReplayTests {
    /// A chain with a pack, exams of `a` and facts of `b`, and what a verifier needs of it.
    private struct Story {
        var bench = Bench()
        var blocks: [ExecutedBlock] = []
        var objects: [ContentAddress: SealedObject] = [:]
        private var sequence: UInt64 = 0

        init() throws {
            let pack = try self.bench.adopt()
            try self.commit(["r", "s"])
            let policy = pack.proposal.pack
            func match(_ name: String, _ record: String) -> RecognitionFact.Content {
                .match(
                    RecognitionMatch(
                        id: FactBench.id(name),
                        verdict: .zero,
                        policy: policy,
                        items: [FactBench.item(record)]
                    )
                )
            }
            let now = self.bench.tip.header.time.milliseconds
            try self.anchor([FactBench.fact(match("m", "r"), at: now), FactBench.fact(match("n", "s"), at: now)])
            try self.anchor([
                FactBench.fact(FactBench.decision("m", [.adopted(0, amount: Fen(100))]), at: now + 500),
                FactBench.fact(FactBench.decision("n", [.refused(0, "D01")]), at: now + 500),
                FactBench.fact(FactBench.decision("m", [.refused(0, "D01")]), at: now + 600),
            ])
            try self.anchor([FactBench.fact(FactBench.citation([("m", 0)]), at: now + 900)])
        }

        private mutating func keep(_ kind: ObjectKind, by name: String, _ body: [UInt8]) -> ContentAddress {
            self.sequence += 1
            let header = ObjectHeader(
                suite: .international,
                kind: kind,
                origin: institution(name),
                sequence: self.sequence,
                keyCommitment: .zero
            )
            let object = SealedObject(header: header, body: body)
            self.objects[object.address] = object
            return object.address
        }

        private mutating func commit(_ records: [String]) throws {
            let entries = records.map { name in
                let tag = LocatorTag(Digest(hashing: Array(name.utf8)))
                let locator = LocatorEntry(tag: tag, sealed: [UInt8](repeating: 0, count: LocatorEntry.sealedByteCount))
                var leaf = FactBench.leaf(name)
                leaf.locatorDigest = locator.digest
                return Manifest.Entry(leaf: leaf, locator: locator)
            }
            let list = Manifest(institution: institution("a"), batch: 0, entries: entries, aliases: [])
            let anchor = BatchAnchor(
                institution: institution("a"),
                number: 0,
                previous: .zero,
                count: UInt32(entries.count),
                root: list.root,
                manifest: self.keep(.manifest, by: "a", list.canonicalBytes)
            )
            self.blocks.append(
                try self.bench.block([self.bench.transaction(.commitments(.commitExams(anchor)), by: ["a"])])
            )
        }

        private mutating func anchor(_ facts: [RecognitionFact]) throws {
            let sealed = [UInt8](repeating: 0, count: RecognitionDetail.sealedBytes)
            let head = self.bench.tip.state.factHead(institution("b"))
            let list = FactManifest(
                institution: institution("b"),
                batch: head.next,
                entries: facts.map { FactManifest.Entry(fact: $0, sealedDetail: sealed) }
            )
            let anchor = BatchAnchor(
                institution: institution("b"),
                number: head.next,
                previous: head.previous,
                count: UInt32(facts.count),
                root: list.root,
                manifest: self.keep(.factManifest, by: "b", list.canonicalBytes)
            )
            let call = LedgerCall.recognition(.anchorFacts(anchor))
            let block = try self.bench.block([self.bench.transaction(call, by: ["b"])])
            #expect(block.receipts.map(\.code) == [.ok])
            #expect(block.events == [.factsAnchored(anchor)])
            #expect(block.state.factBatch(institution("b"), anchor.number)?.anchor == anchor)
            self.blocks.append(block)
        }

        func replay(
            without lost: ContentAddress? = nil,
            forged: [ContentAddress: SealedObject] = [:]
        ) -> RecognitionReplay {
            var replay = RecognitionReplay(policies: self.bench.tip.state.policies)
            for block in self.blocks {
                replay.apply(header: block.header, body: block.body, receipts: block.receipts) { address in
                    address == lost ? nil : forged[address] ?? self.objects[address]
                }
            }
            return replay
        }

        /// The manifest of the facts anchored in the last blocks, newest first.
        func factManifest(_ back: Int) throws -> SealedObject {
            let body = self.blocks[self.blocks.count - 1 - back].body.transactions[0].body
            guard case .recognition(.anchorFacts(let anchor)) = try LedgerCall(of: body),
                let object = self.objects[anchor.manifest]
            else { throw CanonicalError.invalid }
            return object
        }
    }

    @Test("Every figure is recomputed from blocks and manifests and expands to the facts that made it")
    func recomputed() throws {
        let story = try Story()
        let replay = story.replay()
        #expect(replay.gaps.isEmpty)
        let query = RecognitionBookTests.query([.institution, .item])
        let table = StatisticsTable(of: replay.book, query)
        #expect(table.differences(from: StatisticsTable(of: story.replay().book, query)).isEmpty)
        let row = try #require(table.row(["b", "CT-CHEST"]))
        #expect(row[Rate.mutual].percentText == "50.00")
        #expect(row[.saved].quantity == 100 && row[.cited].quantity == 1 && row[.refused].quantity == 1)
        for id in row[Rate.mutual].facts + row[.cited].facts {
            let block = try #require(story.blocks.first { $0.header.height == id.height })
            let call = try LedgerCall(of: block.body.transactions[Int(id.transaction)].body)
            guard case .recognition(.anchorFacts(let anchor)) = call else {
                Issue.record("the place of a fact is an anchor of facts")
                continue
            }
            let list = try FactManifest(canonicalBytes: #require(story.objects[anchor.manifest]).body)
            #expect(list.isBound(by: anchor) && Int(id.row) < list.entries.count)
        }
        #expect(row[.saved].facts.map(\.row) == [0, 0])
        #expect(row[.cited].facts.count == 3)
    }

    @Test("A manifest that nobody gives is named, and one that is not the chain's counts for nobody")
    func gaps() throws {
        let story = try Story()
        let object = try story.factManifest(1)
        let whole = StatisticsTable(of: story.replay().book, RecognitionBookTests.query([]))
        let lost = story.replay(without: object.address)
        #expect(lost.gaps == [.missing(object.address)])
        let partial = StatisticsTable(of: lost.book, RecognitionBookTests.query([]))
        #expect(partial.differences(from: whole).last == [])
        var list = try FactManifest(canonicalBytes: object.body)
        list.entries.removeLast()
        var header = object.header
        let shorter = SealedObject(header: header, body: list.canonicalBytes)
        #expect(story.replay(forged: [object.address: shorter]).gaps == [.wrong(object.address)])
        header.origin = institution("c")
        let foreign = SealedObject(header: header, body: object.body)
        #expect(story.replay(forged: [object.address: foreign]).gaps == [.wrong(object.address)])
    }

    @Test("In whatever order manifests arrive, the book becomes the same", arguments: 0..<40)
    func arrival(seed: UInt64) throws {
        let story = try Story()
        let whole = story.replay().book
        var generator = SeededGenerator(seed: seed)
        var here: [ContentAddress: SealedObject] = [:]
        var absent = story.objects.values.sorted { $0.address < $1.address }.shuffled(using: &generator)
        var book = GrowingBook(policies: PolicyTimeline([]))
        for block in story.blocks {
            if Bool.random(using: &generator), let object = absent.popLast() {
                here[object.address] = object
                book.manifestsCame()
            }
            book.adopt(block.state.policies)
            let batches = PlacedBatch.batches(header: block.header, body: block.body, receipts: block.receipts)
            for batch in batches { try book.append(batch) { here[$0] } }
            if Bool.random(using: &generator) { _ = try book.reading { here[$0] } }
        }
        let partial = try book.reading { here[$0] }
        #expect(partial.gaps.count == absent.count)
        while let object = absent.popLast() {
            here[object.address] = object
            book.manifestsCame()
            if Bool.random(using: &generator) { try book.advance { here[$0] } }
            #expect(try book.reading { here[$0] }.gaps.count == absent.count)
        }
        try book.advance { here[$0] }
        let reading = try book.reading { _ in nil }
        #expect(reading.gaps.isEmpty, "what has come is not asked for again")
        #expect(reading.book.matches == whole.matches && reading.book.candidates == whole.candidates)
        let own = book.takeJudged().flatMap(\.outcomes)
        #expect(own.contains(.refused(.decisionConflict)))
    }

    @Test("A list whose root, number, count or institution is not the anchor's is not bound by it", arguments: 0..<4)
    func bound(fault: Int) throws {
        let story = try Story()
        let list = try FactManifest(canonicalBytes: story.factManifest(1).body)
        var anchor = BatchAnchor(
            institution: list.institution,
            number: list.batch,
            previous: .zero,
            count: UInt32(list.entries.count),
            root: list.root,
            manifest: ContentAddress(.zero)
        )
        #expect(list.isBound(by: anchor))
        switch fault {
        case 0: anchor.root = .zero
        case 1: anchor.number += 1
        case 2: anchor.count += 1
        default: anchor.institution = institution("c")
        }
        #expect(!list.isBound(by: anchor))
    }
}
