import Formats
import Records
import TestSupport
import Testing

@Suite("HL7 version 2 is read in the character set that it names, or that its bytes show")
struct HL7v2CharacterSetTests {
    static let files: [(name: String, family: String, result: String)] = [
        ("gb18030.hl7", "诸桂荣", "晐昢晘昞^1"), ("gbk-undeclared.hl7", "诸桂荣", "血红蛋白计数晐昢晘昞^1"),
        ("big5.hl7", "陳小明", "育沂芒沔^1"), ("shift-jis.hl7", "山田", "榎運円噂^1"), ("latin1.hl7", "Müller", "Größe Ö^1"),
        ("latin1-undeclared.hl7", "Müller", "Größe^1"), ("iso8859-5.hl7", "Иванов", "кровь^1"),
        ("euc-kr.hl7", "김철수", "혈액^1"), ("utf-16le.hl7", "诸桂荣", "血红蛋白^1"), ("utf-16be.hl7", "诸桂荣", "血红蛋白^1"),
        ("utf-8-bom.hl7", "诸桂荣", "血红蛋白^1"), ("iso-2022-jp.hl7", "山田", "血糖値^1"),
    ]

    @Test("A message gives the text that was encoded, and the same from its parts", arguments: Self.files)
    func text(name: String, family: String, result: String) throws {
        let content = try HL7v2Content(vector: name)
        #expect(content.refused.isEmpty)
        let parsed = try #require(content.exams.first)
        guard case .patient(let patient) = parsed.subject else {
            Issue.record("there is a patient")
            return
        }
        #expect(patient.name?.family == family)
        #expect(parsed.exam.items.first?.value == .text(result))
        #expect(parsed.exam.source.value == "F1/T1")
        guard case .success(let again) = HL7v2ExamReader.read(parsed.parts) else {
            Issue.record("the parts are read")
            return
        }
        #expect(again.exam == parsed.exam && again.subject == parsed.subject && again.parts == parsed.parts)
    }

    @Test("The set of the whole message holds for a part whose own bytes would show another")
    func detectedForParts() throws {
        // C2 A1 is a character of GB 18030 and one of UTF-8.
        var bytes = Array("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^".utf8) + [0xc2, 0xa1]
        bytes += Array("\rOBR|2||2|B^".utf8) + [0xd6, 0xee, 0xb9, 0xf0] + [0x0d]
        let content = HL7v2Content(bytes)
        #expect(content.exams.map(\.exam.code.label) == ["隆", "诸桂"])
        #expect(content.exams.map { $0.parts[0].type } == ["Header GB18030", "Header GB18030"])
        for exam in content.exams { #expect(HL7v2ExamReader.read(exam.parts).map(\.exam) == .success(exam.exam)) }
    }

    @Test(
        "Text in no set that can be told is refused",
        arguments: [
            ("", [0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72]), ("", [0xff, 0xff]), ("UNICODE UTF-8", [0xfc, 0x6c]),
            ("ASCII", [0xe8, 0xa1, 0x80]), ("GB 18030-2000", [0xff, 0x41]), ("UNICODE UTF-16", [0xe8, 0xa1, 0x80]),
            ("UNICODE UTF-8", [0xed, 0xa0, 0x80]),
        ] as [(String, [UInt8])]
    )
    func undecodable(set: String, text: [UInt8]) {
        let head = Array("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4||||||\(set)\rPID|1||1||".utf8)
        let content = HL7v2Content(head + text + Array("\rOBR|1||1|A^B\r".utf8))
        #expect(content.exams.isEmpty)
        #expect(content.codes == [set.isEmpty ? "hl7.unknown-character-set" : "hl7.bad-text"])
    }

    @Test("A change of character set is read by its escapes and ends with the field")
    func written() {
        // \M2442\ is ESC $ B, \C2842\ is ESC ( B.
        let content = HL7v2Content.results(
            "ST|A^A||x\\M2442\\7lE|\\C2842\\y||||||F",
            "ST|B^B||\\C2D46\\z||||||F",
            header: "ASCII~ISO IR87"
        )
        #expect(content.items.first?.value == .text("x血糖y"))
        #expect(content.items.last?.value == .text("z"))
    }
}
