import Formats
import Records
import TestSupport
import Testing

@Suite("Reports in the layout of WS/T 500-2016 become exams")
struct ChineseReportTests {
    @Test("The identity card is found below the person, and numbers of the order are not the patient's")
    func patient() throws {
        let parsed = try CDAInput.read(try CDASample.vector("wst500-7")).get()
        guard case .patient(let patient) = parsed.subject else {
            Issue.record("no patient")
            return
        }
        // A hospital's numbers share one OID in the whole country: the hospital tells them apart.
        #expect(
            patient.identifiers.map { "\($0.system ?? "")|\($0.value)" } == [
                "urn:oid:2.16.156.10011.1.11#TESTORG01|MZ-1", "urn:oid:2.16.156.10011.1.3|110101198002290042",
            ]
        )
        let card = patient.identifiers[1]
        let identifier = try PatientIdentifier(system: card.system ?? "", value: card.value)
        #expect(identifier.system == PatientIdentifier.residentIdentityCard)
        #expect(patient.name?.label == "测试患者一")
        #expect(patient.sex == .female)
        #expect(parsed.exam.identifiers.map(\.value) == ["RN-TEST-1", "R-100", "A-100", "S-77"])
    }

    @Test("The observations that make up one result are joined")
    func laboratory() throws {
        let exam = try CDAInput.read(try CDASample.vector("wst500-7")).get().exam
        #expect(exam.kind == .laboratory)
        #expect(exam.status == .final)
        #expect(exam.conclusion == "轻度贫血")
        #expect(exam.performers.map(\.display) == ["王测试", "李测试", "测试医院", "检验科"])
        #expect(exam.items.map(\.code.label) == ["检验类别", "血红蛋白", "尿蛋白"])
        let amount = Quantity(comparator: nil, value: "96.0", unit: "g/L", system: nil, code: nil)
        #expect(exam.items.map(\.value) == [.text("临床检验"), .quantity(amount), .text("阴性")])
        let haemoglobin = exam.items[1]
        #expect(haemoglobin.interpretations.map(\.label) == ["异常"])
        #expect(haemoglobin.effective?.first?.text == "202603010815")
        #expect(haemoglobin.specimen?.type?.label == "全血")
        #expect(haemoglobin.specimen?.display == "合格")
        #expect(haemoglobin.specimen?.collected?.first?.text == "202603010730")
        #expect(haemoglobin.status == .final, "the document is signed, and says nothing else")
    }

    @Test("Amounts that follow several names belong to the name before them")
    func sequence() throws {
        func entry(_ code: String, _ value: String) -> String {
            "<entry><observation classCode=\"OBS\" moodCode=\"EVN\"><code code=\"\(code)\" codeSystem=\"2.16.156.10011.2.2.1\""
                + " displayName=\"\(code)\"/>\(value)</observation></entry>"
        }
        func name(_ text: String) -> String { entry("DE04.30.020.00", "<value xsi:type=\"ST\">\(text)</value>") }
        func amount(_ digits: String) -> String {
            entry("DE04.30.015.00", "<value xsi:type=\"REAL\" value=\"\(digits)\"/>")
        }
        let entries = [amount("0"), name("A"), amount("1"), amount("2"), name("B"), name("C"), amount("3")].joined()
        let items = try CDASample.read(CDASample.document(entries)).exam.items
        #expect(items.map(\.code.label) == ["DE04.30.015.00", "A", "DE04.30.015.00", "B", "C"])
        let digits = items.map { item -> String? in
            if case .quantity(let quantity)? = item.value { quantity.value } else { nil }
        }
        #expect(digits == ["0", "1", "2", nil, "3"])
    }

    @Test("Two identity cards are two persons")
    func twoCards() throws {
        let text = String(decoding: try CDASample.vector("wst500-7"), as: UTF8.self)
        let other = text.replacing(
            "<id root=\"2.16.156.10011.1.11\" extension=\"MZ-1\"/>",
            with: "<id root=\"2.16.156.10011.1.3\" extension=\"110101198002290018\"/>"
        )
        #expect(CDASample.refusal(other) == .patientConflict)
    }

    @Test("An examination report has findings, a conclusion and the kind that its category says")
    func examination() throws {
        let text = String(decoding: try CDASample.vector("wst500-6"), as: UTF8.self)
        let exam = try CDASample.read(text).exam
        #expect(exam.kind == .imaging)
        #expect(exam.conclusion == "未见明显异常")
        #expect(exam.items.map(\.code.label) == ["检查类别", "胸部CT平扫", "检查报告结果-客观所见"])
        #expect(exam.items[2].value == .text("双肺纹理清晰，\n未见实变。"))
        #expect(try CDASample.read(text.replacing("放射检查", with: "心电图")).exam.kind == .function)
        #expect(try CDASample.read(text.replacing("放射检查", with: "其他")).exam.kind == .other)
    }
}
