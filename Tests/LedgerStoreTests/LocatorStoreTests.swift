import LedgerStore
import Primitives
import Records
import TestSupport
import Testing

@Suite("The locator store finds manifests' lines by tag")
struct LocatorStoreTests {
    private let folder: TemporaryFolder
    private let store: LocatorStore

    init() throws {
        self.folder = try TemporaryFolder()
        self.store = try LocatorStore(path: self.folder.path("locators.sqlite"))
    }

    private func probe(_ institution: Int, _ tag: LocatorTag) -> LocatorProbe {
        LocatorProbe(institution: Fixture.institution(institution), tag: tag)
    }

    @Test("Every entry of several institutions is found by its tag and by its record")
    func findsAll() throws {
        var expected: [Manifest.Entry] = []
        var probes: [LocatorProbe] = []
        for institution in 0..<5 {
            for batch in 0..<3 as Range<UInt64> {
                let base = institution * 1_000 + Int(batch) * 100
                let manifest = Fixture.manifest(
                    institution: institution,
                    batch: batch,
                    count: 40,
                    tag: { LocatorTag(Fixture.digest("tag", base + $0)) },
                    record: { Fixture.address(base + $0) }
                )
                #expect(try self.store.add(manifest, address: Fixture.address(base)))
                expected += manifest.entries
                probes += manifest.entries.map { self.probe(institution, $0.locator.tag) }
            }
        }
        let misses = (0..<300).map { self.probe($0 % 5, LocatorTag(Fixture.digest("miss", $0))) }
        let found = try self.store.lookup((probes + misses).shuffled())
        #expect(found.map(\.leaf) == expected.map(\.leaf))
        #expect(found.map(\.entry) == expected.map(\.locator))
        for (number, row) in found.enumerated() {
            #expect(row.institution == Fixture.institution(number / 120))
            #expect(row.batch == UInt64(number / 40 % 3))
            #expect(row.index == UInt32(number % 40))
        }
        #expect(try self.store.lookup(misses).isEmpty)
        #expect(try self.store.lookup([]).isEmpty)
        #expect(try self.store.entries(record: expected[77].leaf.record) == [found[77]])
        #expect(try self.store.entries(record: Fixture.address(-5)).isEmpty)
        #expect(try self.store.examCount() == 600)
        try self.store.check()
    }

    @Test("Several entries under one tag are all returned; one under another institution's name is not")
    func sharedTags() throws {
        let tag = LocatorTag(Fixture.digest("tag", 0))
        try self.store.add(
            Fixture.manifest(institution: 1, batch: 0, count: 3, tag: { _ in tag }),
            address: Fixture.address(0)
        )
        try self.store.add(
            Fixture.manifest(institution: 2, batch: 0, count: 2, tag: { _ in tag }),
            address: Fixture.address(1)
        )
        #expect(try self.store.lookup([self.probe(1, tag)]).map(\.index) == [0, 1, 2])
        #expect(try self.store.lookup([self.probe(3, tag)]).isEmpty)
        // Both list the same record; whoever asks by record sees both and checks.
        #expect(try self.store.entries(record: Fixture.address(1)).count == 2)
    }

    @Test("A tag that shares only its first eight bytes is not found")
    func prefixOnly() throws {
        let tag = LocatorTag(Fixture.digest("tag", 0))
        try self.store.add(
            Fixture.manifest(institution: 1, batch: 0, count: 1, tag: { _ in tag }),
            address: Fixture.address(0)
        )
        var bytes = tag.bytes
        bytes[15] ^= 1
        let near = try #require(LocatorTag(bytes))
        #expect(try self.store.lookup([self.probe(1, near)]).isEmpty)
        #expect(try self.store.lookup([self.probe(1, near), self.probe(1, tag)]).count == 1)
    }

    @Test("Adding a manifest again changes nothing; another one under its number is refused whole")
    func idempotent() throws {
        let manifest = Fixture.manifest(institution: 1, batch: 4, count: 3)
        #expect(try self.store.add(manifest, address: Fixture.address(0)))
        #expect(try !self.store.add(manifest, address: Fixture.address(0)))
        #expect(try self.store.examCount() == 3)
        let refusal = code { () throws(LedgerStoreError) in
            try self.store.add(Fixture.manifest(institution: 1, batch: 4, count: 9), address: Fixture.address(1))
        }
        #expect(refusal == .conflict)
        let tooLarge = code { () throws(LedgerStoreError) in
            try self.store.add(Fixture.manifest(institution: 1, batch: .max, count: 1), address: Fixture.address(1))
        }
        #expect(tooLarge == .outOfRange)
        #expect(try self.store.examCount() == 3)
    }

    @Test("Aliases and receipts are found by their own tags only")
    func otherLines() throws {
        let tag = LocatorTag(Fixture.digest("alias", 0))
        let manifest = Fixture.manifest(institution: 1, batch: 0, count: 1, aliases: [tag])
        try self.store.add(manifest, address: Fixture.address(0))
        let sealed = [UInt8](repeating: 3, count: SealedReceipt.sealedBytes)
        let receipts = (0..<4).map { index in
            SealedReceipt(
                tag: LocatorTag(Fixture.digest("receipt", index)),
                leafHash: Fixture.digest("leaf", index),
                sealed: sealed
            )
        }
        let list = ReceiptManifest(institution: Fixture.institution(1), batch: 0, entries: receipts)
        #expect(try self.store.add(list, address: Fixture.address(1)))
        #expect(try !self.store.add(list, address: Fixture.address(1)))

        let alias = try #require(try self.store.lookupAliases([self.probe(1, tag)]).first)
        #expect(alias.entry == manifest.aliases[0])
        #expect(try self.store.lookup([self.probe(1, tag)]).isEmpty)
        let row = try #require(try self.store.lookupReceipts([self.probe(1, receipts[2].tag)]).first)
        #expect(row.receipt == receipts[2])
        #expect(row.index == 2)
        #expect(try self.store.lookupReceipts([self.probe(1, tag)]).isEmpty)
    }

    @Test("Coverage and gaps name the batches that are and are not indexed")
    func coverage() throws {
        for batch in [2, 3, 4, 8, 10, 11] as [UInt64] {
            let manifest = Fixture.manifest(institution: 1, batch: batch, count: 1)
            try self.store.add(manifest, address: Fixture.address(Int(batch)))
        }
        let name = Fixture.institution(1)
        #expect(try self.store.coverage(.exams, institution: name) == [2...4, 8...8, 10...11])
        #expect(try self.store.coverage(.receipts, institution: name).isEmpty)
        let asked: [(ClosedRange<UInt64>, [ClosedRange<UInt64>])] = [
            (0...12, [0...1, 5...7, 9...9, 12...12]), (2...4, []), (3...9, [5...7, 9...9]), (5...5, [5...5]),
            (4...8, [5...7]), (20...22, [20...22]), (0...0, [0...0]), (11...(.max), [12...(.max)]),
        ]
        for (range, expected) in asked {
            #expect(try self.store.gaps(.exams, institution: name, in: range) == expected, "\(range)")
        }
        #expect(try self.store.gaps(.exams, institution: Fixture.institution(2), in: 1...3) == [1...3])
        #expect(try self.store.manifest(.exams, institution: name, batch: 8) == Fixture.address(8))
        #expect(try self.store.manifest(.exams, institution: name, batch: 9) == nil)
    }
}
