import Formats
import Records
import TestSupport
import Testing

@Suite("Hostile FHIR input is read without a trap, and within bounds")
struct HostileInputTests {
    private static func vectors() throws -> [[UInt8]] {
        try ["transaction.json", "searchset.json", "contained.json", "lines.ndjson"].map { name in
            [UInt8](try TestData.vector("fhir/\(name)"))
        }
    }

    @Test("A text cut off anywhere is refused")
    func truncation() throws {
        let bytes = [UInt8](try TestData.vector("fhir/transaction.json"))
        let end = (bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0) + 1
        for length in 1..<end {
            let input = ParsedInput(fhir: Array(bytes[..<length]))
            guard !input.refused.isEmpty, input.exams.isEmpty else {
                Issue.record("accepted when cut to \(length) bytes")
                return
            }
        }
        #expect(ParsedInput(fhir: Array(bytes[..<end])).refused.isEmpty)
    }

    @Test("A flipped bit never traps, and what is still read can be read again", arguments: 0..<4 as Range<UInt64>)
    func bitFlips(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for vector in try Self.vectors() {
            for _ in 0..<400 {
                var bytes = vector
                for _ in 0...Int.random(in: 0..<3, using: &generator) {
                    bytes[Int.random(in: bytes.indices, using: &generator)] ^=
                        1 << UInt8.random(in: 0..<8, using: &generator)
                }
                for parsed in ParsedInput(fhir: bytes).exams {
                    guard FHIRExamReader.exam(fromParts: parsed.parts) == .success(parsed.exam) else {
                        Issue.record("seed \(seed): an exam differs from its parts")
                        return
                    }
                }
            }
        }
    }

    @Test("Pieces of a text in a random order never trap", arguments: 0..<4 as Range<UInt64>)
    func splices(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for vector in try Self.vectors() {
            for _ in 0..<200 {
                var bytes = vector
                let range = Int.random(in: bytes.indices, using: &generator)
                let cut = range..<min(bytes.count, range + Int.random(in: 1..<80, using: &generator))
                let place = Int.random(in: bytes.indices, using: &generator)
                bytes.insert(contentsOf: Array(bytes[cut]), at: place)
                let input = ParsedInput(fhir: bytes)
                #expect(input.refused.allSatisfy { $0.range.upperBound <= bytes.count })
            }
        }
    }

    @Test("Parts that do not belong together are refused")
    func parts() {
        let patient = RecordContent.Part(type: "Patient", bytes: Array(#"{"resourceType":"Patient"}"#.utf8))
        let report = RecordContent.Part(type: "DiagnosticReport", bytes: Array("{".utf8))
        #expect(FHIRExamReader.exam(fromParts: []) == .failure(.notAResource))
        #expect(FHIRExamReader.exam(fromParts: [patient]) == .failure(.notAResource))
        #expect(FHIRExamReader.exam(fromParts: [report]) == .failure(.jsonSyntax))
        #expect(FHIRExamReader.exam(fromParts: [RecordContent.Part(type: "", bytes: [])]) == .failure(.jsonSyntax))
        let wrong = RecordContent.Part(type: "Observation", bytes: patient.bytes)
        #expect(FHIRExamReader.exam(fromParts: [wrong]) == .failure(.notAResource))
    }

    @Test("Tiny reports that share one large group end in a refusal, not in time without end")
    func sharedGroups() {
        let members = (0..<4000).map { #"{"reference":"Observation/o\#($0)"}"# }
        let observation = #"{"resourceType":"Observation","status":"final","code":{"text":"x"}"#
        var lines = [observation + #","id":"g","hasMember":[\#(members.joined(separator: ","))]}"#]
        for index in 0..<4000 { lines.append(observation + #","id":"o\#(index)"}"#) }
        let report = #"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"#
        for index in 0..<2000 {
            // Every second one costs as much and is refused at the end.
            let last = index.isMultiple(of: 2) ? "" : #",{"reference":"Observation/none"}"#
            lines.append(report + #""result":[{"reference":"Observation/g"}\#(last)]}"#)
        }
        let input = ParsedInput(fhir: Array(lines.joined(separator: "\n").utf8))
        #expect(input.exams.count + input.refused.count == 2000)
        #expect(input.exams.count > 30 && input.exams.count < 100)
        #expect(input.refused.count { $0.refusal == FormatRefusal(FHIRRefusal.tooLarge) } > 1800)
    }

    @Test("A report with very many contained results and performers is read in reasonable time")
    func wideReport() {
        let observation = #"{"resourceType":"Observation","status":"final","code":{"text":"x"}"#
        let contained = (0..<8000).map { observation + #","id":"o\#($0)"}"# }.joined(separator: ",")
        let results = (0..<8000).map { ##"{"reference":"#o\##($0)"}"## }.joined(separator: ",")
        let performers = (0..<50_000).map { #"{"display":"d\#($0)"}"# }.joined(separator: ",")
        let text =
            #"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"contained":[\#(contained)],"#
            + #""result":[\#(results)],"performer":[\#(performers)]}"#
        let exam = ParsedInput(fhir: Array(text.utf8)).exams.first?.exam
        #expect(exam?.items.count == 8000)
        #expect(exam?.performers.count == 50_000)
    }

    @Test("Many reports that share one large patient end in a refusal, not in memory without end")
    func amplification() {
        let photo = String(repeating: "A", count: 1 << 20)
        let patient = #"{"resourceType":"Patient","id":"p","x":"\#(photo)"}"#
        let report =
            #"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#
        let text = ([patient] + Array(repeating: report, count: 1000)).joined(separator: "\n")
        let bytes = Array(text.utf8)
        let roots = FHIRForm.lines(of: bytes).compactMap { try? JSONReader.read(bytes, in: $0).root }
        var input = FHIRInput(roots)
        var (exams, refused) = (0, 0)
        while let output = input.next() {
            switch output {
            case .exam: exams += 1
            case .refused(let piece):
                #expect(piece.refusal == FormatRefusal(FHIRRefusal.tooLarge))
                refused += 1
            }
        }
        #expect(exams > 100 && exams < 200)
        #expect(exams + refused == 1000)
    }
}
