import Ledger
import Primitives
import Records
import Testing

@Suite("Every reason why a fact does not count has a way to it")
struct RecognitionCodeTests {
    typealias Scenario = @Sendable (inout FactBench) -> FactOutcome

    private static func decide(
        _ bench: inout FactBench,
        _ outcomes: [RecognitionDecision.Outcome],
        at time: Int64 = 2000
    ) -> FactOutcome {
        _ = bench.remind()
        return bench.record(FactBench.decision("m", outcomes), at: time)
    }

    static let scenarios: [RecognitionCode: Scenario] = [
        .malformed: { bench in
            _ = bench.remind()
            return bench.record(.view(FactBench.id("m"), items: [1]), at: 2000)
        },
        .future: { bench in
            bench.commit("r")
            return bench.record(FactBench.match("m", [FactBench.item("r")]), at: 5001, block: 0)
        },
        .matchConflict: { bench in
            _ = bench.remind()
            return bench.record(FactBench.match("m", [FactBench.item("r")]), at: 1001)
        },
        .duplicateItem: { bench in
            bench.commit("r")
            return bench.record(FactBench.match("m", [FactBench.item("r"), FactBench.item("r")]), at: 1000)
        },
        .unknownCandidate: { bench in bench.record(FactBench.match("m", [FactBench.item("nothing")]), at: 1000) },
        .candidateReplaced: { bench in
            _ = bench.remind()
            bench.commit("r2", supersedes: "r", at: 1500)
            return bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000)
        },
        .candidateVoid: { bench in
            _ = bench.remind()
            _ = bench.record(.void(FactBench.record("r"), .wrongPatient), at: 1500, by: "a")
            return bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000)
        },
        .policyNotInForce: { bench in
            bench.commit("r")
            return bench.record(FactBench.match("m", [FactBench.item("r")], policy: "other"), at: 1000)
        },
        .unknownMatch: { bench in bench.record(.closed(FactBench.id("m")), at: 1000) },
        .wrongInstitution: { bench in
            _ = bench.remind()
            return bench.record(FactBench.decision("m", [.adopted(0)]), at: 2000, by: "c")
        },
        .beforeMatch: { bench in RecognitionCodeTests.decide(&bench, [.adopted(0)], at: 999) },
        .partialGroup: { bench in
            _ = bench.remind(of: ["r", "s"])
            return bench.record(FactBench.decision("m", [.adopted(1)]), at: 2000)
        },
        .reasonWithAdoption: { bench in
            RecognitionCodeTests.decide(
                &bench,
                [.init(item: 0, isAdopted: true, reason: "D01", text: nil, amount: nil)]
            )
        },
        .reasonMissing: { bench in
            RecognitionCodeTests.decide(&bench, [.init(item: 0, isAdopted: false, reason: nil, text: nil, amount: nil)])
        },
        .badReason: { bench in RecognitionCodeTests.decide(&bench, [.refused(0, "D09")]) },
        .textMissing: { bench in RecognitionCodeTests.decide(&bench, [.refused(0, "D06")]) },
        .badAmount: { bench in RecognitionCodeTests.decide(&bench, [.adopted(0, amount: Fen(-1))]) },
        .decisionConflict: { bench in
            _ = RecognitionCodeTests.decide(&bench, [.adopted(0)])
            return bench.record(FactBench.decision("m", [.refused(0, "D01")]), at: 2000)
        },
        .notDecided: { bench in
            _ = RecognitionCodeTests.decide(&bench, [.refused(0, "D01")])
            return bench.record(FactBench.citation([("m", 0)]), at: 3000)
        },
        .beforeDecision: { bench in
            _ = RecognitionCodeTests.decide(&bench, [.adopted(0)])
            return bench.record(FactBench.citation([("m", 0)]), at: 1999)
        },
        .undoLate: { bench in
            _ = RecognitionCodeTests.decide(&bench, [.adopted(0)])
            let limit = 2000 + Int64(FactBench.undoMinutes) * FactBench.minute
            return bench.record(.undo(FactBench.id("m"), decision: 0), at: limit + 1)
        },
        .undoCited: { bench in
            _ = RecognitionCodeTests.decide(&bench, [.adopted(0)])
            _ = bench.record(FactBench.citation([("m", 0)]), at: 2500)
            return bench.record(.undo(FactBench.id("m"), decision: 0), at: 3000)
        },
        .undoConflict: { bench in
            _ = RecognitionCodeTests.decide(&bench, [.adopted(0)])
            _ = bench.record(.undo(FactBench.id("m"), decision: 0), at: 3000)
            return bench.record(.undo(FactBench.id("m"), decision: 0), at: 3001)
        },
        .voidConflict: { bench in
            bench.commit("r")
            _ = bench.record(.void(FactBench.record("r"), .wrongPatient), at: 1500, by: "a")
            return bench.record(.void(FactBench.record("r"), .other), at: 1500, by: "a")
        },
        .notSource: { bench in
            bench.commit("r")
            return bench.record(.void(FactBench.record("r"), .wrongPatient), at: 1500, by: "b")
        },
        .badProduction: { bench in
            let day = ProductionDay(day: 0, produced: 1, committed: 1, lagSeconds: 0, late: 0)
            return bench.record(.production(day), at: 1000, by: "a")
        },
        .closedConflict: { bench in
            _ = bench.remind()
            _ = bench.record(.closed(FactBench.id("m")), at: 2000)
            return bench.record(.closed(FactBench.id("m")), at: 2001)
        },
    ]

    @Test("The story of a code ends with that code and changes nothing", arguments: RecognitionCode.allCases)
    func codeIsReached(code: RecognitionCode) throws {
        let scenario = try #require(Self.scenarios[code])
        var bench = FactBench()
        #expect(scenario(&bench) == .refused(code))
    }

    @Test("Numbers and names are unique, dotted, and none is a transaction's")
    func names() {
        let names = RecognitionCode.allCases.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.split(separator: ".").count == 2 && $0.utf8.count <= 40 })
        #expect(Set(names).isDisjoint(with: TransactionCode.allCases.map(\.name)))
        #expect(RecognitionCode.allCases.allSatisfy { TransactionCode(rawValue: $0.rawValue) == nil })
        #expect(RecognitionCode.allCases.allSatisfy { (630...659).contains($0.rawValue) })
    }
}
