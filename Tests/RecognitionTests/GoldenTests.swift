import Formats
import Foundation
import Primitives
import Recognition
import Records
import TestSupport
import Testing

@Suite("The golden cases of mutual recognition")
struct GoldenTests {
    let corpus: Corpus
    let engine: RecognitionEngine

    init() throws {
        self.corpus = try Corpus()
        self.engine = RecognitionEngine(self.corpus.policy)
    }

    private static let outcomes: [String: VerdictOutcome] = [
        "MUST": .mustRecognise, "MAY": .mayRecognise, "MANUAL": .manualReview, "NOT": .notEligible,
        "NOACCESS": .noAccess,
    ]

    /// `r1`, with `.2` for a version and `/3` for a line.
    private static func name(_ key: CandidateKey) -> String {
        key.report + (key.version == 1 ? "" : ".\(key.version)") + (key.line == 0 ? "" : "/\(key.line)")
    }

    private func verdict(_ golden: GoldenCase) throws -> Verdict {
        try self.engine.verdict(for: golden.order, among: golden.candidates, access: golden.access)
    }

    @Test("There are at least 300 cases, each with a name of its own")
    func enough() {
        #expect(self.corpus.cases.count >= 300)
        #expect(Set(self.corpus.cases.map(\.label)).count == self.corpus.cases.count)
    }

    @Test("Every case gives the verdict, the choice and the first failing rules that the contract says")
    func verdicts() throws {
        for golden in self.corpus.cases {
            let expected = golden.expectation
            if let refusal = expected["refusal"]?.text {
                let code = try #require(RecognitionRefusal(rawValue: refusal))
                #expect(throws: code, "\(golden.label)") { try self.verdict(golden) }
                continue
            }
            let verdict = try self.verdict(golden)
            let outcome = try #require(Self.outcomes[expected["verdict"]?.text ?? ""], "\(golden.label)")
            #expect(verdict.outcome == outcome, "\(golden.label)")
            let chosen = expected["chosen"]?.text ?? (outcome.hasChoice ? "r1" : nil)
            #expect(verdict.chosen.map(Self.name) == chosen, "\(golden.label)")
            let rejected = (expected["rejected"]?.members ?? []).map { "\($0.key) \($0.value.text ?? "")" }
            let found = verdict.rejected.map { "\(Self.name($0.candidate)) \($0.reason.code.name)" }
            #expect(found.sorted() == rejected.sorted(), "\(golden.label)")
            let suggested = expected["suggest"]?.texts ?? []
            #expect(verdict.suggestions.map(\.name) == suggested, "\(golden.label)")
            let reasons = verdict.reasons.compactMap { reason -> String? in
                if case .ineligible(let code) = reason.code { code.name } else { nil }
            }
            #expect(
                reasons == (expected["reasons"]?.texts ?? (outcome == .mayRecognise ? ["N04"] : [])),
                "\(golden.label)"
            )
            if let value = expected["value"]?.text { #expect(verdict.comparable == value, "\(golden.label)") }
        }
    }

    @Test("Every N code is reported by at least three cases, every D code of a circumstance by one")
    func coverage() throws {
        var counts: [String: Int] = [:]
        for golden in self.corpus.cases {
            guard let verdict = try? self.verdict(golden) else { continue }
            let codes = verdict.rejected.map(\.reason.code.name) + verdict.reasons.map(\.code.name)
            for code in Set(codes) { counts[code, default: 0] += 1 }
        }
        for code in IneligibilityCode.allCases { #expect(counts[code.name, default: 0] >= 3, "\(code.name)") }
        for rule in self.corpus.policy.flags { #expect(counts[rule.reason.name, default: 0] >= 1, "\(rule.flag.name)") }
    }

    @Test("The verdict's bytes are those pinned for every case, on every machine")
    func pinnedDigests() throws {
        var lines: [String] = []
        for golden in self.corpus.cases {
            let digest = (try? self.verdict(golden))?.digest.hex ?? "refused"
            lines.append("\(digest) \(golden.label)")
        }
        let file = TestData.repositoryFile("\(Corpus.folder)/digests.txt")
        let text = lines.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["ENTENTE_REWRITE_DIGESTS"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let pinned = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(pinned.count == lines.count)
        for (line, pin) in zip(lines, pinned) { #expect(line == pin) }
    }

    @Test("The order of candidates does not matter")
    func permutations() throws {
        var random = SplitMix(seed: 20_260_916)
        for golden in self.corpus.cases where golden.candidates.count > 1 {
            guard let verdict = try? self.verdict(golden) else { continue }
            for _ in 0..<8 {
                let shuffled = golden.candidates.shuffled(using: &random)
                let other = try self.engine.verdict(for: golden.order, among: shuffled, access: golden.access)
                #expect(other.canonicalBytes == verdict.canonicalBytes, "\(golden.label)")
            }
        }
        // All exams of the corpus that one order could meet, at once.
        let pool = self.corpus.cases.filter { $0.order.item.code == "hba1c" }.flatMap(\.candidates)
        let renamed = pool.enumerated().map { index, candidate in
            var candidate = candidate
            candidate.key = CandidateKey(report: "pool-\(index)")
            candidate.newestVersion = 1
            return candidate
        }
        let order = try #require(self.corpus.cases.first { $0.order.item.code == "hba1c" }).order
        let access = RecognitionAccess(
            height: 1,
            entries: [RecognitionAccess.Entry(access: .granted, checkedAt: order.time)]
        )
        let all = Array(renamed.prefix(Verdict.candidatesMax))
        let first = try self.engine.verdict(for: order, among: all, access: access)
        for _ in 0..<20 {
            let other = try self.engine.verdict(for: order, among: all.shuffled(using: &random), access: access)
            #expect(other == first)
        }
    }

    @Test("Verdicts and their inputs come back from their bytes, and no cut of them does")
    func roundTrips() throws {
        for golden in self.corpus.cases {
            guard let verdict = try? self.verdict(golden) else { continue }
            let bytes = verdict.canonicalBytes
            #expect(try Verdict(canonicalBytes: bytes) == verdict)
            #expect(try OrderContext(canonicalBytes: golden.order.canonicalBytes) == golden.order)
            #expect(try RecognitionAccess(canonicalBytes: golden.access.canonicalBytes) == golden.access)
            for candidate in golden.candidates {
                #expect(try Candidate(canonicalBytes: candidate.canonicalBytes) == candidate)
            }
            for count in stride(from: 0, to: bytes.count, by: 7) {
                #expect(throws: CanonicalError.self) { try Verdict(canonicalBytes: Array(bytes.prefix(count))) }
            }
        }
    }

    @Test("The trace agrees with the reported rule: it is the first failing step")
    func traces() throws {
        for golden in self.corpus.cases {
            guard let verdict = try? self.verdict(golden) else { continue }
            #expect(verdict.trace.count == golden.candidates.count)
            for rejection in verdict.rejected where rejection.reason.step != .choice {
                let trace = try #require(verdict.trace.first { $0.candidate == rejection.candidate })
                let first = trace.findings.firstIndex {
                    $0 != Verdict.Trace.passed && $0 != Verdict.Trace.open && $0 != IneligibilityCode.markScope.rawValue
                }
                #expect(first.map { UInt8($0 + 1) } == rejection.reason.step.rawValue, "\(golden.label)")
            }
        }
    }
}

/// A small seeded generator (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
