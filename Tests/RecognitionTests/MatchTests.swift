import Foundation
import Primitives
import Recognition
import Records
import TestSupport
import Testing

@Suite("The items of an order are matched as one group")
struct MatchTests {
    private let corpus: Corpus
    private let engine: RecognitionEngine
    private let order: OrderContext
    private let access: RecognitionAccess
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
        among candidates: [Candidate]? = nil
    ) throws -> MatchGroup {
        try self.engine.match(
            self.order,
            items: items.map { ItemReference(code: $0) },
            among: candidates ?? self.candidates,
            access: self.access
        )
    }

    @Test("A joint order is one group with a line for each part")
    func joint() throws {
        let match = try self.match(["ct-chest-abdomen"])
        #expect(match.lines.map(\.item) == ["ct-chest", "ct-abdomen"])
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

    @Test("An order with too many items, or too many exams, is refused")
    func bounds() throws {
        #expect(throws: RecognitionRefusal.tooManyItems) { try self.match((0...64).map { "x\($0)" }) }
        #expect(throws: RecognitionRefusal.tooManyCandidates) {
            let many = (0...256).map { number in
                var candidate = self.candidates[0]
                candidate.key.report = "many-\(number)"
                return candidate
            }
            _ = try self.match(["ct-chest"], among: many)
        }
    }

    @Test("The same question has the same digest of verdicts, and another has another")
    func verdicts() throws {
        let first = try self.match(["ct-chest"]).verdictDigest
        #expect(try self.match(["ct-chest"]).verdictDigest == first)
        #expect(try self.match(["ct-abdomen"]).verdictDigest != first)
        #expect(try self.match(["ct-chest-abdomen"]).verdictDigest != first)
    }
}
