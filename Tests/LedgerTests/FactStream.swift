import Ledger
import Primitives
import Records
import TestSupport

/// One block of a random story: a record, or one fact of one institution.
enum StreamStep {
    case leaf(ExamLeaf, by: String)
    case fact(RecognitionFact, by: String)
}

/// A seeded story in which most facts are good, some come late, twice, or contradict each other.
struct FactStream {
    var steps: [(step: StreamStep, block: Int64)] = []
    private var random: SeededGenerator
    private var time: Int64 = 0
    private var records: [(name: String, source: String)] = []
    private var matches: [(name: String, by: String, items: Int, time: Int64)] = []
    private var sent: [(fact: RecognitionFact, by: String)] = []

    static let minute: Int64 = 60_000
    private static let departments = ["surgery", "medicine"]
    private static let codes = ["CT-CHEST", "GLU", "MR-KNEE"]

    init(seed: UInt64, length: Int = 40) {
        self.random = SeededGenerator(seed: seed)
        for _ in 0..<3 { self.commit(supersedes: nil) }
        for _ in 0..<length {
            self.time += Int64(self.pick(0..<90)) * Self.minute
            self.step()
        }
    }

    private mutating func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self.random) }

    private mutating func commit(supersedes: Int?) {
        let name = "r\(self.records.count)"
        let source = supersedes.map { self.records[$0].source } ?? ["a", "d"][self.pick(0..<2)]
        let leaf = FactBench.leaf(name, supersedes: supersedes.map { self.records[$0].name })
        self.records.append((name, source))
        self.steps.append((.leaf(leaf, by: source), self.time))
    }

    private mutating func send(_ content: RecognitionFact.Content, by name: String, at time: Int64) {
        let fact = FactBench.fact(content, at: time, department: Self.departments[self.pick(0..<2)])
        self.sent.append((fact, name))
        self.steps.append((.fact(fact, by: name), self.time))
    }

    private mutating func step() {
        let late = self.time - Int64(self.pick(0..<4) == 0 ? self.pick(0..<300) : 0) * Self.minute
        switch self.pick(0..<20) {
        case 0: self.commit(supersedes: nil)
        case 1: self.commit(supersedes: self.pick(0..<self.records.count))
        case 2:
            let record = self.records[self.pick(0..<self.records.count)]
            let by = self.pick(0..<8) == 0 ? "b" : record.source
            self.send(.void(FactBench.record(record.name), [.other, .wrongResult][self.pick(0..<2)]), by: by, at: late)
        case 3...7: self.remind(late)
        case 8 where !self.sent.isEmpty:
            let again = self.sent[self.pick(0..<self.sent.count)]
            self.steps.append((.fact(again.fact, by: again.by), self.time))
        case 9:
            let committed = UInt32(self.pick(0..<4))
            let day = ProductionDay(
                day: Int32(self.pick(0..<3)),
                produced: committed + UInt32(self.pick(0..<3)),
                committed: committed,
                lagSeconds: UInt64(committed) * 100,
                late: committed / 2
            )
            self.send(.production(day), by: ["a", "d"][self.pick(0..<2)], at: late)
        default: self.follow(late)
        }
    }

    private mutating func remind(_ time: Int64) {
        let name = "m\(self.matches.count - (self.pick(0..<12) == 0 ? 1 : 0))"
        let items = (0..<self.pick(1..<4)).map { _ in
            let record = self.records[self.pick(0..<self.records.count)]
            let index = self.pick(0..<Self.codes.count)
            return FactBench.item(
                record.name,
                code: Self.codes[index],
                itemClass: [.computedTomography, .laboratory, .magneticResonance][index],
                eligibility: ItemEligibility.allCases[self.pick(0..<4)],
                source: record.source
            )
        }
        let by = ["b", "c"][self.pick(0..<2)]
        self.matches.append((name, by, items.count, time))
        self.send(FactBench.match(name, items), by: by, at: time)
    }

    private mutating func follow(_ time: Int64) {
        guard !self.matches.isEmpty else { return }
        let match = self.matches[self.pick(0..<self.matches.count)]
        let id = FactBench.id(match.name)
        let by = self.pick(0..<20) == 0 ? "d" : match.by
        let item = UInt8(self.pick(0..<match.items))
        switch self.pick(0..<10) {
        case 0...1: self.send(.view(id, items: [item]), by: by, at: time)
        case 2: self.send(.closed(id), by: by, at: time)
        case 3...6:
            let count = self.pick(0..<10) == 0 ? match.items - 1 : match.items
            let outcomes = (0..<count).map { self.outcome(UInt8($0)) }
            self.send(FactBench.decision(match.name, outcomes, number: UInt8(self.pick(0..<6) / 4)), by: by, at: time)
        case 7: self.send(.undo(id, decision: UInt8(self.pick(0..<6) / 5)), by: by, at: time)
        default:
            let other = self.matches[self.pick(0..<self.matches.count)]
            var cited: [(String, UInt8)] = [(match.name, item)]
            if self.pick(0..<4) == 0, other.name != match.name { cited.append((other.name, 0)) }
            self.send(FactBench.citation(cited), by: by, at: time)
        }
    }

    private mutating func outcome(_ item: UInt8) -> RecognitionDecision.Outcome {
        switch self.pick(0..<8) {
        case 0...2: .adopted(item, amount: Fen(Int64(self.pick(0..<100_000))))
        case 3: .adopted(item)
        case 4: .refused(item, "D98")
        case 5:
            .refused(
                item,
                ["D06", "D99"][self.pick(0..<2)],
                text: self.pick(0..<10) == 0 ? nil : FactBench.digest("t")
            )
        default: .refused(item, ["D01", "D02"][self.pick(0..<2)])
        }
    }

    /// The book of the story; `steps` in another order where a test wants one.
    static func book(_ steps: [(step: StreamStep, block: Int64)]) -> (book: RecognitionBook, outcomes: [FactOutcome?]) {
        var book = RecognitionBook(policies: FactBench.policies([("pack", -1 << 40)]))
        var outcomes: [FactOutcome?] = []
        for (index, step) in steps.enumerated() {
            let height = Height(UInt64(index + 1))
            let time = Timestamp(milliseconds: step.block)
            switch step.step {
            case .leaf(let leaf, let name):
                book.commit([leaf], by: institution(name), at: height, transaction: 0, time: time)
                outcomes.append(nil)
            case .fact(let fact, let name):
                outcomes += book.record([fact], by: institution(name), at: height, transaction: 0, time: time)
            }
        }
        return (book, outcomes)
    }
}
