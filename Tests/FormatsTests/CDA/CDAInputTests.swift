import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

@Suite("A CDA document becomes an exam")
struct CDAInputTests {
    private func laboratory() throws -> ParsedExam { try CDAInput.read(try CDASample.vector("laboratory")).get() }

    @Test("The header names the exam, its times and who answers for it")
    func header() throws {
        let parsed = try self.laboratory()
        let exam = parsed.exam
        #expect(parsed.format == .cda)
        #expect(exam.kind == .laboratory)
        #expect(exam.source == ExamSource(system: "cda", value: "setId/urn:oid:1.2.999.2|SET-1"))
        #expect(exam.identifiers.map(\.value) == ["DOC-2", "SET-1"])
        #expect(exam.code.text == "Laboratory report")
        #expect(exam.code.primary == Coding(system: "http://loinc.org", code: "11502-2", display: "Laboratory report"))
        #expect(exam.status == .final)
        #expect(exam.issued?.text == "20260301103000.250+0800")
        #expect(exam.issued?.earliest == Timestamp(milliseconds: 1_772_332_200_250))
        #expect(exam.effective?.first?.text == "20260301081500+0800")
        #expect(exam.performers.map(\.display) == ["Author Ada", nil, "Test Hospital"])
        #expect(exam.performers.map { $0.identifiers.map(\.value) } == [["D-1"], ["D-2"], ["H-1"]])
        #expect(exam.categories.map { $0.primary?.code } == ["R", "58410-2"])
    }

    @Test("Only identifiers that name the patient are the patient's")
    func patient() throws {
        let patient = PatientDemographics(
            identifiers: [SourceIdentifier(system: "urn:oid:1.2.999.3", value: "TEST-0001")],
            name: PersonName(text: nil, family: "Patient & Son", given: ["Test", "Q"]),
            sex: .female,
            birthDate: CDATime.read("19800229")
        )
        #expect(try self.laboratory().subject == .patient(patient))
    }

    @Test("Results keep their digits, their order and what belongs to them")
    func items() throws {
        let exam = try self.laboratory().exam
        #expect(exam.items.map(\.code.label) == ["Haemoglobin", "Film", "Isolate 1", "Ampicillin"])
        #expect(exam.items.map(\.level) == [0, 0, 0, 1])
        #expect(exam.items.allSatisfy { $0.status == .final && $0.specimen?.identifiers.first?.value == "S-77" })
        let first = exam.items[0]
        let amount = Quantity(
            comparator: nil,
            value: "96.0",
            unit: "g/L",
            system: "http://unitsofmeasure.org",
            code: "g/L"
        )
        #expect(first.value == .quantity(amount))
        #expect(first.code.codings.map(\.code) == ["718-7", "HGB"])
        #expect(first.interpretations.map { $0.primary?.code } == ["L"])
        #expect(first.method?.primary?.code == "SLS")
        #expect(first.bodySite?.label == "Arm")
        #expect(first.device == "XN-1000")
        #expect(first.notes == ["repeated"])
        #expect(exam.specimens.map { $0.type?.label } == ["Whole blood"])
        guard case .coded(let concept) = exam.items[3].value else {
            Issue.record("no code")
            return
        }
        #expect(concept.label == "Resistant")
    }

    @Test("Bounds of what is abnormal are not shown as the reference range")
    func ranges() throws {
        let ranges = try self.laboratory().exam.items[0].referenceRanges
        #expect(ranges.map { $0.low?.value } == ["115", nil])
        #expect(ranges.map { $0.high?.value } == ["150.00", nil])
        #expect(ranges.map(\.text) == [nil, "Critical low: critical"])
    }

    @Test("A value in the narrative is read as people see it, without what was deleted")
    func narrative() throws {
        #expect(try self.laboratory().exam.items[1].value == .text("Blood film: anisocytosis\nand poikilocytosis"))
    }

    @Test("The part is the document as it stands, and gives the same exam again")
    func parts() throws {
        let document = try CDASample.vector("laboratory")
        let bytes = Array("\n\n".utf8) + document + [0x0a]
        let parsed = try CDAInput.read(bytes, in: 2..<2 + document.count).get()
        #expect(parsed.offset == 2)
        #expect(parsed.parts == [RecordContent.Part(type: "ClinicalDocument", bytes: document)])
        let again = try ExamReader.read(RecordContent(format: .cda, parts: parsed.parts)).get()
        #expect(again.exam == parsed.exam)
        #expect(again.subject == parsed.subject)
    }

    @Test("A record that is not one document is refused", arguments: [0, 2])
    func partCount(_ count: Int) throws {
        let part = RecordContent.Part(type: "ClinicalDocument", bytes: try CDASample.vector("laboratory"))
        let parts = Array(repeating: part, count: count)
        #expect(CDAExamReader.read(parts) == .failure(FormatRefusal(CDARefusal.notOnePart)))
    }

    @Test("A document is recognised by its first element", arguments: ["laboratory", "wst500-7", "wst500-7.gb18030"])
    func recognised(_ name: String) throws {
        #expect(CDAInput.isDocument(startingWith: try CDASample.vector(name)[...]))
    }

    @Test(
        "Other XML is not taken for a document",
        arguments: [
            "", "<", "<!-- <ClinicalDocument/> -->", "<?xml?><Bundle/>", "<!DOCTYPE ClinicalDocument><a/>", "MSH|",
        ]
    )
    func notRecognised(_ text: String) {
        #expect(!CDAInput.isDocument(startingWith: Array(text.utf8)[...]))
    }

    @Test("Every refusal has its own stable code and a sentence, and is documented")
    func codes() throws {
        #expect(Set(CDARefusal.allCases.map(\.message)).count == CDARefusal.allCases.count)
        #expect(CDARefusal.allCases.allSatisfy { $0.code.hasPrefix("cda.") })
        let page = TestData.repositoryFile("Documentation/Protocol/CDA-Import.md")
        let documentation = String(decoding: try Data(contentsOf: page), as: UTF8.self)
        for refusal in CDARefusal.allCases {
            #expect(documentation.contains("| `\(refusal.code)` | \(refusal.message) |"))
        }
    }
}

@Suite("A corrected document has the identity of what it corrects")
struct CDAIdentityTests {
    private func source(_ text: String) throws -> ExamSource { try CDASample.read(text).exam.source }

    private static let original = #"<id root="1.2.999.1" extension="D"/>"#

    private func replacement(_ parent: String, id: String = "E", header: String = "") -> String {
        CDASample.document(
            CDASample.observation(#"<statusCode code="completed"/>"#),
            header:
                "\(header)<relatedDocument typeCode=\"RPLC\"><parentDocument>\(parent)</parentDocument></relatedDocument>"
        ).replacing(Self.original, with: #"<id root="1.2.999.1" extension="\#(id)"/>"#, maxReplacements: 1)
    }

    @Test("All versions in a set have its name")
    func set() throws {
        let first = try CDASample.laboratory()
        let second = first.replacing("DOC-2", with: "DOC-3").replacing(
            "\"1\"/>\n  <recordTarget",
            with: "\"2\"/>\n  <recordTarget"
        )
        #expect(second != first)
        #expect(try self.source(first) == self.source(second))
        #expect(try self.source(first.replacing("SET-1", with: "SET-2")) != self.source(first))
    }

    @Test("Without a set, a replacement has the name of what it replaces")
    func replaces() throws {
        let original = CDASample.document(CDASample.observation(""))
        let next = self.replacement(Self.original)
        #expect(try self.source(original) == self.source(next))
        #expect(try CDASample.read(next).exam.status == .corrected)
    }

    @Test("A parent that says nothing is no parent: forms are written with empty elements")
    func emptyParent() throws {
        let parsed = try CDASample.read(self.replacement("<id/><setId/><versionNumber/>"))
        #expect(parsed.exam.source.value == "id/urn:oid:1.2.999.1|E")
    }

    @Test("An addendum and a transformation are documents of their own", arguments: ["APND", "XFRM"])
    func others(_ type: String) throws {
        let text = self.replacement(Self.original).replacing("RPLC", with: type)
        #expect(try self.source(text).value == "id/urn:oid:1.2.999.1|E")
    }

    @Test("A replacement in another set is refused")
    func conflict() throws {
        let set = #"<setId root="1.2.999.2" extension="A"/>"#
        let parent = Self.original + set.replacing("\"A\"", with: "\"B\"")
        #expect(CDASample.refusal(self.replacement(parent, header: set)) == .setConflict)
        #expect(try self.source(self.replacement(Self.original + set)).value == "setId/urn:oid:1.2.999.2|A")
    }

    @Test("Numbers of the arc for examples join nothing but a document and its replacement")
    func examples() throws {
        let arc = "2.16.840.1.113883.19.5"
        let set = #"<setId root="\#(arc)" extension="S"/>"#
        let first = CDASample.document(CDASample.observation(""), header: set)
            .replacing("1.2.999.1", with: arc)
        let other = first.replacing("extension=\"D\"", with: "extension=\"F\"")
        let next = self.replacement(Self.original, header: set).replacing("1.2.999.1", with: arc)
        #expect(try self.source(first) != self.source(other))
        #expect(try self.source(first) == self.source(next))
        #expect(try self.source(first) != self.source(first.replacing("11502-2", with: "18748-4")))
    }

    @Test("An id that is the namespace of the patient's number names no document")
    func namespaceAsID() throws {
        let text = CDASample.document(CDASample.observation(""))
            .replacing(Self.original, with: #"<id root="1.2.999.3"/>"#)
        #expect(try self.source(text).system == "sha-256")
    }
}
