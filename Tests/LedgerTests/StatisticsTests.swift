import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("Statistics are what the facts say, and name the facts")
struct StatisticsTests {
    private static let streams: UInt64 = 10_000

    private func key(_ count: Recount.Count, _ dimensions: [StatisticsDimension]) -> [String] {
        // Days and months of the stories lie within the first of 1970.
        let day = (count.time.milliseconds + 8 * 3_600_000 + 400 * 86_400_000) / 86_400_000 - 400
        return dimensions.map { dimension in
            switch dimension {
            case .institution: count.by.text
            case .department: count.department.map { Hex.encode($0.bytes) } ?? ""
            case .item: count.item?.code ?? ""
            case .itemClass:
                count.item.map { ["", "DR", "MR", "CT", "lab", "other"][Int($0.itemClass.rawValue)] } ?? ""
            case .reason: count.reason ?? ""
            case .month: day < 0 ? "1969-12" : "1970-01"
            case .day: day < 0 ? "1969-12-\(32 + day)" : "1970-01-0\(day + 1)"
            }
        }
    }

    @Test("10,000 random stories give the figures and the facts of an independent recount", arguments: 0..<10)
    func recount(part: UInt64) throws {
        let perPart = Self.streams / 10
        for seed in part * perPart..<(part + 1) * perPart {
            let stream = FactStream(seed: seed)
            let (book, outcomes) = FactStream.book(stream.steps)
            let recount = Recount(stream.steps)
            try #require(outcomes.filter { $0 == .accepted }.count == recount.lines.count, "seed \(seed)")
            var random = SeededGenerator(seed: seed)
            let dimensions = StatisticsDimension.allCases.filter { _ in Bool.random(using: &random) }
            let from = Int64.random(in: -20...20, using: &random) * 3_600_000
            let query = StatisticsQuery(
                from: Timestamp(milliseconds: from),
                to: Timestamp(milliseconds: from + Int64.random(in: 1...72, using: &random) * 3_600_000),
                dimensions: dimensions,
                institutions: seed % 5 == 0 ? [institution("b")] : []
            )
            let table = StatisticsTable(of: book, query)
            var expected: [[String]: [Measure: (quantity: Int64, facts: Set<FactID>)]] = [:]
            for count in recount.counts where query.from <= count.time && count.time < query.to {
                guard query.institutions.isEmpty || query.institutions.contains(count.by) else { continue }
                for key in [self.key(count, dimensions), ["total"] + dimensions.map(\.rawValue)] {
                    let old = expected[key]?[count.measure] ?? (0, [])
                    expected[key, default: [:]][count.measure] =
                        (old.quantity + count.quantity, old.facts.union(count.facts))
                }
            }
            let total = expected.removeValue(forKey: ["total"] + dimensions.map(\.rawValue)) ?? [:]
            try #require(Set(table.rows.map(\.key)) == Set(expected.keys), "seed \(seed)")
            for measure in Measure.allCases {
                for row in table.rows {
                    let wanted = expected[row.key]?[measure] ?? (0, [])
                    try #require(row[measure].quantity == wanted.quantity, "seed \(seed) \(measure) \(row.key)")
                    try #require(row[measure].facts == wanted.facts.sorted(), "seed \(seed) \(measure) \(row.key)")
                }
                try #require(table.total[measure].quantity == total[measure]?.quantity ?? 0, "seed \(seed) \(measure)")
                let sum = table.rows.reduce(0) { $0 + $1[measure].quantity }
                try #require(sum == table.total[measure].quantity, "a roll-up is the sum of its rows")
            }
        }
    }

    @Test("The stories reach every measure and every kind of outcome")
    func coverage() {
        var sums: [Measure: Int64] = [:]
        var codes: Set<FactOutcome> = []
        for seed in 0..<200 as Range<UInt64> {
            let (book, outcomes) = FactStream.book(FactStream(seed: seed).steps)
            codes.formUnion(outcomes.compactMap { $0 })
            let total = StatisticsTable(of: book, RecognitionBookTests.query([])).total
            for measure in Measure.allCases { sums[measure, default: 0] += total[measure].quantity }
        }
        for measure in Measure.allCases { #expect(sums[measure, default: 0] > 0, "\(measure)") }
        #expect(codes.count >= 20, "\(codes)")
    }

    @Test("The facts of different matches may arrive in any order and any number of times", arguments: 0..<200)
    func interleaved(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        // Each strand keeps its order; what belongs to several strands, such as records, comes before all.
        var strands: [[RecognitionFact]] = []
        let records = (0..<4).map { "r\($0)" }
        for number in 0..<6 {
            let name = "m\(number)"
            let start = Int64.random(in: 1000...100_000, using: &random)
            let items = (0..<Int.random(in: 1...3, using: &random)).map { FactBench.item(records[$0], code: "c\($0)") }
            var strand = [FactBench.fact(FactBench.match(name, items), at: start)]
            if Bool.random(using: &random) {
                strand.append(FactBench.fact(.view(FactBench.id(name), items: [0]), at: start + 10))
            }
            if Bool.random(using: &random) {
                strand.append(FactBench.fact(.closed(FactBench.id(name)), at: start + 20))
            }
            let outcomes = items.indices.map { index -> RecognitionDecision.Outcome in
                index % 2 == 0 ? .adopted(UInt8(index), amount: Fen(100)) : .refused(UInt8(index), "D01")
            }
            strand.append(FactBench.fact(FactBench.decision(name, outcomes), at: start + 30))
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                strand.append(FactBench.fact(.undo(FactBench.id(name), decision: 0), at: start + 40))
                strand.append(FactBench.fact(FactBench.decision(name, outcomes, number: 1), at: start + 50))
            case 1: strand.append(FactBench.fact(FactBench.citation([(name, 0)]), at: start + 40))
            default: break
            }
            strands.append(strand)
        }
        func run() -> (matches: [MatchID: MatchState], figures: [[String]]) {
            var bench = FactBench()
            for record in records { bench.commit(record) }
            var next = strands.map { _ in 0 }
            while let strand = strands.indices.filter({ next[$0] < strands[$0].count }).randomElement(using: &random) {
                let fact = strands[strand][next[strand]]
                #expect(bench.record(fact, block: 1_000_000) == .accepted)
                next[strand] += 1
                // Anything that was sent before may come again at any time.
                let old = Int.random(in: 0..<strands.count, using: &random)
                if next[old] > 0 {
                    let again = strands[old][Int.random(in: 0..<next[old], using: &random)]
                    #expect(bench.record(again, block: 1_000_000) == .repeated)
                }
            }
            let table = StatisticsTable(of: bench.book, RecognitionBookTests.query([.item, .reason, .day]))
            return (bench.book.matches.mapValues(Self.withoutPlaces), table.cells(StatisticsColumn.standard))
        }
        let first = run()
        for _ in 0..<4 {
            let other = run()
            #expect(other.matches == first.matches)
            #expect(other.figures == first.figures)
        }
    }

    private static func withoutPlaces(_ state: MatchState) -> MatchState {
        let nowhere = FactID(height: Height(0), transaction: 0, row: 0)
        var state = state
        state.placed.id = nowhere
        state.closed?.id = nowhere
        for index in state.views.indices { state.views[index].id = nowhere }
        for index in state.decisions.indices {
            state.decisions[index].placed.id = nowhere
            state.decisions[index].undo?.id = nowhere
        }
        for key in Array(state.citations.keys) {
            state.citations[key] = state.citations[key]?.map { PlacedFact(id: nowhere, fact: $0.fact) }
        }
        return state
    }

    @Test("A share may exceed 100 % and does not exist over nothing")
    func shares() {
        var bench = FactBench()
        _ = bench.remind(of: ["r", "s"])
        _ = bench.record(FactBench.decision("m", [.adopted(0), .adopted(1)]), at: 90_000_000, block: 90_000_000)
        bench.commit("t", at: 90_000_000)
        let item = [FactBench.item("t")]
        _ = bench.record(FactBench.match("n", item), at: 90_000_000)
        let day = StatisticsQuery(
            from: Timestamp(milliseconds: 80_000_000),
            to: Timestamp(milliseconds: 100_000_000),
            dimensions: []
        )
        let total = StatisticsTable(of: bench.book, day).total
        #expect(total[Rate.mutual].percentText == "200.00", "decisions of the day before's reminders")
        #expect(total[Rate.viewed].percentText == nil && !total[Rate.viewed].isDefined)
        #expect(total[Rate.county].percentText == "66.67")
        #expect(total[Rate.overlook].percentText == "0.00")
        #expect(total[Rate.mutual].facts.count == 3)
        let never = StatisticsQuery(from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: 0), dimensions: [])
        for rate in Rate.allCases {
            #expect(StatisticsTable(of: bench.book, never).total[rate].percentText == nil)
        }
    }

    @Test("What arrives late changes the period in which it happened")
    func restated() {
        var bench = FactBench()
        _ = bench.remind()
        let query = RecognitionBookTests.query([.month])
        let before = StatisticsTable(of: bench.book, query)
        #expect(before.row(["1970-01"])?[.adopted].quantity == 0)
        _ = bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000, block: 90 * 86_400_000)
        let after = StatisticsTable(of: bench.book, query)
        #expect(after.row(["1970-01"])?[.adopted].quantity == 1)
        #expect(after.rows.count == 1)
        #expect(after.differences(from: before) == [["1970-01"], []])
    }

    @Test("The source is told what its results were good for, without the department")
    func contribution() {
        var bench = FactBench()
        _ = bench.remind()
        _ = bench.record(FactBench.decision("m", [.adopted(0, amount: Fen(9))]), at: 2000)
        let table = StatisticsTable(of: bench.book, RecognitionBookTests.query([.institution, .department]))
        #expect(table.row(["a", ""])?[.contributed].quantity == 1)
        #expect(table.row(["b", ""]) == nil)
        #expect(table.total[.saved].quantity == 9)
    }

    @Test("CSV begins with a byte order mark, quotes what needs it, and holds no formula")
    func csv() {
        var bench = FactBench()
        for (index, code) in ["=SUM(A1)", "胸部,CT", "say \"x\"", "-5"].enumerated() {
            bench.commit("r\(index)")
            _ = bench.record(FactBench.match("m\(index)", [FactBench.item("r\(index)", code: code)]), at: 1000)
        }
        _ = bench.record(FactBench.decision("m1", [.adopted(0, amount: Fen(1234))]), at: 2000)
        let table = StatisticsTable(of: bench.book, RecognitionBookTests.query([.item]))
        let columns: [StatisticsColumn] = [.count(.reminded), .yuan(.saved), .rate(.mutual), .rate(.viewed)]
        let bytes = table.csv(columns)
        #expect(bytes.starts(with: [0xEF, 0xBB, 0xBF]))
        let lines = [
            "item,reminded,saved-yuan,mutual-rate-percent,viewed-rate-percent", ",0,0.00,,", "-5,1,0.00,0.00,",
            "'=SUM(A1),1,0.00,0.00,", "\"say \"\"x\"\"\",1,0.00,0.00,", "\"胸部,CT\",1,12.34,100.00,",
            "total,4,12.34,25.00,",
        ]
        #expect(String(decoding: bytes.dropFirst(3), as: UTF8.self) == lines.map { $0 + "\r\n" }.joined())
        let text = table.text([.count(.reminded), .yuan(.saved)]) { dimension, part in
            dimension == .item && part == "胸部,CT" ? "胸部" : nil
        }
        #expect(
            text.split(separator: "\n").map(String.init)
                == [
                    "item      reminded  saved-yuan", "                 0        0.00",
                    "-5               1        0.00", "=SUM(A1)         1        0.00",
                    "say \"x\"          1        0.00", "胸部             1       12.34",
                    "total            4       12.34",
                ]
        )
    }

    private static let days: [(Int64, String)] = [
        (0, "1970-01-01"), (-28_800_001, "1969-12-31"), (951_753_599_999, "2000-02-28"),
        (951_753_600_000, "2000-02-29"), (1835395200000, "2028-02-29"), (1798675200000, "2026-12-31"),
        (1798732799999, "2026-12-31"), (1798732800000, "2027-01-01"),
    ]

    @Test("Days and months follow the calendar of the place", arguments: Self.days)
    func calendar(milliseconds: Int64, day: String) {
        let calendar = StatisticsCalendar.china
        let time = Timestamp(milliseconds: milliseconds)
        #expect(calendar.dayText(time) == day)
        #expect(calendar.monthText(time) == day.prefix(7))
        #expect(calendar.day(of: calendar.start(ofDay: calendar.day(of: time))) == calendar.day(of: time))
    }
}
