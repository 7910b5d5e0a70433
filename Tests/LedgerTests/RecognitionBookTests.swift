import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("Facts follow the rules of recognition")
struct RecognitionBookTests {
    private let text = Digest(hashing: [1])

    // MARK: Process

    @Test("A pack that is adopted after a fact's block does not change what becomes of the fact")
    func laterPack() {
        // In force from 500 on, and adopted in block 9.
        var policies = FactBench.policies([("pack", 0), ("new", 500)])
        policies.packs[1].adoptedHeight = Height(9)
        for known in [policies, PolicyTimeline([policies.packs[0]])] {
            var bench = FactBench(policies: known)
            bench.commit("r")
            let early = FactBench.match("early", [FactBench.item("r")], policy: "new")
            #expect(bench.record(early, at: 1000) == .refused(.policyNotInForce), "nobody can have used it yet")
        }
        var bench = FactBench(policies: policies)
        for number in 0..<9 { bench.commit("r\(number)") }
        #expect(bench.record(FactBench.match("m", [FactBench.item("r0")], policy: "new"), at: 1000) == .accepted)
    }

    @Test("An excerpt answers about its matches and records as the whole book does")
    func excerpt() {
        var bench = FactBench()
        _ = bench.remind("m", of: ["r", "s"])
        _ = bench.remind("n", of: ["t"])
        let whole = bench
        var small = bench
        small.book = bench.book.excerpt(matches: [FactBench.id("m")], records: [], of: institution("b"))
        #expect(small.book.matches.count == 1 && small.book.candidates.count == 2)
        let facts: [RecognitionFact.Content] = [
            FactBench.decision("m", [.adopted(0), .refused(1, "D01")]), FactBench.decision("m", [.adopted(0)]),
            FactBench.citation([("m", 0)]), .undo(FactBench.id("m"), decision: 0),
        ]
        for fact in facts {
            var (one, other) = (whole, small)
            #expect(one.record(fact, at: 2000) == other.record(fact, at: 2000))
        }
    }

    @Test("A duplicate match call is one reminder")
    func duplicateMatch() {
        var bench = FactBench()
        #expect(bench.remind() == .accepted)
        #expect(bench.remind() == .repeated)
        #expect(bench.book.matches.count == 1)
        let salt = [UInt8](repeating: 4, count: 32)
        let id = MatchID(institution: institution("b"), salt: salt, idempotencyKey: [1, 2])
        #expect(id == MatchID(institution: institution("b"), salt: salt, idempotencyKey: [1, 2]))
        #expect(id != MatchID(institution: institution("c"), salt: salt, idempotencyKey: [1, 2]))
        #expect(id != MatchID(institution: institution("b"), salt: salt, idempotencyKey: [1, 3]))
    }

    @Test("A group is decided on as a whole; of a joint examination one item is adopted and one refused")
    func jointExamination() throws {
        var bench = FactBench()
        _ = bench.remind(of: ["chest", "abdomen"])
        #expect(bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000) == .refused(.partialGroup))
        #expect(bench.record(FactBench.decision("m", [.adopted(0), .adopted(0)]), at: 2000) == .refused(.malformed))
        #expect(bench.record(FactBench.decision("m", [.adopted(0), .adopted(2)]), at: 2000) == .refused(.malformed))
        #expect(bench.record(FactBench.decision("m", []), at: 2000) == .refused(.partialGroup))
        #expect(try #require(bench.state()).decisions.isEmpty)
        #expect(bench.record(FactBench.decision("m", [.adopted(0), .refused(1, "D01")]), at: 2000) == .accepted)
        #expect(bench.record(FactBench.citation([("m", 0), ("m", 1)]), at: 3000) == .refused(.notDecided))
        #expect(try #require(bench.state()).citations.isEmpty, "a citation is written as a whole or not")
        #expect(bench.record(FactBench.citation([("m", 0)]), at: 3000) == .accepted)
    }

    @Test("A panel's analytes are one group, and one faulty outcome stops all of them")
    func panel() throws {
        var bench = FactBench()
        _ = bench.remind(of: ["cbc", "crp", "hb"])
        let faulty: [RecognitionDecision.Outcome] = [.adopted(0), .refused(1, "D01"), .refused(2, "D06")]
        #expect(bench.record(FactBench.decision("m", faulty), at: 2000) == .refused(.textMissing))
        #expect(try #require(bench.state()).decisions.isEmpty)
    }

    @Test("A decision never changes: the same again is nothing new, another is a conflict")
    func immutable() throws {
        var bench = FactBench()
        _ = bench.remind()
        let decision = FactBench.decision("m", [.adopted(0, amount: Fen(100))])
        #expect(bench.record(decision, at: 2000) == .accepted)
        let before = bench.state()
        #expect(bench.record(decision, at: 2000) == .repeated)
        #expect(bench.record(decision, at: 2001) == .refused(.decisionConflict))
        #expect(bench.record(decision, at: 2000, detail: "another doctor") == .refused(.decisionConflict))
        let dearer = FactBench.decision("m", [.adopted(0, amount: Fen(101))])
        #expect(bench.record(dearer, at: 2000) == .refused(.decisionConflict))
        #expect(
            bench.record(FactBench.decision("m", [.adopted(0)], number: 1), at: 2500) == .refused(.decisionConflict)
        )
        #expect(bench.state() == before)
    }

    @Test("Reasons: none with an adoption, one with a refusal, words where it says nothing without")
    func reasons() {
        for code in RefusalReason.allCases.map(\.name) {
            for hasText in [false, true] {
                var bench = FactBench()
                _ = bench.remind()
                let outcome = bench.record(
                    FactBench.decision("m", [.refused(0, code, text: hasText ? self.text : nil)]),
                    at: 2000
                )
                let needsText = code == "D06" || code == "D99"
                #expect(outcome == (hasText || !needsText ? .accepted : .refused(.textMissing)), "\(code)")
            }
        }
        for reason in ["D01", "D98", ""] {
            var bench = FactBench()
            _ = bench.remind()
            let outcome = RecognitionDecision.Outcome(item: 0, isAdopted: true, reason: reason, text: nil, amount: nil)
            #expect(bench.record(FactBench.decision("m", [outcome]), at: 2000) == .refused(.reasonWithAdoption))
        }
    }

    @Test("98 and 99 are counted apart from refusals")
    func countedApart() throws {
        var bench = FactBench()
        for (index, code) in ["D01", "D98", "D99", "D06"].enumerated() {
            _ = bench.remind("m\(index)", of: ["r\(index)"])
            _ = bench.record(FactBench.decision("m\(index)", [.refused(0, code, text: self.text)]), at: 2000)
        }
        let table = StatisticsTable(of: bench.book, Self.query([.reason]))
        #expect(table.total[.refused].quantity == 2 && table.total[.refusedApart].quantity == 2)
        #expect(table.row(["D99"])?[.refusedApart].quantity == 1 && table.row(["D99"])?[.refused].quantity == 0)
    }

    @Test("The time of a decision is not before the match, and not after the block but for its tolerance")
    func times() {
        for (time, expected) in [
            (Int64(999), FactOutcome.refused(.beforeMatch)), (1000, .accepted), (8000, .accepted), (13_000, .accepted),
            (13_001, .refused(.future)), (Int64.max, .refused(.future)), (Int64.min, .refused(.beforeMatch)),
        ] {
            var bench = FactBench()
            _ = bench.remind()
            #expect(bench.record(FactBench.decision("m", [.adopted(0)]), at: time, block: 8000) == expected, "\(time)")
        }
    }

    @Test("Unanswered is not refused")
    func unanswered() {
        var bench = FactBench()
        _ = bench.remind()
        let total = StatisticsTable(of: bench.book, Self.query([])).total
        #expect(total[.reminded].quantity == 1 && total[.refused].quantity == 0 && total[.overlooked].quantity == 0)
    }

    @Test("Undo within the time of the pack compensates, is never a deletion, and makes room for one new decision")
    func undo() throws {
        var bench = FactBench()
        _ = bench.remind()
        _ = bench.record(FactBench.decision("m", [.adopted(0, amount: Fen(5000))]), at: 2000)
        let limit = 2000 + Int64(FactBench.undoMinutes) * FactBench.minute
        let undo = RecognitionFact.Content.undo(FactBench.id("m"), decision: 0)
        #expect(bench.record(undo, at: 1999) == .refused(.beforeDecision))
        #expect(bench.record(undo, at: limit + 1) == .refused(.undoLate))
        #expect(bench.record(undo, at: limit, block: limit + 900_000) == .accepted, "what counts is when it was done")
        #expect(bench.record(undo, at: limit) == .repeated)
        let again = FactBench.decision("m", [.adopted(0, amount: Fen(5000))], number: 1)
        #expect(bench.record(again, at: limit - 1) == .refused(.beforeDecision))
        #expect(bench.record(again, at: limit + 5) == .accepted)
        let state = try #require(bench.state())
        #expect(state.decisions.count == 2 && state.decisions[0].undo != nil && state.standing != nil)
        let total = StatisticsTable(of: bench.book, Self.query([])).total
        #expect(total[.adopted].quantity == 1 && total[.undone].quantity == 1)
        #expect(total[.saved].quantity == 5000, "one decision saves once")
        #expect(total[.undone].facts.count == 3)
    }

    @Test("An offline decision counts for the time at which it was made")
    func offline() {
        var bench = FactBench()
        _ = bench.remind()
        bench.commit("r2", supersedes: "r", at: 9000)
        let decision = FactBench.decision("m", [.adopted(0)])
        #expect(bench.record(decision, at: 9000, block: 50_000) == .refused(.candidateReplaced))
        #expect(bench.record(decision, at: 8999, block: 50_000) == .accepted)
    }

    // MARK: Lifecycle

    @Test("A new version between match and decision fails the whole group")
    func newVersion() throws {
        var bench = FactBench()
        _ = bench.remind(of: ["r", "s"])
        bench.commit("s2", supersedes: "s", at: 1500)
        let decision = FactBench.decision("m", [.adopted(0), .refused(1, "D01")])
        #expect(bench.record(decision, at: 2000) == .refused(.candidateReplaced))
        #expect(try #require(bench.state()).decisions.isEmpty)
        _ = bench.record(FactBench.match("n", [FactBench.item("s")]), at: 1600)
        #expect(bench.state("n") == nil, "and no reminder is made of the old one")
        #expect(bench.record(FactBench.match("n", [FactBench.item("s2")]), at: 1600) == .accepted)
    }

    @Test("A void after adoption leaves history as it is and blocks citation")
    func voidAfterAdoption() throws {
        var bench = FactBench()
        _ = bench.remind(of: ["r", "s"])
        _ = bench.record(FactBench.decision("m", [.adopted(0, amount: Fen(7)), .adopted(1)]), at: 2000)
        #expect(bench.record(FactBench.citation([("m", 0)]), at: 2100) == .accepted)
        let before = bench.state()
        #expect(bench.record(.void(FactBench.record("r"), .wrongResult), at: 2500, by: "a") == .accepted)
        #expect(bench.record(FactBench.citation([("m", 0), ("m", 1)]), at: 3000) == .refused(.candidateVoid))
        #expect(bench.record(FactBench.citation([("m", 0)]), at: 2100) == .repeated)
        #expect(bench.record(FactBench.citation([("m", 1)]), at: 3000) == .accepted)
        #expect(try #require(bench.state()).decisions == #require(before).decisions)
        #expect(StatisticsTable(of: bench.book, Self.query([])).total[.adopted].quantity == 2)
    }

    @Test("A new version after adoption blocks citation of the old one")
    func versionAfterAdoption() {
        var bench = FactBench()
        _ = bench.remind()
        _ = bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000)
        bench.commit("r2", supersedes: "r", at: 2500)
        #expect(bench.record(FactBench.citation([("m", 0)]), at: 2500) == .refused(.candidateReplaced))
        #expect(bench.record(FactBench.citation([("m", 0)]), at: 2499, block: 9000) == .accepted)
    }

    @Test("A void is said once; with another reason it is a conflict; a new version of a void record is void")
    func voidAgain() {
        var bench = FactBench()
        bench.commit("r")
        let void = RecognitionFact.Content.void(FactBench.record("r"), .wrongSpecimen)
        #expect(bench.record(void, at: 500, by: "b") == .refused(.notSource))
        #expect(bench.record(void, at: 500, by: "a") == .accepted)
        #expect(bench.record(void, at: 500, by: "a") == .repeated)
        #expect(bench.record(void, at: 700, by: "a") == .repeated)
        let other = RecognitionFact.Content.void(FactBench.record("r"), .other)
        #expect(bench.record(other, at: 700, by: "a") == .refused(.voidConflict))
        bench.commit("r2", supersedes: "r", at: 800)
        #expect(bench.record(FactBench.match("m", [FactBench.item("r2")]), at: 900) == .refused(.candidateVoid))
    }

    @Test("Two versions in one second: the later one in the chain is the candidate")
    func twoVersions() {
        var bench = FactBench()
        bench.commit("r", at: 1000)
        bench.commit("r2", supersedes: "r", at: 1000)
        bench.commit("r3", supersedes: "r2", at: 1000)
        for (name, expected) in [
            ("r", FactOutcome.refused(.candidateReplaced)), ("r2", .refused(.candidateReplaced)), ("r3", .accepted),
        ] { #expect(bench.record(FactBench.match(name, [FactBench.item(name)]), at: 1000) == expected) }
    }

    @Test("Nobody replaces another institution's record")
    func foreignVersion() {
        var bench = FactBench()
        _ = bench.remind()
        bench.commit("evil", supersedes: "r", by: "c", at: 1500)
        #expect(bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000) == .accepted)
    }

    @Test("A candidate belongs to the source that committed it")
    func wrongSource() {
        var bench = FactBench()
        bench.commit("r")
        let outcome = bench.record(FactBench.match("m", [FactBench.item("r", source: "c")]), at: 1000)
        #expect(outcome == .refused(.unknownCandidate))
    }

    @Test("Rules that change between match and decision do not stop the decision; a cut-off agent has a day")
    func changedRules() {
        let day: Int64 = 24 * 3_600_000
        let policies = FactBench.policies([("pack", 0), ("new", 1500), ("newer", 1500 + 2 * day)])
        var bench = FactBench(policies: policies)
        _ = bench.remind()
        #expect(bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000) == .accepted)
        func outcome(_ policy: String, at time: Int64) -> FactOutcome {
            bench.record(FactBench.match("\(policy) \(time)", [FactBench.item("r")], policy: policy), at: time)
        }
        #expect(outcome("new", at: 1499) == .refused(.policyNotInForce))
        #expect(outcome("new", at: 1500) == .accepted)
        #expect(outcome("pack", at: 1500 + day - 1) == .accepted)
        #expect(outcome("pack", at: 1500 + day) == .refused(.policyNotInForce))
        #expect(outcome("pack", at: 1500 + 2 * day) == .refused(.policyNotInForce), "not the pack before the last")
        #expect(outcome("new", at: 1500 + 2 * day) == .accepted)
    }

    @Test("The same item twice in one order is refused: it counts once")
    func itemTwice() {
        var bench = FactBench()
        bench.commit("r")
        bench.commit("s")
        let twice = [FactBench.item("r"), FactBench.item("s"), FactBench.item("r")]
        #expect(bench.record(FactBench.match("m", twice), at: 1000) == .refused(.duplicateItem))
        let sides = [FactBench.item("r"), FactBench.item("s")]
        #expect(bench.record(FactBench.match("m", sides), at: 1000) == .accepted, "left and right are two")
    }

    // MARK: Money

    @Test("Amounts: read at the decision, zero is set, unset saves nothing and blocks nothing")
    func amounts() {
        var bench = FactBench()
        _ = bench.remind(of: ["r", "s", "t"])
        let outcomes: [RecognitionDecision.Outcome] = [
            .adopted(0, amount: Fen(12_345)), .adopted(1, amount: .zero), .adopted(2),
        ]
        #expect(bench.record(FactBench.decision("m", outcomes), at: 2000) == .accepted)
        let total = StatisticsTable(of: bench.book, Self.query([])).total
        #expect(total[.saved].quantity == 12_345 && total[.unpriced].quantity == 1 && total[.adopted].quantity == 3)
    }

    @Test("An amount over the bound, or on a refusal, is refused", arguments: [0, 1])
    func badAmount(fault: Int) {
        var bench = FactBench()
        _ = bench.remind()
        let outcome: RecognitionDecision.Outcome =
            fault == 0
            ? .adopted(0, amount: Fen(Fen.max.value + 1))
            : .init(item: 0, isAdopted: false, reason: "D01", text: nil, amount: Fen(1))
        #expect(bench.record(FactBench.decision("m", [outcome]), at: 2000) == .refused(.badAmount))
    }

    @Test("Savings by DR, MR, CT and laboratory add up to the total")
    func classes() throws {
        var bench = FactBench()
        for (index, itemClass) in ItemClass.allCases.enumerated() {
            bench.commit("r\(index)")
            let item = FactBench.item("r\(index)", itemClass: itemClass)
            _ = bench.record(FactBench.match("m\(index)", [item]), at: 1000)
            let amount = Fen(Int64(1000 * (index + 1) + 1))
            _ = bench.record(FactBench.decision("m\(index)", [.adopted(0, amount: amount)]), at: 2000)
        }
        let table = StatisticsTable(of: bench.book, Self.query([.itemClass]))
        #expect(table.rows.map(\.key) == [[""], ["CT"], ["DR"], ["MR"], ["lab"], ["other"]])
        #expect(table.row(["CT"])?[.saved].quantity == 3001)
        #expect(table.rows.reduce(0) { $0 + $1[.saved].quantity } == table.total[.saved].quantity)
        #expect(table.total[.saved].quantity == 15_005)
    }

    // MARK: Closing, production

    @Test("Closed without a look is overlooked; a look that arrives late restates it")
    func overlooked() {
        var bench = FactBench()
        _ = bench.remind(of: ["r", "s"])
        _ = bench.record(.closed(FactBench.id("m")), at: 3000)
        #expect(StatisticsTable(of: bench.book, Self.query([])).total[.overlooked].quantity == 2)
        _ = bench.record(.view(FactBench.id("m"), items: [1]), at: 2000, block: 9000)
        #expect(StatisticsTable(of: bench.book, Self.query([])).total[.overlooked].quantity == 1)
        _ = bench.record(.view(FactBench.id("m"), items: [0]), at: 3001, block: 9000)
        let total = StatisticsTable(of: bench.book, Self.query([])).total
        #expect(total[.overlooked].quantity == 1 && total[.viewed].quantity == 2 && total[.closed].quantity == 2)
    }

    @Test("Production is restated by the later statement, and never above what the chain holds")
    func production() {
        var bench = FactBench()
        for number in 0..<10 { bench.commit("r\(number)") }
        func outcome(_ day: Int32, _ committed: UInt32, at time: Int64, late: UInt32 = 0) -> FactOutcome {
            let day = ProductionDay(day: day, produced: 20, committed: committed, lagSeconds: 60, late: late)
            return bench.record(.production(day), at: time, by: "a", block: 900_000_000)
        }
        #expect(outcome(0, 6, at: 1000) == .accepted)
        #expect(outcome(1, 5, at: 1000) == .refused(.badProduction))
        #expect(outcome(1, 4, at: 1000) == .accepted)
        #expect(outcome(0, 5, at: 2000) == .accepted)
        #expect(outcome(0, 6, at: 1000) == .repeated, "an older statement changes nothing")
        #expect(outcome(0, 4, at: 2000) == .refused(.badProduction), "two statements of one time")
        #expect(outcome(0, 4, at: 3000, late: 5) == .refused(.badProduction))
        let query = StatisticsQuery(
            from: StatisticsCalendar.china.start(ofDay: 0),
            to: StatisticsCalendar.china.start(ofDay: 2),
            dimensions: [.institution, .day]
        )
        let table = StatisticsTable(of: bench.book, query)
        #expect(table.row(["a", "1970-01-01"])?[Rate.completeness].percentText == "25.00")
        #expect(table.total[Rate.completeness].percentText == "22.50")
        #expect(table.total[Rate.lag].decimalText == "13.33")
    }

    static func query(_ dimensions: [StatisticsDimension]) -> StatisticsQuery {
        StatisticsQuery(
            from: Timestamp(milliseconds: .min),
            to: Timestamp(milliseconds: .max),
            dimensions: dimensions
        )
    }
}
