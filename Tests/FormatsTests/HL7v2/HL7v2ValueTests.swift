import Formats
import Primitives
import Records
import Testing

@Suite("Values of HL7 version 2 are read by their type, and none is lost")
struct HL7v2ValueTests {
    private static func quantity(_ value: String, _ comparator: Quantity.Comparator? = nil) -> ItemValue {
        .quantity(Quantity(comparator: comparator, value: value, unit: nil, system: nil, code: nil))
    }

    private static func number(_ value: String) -> Quantity {
        Quantity(comparator: nil, value: value, unit: nil, system: nil, code: nil)
    }

    private static func concept(_ code: String) -> ItemValue {
        .coded(CodedConcept(text: nil, codings: [Coding(system: nil, code: code, display: nil)]))
    }

    static let values: [(type: String, field: String, value: ItemValue)] = [
        ("NM", "1.00", quantity("1.00")), ("NM", " -5 ", quantity("-5")), ("NM", "+0.5", quantity("+0.5")),
        ("NM", "<5", quantity("5", .less)), ("NM", ">= 5", quantity("5", .greaterOrEqual)),
        ("NM", "≤5", quantity("5", .lessOrEqual)), ("NM", "阴性", .text("阴性")), ("NM", "1e5", .text("1e5")),
        ("NM", "1,5", .text("1,5")), ("NM", "1.2.3", .text("1.2.3")), ("NM", "-", .text("-")),
        ("SN", "^182", quantity("182")), ("SN", ">^100", quantity("100", .greater)), ("SN", "=^1", quantity("1")),
        ("SN", "^1^-^3", .range(low: number("1"), high: number("3"))),
        ("SN", "^1^/^3", .ratio(numerator: number("1"), denominator: number("3"))),
        ("SN", "^2^+", .text("^2^+")), ("SN", "<>^2", .text("<>^2")), ("SN", "^x", .text("^x")),
        ("ST", "a^b", .text("a^b")), ("ST", "one~two", .text("one\ntwo")), ("", "free", .text("free")),
        ("IS", "POS", concept("POS")), ("ID", "Y", concept("Y")),
        ("CE", "^only text", .coded(CodedConcept(text: "only text", codings: []))),
        ("CX", "1^^^HIS&1.2&ISO", .text("1^^^HIS&1.2&ISO")), ("XTN", "^PRN^PH", .text("^PRN^PH")),
        ("NA", "1^2^3", .text("1^2^3")), ("ZZ", "x\\F\\y^z", .text("x|y^z")),
        ("NR", "1^3", .range(low: number("1"), high: number("3"))), ("NR", "^3", .range(low: nil, high: number("3"))),
        ("TM", "0815", .text("0815")), ("TM", "081530", .time("08:15:30")), ("TM", "081530.25", .time("08:15:30.25")),
        ("DT", "01/Jun/2020", .text("01/Jun/2020")),
    ]

    @Test("A value is what its type says, or text as it is written", arguments: Self.values)
    func value(type: String, field: String, value: ItemValue) {
        #expect(HL7v2Content.results("\(type)|A^A||\(field)||||||F").items.first?.value == value)
    }

    @Test(
        "Times keep their text, precision and offset",
        arguments: [
            ("2026", ClinicalTime.Precision.year, nil, 1_767_225_600_000), ("202605", .month, nil, 1_777_593_600_000),
            ("20260510", .day, nil, 1_778_371_200_000), ("2026051008", .hour, nil, 1_778_400_000_000),
            ("202605100815", .minute, nil, 1_778_400_900_000), ("20260510081530+0800", .second, 480, 1_778_372_130_000),
            ("20260510081530.1234-0500", .fraction, -300, 1_778_418_930_123),
            ("20240229", .day, nil, 1_709_164_800_000),
            ("20260510+0800", .day, 480, 1_778_342_400_000),
        ] as [(String, ClinicalTime.Precision, Int?, Int64)]
    )
    func time(text: String, precision: ClinicalTime.Precision, offset: Int?, milliseconds: Int64) {
        guard case .dateTime(let time) = HL7v2Content.results("TS|A^A||\(text)||||||F").items.first?.value else {
            Issue.record("this is a time")
            return
        }
        #expect(time.text == text && time.precision == precision && time.offsetMinutes == offset)
        #expect(time.earliest.milliseconds == milliseconds)
    }

    @Test(
        "A time that does not exist refuses its exam",
        arguments: [
            "DT|A^A||20260229", "TS|A^A||20261301", "DTM|A^A||2026051024", "DTM|A^A||202605102360", "TS|A^A||202605101",
            "TS|A^A||20260510081530+1430", "TS|A^A||00000101", "TM|A^A||2460", "DR|A^A||20260229^2027",
        ]
    )
    func impossible(result: String) {
        let content = HL7v2Content.results(result)
        #expect(content.codes == ["hl7.bad-time"] && content.exams.isEmpty)
    }

    @Test("Several values of one result are components")
    func repetitions() {
        let item = HL7v2Content.results("CWE|A^A||a^Alpha^L~b^Beta^L||||||F").items.first
        #expect(item?.value == nil)
        #expect(
            item?.components.map(\.value)
                == ["a", "b"].map { code in
                    .coded(
                        CodedConcept(
                            text: nil,
                            codings: [Coding(system: "L", code: code, display: code == "a" ? "Alpha" : "Beta")]
                        )
                    )
                }
        )
    }

    @Test("A result without a value says why")
    func absent() {
        let items = HL7v2Content.results("NM|A^A||||||||X", "NM|B^B||\"\"||||||F").items
        #expect(items.map(\.value) == [nil, nil])
        #expect(items.map { $0.dataAbsentReason?.primary?.code } == ["X", nil])
    }

    @Test(
        "A reference range is read as numbers where it is one",
        arguments: [
            ("3.5-5.5", "3.5", "5.5"), ("3.5 - 5.5", "3.5", "5.5"), ("-2--1", nil, nil), ("-2-3", "-2", "3"),
            ("3--5", nil, nil), ("5-3", nil, nil), ("9-10", "9", "10"), ("0.10-0.1", "0.10", "0.1"),
            ("0.2-0.10", nil, nil),
            ("<5", nil, "5"), (">=5", "5", nil), ("negative", nil, nil), ("70_105", nil, nil),
            ("1-2-3", nil, nil), ("<1:8", nil, nil), ("M 3-5", nil, nil),
        ] as [(String, String?, String?)]
    )
    func range(text: String, low: String?, high: String?) {
        let range = HL7v2Content.results("NM|A^A||4||\(text)|||||F").items.first?.referenceRanges.first
        #expect(range?.text == text)
        #expect(range?.low?.value == low && range?.high?.value == high)
    }

    @Test(
        "Escapes are resolved, and what is none stays",
        arguments: [
            (#"a\F\b\S\c\T\d\R\e\E\f"#, "a|b^c&d~e\\f"), (#"x\.br\y\.sp2\z"#, "x\ny\n\nz"), (#"\H\bold\N\"#, "bold"),
            (#"\X41\\X0D0A\"#, "A\r\n"), (#"\XE8A180\"#, "血"), (#"\X00\"#, #"\X00\"#), (#"\Zabc\"#, #"\Zabc\"#),
            (#"C:\temp"#, #"C:\temp"#), (#"\.in+4\text"#, "text"), (#"50\P\"#, "50#"), (#"\X4\"#, #"\X4\"#),
        ]
    )
    func escapes(field: String, text: String) {
        #expect(HL7v2Content.results("ST|A^A||\(field)||||||F").items.first?.value == .text(text))
    }

    @Test(
        "An attachment's size is told, and broken base64 refuses the exam",
        arguments: [
            ("ED|A^A||S^AP^PDF^Base64^QUJDRA==", 4), ("ED|A^A||S^IM^JPEG^Base64^QUJD\\.br\\QUJD", 6),
            ("ED|A^A||S^TEXT^^A^abc", 3), ("ED|A^A||S^AP^x^Hex^4142", 2), ("ED|A^A||S^AP^PDF^Base64^QUJDR", nil),
            ("ED|A^A||S^AP^PDF^Base64^QU=D", nil), ("ED|A^A||S^AP^x^Hex^414", nil),
        ] as [(String, UInt64?)]
    )
    func attachment(result: String, size: UInt64?) {
        let content = HL7v2Content.results(result)
        #expect(content.exams.first?.exam.presentedForms.first?.size == size)
        #expect(content.codes == (size == nil ? ["hl7.bad-attachment"] : []))
    }

    @Test("A value that does not say what it measures refuses the exam")
    func unnamed() {
        #expect(HL7v2Content.results("NM|||5||||||F").codes == ["hl7.code-missing"])
        #expect(HL7v2Content.results("TX|||A report.||||||F").items.first?.code.label == "Test")
    }

    @Test(
        "The kind follows the diagnostic service, the code and the sender",
        arguments: [
            ("MSH|^~\\&|X|H|||1||ORU^R01|1|P|2.4", "1-8^CT^L", "RAD", ExamKind.imaging),
            ("MSH|^~\\&|X|H|||1||ORU^R01|1|P|2.4", "71045^Chest^C4", "", .imaging),
            ("MSH|^~\\&|X|H|||1||ORU^R01|1|P|2.4", "88305^Biopsy^CPT", "", .pathology),
            ("MSH|^~\\&|X|H|||1||ORU^R01|1|P|2.4", "11524-6^EKG^LN", "", .function),
            ("MSH|^~\\&|EAST_PACS|H|||1||ORU^R01|1|P|2.4", "1^CT^L", "", .imaging),
            ("MSH|^~\\&|LISA|H|||1||ORU^R01|1|P|2.4", "1^Visit^L", "", .other),
        ]
    )
    func kind(header: String, code: String, section: String, kind: ExamKind) {
        let empty = String(repeating: "|", count: 20)
        let content = HL7v2Content("\(header)\rPID|1||1\rOBR|1||1|\(code)\(empty)\(section)\r")
        #expect(content.exams.first?.exam.kind == kind)
    }
}
