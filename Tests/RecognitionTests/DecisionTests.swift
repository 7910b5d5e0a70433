import Foundation
import Primitives
import Recognition
import Records
import TestSupport
import Testing

@Suite("Matches and what may be done with them")
struct DecisionTests {
    private let corpus: Corpus
    private let engine: RecognitionEngine
    private let order: OrderContext
    private let access: GrantState
    private let candidates: [Candidate]

    init() throws {
        self.corpus = try Corpus()
        self.engine = RecognitionEngine(self.corpus.policy)
        let joint = try #require(self.corpus.cases.first { $0.name == "a joint exam by a joint exam" })
        self.order = joint.order
        self.access = joint.access
        self.candidates = joint.candidates
    }

    private func match(
        _ items: [String],
        key: String = "k1",
        among candidates: [Candidate]? = nil
    ) throws -> MatchGroup {
        try self.engine.match(
            self.order,
            items: items.map { ItemReference(code: $0) },
            among: candidates ?? self.candidates,
            access: self.access,
            key: key
        )
    }

    private func draft(_ choices: [DecisionDraft.Choice], after seconds: Int64 = 60) -> DecisionDraft {
        DecisionDraft(
            choices: choices,
            time: self.order.time + seconds,
            doctor: "d1",
            doctorName: "Example",
            department: "01",
            departmentName: "Cardiology",
            visit: "v1",
            explained: true
        )
    }

    private func accept(
        _ draft: DecisionDraft,
        for match: MatchGroup,
        decided: DecisionDraft? = nil,
        reports: [DecisionRules.ReportNow] = [],
        now: Int64 = 3600
    ) -> Result<DecisionRules.Acceptance, DecisionRefusal> {
        do throws(DecisionRefusal) {
            return .success(
                try DecisionRules.accept(
                    draft,
                    for: match,
                    decided: decided,
                    reports: reports,
                    now: self.order.time + now
                )
            )
        } catch {
            return .failure(error)
        }
    }

    @Test("A joint order is one group with a line for each part; one part may be refused")
    func joint() throws {
        let match = try self.match(["ct-chest-abdomen"])
        #expect(match.lines.map(\.item) == ["ct-chest", "ct-abdomen"])
        let both = self.draft([.init(line: 0, adopts: true), .init(line: 1, adopts: false, reason: .conditionChanged)])
        #expect(self.accept(both, for: match) == .success(.new))
    }

    @Test("An item asked for twice, also under another of its codes, counts once")
    func once() throws {
        #expect(try self.match(["ct-chest", "24627-2", "ct-chest-abdomen"]).lines.count == 2)
    }

    @Test("Items without an exam to decide about need no decision")
    func unmatched() throws {
        let match = try self.match(["ct-chest", "mr-head", "unheard"])
        #expect(match.lines.map(\.item) == ["ct-chest"])
        #expect(match.unmatched.map(\.item) == ["mr-head", "unheard"])
        #expect(try !self.match(["mr-head"]).needsDecision)
    }

    @Test("An order with too many items, or a key that is too long, is refused")
    func bounds() throws {
        #expect(throws: RecognitionRefusal.tooManyItems) { try self.match((0...64).map { "x\($0)" }) }
        #expect(throws: RecognitionRefusal.inputTooLarge) {
            try self.match(["ct-chest"], key: String(repeating: "k", count: 129))
        }
        #expect(throws: RecognitionRefusal.tooManyCandidates) {
            let many = (0...256).map { number in
                var candidate = self.candidates[0]
                candidate.key.report = "many-\(number)"
                return candidate
            }
            _ = try self.match(["ct-chest"], among: many)
        }
    }

    @Test("A match call that comes again is the same match; another question under its key is a conflict")
    func repetition() throws {
        let first = try self.match(["ct-chest"])
        #expect(first.repetition(of: try self.match(["ct-chest"])) == .same)
        #expect(first.repetition(of: try self.match(["ct-abdomen"])) == .conflict)
        #expect(first.repetition(of: try self.match(["ct-chest"], key: "k2")) == .unrelated)
    }

    @Test("Each rule about a decision refuses with its code")
    func refusals() throws {
        let match = try self.match(["ct-chest-abdomen"])
        let adopt0 = DecisionDraft.Choice(line: 0, adopts: true)
        let adopt1 = DecisionDraft.Choice(line: 1, adopts: true)
        func refuse(_ reason: RefusalReason?, _ text: String? = nil) -> DecisionDraft.Choice {
            .init(line: 1, adopts: false, reason: reason, text: text)
        }
        var nameless = self.draft([adopt0, adopt1])
        nameless.doctorName = ""
        let expected: [(DecisionDraft, DecisionRefusal)] = [
            (nameless, .fieldMissing),
            (self.draft([adopt0, adopt1, .init(line: 2, adopts: true)]), .unknownItem),
            (self.draft([adopt0, adopt0]), .duplicateItem),
            (self.draft([adopt0]), .incomplete),
            (self.draft([]), .incomplete),
            (self.draft([adopt0, .init(line: 1, adopts: true, reason: .other)]), .reasonUnexpected),
            (self.draft([adopt0, .init(line: 1, adopts: true, text: "x")]), .reasonUnexpected),
            (self.draft([adopt0, refuse(nil)]), .reasonMissing),
            (self.draft([adopt0, refuse(.other)]), .textMissing),
            (self.draft([adopt0, refuse(.other, " \u{3000}")]), .textMissing),
            (self.draft([adopt0, refuse(.monitoring)]), .textMissing),
            (self.draft([adopt0, adopt1], after: -1), .beforeMatch),
            (self.draft([adopt0, adopt1], after: 3601), .inFuture),
        ]
        for (draft, refusal) in expected { #expect(self.accept(draft, for: match) == .failure(refusal)) }
        #expect(self.accept(self.draft([adopt0, refuse(.other, "x")]), for: match) == .success(.new))
        #expect(self.accept(self.draft([adopt0, adopt1], after: 0), for: match) == .success(.new))
        #expect(self.accept(self.draft([adopt0, adopt1], after: 3600), for: match) == .success(.new))
    }

    @Test("A new version or a voiding between match and decision stops the whole group")
    func changedReports() throws {
        let match = try self.match(["ct-chest-abdomen"])
        let draft = self.draft([.init(line: 0, adopts: true), .init(line: 1, adopts: true)])
        let report = try #require(match.lines[0].verdict.chosen).report
        let newer = DecisionRules.ReportNow(report: report, newestVersion: 2, isVoided: false)
        let voided = DecisionRules.ReportNow(report: report, newestVersion: 1, isVoided: true)
        let same = DecisionRules.ReportNow(report: report, newestVersion: 1, isVoided: false)
        let other = DecisionRules.ReportNow(report: "other", newestVersion: 9, isVoided: true)
        #expect(self.accept(draft, for: match, reports: [newer]) == .failure(.reportChanged))
        #expect(self.accept(draft, for: match, reports: [other, voided]) == .failure(.reportChanged))
        #expect(self.accept(draft, for: match, reports: [same, other]) == .success(.new))
        // What was decided stays decided.
        #expect(self.accept(draft, for: match, decided: draft, reports: [voided]) == .success(.repeated))
    }

    @Test("A decision sent again is the same one, in whatever order its items stand; another is a conflict")
    func resend() throws {
        let match = try self.match(["ct-chest-abdomen"])
        let first = self.draft([.init(line: 0, adopts: true), .init(line: 1, adopts: true)])
        let turned = self.draft([.init(line: 1, adopts: true), .init(line: 0, adopts: true)])
        let other = self.draft([.init(line: 0, adopts: true), .init(line: 1, adopts: false, reason: .emergency)])
        #expect(self.accept(turned, for: match, decided: first) == .success(.repeated))
        #expect(self.accept(other, for: match, decided: first) == .failure(.conflict))
    }

    @Test("A citation comes after the decision, of adopted items whose reports stand")
    func citations() throws {
        let match = try self.match(["ct-chest-abdomen"])
        let decided = self.draft([.init(line: 0, adopts: true), .init(line: 1, adopts: false, reason: .emergency)])
        let report = try #require(match.lines[0].verdict.chosen).report
        let voided = DecisionRules.ReportNow(report: report, newestVersion: 1, isVoided: true)
        func cite(_ lines: [Int], at seconds: Int64, reports: [DecisionRules.ReportNow] = []) throws {
            let time = self.order.time + seconds
            let now = self.order.time + 3600
            try DecisionRules.cite(lines, of: match, decided: decided, reports: reports, time: time, now: now)
        }
        try cite([0], at: 60)
        #expect(throws: DecisionRefusal.citedBeforeDecision) { try cite([0], at: 59) }
        #expect(throws: DecisionRefusal.citedInFuture) { try cite([0], at: 3601) }
        #expect(throws: DecisionRefusal.notAdopted) { try cite([0, 1], at: 60) }
        #expect(throws: DecisionRefusal.unknownItem) { try cite([7], at: 60) }
        #expect(throws: DecisionRefusal.citedAfterVoid) { try cite([0], at: 60, reports: [voided]) }
    }

    @Test("A decision is taken back within the pack's minutes and not a second later")
    func undo() throws {
        let decided = self.draft([], after: 0)
        let minutes = self.corpus.policy.undoMinutes
        let end = self.order.time + Int64(minutes) * 60
        try DecisionRules.undo(decided, at: self.order.time, undoMinutes: minutes)
        try DecisionRules.undo(decided, at: end, undoMinutes: minutes)
        #expect(throws: DecisionRefusal.undoneTooLate) {
            try DecisionRules.undo(decided, at: end + 1, undoMinutes: minutes)
        }
        #expect(throws: DecisionRefusal.undoneBeforeDecision) {
            try DecisionRules.undo(decided, at: self.order.time - 1, undoMinutes: minutes)
        }
    }
}
