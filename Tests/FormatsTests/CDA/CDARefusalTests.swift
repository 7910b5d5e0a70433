import Formats
import Foundation
import Records
import TestSupport
import Testing

@Suite("A document that could harm is refused with its code")
struct CDARefusalTests {
    /// A change of the laboratory document, and what it must be refused with.
    struct Change: Sendable, CustomTestStringConvertible {
        let code: CDARefusal
        let from: String
        let to: String

        init(_ code: CDARefusal, _ from: String, _ to: String) {
            self.code = code
            self.from = from
            self.to = to
        }

        var testDescription: String { "\(self.code.rawValue): \(self.from) -> \(self.to)" }
    }

    private static let target =
        "<recordTarget><patientRole><id root=\"1\" extension=\"2\"/></patientRole></recordTarget>"

    static let changes: [Change] = [
        Change(.xmlSyntax, "</title>", "</titel>"),
        Change(.xmlSyntax, "&amp;", "&nbsp;"),
        Change(.xmlSyntax, "&amp;", "&#0;"),
        Change(.xmlSyntax, "value=\"19800229\"", "value=\"19800229\" value=\"19800228\""),
        Change(.xmlSyntax, "</ClinicalDocument>", "</ClinicalDocument><x/>"),
        Change(.xmlNamespace, "xsi:type=\"CD\"", "xs:type=\"CD\""),
        Change(.documentType, "<ClinicalDocument", "<!DOCTYPE ClinicalDocument><ClinicalDocument"),
        Change(.unknownEncoding, "UTF-8", "EBCDIC-CP-US"),
        Change(.encodingConflict, "UTF-8", "UTF-16"),
        Change(.notCDA, "ClinicalDocument", "Bundle"),
        Change(.wrongNamespace, "xmlns=\"urn:hl7-org:v3\"", "xmlns=\"urn:hl7-org:v2\""),
        Change(.wrongNamespace, "xmlns=\"urn:hl7-org:v3\"", ""),
        Change(.elementMissing, "<id root=\"1.2.999.1\" extension=\"DOC-2\"/>", ""),
        Change(.elementMissing, "<id root=\"1.2.999.1\" extension=\"DOC-2\"/>", "<id nullFlavor=\"UNK\"/>"),
        Change(.elementMissing, "<effectiveTime value=\"20260301103000.250+0800\"/>", "<effectiveTime value=\" \"/>"),
        Change(.elementMissing, " moodCode=\"EVN\">\n        <code code=\"718-7\"", "><code code=\"718-7\""),
        Change(.elementRepeated, "<versionNumber", "<setId root=\"1\" extension=\"2\"/><versionNumber"),
        Change(.bodyMissing, "structuredBody", "unstructuredBody"),
        Change(.codeMissing, "<code displayName=\"Ampicillin\"/>", "<code nullFlavor=\"UNK\"/>"),
        Change(.patientMissing, "recordTarget", "recordTargets"),
        Change(.severalPatients, "<recordTarget>", target + "<recordTarget>"),
        Change(.severalPatients, "<patient>", "<patient/><patient>"),
        Change(.patientUnidentified, "<id root=\"1.2.999.3\" extension=\"TEST-0001\"/>", ""),
        Change(.patientUnidentified, "<id root=\"1.2.999.3\" extension=\"TEST-0001\"/>", "<id root=\"1.2.999.3\"/>"),
        Change(.subjectConflict, "<specimen>", "<subject><relatedSubject/></subject><specimen>"),
        Change(.subjectConflict, "<title>Results", "<subject/><title>Results"),
        Change(.badID, "root=\"1.2.999.3\"", "root=\"1.2 999\""),
        Change(.badID, "TEST-0001", "TEST&#10;0001"),
        Change(.badCode, "code=\"F\"", "code=\"X\""),
        Change(.badStatus, "<statusCode code=\"completed\"/>", "<statusCode code=\"complete\"/>"),
        Change(.badTime, "19800229", "19810229"),
        Change(.badTime, "value=\"20260301081500+0800\"", "value=\"2026-03-01\""),
        Change(.badNumber, "value=\"96.0\"", "value=\"96,0\""),
        Change(.badNumber, "value=\"96.0\"", "value=\"&lt;96\""),
        Change(.badNumber, "value=\"96.0\"", "value=\"\(String(repeating: "9", count: 129))\""),
        Change(.badBoolean, "<low value=\"115\"", "<low inclusive=\"maybe\" value=\"115\""),
        Change(
            .badBoolean,
            "moodCode=\"EVN\">\n        <code code=\"718",
            "moodCode=\"EVN\" negationInd=\"no\"><code code=\"718"
        ),
        Change(.valueTypeMissing, "<value xsi:type=\"CD\"", "<value"),
        Change(.unknownValueType, "xsi:type=\"CD\"", "xsi:type=\"Quantity\""),
    ]

    @Test("A fault has its code and its place", arguments: changes)
    func changed(_ change: Change) throws {
        let original = try CDASample.laboratory()
        let text = original.replacing(change.from, with: change.to)
        try #require(text != original, "the change does nothing")
        let bytes = Array(text.utf8)
        guard case .failure(let fault) = CDAInput.read(bytes) else {
            Issue.record("accepted")
            return
        }
        #expect(fault.refusal == change.code)
        #expect((0...bytes.count).contains(fault.offset))
        #expect(fault.line == 1 + bytes[..<fault.offset].count { $0 == 0x0a })
        if fault.element != nil { #expect(bytes[fault.offset] == UInt8(ascii: "<")) }
    }

    @Test("The place of a fault is the tag at fault, in every encoding", arguments: [String.Encoding.utf8, .utf16])
    func place(_ encoding: String.Encoding) throws {
        let text = try CDASample.laboratory().replacing("19800229", with: "19810229")
            .replacing("Test Hospital", with: "医院🏥").replacing("Synthetic", with: "合成🧪")
            .replacing("UTF-8", with: encoding == .utf8 ? "UTF-8" : "UTF-16")
        let bytes = [UInt8](try #require(text.data(using: encoding)))
        guard case .failure(let fault) = CDAInput.read(bytes) else {
            Issue.record("accepted")
            return
        }
        #expect(fault.element == "birthTime")
        let tag = [UInt8](try #require("<birthTime".data(using: encoding == .utf8 ? .utf8 : .utf16LittleEndian)))
        let rest = bytes[fault.offset...]
        #expect(rest.starts(with: tag) || rest.dropFirst().starts(with: tag))
    }

    @Test("Identifiers and texts never enter a refusal")
    func silence() throws {
        for refusal in CDARefusal.allCases { #expect(!refusal.message.contains("TEST-0001")) }
        let text = try CDASample.laboratory().replacing("TEST-0001", with: "TEST&#10;0001")
        guard case .failure(let fault) = CDAInput.read(Array(text.utf8)) else {
            Issue.record("accepted")
            return
        }
        #expect(fault.element == "extension")
    }
}

@Suite("Bodies that are not XML become rendered forms")
struct CDAFormTests {
    private func document(_ body: String) -> String {
        let text = CDASample.document("")
        let start = text.firstRange(of: "<component>")?.lowerBound ?? text.endIndex
        return text[..<start] + "<component><nonXMLBody>\(body)</nonXMLBody></component></ClinicalDocument>"
    }

    @Test("Embedded data is counted in bytes, whatever white space it holds")
    func embedded() throws {
        let body = "<text mediaType=\"application/pdf\" representation=\"B64\">\n JVBE\n Ri0x Lg==</text>"
        let exam = try CDASample.read(self.document(body)).exam
        #expect(exam.presentedForms == [PresentedForm(contentType: "application/pdf", title: nil, size: 7)])
        #expect(exam.conclusion == nil)
    }

    @Test(
        "A plain text can be read at once",
        arguments: [
            "<text>Findings:\nnone</text>",
            "<text mediaType=\"text/plain\" representation=\"B64\">RmluZGluZ3M6Cm5vbmU=</text>",
        ]
    )
    func plain(_ body: String) throws {
        let exam = try CDASample.read(self.document(body)).exam
        #expect(exam.conclusion == "Findings:\nnone")
        #expect(exam.presentedForms.map(\.contentType) == ["text/plain"])
    }

    @Test("A reference is noted, never followed: its form has no size")
    func reference() throws {
        let exam = try CDASample.read(self.document("<text><reference value=\"file:///etc/passwd\"/></text>")).exam
        #expect(exam.presentedForms == [PresentedForm(contentType: nil, title: "file:///etc/passwd", size: nil)])
    }

    @Test("What is not base64 is refused", arguments: ["JVBERi...", "JVBE=Ri0", "J", "====", "JVBERg=", ""])
    func badBase64(_ text: String) {
        let body = "<text mediaType=\"application/pdf\" representation=\"B64\">\(text)</text>"
        #expect(CDASample.refusal(self.document(body)) == .badBase64)
    }
}
