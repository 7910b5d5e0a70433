import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

@Suite("FHIR resources become exams")
struct FHIRInputTests {
    private func input(_ name: String) throws -> ParsedInput {
        ParsedInput(fhir: [UInt8](try TestData.vector("fhir/\(name)")))
    }

    @Test("A transaction gives its report, its study and the observation that belongs to neither")
    func transaction() throws {
        let input = try self.input("transaction.json")
        #expect(input.refused.isEmpty)
        #expect(input.skipped.map(\.type) == ["Condition"])
        #expect(input.exams.map(\.exam.kind) == [.laboratory, .vitalSigns, .imaging])
        #expect(input.exams.map(\.bundleIndex) == [4, 9, 10])
        let patient = PatientDemographics(
            sourceID: "p1",
            identifiers: [
                SourceIdentifier(
                    system: "urn:oid:1.2.156.112604.1",
                    value: "TEST-0001",
                    type: CodedConcept(text: "病案号", codings: [])
                )
            ],
            name: PersonName(text: "测试患者一", family: "测试", given: ["患者一"]),
            sex: .female,
            birthDate: FHIRTime.date("1980-02-29")
        )
        #expect(input.patients == [patient])
        #expect(input.exams.allSatisfy { $0.subject == .patient(patient) })
    }

    @Test("A report carries everything that a clinician reads")
    func report() throws {
        let exam = try #require(try self.input("transaction.json").exams.first?.exam)
        #expect(exam.source == ExamSource(system: "fhir", value: "DiagnosticReport/report-1"))
        #expect(exam.identifiers.map(\.value) == ["R-100"])
        #expect(exam.code.label == "血常规")
        #expect(exam.status == .final)
        #expect(exam.effective?.first?.text == "2026-03-01T08:15:00+08:00")
        #expect(exam.issued?.text == "2026-03-01T10:30:00.250+08:00")
        #expect(exam.issued?.earliest == Timestamp(milliseconds: 1_772_332_200_250))
        #expect(exam.performers.map(\.display) == ["检验科", "王 测试"])
        #expect(exam.performers[0].identifiers.map(\.value) == ["LAB-1"])
        #expect(exam.specimens.map(\.type?.text) == ["全血"])
        #expect(exam.conclusion == "轻度贫血")
        #expect(exam.conclusionCodes.first?.primary?.code == "271737000")
        #expect(exam.presentedForms == [PresentedForm(contentType: "application/pdf", title: "report.pdf", size: 9)])
    }

    @Test("Results keep their digits, order, groups and components")
    func items() throws {
        let items = try #require(try self.input("transaction.json").exams.first?.exam.items)
        #expect(items.map(\.code.primary?.code) == ["718-7", "1988-5", "55284-4", "8867-4"])
        #expect(items.map(\.level) == [0, 0, 0, 1])
        let first = items[0]
        #expect(
            first.value
                == .quantity(
                    Quantity(
                        comparator: nil,
                        value: "96.0",
                        unit: "g/L",
                        system: "http://unitsofmeasure.org",
                        code: "g/L"
                    )
                )
        )
        #expect(first.interpretations.first?.primary?.code == "L")
        #expect(first.referenceRanges.first?.high?.value == "150.00")
        #expect(first.referenceRanges.first?.text == "成年女性")
        #expect(first.notes == ["复查"])
        #expect(first.method?.label == "SLS")
        #expect(first.device == "XN-1000")
        #expect(first.specimen?.identifiers.first?.value == "S-77")
        guard case .quantity(let below) = items[1].value else {
            Issue.record("no quantity")
            return
        }
        #expect(below.comparator == .less)
        #expect(below.value == "5e-1")
        #expect(items[2].components.map(\.code.text) == ["systolic", "diastolic"])
        #expect(items[2].components[1].dataAbsentReason?.text == "not measured")
        #expect(items[3].value == .integer(61))
    }

    @Test("An imaging study carries its UIDs and counts")
    func study() throws {
        let exam = try #require(try self.input("transaction.json").exams.last?.exam)
        #expect(exam.source == ExamSource(system: "urn:dicom:uid", value: "urn:oid:1.2.840.99999999.1.77"))
        #expect(exam.code.label == "胸部CT")
        #expect(exam.time?.precision == .day)
        let study = try #require(exam.imaging.first)
        #expect(study.studyUID == "1.2.840.99999999.1.77")
        #expect(study.modalities.map(\.code) == ["CT"])
        #expect(study.numberOfInstances == 2)
        #expect(study.series.first?.bodySite?.code == "51185008")
        #expect(
            study.series.first?.instances.map(\.sopClass) == Array(repeating: "1.2.840.10008.5.1.4.1.1.2", count: 2)
        )
    }

    @Test("References are followed on their own server, and a study is part of the report that names it")
    func searchset() throws {
        let input = try self.input("searchset.json")
        #expect(input.refused.isEmpty)
        let parsed = try #require(input.exams.first)
        #expect(input.exams.count == 1)
        #expect(parsed.exam.kind == .imaging)
        #expect(parsed.exam.imaging.first?.series.count == 2)
        guard case .patient(let patient) = parsed.subject else {
            Issue.record("no patient")
            return
        }
        #expect(patient.sex == .female, "the patient of the report's server, not its namesake elsewhere")
    }

    @Test("Contained resources are found in their container only")
    func contained() throws {
        let parsed = try #require(try self.input("contained.json").exams.first)
        #expect(parsed.exam.items.map(\.code.text) == ["pH", "clot"])
        #expect(parsed.exam.items.map(\.value) == [.quantity(Self.plain("7.4")), .boolean(false)])
        #expect(parsed.exam.source == ExamSource(system: "urn:test:report", value: "R-7"))
        #expect(parsed.parts.count == 1)
        #expect(parsed.subject.refusal == nil)
    }

    private static func plain(_ value: String) -> Quantity {
        Quantity(comparator: nil, value: value, unit: nil, system: nil, code: nil)
    }

    @Test("Lines are joined in whatever order they come")
    func lines() throws {
        let bytes = [UInt8](try TestData.vector("fhir/lines.ndjson"))
        let input = ParsedInput(fhir: bytes)
        #expect(input.refused.isEmpty)
        #expect(input.exams.map(\.exam.code.text) == ["R", "D"])
        #expect(input.exams[0].exam.items.map(\.code.text) == ["A", "B", "C"])
        #expect(input.exams[0].exam.items.map(\.level) == [0, 0, 1])
        #expect(input.exams[1].exam.items[0].value == .dateTime(try #require(FHIRTime.dateTime("2026"))))
        let lines = FHIRForm.lines(of: bytes)
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20 {
            var shuffled: [UInt8] = []
            for line in lines.shuffled(using: &generator) { shuffled += bytes[line] + [0x0a] }
            let exams = ParsedInput(fhir: shuffled).exams.map(\.exam)
            #expect(Set(exams) == Set(input.exams.map(\.exam)))
            #expect(exams.count == 2)
        }
    }

    @Test("An exam is read again from its parts alone", arguments: ["transaction", "searchset", "contained"])
    func parts(_ name: String) throws {
        for parsed in try self.input("\(name).json").exams {
            #expect(FHIRExamReader.exam(fromParts: parsed.parts) == .success(parsed.exam))
        }
    }

    @Test("A version number does not make another exam, another content does not either")
    func identity() throws {
        let text = String(decoding: try TestData.vector("fhir/transaction.json"), as: UTF8.self)
        let first = ParsedInput(fhir: Array(text.utf8)).exams[0]
        let changed = text.replacing("\"versionId\": \"3\"", with: "\"versionId\": \"4\"")
            .replacing("轻度贫血", with: "中度贫血")
        let second = ParsedInput(fhir: Array(changed.utf8)).exams[0]
        #expect(first.exam.source == second.exam.source)
        #expect(first.parts[0].bytes != second.parts[0].bytes)
    }

    @Test("What is wrong with one exam leaves the others as they are")
    func isolation() throws {
        let text = String(decoding: try TestData.vector("fhir/transaction.json"), as: UTF8.self)
        let broken = text.replacing("\"started\": \"2026-03-02\"", with: "\"started\": \"2026-02-30\"")
        let input = ParsedInput(fhir: Array(broken.utf8))
        #expect(input.exams.map(\.bundleIndex) == [4, 9])
        let piece = try #require(input.refused.first)
        #expect(input.refused.count == 1)
        #expect(piece.refusal == FormatRefusal(FHIRRefusal.badDate))
        #expect(piece.element == "started")
        #expect(piece.bundleIndex == 10)
        #expect(Array(broken.utf8)[piece.offset...].starts(with: Array("\"2026-02-30\"".utf8)))
    }

    @Test("Observations that group each other in a ring are one exam")
    func ring() {
        let ring = ["a b", "b c", "c a"].map { pair in
            let names = pair.split(separator: " ")
            return #"{"resourceType":"Observation","id":"\#(names[0])","status":"final","code":{"text":"x"},"#
                + #""subject":{"reference":"Patient/1"},"hasMember":[{"reference":"Observation/\#(names[1])"}]}"#
        }
        let input = ParsedInput(fhir: Array(ring.joined(separator: "\n").utf8))
        #expect(input.exams.map { $0.exam.items.count } == [3])
        #expect(input.refused.isEmpty)
    }

    @Test("A chain of groups that is too deep is refused")
    func deepGroups() {
        let chain = (0..<40).map { index in
            #"{"resourceType":"Observation","id":"o\#(index)","status":"final","code":{"text":"x"},"#
                + #""hasMember":[{"reference":"Observation/o\#(index + 1)"}]}"#
        }
        let last = #"{"resourceType":"Observation","id":"o40","status":"final","code":{"text":"x"}}"#
        let input = ParsedInput(fhir: Array((chain + [last]).joined(separator: "\n").utf8))
        #expect(input.exams.isEmpty)
        #expect(input.refused.map(\.refusal) == [FormatRefusal(FHIRRefusal.tooManyItems)])
    }

    @Test("An exam without a patient says why it cannot be filed")
    func subjects() {
        let cases: [(String, SubjectRefusal?)] = [
            ("", .missing),
            (#","subject":{"reference":"Patient/9"}"#, .unresolved),
            (#","subject":{"reference":"Group/9"}"#, .notAPatient),
            (#","subject":{"display":"somebody"}"#, .unresolved),
            (#","subject":{"identifier":{"system":"urn:x","value":"9"}}"#, nil),
            (#","subject":{"reference":"Patient?identifier=urn%3Ax|9"}"#, nil),
        ]
        for (subject, refusal) in cases {
            let text = #"{"resourceType":"Observation","status":"final","code":{"text":"x"}"# + subject + "}"
            #expect(ParsedInput(fhir: Array(text.utf8)).exams.map(\.subject.refusal) == [refusal], "\(subject)")
        }
    }

    @Test("Every refusal has its own stable code and a sentence")
    func codes() throws {
        #expect(Set(FHIRRefusal.allCases.map(\.message)).count == FHIRRefusal.allCases.count)
        #expect(FHIRRefusal.allCases.allSatisfy { $0.code.hasPrefix("fhir.") })
        let page = TestData.repositoryFile("Documentation/Protocol/FHIR-Import.md")
        let documentation = String(decoding: try Data(contentsOf: page), as: UTF8.self)
        for refusal in FHIRRefusal.allCases {
            #expect(documentation.contains("| `\(refusal.code)` | \(refusal.message) |"))
        }
    }
}

@Suite("Malformed FHIR is refused with its code")
struct FHIRRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let line: Int
        let code: String
        let element: String
        let input: [UInt8]

        var testDescription: String { "line \(self.line): \(self.code)" }
    }

    static let cases: [Case] = {
        guard let data = try? TestData.vector("fhir/refusals.ndjson") else { return [] }
        let bytes = [UInt8](data)
        return FHIRForm.lines(of: bytes).enumerated().compactMap { index, range in
            guard let root = try? JSONReader.read(bytes, in: range).root, let code = root[JSONKey("code")]?.string,
                let element = root[JSONKey("element")]?.string, let input = root[JSONKey("input")]
            else { return nil }
            return Case(line: index + 1, code: code, element: element, input: Array(input.bytes))
        }
    }()

    @Test("There are cases")
    func exist() { #expect(Self.cases.count > 60) }

    @Test("The first refusal names the code and the element", arguments: Self.cases)
    func refusal(_ given: Case) throws {
        let piece = try #require(ParsedInput(fhir: given.input).refused.first)
        #expect(piece.refusal.code == given.code)
        #expect(piece.element == given.element)
        #expect(given.input.indices.contains(piece.offset))
        #expect(piece.range.upperBound <= given.input.count)
    }
}
