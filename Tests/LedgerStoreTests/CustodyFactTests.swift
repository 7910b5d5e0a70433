import LedgerStore
import Primitives
import Records
import TestSupport
import Testing

@Suite("The custody store keeps facts of recognition, days of production and prices")
struct CustodyFactTests {
    private let folder: TemporaryFolder
    private let store: CustodyStore

    init() throws {
        self.folder = try TemporaryFolder()
        self.store = try CustodyStore(path: self.folder.path("custody.sqlite"))
    }

    private static let match = MatchID(Fixture.digest("match", 0))

    private static func fact(
        _ number: Int,
        request: Int? = nil,
        at time: Int64 = 0,
        _ content: RecognitionFact.Content = .closed(match)
    ) -> NewFact {
        NewFact(
            name: Fixture.digest("name", number),
            request: Fixture.digest("request", request ?? number),
            entry: FactManifest.Entry(
                fact: RecognitionFact(
                    content: content,
                    time: Timestamp(milliseconds: time),
                    branch: "",
                    department: DepartmentKey(department: "d", salt: [UInt8](repeating: 1, count: 32)),
                    detail: Fixture.digest("detail", number)
                ),
                sealedDetail: [UInt8](repeating: UInt8(number), count: RecognitionDetail.sealedBytes)
            )
        )
    }

    private static func reminder(_ number: Int, records: [Int]) -> NewFact {
        let items = records.map { record in
            RecognitionMatch.Item(
                code: "CT",
                itemClass: .computedTomography,
                eligibility: .mustRecognise,
                candidate: Fixture.address(record),
                source: Fixture.institution(1)
            )
        }
        let match = RecognitionMatch(
            id: MatchID(Fixture.digest("match", number)),
            verdict: .zero,
            policy: .zero,
            items: items
        )
        return Self.fact(100 + number, .match(match))
    }

    @Test("The same request makes a fact once, and another request under its name is a conflict")
    func once() throws {
        let first = try self.store.append(Self.fact(1))
        var again = Self.fact(1)
        again.entry.fact.time = Timestamp(milliseconds: 99)
        #expect(try self.store.append(again) == first, "what was made first stands, to the byte")
        #expect(
            code { () throws(LedgerStoreError) in _ = try self.store.append(Self.fact(1, request: 2)) } == .conflict
        )
        #expect(try self.store.counts().waitingFacts == 1)
        #expect(try self.store.fact(name: Fixture.digest("name", 1)) == first)
    }

    @Test("Facts wait in the order in which they happened, and are in one batch each, also after a restart")
    func batches() throws {
        for (number, time) in [(1, 30), (2, 10), (3, 20)] as [(Int, Int64)] {
            _ = try self.store.append(Self.fact(number, at: time))
        }
        let waiting = try self.store.waitingFacts(limit: 2)
        #expect(waiting.map(\.entry.fact.time.milliseconds) == [10, 20])
        try self.store.prepare(Fixture.commitment(5), facts: waiting.map(\.number))
        #expect(
            code { () throws(LedgerStoreError) in
                try self.store.prepare(Fixture.commitment(6), facts: waiting.map(\.number))
            } == .conflict
        )
        try self.store.close()
        let store = try CustodyStore(path: self.folder.path("custody.sqlite"))
        #expect(try store.openBatches(.facts).map(\.number) == [5], "nothing of the refused batch is left")
        #expect(try store.waitingFacts(limit: 9).map(\.entry.fact.time.milliseconds) == [30])
        #expect(try store.facts(fromBatch: 5).map(\.entry.fact.time.milliseconds) == [10, 20, 30])
        #expect(try store.facts(fromBatch: 6).map(\.entry.fact.time.milliseconds) == [30])
        #expect(try store.facts(fromBatch: 0).map(\.place?.index) == [0, 1, nil])
    }

    @Test("Facts are found by match, and matches by the records that they offer")
    func finding() throws {
        _ = try self.store.append(Self.reminder(0, records: [1, 2]))
        _ = try self.store.append(Self.reminder(1, records: [2, 2]))
        _ = try self.store.append(Self.fact(1))
        #expect(try self.store.facts(match: Self.match).map(\.entry.fact.content.name) == ["match", "closed"])
        let offering = try self.store.matches(record: Fixture.address(2), limit: 9)
        #expect(offering.compactMap(\.entry.fact.match?.id) == [1, 0].map { MatchID(Fixture.digest("match", $0)) })
        #expect(try self.store.matches(record: Fixture.address(3), limit: 9).isEmpty)
        #expect(try self.store.matches(limit: 1).compactMap(\.entry.fact.match?.items.count) == [2])
    }

    @Test("A reading and the looks that it is are stored together, a look that is there already stays")
    func withReceipt() throws {
        _ = try self.store.append(Self.fact(1))
        try self.store.append(
            receipt: [1],
            leafHash: Fixture.digest("leaf", 0),
            patient: Fixture.patient(0),
            facts: [Self.fact(1, request: 7), Self.fact(2)]
        )
        #expect(try self.store.waitingFacts(limit: 9).map(\.request) == [1, 2].map { Fixture.digest("request", $0) })
        #expect(
            code { () throws(LedgerStoreError) in
                try self.store.append(
                    receipt: [1],
                    leafHash: Fixture.digest("leaf", 0),
                    patient: Fixture.patient(0),
                    facts: [Self.fact(3)]
                )
            } != nil
        )
        #expect(try self.store.counts().waitingFacts == 2, "a reading that is not stored leaves no look")
    }

    @Test("A report counts as produced with its batch, and as committed once, when the batch is final")
    func production() throws {
        let day: Int64 = 86_400_000
        var exams = (0..<3).map { Fixture.exam($0, patient: 0) }
        exams[0].release = ExamRelease(time: Timestamp(milliseconds: 10 * day), day: 10)
        exams[1].release = ExamRelease(time: Timestamp(milliseconds: 10 * day + 5000), day: 10)
        try self.store.prepare(Fixture.commitment(0), patients: [Fixture.patient(0)], exams: exams)
        #expect(try self.store.production().map(\.now) == [Self.day(10, 2, 0, 0, 0)])
        let final = Timestamp(milliseconds: 13 * day + 4000)
        for _ in 0..<2 { try self.store.markFinal(.exams, number: 0, height: Height(4), time: final) }
        let counted = Self.day(10, 2, 2, UInt64(3 * 86_400 + 4 + 3 * 86_400 - 1), 1)
        #expect(try self.store.production().map(\.now) == [counted], "exactly 72 h is not late, a second more is")
        try self.store.state(counted, Self.fact(1, at: 77, .production(counted)))
        let stated = try #require(try self.store.production().first)
        #expect(stated.stated == counted && stated.statedTime == Timestamp(milliseconds: 77))
        #expect(try self.store.waitingFacts(limit: 9).map(\.entry.fact.content) == [.production(counted)])
    }

    private static func day(
        _ day: Int32,
        _ produced: UInt32,
        _ committed: UInt32,
        _ lag: UInt64,
        _ late: UInt32
    ) -> ProductionDay {
        ProductionDay(day: day, produced: produced, committed: committed, lagSeconds: lag, late: late)
    }

    @Test("A price list replaces the one before, in its order")
    func prices() throws {
        let scopes: [PriceList.Scope] = [.organisation, .institution, .branch("north")]
        let list = PriceList(
            scopes.enumerated().map { index, scope in
                PriceList.Entry(
                    item: "CT",
                    scope: scope,
                    validFrom: Timestamp(milliseconds: Int64(index)),
                    amount: Fen(Int64(100 * index))
                )
            }
        )
        try self.store.setPrices(list)
        #expect(try self.store.prices() == list)
        try self.store.setPrices(PriceList([list.entries[2]]))
        #expect(try self.store.prices().amount(of: "CT", branch: "north", at: Timestamp(milliseconds: 5)) == Fen(200))
        #expect(try self.store.prices().amount(of: "CT", branch: "south", at: Timestamp(milliseconds: 5)) == nil)
    }
}
