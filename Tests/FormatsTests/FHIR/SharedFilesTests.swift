import Formats
import Records
import TestSupport
import Testing

@Suite("Third-party FHIR files give what independent readers found in them")
struct SharedFilesTests {
    @Test("A file gives its truth or is refused as its verdict says", arguments: ExpectedTruth.resources)
    func verdict(_ file: ExpectedTruth.File) throws {
        let input = ParsedInput(fhir: try file.bytes())
        switch file.verdict {
        case "import":
            #expect(input.refused.isEmpty)
            self.expectTruth(file.truth, input)
        case "refuse":
            #expect(!input.refused.isEmpty)
            #expect(input.exams.isEmpty)
        default:
            // What is refused has a code; what is not must be the truth.
            if input.refused.isEmpty { self.expectTruth(file.truth, input) }
        }
    }

    private func expectTruth(_ truth: ExpectedTruth.Truth, _ input: ParsedInput) {
        let exams = input.exams.map(\.exam)
        if let digest = truth.observation_lines_sha256 {
            #expect(TruthLines.digest(TruthLines.observations(exams)) == digest)
        }
        if let digest = truth.reports_sha256 { #expect(TruthLines.digest(TruthLines.reports(input.exams)) == digest) }
        if let studies = truth.imaging {
            let found = exams.filter { !$0.imaging.isEmpty }
            #expect(found.count == studies.count)
            for (exam, study) in zip(found.sorted { $0.source.value < $1.source.value }, studies) {
                let known = studies.first { $0.uids == exam.identifiers.map(\.value) } ?? study
                #expect(known.uids == exam.identifiers.map(\.value))
                #expect(known.started == exam.imaging[0].started?.text)
                #expect(known.modality == exam.imaging[0].modalities.compactMap(\.code))
                #expect(known.series == exam.imaging[0].series.count)
                #expect(known.instances == exam.imaging[0].series.reduce(0) { $0 + $1.instances.count })
            }
        }
        if let count = truth.counts?["Patient"] { #expect(input.patients.count == count) }
        for patient in truth.patients ?? [] {
            let found = input.patients.first { $0.sourceID == patient.id }
            #expect(found?.birthDate?.text == patient.birthDate)
            #expect(found?.sex?.rawValue == patient.gender)
            #expect(found?.name?.family == patient.family)
            #expect(found?.name?.given ?? [] == patient.given ?? [])
            #expect(found?.identifiers.map { "\($0.system ?? "")|\($0.value)" } == patient.identifiers ?? [])
        }
        let exam: Set = ["Patient", "DiagnosticReport", "Observation", "ImagingStudy", "Specimen", "Bundle"]
        let others: Set = ["Practitioner", "PractitionerRole", "Organization", "Device"]
        for (type, count) in truth.counts ?? [:] where !exam.contains(type) && !others.contains(type) {
            #expect(input.skipped.first { $0.type == type }?.count == count)
        }
    }

    @Test("An exam is read again from its parts alone", arguments: ExpectedTruth.resources)
    func parts(_ file: ExpectedTruth.File) throws {
        let bytes = try file.bytes()
        for parsed in ParsedInput(fhir: bytes).exams {
            #expect(FHIRExamReader.exam(fromParts: parsed.parts) == .success(parsed.exam))
            #expect(bytes[parsed.offset...].starts(with: parsed.parts[0].bytes))
            guard case .success(let again) = FHIRExamReader.read(parsed.parts) else { continue }
            #expect(again.subject == parsed.subject)
            #expect(again.parts == parsed.parts)
        }
    }

    @Test("Files of a bulk export that are read together are joined")
    func bulk() throws {
        let files = ExpectedTruth.resources.filter { $0.path.hasPrefix("fhir/bulk-clinosim-us/") }
        guard !files.isEmpty else { return }
        var bytes: [UInt8] = []
        for file in files { bytes += try file.bytes() }
        let input = ParsedInput(fhir: bytes)
        // Two reports have an empty code, which no reader may guess.
        #expect(input.refused.map(\.refusal.code) == ["fhir.bad-code", "fhir.bad-code"])
        #expect(input.exams.allSatisfy { $0.subject.refusal == nil })
        let reports = input.exams.filter { $0.parts[0].type == "DiagnosticReport" }
        #expect(reports.count == 88)
        #expect(reports.contains { $0.exam.items.count > 1 && $0.exam.kind == .laboratory })
        #expect(Set(input.exams.map(\.exam.source)).count == input.exams.count)
    }

    @Test("A primitive value is accepted or refused as its file says", arguments: ExpectedTruth.primitives)
    func primitive(_ file: ExpectedTruth.File) throws {
        let key = JSONKey("value")
        for line in file.truth.values ?? [] {
            let text = Array("{\"value\":\(line)}".utf8)
            let isValid: Bool
            do {
                let value = try JSONReader.read(text).root
                switch file.truth.type {
                case "boolean": _ = try Self.value(value, key)?.asBoolean(key)
                case "code": _ = try value.code(key)
                case "date": _ = try value.date(key)
                case "decimal": _ = try value.decimal(key)
                case "id": _ = try value.identity(key)
                case "integer": _ = try Self.value(value, key)?.asInteger(key)
                case "positive_int": _ = try value.positiveInteger(key)
                case "string": _ = try value.text(key)
                case "uri": _ = try value.uri(key)
                default: Issue.record("no reader for this type")
                }
                isValid = true
            } catch {
                isValid = false
            }
            #expect(isValid == (file.verdict == "import"), "\(line)")
        }
    }

    private static func value(_ object: JSONValue, _ key: JSONKey) -> JSONValue? {
        object[key].flatMap { $0.kind == .null ? nil : $0 }
    }
}
