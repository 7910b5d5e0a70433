import Formats
import Records
import TestSupport
import Testing

@Suite("Hostile HL7 version 2 input is read without a trap, and within bounds")
struct HL7v2HostileInputTests {
    private static let vectors = [
        "orders.hl7", "document.hl7", "specimens.hl7", "continued.hl7", "gb18030.hl7", "gbk-undeclared.hl7", "big5.hl7",
        "shift-jis.hl7", "utf-16le.hl7", "utf-16be.hl7", "iso-2022-jp.hl7",
    ]

    /// Reads `bytes` alone and in an MLLP frame.
    private static func check(_ bytes: [UInt8]) -> Bool {
        for input in [bytes, [0x0b] + bytes + [0x1c, 0x0d]] {
            let content = HL7v2Content(input)
            guard content.refused.allSatisfy({ $0.range.upperBound <= input.count && $0.offset <= input.count }) else {
                return false
            }
            for parsed in content.exams {
                guard case .success(let again) = HL7v2ExamReader.read(parsed.parts), again.exam == parsed.exam,
                    again.subject == parsed.subject
                else { return false }
            }
            let answer = HL7v2Acknowledgement.Answer(code: .error, controlID: "1", time: "1")
            guard !HL7v2Acknowledgement.reply(to: input, answer).isEmpty else { return false }
        }
        return true
    }

    @Test("Changed bytes never trap, and what is still read can be read again", arguments: 0..<6 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let marks = Array("|^~\\&\r\n\u{b}\u{1c}\u{1b}MSHOBXPID\u{0}".utf8) + [0xff, 0xfe, 0x80]
        for name in Self.vectors {
            let vector = [UInt8](try TestData.vector("hl7v2/\(name)"))
            for _ in 0..<120 {
                var bytes = vector
                for _ in 0...Int.random(in: 0..<4, using: &generator) where !bytes.isEmpty {
                    let place = Int.random(in: bytes.indices, using: &generator)
                    let end = min(bytes.count, place + Int.random(in: 1..<120, using: &generator))
                    switch Int.random(in: 0..<6, using: &generator) {
                    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                    case 1: bytes.removeSubrange(place..<end)
                    case 2: bytes.insert(contentsOf: Array(bytes[place..<end]), at: 0)
                    case 3: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
                    case 4: bytes.insert(marks[Int.random(in: marks.indices, using: &generator)], at: place)
                    default: bytes[place] = marks[Int.random(in: marks.indices, using: &generator)]
                    }
                }
                guard Self.check(bytes) else {
                    Issue.record("seed \(seed), \(name): an exam differs from its parts")
                    return
                }
            }
        }
    }

    @Test("A message cut off anywhere never traps", arguments: Self.vectors)
    func truncation(name: String) throws {
        let bytes = [UInt8](try TestData.vector("hl7v2/\(name)"))
        for length in stride(from: 0, to: bytes.count, by: 3) {
            guard Self.check(Array(bytes[..<length])) else {
                Issue.record("\(name) cut to \(length) bytes")
                return
            }
        }
    }

    @Test("Orders that share a large header end in a refusal, not in memory without end")
    func amplification() {
        let name = String(repeating: "A", count: 1 << 20)
        var text = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1||\(name)\r"
        for index in 0..<1000 { text += "OBR|\(index)||\(index)|A^B\r" }
        let content = HL7v2Content(text)
        #expect(content.exams.count > 4 && content.exams.count < 16)
        #expect(content.exams.count + content.refused.count == 1000)
        #expect(Set(content.codes) == ["hl7.too-large"])
    }

    @Test("Long headers, continuations and notes of many orders are read in reasonable time")
    func sharedSegments() {
        let head = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\r"
        let notes = String(repeating: "NTE|1||x\r", count: 24_000)
        let orders = String(repeating: "OBR|1||1|A^B\r", count: 24_000)
        let shared = HL7v2Content(head + notes + orders)
        #expect(shared.exams.count + shared.refused.count == 24_000)
        #expect(shared.exams.count < 100)
        let added = String(repeating: "ADD|0123456789\r", count: 90_000)
        let long = HL7v2Content(head + "OBR|1||1|A^B\rOBX|1|ST|A^A||\r" + added)
        #expect(long.items.first?.value == .text(String(repeating: "0123456789", count: 90_000)))
        let order = HL7v2Content(head + "OBR|1||1|A^B\r" + notes)
        #expect(order.exams.first?.exam.conclusion?.utf8.count == 24_000 * 2 - 1)
    }

    @Test("Fragments without end are refused")
    func fragments() {
        let head = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4"
        let first = head + "\rPID|1||1\rOBR|1||1|A^B\rDSC|P\r"
        let content = HL7v2Content(first + String(repeating: head + "||P\rOBX|1|NM|A^A||1\rDSC|P\r", count: 2000))
        #expect(content.exams.isEmpty && Set(content.codes) == ["hl7.continuation-missing"])
    }

    @Test(
        "Counts without end are refused",
        arguments: [
            ("OBX|1|NM|A^A||1\r", 20_000, "hl7.too-many-items"), ("NTE|1||x\r", 60_000, "hl7.too-many-segments"),
        ]
    )
    func counts(segment: String, count: Int, code: String) {
        let head = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r"
        #expect(HL7v2Content(head + String(repeating: segment, count: count)).codes == [code])
    }

    @Test(
        "Separators without end are read in reasonable time",
        arguments: ["|", "^", "~", "&", "\\", "\\.br\\", "\\X"]
    )
    func separators(_ separator: String) {
        let field = String(repeating: separator, count: 200_000)
        for type in ["NM", "SN", "CWE", "ST", "TX", "ED", "ZZ"] {
            let content = HL7v2Content.results("\(type)|A^A||\(field)||||||F", "CWE|A^A||a||\(field)|\(field)")
            #expect(content.exams.count + content.refused.count == 1)
        }
    }

    @Test("Parts that do not belong together are refused")
    func parts() throws {
        let exam = try #require(try HL7v2Content(vector: "orders.hl7").exams.first)
        let refusal = FormatRefusal(HL7v2Refusal.badParts)
        #expect(HL7v2ExamReader.read([]).map(\.exam) == .failure(refusal))
        #expect(HL7v2ExamReader.read(Array(exam.parts.prefix(1))).map(\.exam) == .failure(refusal))
        #expect(HL7v2ExamReader.read(exam.parts.reversed()).map(\.exam) == .failure(refusal))
        var other = exam.parts
        other[0].type = "Header LATIN"
        #expect(HL7v2ExamReader.read(other).map(\.exam) == .failure(refusal))
        let double = exam.parts + [RecordContent.Part(type: "Order", bytes: Array("OBR|9||9|X^Y\r".utf8))]
        #expect(HL7v2ExamReader.read(double).map(\.exam) == .failure(refusal))
        let content = RecordContent(format: .hl7v2, parts: exam.parts)
        #expect(ExamReader.read(content).map(\.exam) == .success(exam.exam))
    }
}
