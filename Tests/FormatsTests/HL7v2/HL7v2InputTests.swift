import Formats
import Foundation
import Records
import TestSupport
import Testing

@Suite("HL7 version 2 messages become exams")
struct HL7v2InputTests {
    @Test("Each order is an exam with its own results, notes and specimen")
    func orders() throws {
        let content = try HL7v2Content(vector: "orders.hl7")
        #expect(content.refused.isEmpty)
        #expect(content.exams.map(\.exam.status) == [.corrected, .preliminary, .preliminary])
        #expect(content.exams.map(\.exam.kind) == [.laboratory, .laboratory, .laboratory])
        let exam = try #require(content.exams.first?.exam)
        #expect(exam.code.primary == Coding(system: "http://loinc.org", code: "24323-8", display: "Metabolic panel"))
        #expect(exam.source == ExamSource(system: "hl7v2-filler:urn:oid:1.2.156.2", value: "F1/24323-8"))
        #expect(exam.identifiers.map(\.value) == ["F1", "P1"])
        #expect(exam.identifiers.map(\.system) == ["urn:oid:1.2.156.2", "urn:hl7v2:local:1.2.156.1/HIS"])
        #expect(exam.issued?.text == "20260510083000+0800")
        guard case .period(let start, let end) = exam.effective else {
            Issue.record("the examination took five minutes")
            return
        }
        #expect(start?.text == "20260510080000+0800" && end?.text == "20260510080500+0800")
        #expect(exam.conclusion == "First line of the order's note\nsecond line")
        #expect(exam.presentedForms == [PresentedForm(contentType: "application/pdf", title: "Report", size: 9)])
        #expect(exam.performers.map(\.display) == ["Li Xiao", "Lab One"])
        #expect(exam.performers.map { $0.identifiers.first?.value } == ["9", "LAB1"])
        #expect(exam.specimens.map(\.type?.label) == ["Blood"])
        #expect(exam.specimens.first?.identifiers.map(\.value) == ["S2", "S1"])
        #expect(exam.specimens.first?.collected?.first?.text == "20260510075500+0800")
    }

    @Test("Results keep their value, unit, range, flags, status, time and notes")
    func results() throws {
        let items = try #require(try HL7v2Content(vector: "orders.hl7").exams.first?.exam.items)
        #expect(
            items.map { $0.code.primary?.code } == [
                "29463-7", "2951-2", "2823-3", "5802-4", "5778-6", "11502-2", "SPQ",
            ]
        )
        #expect(items.map(\.status) == [.final, .corrected, .final, .final, .enteredInError, .final, .final])
        let unit = "http://unitsofmeasure.org"
        func quantity(_ value: String, _ comparator: Quantity.Comparator? = nil) -> Quantity {
            Quantity(comparator: comparator, value: value, unit: "mmol/L", system: unit, code: "mmol/L")
        }
        #expect(items[1].value == .quantity(quantity("135.0")))
        #expect(items[1].referenceRanges.first?.low == quantity("135"))
        #expect(items[1].referenceRanges.first?.high == quantity("145"))
        #expect(items[1].effective?.first?.text == "20260510081000+0800")
        #expect(items[1].notes == ["Checked again"])
        #expect(items[2].value == .quantity(quantity("3.0", .less)))
        #expect(items[2].interpretations.first?.primary?.system == "http://terminology.hl7.org/CodeSystem/v2-0078")
        #expect(items[2].effective?.first?.text == "20260510080000+0800", "the order's, where it has none")
        guard case .ratio(let one, let other) = items[3].value else {
            Issue.record("a titre is a ratio")
            return
        }
        #expect(one?.value == "1" && other?.value == "128")
        #expect(items[3].referenceRanges.first?.text == "<1:8")
        guard case .coded(let colour) = items[4].value else {
            Issue.record("a colour is a code")
            return
        }
        #expect(colour.text == "straw coloured")
        #expect(colour.codings.map(\.system) == ["L", "http://snomed.info/sct"])
        #expect(items[5].value == .text("Line one\n\nline&three\nfour"))
        #expect(items[6].specimen?.type?.label == "Blood" && items[1].specimen == nil)
    }

    @Test("A child order names its parent and begins with the parent's result")
    func child() throws {
        let exam = try #require(try HL7v2Content(vector: "orders.hl7").exams.last?.exam)
        #expect(exam.source.value == "F3/29576-6/600-7.1")
        #expect(exam.identifiers.map(\.value) == ["F3", "F2", "P2"])
        #expect(exam.items.map(\.level) == [0, 1])
        #expect(exam.items.first?.code.label == "Bacteria identified")
        #expect(exam.items.first?.value == .text("Escherichia coli"))
    }

    @Test("A patient's identifiers, name, sex and birth date are read")
    func patient() throws {
        guard case .patient(let patient) = try HL7v2Content(vector: "orders.hl7").exams.first?.subject else {
            Issue.record("there is a patient")
            return
        }
        #expect(patient.name == PersonName(text: nil, family: "诸桂荣", given: []))
        #expect(patient.sex == .male && patient.birthDate?.text == "19900307")
        #expect(
            patient.identifiers.map(\.system) == [
                "urn:hl7v2:local:1.2.156.1/HIS", "urn:oid:2.16.156.10011.1.3",
            ]
        )
        let card = try PatientIdentifier(
            system: patient.identifiers[1].system ?? "",
            value: patient.identifiers[1].value
        )
        #expect(card.system == PatientIdentifier.residentIdentityCard)
    }

    @Test(
        "Identity documents of China are known by their type, and by a digit only with a number that fits",
        arguments: [
            ("110101199003070038^^^^NNCHN", "DEU", "urn:oid:2.16.156.10011.1.3"),
            ("110101199003070038^^^^身份证", "CHN", "urn:oid:2.16.156.10011.1.3"),
            ("110101199003070038^^^GA^01", "CHN", "urn:oid:2.16.156.10011.1.3"),
            ("110101199003070038^^^GA^01", "DEU", "urn:hl7v2:local:H/GA"),
            ("110101199003070039^^^GA^01", "CHN", "urn:hl7v2:local:H/GA"),
            ("E12345678^^^GA^03", "CHN", "urn:oid:2.16.840.1.113883.4.330.156"),
            ("12345678^^^GA^03", "CHN", "urn:hl7v2:local:H/GA"),
            ("4711^^^GA&2.16.156.1&ISO^MR", "CHN", "urn:oid:2.16.156.1"), ("4711", "CHN", nil),
        ] as [(String, String, String?)]
    )
    func documents(field: String, country: String, system: String?) {
        let header = "MSH|^~\\&|A|H|||1||ORU^R01|1|P|2.4|||||\(country)|UNICODE UTF-8"
        let content = HL7v2Content("\(header)\rPID|1||\(field)\rOBR|1||1|A^B\r")
        guard case .patient(let patient) = content.exams.first?.subject else {
            Issue.record("there is a patient")
            return
        }
        #expect(patient.identifiers.map(\.system) == [system])
        #expect(patient.identifiers.first?.value == String(field.prefix { $0 != "^" }))
    }

    @Test("An exam's parts hold no other order and no other patient")
    func disclosure() throws {
        let content = try HL7v2Content(vector: "orders.hl7")
        let texts = content.exams.map { exam in
            exam.parts.map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
        }
        let marks = ["Sodium", "|600-7^", "Ciprofloxacin"]
        for (index, text) in texts.enumerated() {
            #expect(text.hasPrefix("MSH|"))
            for (other, mark) in marks.enumerated() { #expect(text.contains(mark) == (index == other)) }
            #expect(text.contains("Body weight") == (index == 0))
            #expect(!text.contains("BHS"))
        }
        let specimens = try HL7v2Content(vector: "specimens.hl7")
        #expect(
            specimens.exams.map { $0.parts.map(\.type) } == Array(repeating: ["Header", "Specimen", "Order"], count: 3)
        )
        #expect(specimens.exams.map { $0.exam.specimens.map(\.type?.label) } == [["Blood"], ["Blood"], ["Urine"]])
        #expect(specimens.exams.map { $0.exam.items.count } == [2, 2, 1])
    }

    @Test("Orders of several patients in one message stay apart")
    func patients() {
        let header = #"MSH|^~\&|LIS|HOSP|||20260510||ORU^R01|C1|P|2.4"#
        let orders = ["1", "2"].flatMap { ["PID|1||PAT\($0)", "OBR|1||F\($0)|T^Test", "OBX|1|NM|A^A||\($0)||||||F"] }
        let content = HL7v2Content(([header] + orders).joined(separator: "\r"))
        #expect(content.exams.count == 2)
        for (index, exam) in content.exams.enumerated() {
            let text = exam.parts.map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
            #expect(text.contains("PAT\(index + 1)") && !text.contains("PAT\(2 - index)"))
        }
        let two = ([header, "PID|1||A", "PID|1||B", "OBR|1||F|T^Test"]).joined(separator: "\r")
        #expect(HL7v2Content(two).codes == ["hl7.patient-conflict"])
        #expect(HL7v2Content(two).exams.isEmpty)
        let cards = [header, "PID|1||110101199003070038^^^^NNCHN~11010119900307002X^^^^NNCHN", "OBR|1||F|T^Test"]
        #expect(HL7v2Content(cards.joined(separator: "\r")).codes == ["hl7.patient-conflict"])
    }

    @Test("Without a PID or an identifier there is nobody to file the exam under")
    func subjects() {
        let header = #"MSH|^~\&|LIS|HOSP|||20260510||ORU^R01|C1|P|2.4"#
        let none = HL7v2Content([header, "OBR|1||F|T^Test"].joined(separator: "\r"))
        #expect(none.exams.map { $0.subject.refusal } == [.missing])
        let unnamed = HL7v2Content([header, "PID|1||||DOE", "OBR|1||F|T^Test"].joined(separator: "\r"))
        #expect(unnamed.exams.map { $0.subject.refusal } == [.unidentified])
    }

    @Test(
        "A correction, a deletion and a cancellation have the identity of what they change",
        arguments: [
            ("C", ExamStatus.corrected), ("X", .cancelled), ("W", .enteredInError), ("D", .enteredInError),
            ("P", .preliminary),
            ("A", .partial), ("?", .unknown),
        ]
    )
    func versions(code: String, status: ExamStatus) {
        let first = HL7v2Content.results("NM|A^A||1||||||F").exams.first?.exam
        let second = HL7v2Content.results("NM|A^A||2||||||C", order: code).exams.first?.exam
        #expect(second?.source == first?.source && second != first)
        #expect(second?.status == status)
    }

    @Test(
        "An order without a status has that of its results",
        arguments: [
            (["F", "F"], ExamStatus.final), (["F", "C"], .corrected), (["P", "I"], .preliminary),
            (["F", "P"], .partial),
            (["D", "W"], .enteredInError), (["X"], .cancelled), (["F", "?"], .unknown), (["F", "X"], .final),
        ]
    )
    func summary(codes: [String], status: ExamStatus) {
        let segments = codes.enumerated().map { "OBX|\($0)|NM|A\($0)^A||1||||||\($1)" }
        #expect(HL7v2Content.message(segments, order: "").exams.first?.exam.status == status)
    }

    @Test("Two orders of the same name in one message are two exams")
    func duplicates() {
        let content = HL7v2Content.message([
            "OBX|1|NM|A^A||1||||||F", "OBR|2|P1|F1|T1^Test^L", "OBX|1|NM|A^A||2||||||F",
        ])
        #expect(content.exams.map(\.exam.source.value) == ["F1/T1", "F1/T1#2"])
        for exam in content.exams { #expect(HL7v2ExamReader.read(exam.parts).map(\.exam) == .success(exam.exam)) }
    }

    @Test(
        "A document is one exam of its text",
        arguments: [("T02", ExamStatus.final), ("T08", .corrected), ("T11", .enteredInError)]
    )
    func document(trigger: String, status: ExamStatus) throws {
        let text = String(decoding: try TestData.vector("hl7v2/document.hl7"), as: UTF8.self)
        let content = HL7v2Content(text.replacing("MDM^T02^MDM_T02", with: "MDM^\(trigger)"))
        let exam = try #require(content.exams.first?.exam)
        #expect(content.refused.isEmpty && content.exams.count == 1)
        #expect(exam.source == ExamSource(system: "hl7v2-document:urn:hl7v2:local:HOSP/RIS", value: "DOC1"))
        #expect(exam.status == status && exam.kind == .imaging)
        #expect(exam.items.map(\.value) == [.text("No focal lesion."), .text("Normal chest.")])
        #expect(exam.conclusion == "Normal chest.")
        #expect(exam.performers.map(\.display) == ["Li Xiao"])
    }

    @Test("A message that goes on in the next one is one message")
    func continuation() throws {
        let content = try HL7v2Content(vector: "continued.hl7")
        #expect(content.refused.isEmpty)
        #expect(content.exams.map(\.exam.items.count) == [2, 1])
        #expect(content.exams.first?.exam.items.last?.value == .text("The text is cut here and goes on."))
        let bytes = [UInt8](try TestData.vector("hl7v2/continued.hl7"))
        let second = try #require(bytes.firstRange(of: Array("MSH|^~\\&|LIS|HOSP|HIE|AREA|20260510083001".utf8)))
        for half in [bytes[..<second.lowerBound], bytes[second.lowerBound...]] {
            let alone = HL7v2Content(Array(half))
            #expect(alone.codes == ["hl7.continuation-missing"])
            #expect(alone.exams.isEmpty)
        }
    }

    @Test(
        "Messages that hold no results are counted and give no exam",
        arguments: [
            ("ADT^A01", "ADT^A01"), ("ORM^O01", "ORM^O01"), ("MDM^T01", "MDM^T01"), ("ACK", "ACK"),
        ]
    )
    func skipped(type: String, name: String) {
        let content = HL7v2Content("MSH|^~\\&|A|B|||20260510||\(type)|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r")
        #expect(content.exams.isEmpty && content.refused.isEmpty)
        #expect(content.skipped == [name: 1])
    }

    @Test("Other delimiters are followed")
    func delimiters() {
        let content = HL7v2Content(
            "MSH*%$!@*LIS*HOSP***20260510**ORU%R01*1*P*2.4\rPID*1**7%%%HIS%MR**O|^~\\&!S!x\rOBR*1**F*T%Test\rOBX*1*CE*A%B!R!%L**c@1%d\r"
        )
        #expect(content.refused.isEmpty)
        let exam = content.exams.first
        #expect(exam?.exam.items.first?.code.label == "B$")
        guard case .patient(let patient) = exam?.subject else {
            Issue.record("there is a patient")
            return
        }
        #expect(patient.name?.family == "O|^~\\&%x")
    }

    @Test(
        "What follows is refused as a whole, with its code",
        arguments: [
            ("MSH|&&&&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r", "hl7.bad-delimiters"),
            ("MSH|^~\\|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r", "hl7.bad-delimiters"),
            ("MSH|^~|&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r", "hl7.bad-delimiters"),
            ("MSH|^~\\&|A|B|||1|||1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r", "hl7.message-type-missing"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\r", "hl7.order-missing"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\robx|1\r", "hl7.bad-segment"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\nOBX|1|NM|A^A||1\r", "hl7.mixed-terminators"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\u{1}\r", "hl7.bad-text"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4||||||ASCII\rPID|1||1||诸\rOBR|1||1|A^B\r", "hl7.bad-text"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4||||||EBCDIC\rPID|1||1\rOBR|1||1|A^B\r", "hl7.unknown-character-set"),
            ("PID|1||1\rOBR|1||1|A^B\r", "hl7.no-header"),
            ("", "hl7.no-header"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1\r", "hl7.code-missing"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B|||20260230\r", "hl7.bad-time"),
            ("MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B|||yesterday\r", "hl7.bad-time"),
        ]
    )
    func refused(text: String, code: String) {
        let content = HL7v2Content(text)
        #expect(content.codes == [code])
        #expect(content.exams.isEmpty)
    }

    @Test("A broken order leaves the others of its message, and a broken message the others of its file")
    func isolation() {
        let order = HL7v2Content.message([
            "OBX|1|DT|A^A||20260231||||||F", "OBR|2||F2|T2^Test", "OBX|1|NM|A^A||1||||||F",
        ])
        #expect(order.codes == ["hl7.bad-time"] && order.refused.first?.element == "OBX-5")
        #expect(order.exams.map(\.exam.source.value) == ["F2/T2"])
        let good = "MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\rOBR|1||1|A^B\r"
        let bad = "MSH|&&&&|A|B|||1||ORU^R01|1|P|2.4\rPID|1||1\r"
        let file = HL7v2Content(good + bad + good)
        #expect(file.exams.count == 2)
        #expect(file.refused.map(\.range) == [good.utf8.count..<(good + bad).utf8.count])
    }

    @Test("Every refusal code is in the documentation with its meaning")
    func documentation() throws {
        let page = TestData.repositoryFile("Documentation/Protocol/HL7v2-Import.md")
        let documentation = String(decoding: try Data(contentsOf: page), as: UTF8.self)
        for refusal in HL7v2Refusal.allCases {
            #expect(documentation.contains("| `\(refusal.code)` | \(refusal.message) |"))
        }
    }
}
