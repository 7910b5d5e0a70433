import Formats
import Foundation
import Records
import TestSupport
import Testing

@Suite("Third-party CDA documents give what independent readers found in them")
struct CDASharedFilesTests {
    struct File: Sendable, CustomTestStringConvertible {
        let path: String
        let verdict: String
        let truth: Truth

        var testDescription: String { self.path }

        func bytes() throws -> [UInt8] { try TestData.sharedBytes(self.path) }
    }

    struct Truth: Decodable, Sendable {
        struct Patient: Decodable, Sendable {
            let ids: [String]
            let family: String?
            let given: [String]
            let sex: String?
            let birth: String?
        }

        struct Body: Decodable, Sendable {
            let mediaType: String?
            let representation: String?
            let reference: String?
        }

        let resultOrVitalObservations: Int?
        let observation_lines: [String]?
        let docId: String?
        let setId: String?
        let code: String?
        let title: String?
        let effectiveTime: String?
        let patients: [Patient]?
        let nonXMLBody: Body?
    }

    private struct Entry: Decodable {
        let verdict: String
        let truth: Truth?
    }

    /// Empty where the collection is absent.
    static let files: [File] = {
        TestData.expected("cda/", as: Entry.self).compactMap { path, entry in
            entry.truth.map { File(path: path, verdict: entry.verdict, truth: $0) }
        }
    }()

    @Test("A document gives its truth or is refused as its verdict says", arguments: files)
    func verdict(_ file: File) throws {
        switch (file.verdict, CDAInput.read(try file.bytes())) {
        case ("import", .success(let parsed)): try self.expect(file.truth, parsed)
        case ("import", .failure(let fault)): Issue.record("refused: \(fault.refusal.code)")
        case ("refuse", .success), ("flag", .success): Issue.record("accepted")
        case ("refuse", .failure), ("flag", .failure): break
        default: Issue.record("a verdict without a meaning here")
        }
    }

    private func expect(_ truth: Truth, _ parsed: ParsedExam) throws {
        let exam = parsed.exam
        #expect(exam.identifiers.first.map(Self.instance) == truth.docId)
        #expect(exam.code.primary?.code == truth.code)
        #expect(exam.code.text == truth.title)
        #expect(exam.issued?.text == truth.effectiveTime)
        if let set = truth.setId {
            let found = try #require(exam.identifiers.first { $0.type?.text == "setId" })
            #expect(set.hasPrefix(Self.instance(found) + "|"))
        }
        guard case .patient(let patient) = parsed.subject, let expected = truth.patients?.first else {
            Issue.record("no patient")
            return
        }
        // A number of blanks names nobody.
        let ids = expected.ids.filter { !($0.split(separator: "|").last?.allSatisfy(\.isWhitespace) ?? true) }
        #expect(patient.identifiers.map(Self.instance) == ids)
        #expect(patient.name?.family == expected.family)
        #expect(patient.name?.given == expected.given)
        #expect(patient.sex == (expected.sex == "F" ? .female : .male))
        #expect(patient.birthDate?.text == expected.birth)
        if let body = truth.nonXMLBody {
            let form = try #require(exam.presentedForms.first)
            #expect(form.contentType == body.mediaType)
            #expect(form.title == body.reference)
            #expect((form.size != nil) == (body.representation != nil))
        }
        // The listed lines are those of two templates; results of documents without templates come on top.
        let lines = exam.items.map(Self.line)
        let listed = truth.observation_lines ?? []
        #expect(lines.starts(with: listed) || listed.isEmpty)
        if truth.resultOrVitalObservations ?? 0 > 0 { #expect(lines.count == truth.resultOrVitalObservations) }
    }

    /// `root|extension`, with `None` where there is only a root.
    private static func instance(_ identifier: SourceIdentifier) -> String {
        let isRoot = identifier.system == "urn:ietf:rfc:3986"
        let uri = isRoot ? identifier.value : identifier.system ?? ""
        let root = uri.replacing("urn:oid:", with: "").replacing("urn:uuid:", with: "")
        return root + "|" + (isRoot ? "None" : identifier.value)
    }

    /// `code|effectiveTime|xsi:type|value|unit|interpretation|status`, as far as an exam holds it.
    private static func line(_ item: ExamItem) -> String {
        var (type, value, unit) = ("", "", "")
        switch item.value {
        case .quantity(let quantity):
            (type, value, unit) = ("PQ", quantity.value ?? "", quantity.unit ?? "")
            // An amount whose unit is no UCUM code stands in a translation, which the independent reader leaves out.
            if quantity.code == nil, quantity.unit != nil { (value, unit) = ("nullFlavor=OTH", "") }
        case .range(let low, let high): (type, value) = ("IVL_PQ", "[\(low?.value ?? "");\(high?.value ?? "")]")
        case .text(let text): (type, value) = text.count > 100 ? ("ED", "") : ("ST", text)
        case nil: (type, value) = ("PQ", "nullFlavor=\(item.dataAbsentReason?.primary?.code ?? "")")
        default: type = "another"
        }
        let status: [ExamStatus: String] = [.final: "completed", .registered: "active"]
        return [
            item.code.primary?.code ?? "", item.effective?.first?.text ?? "", type, value, unit,
            item.interpretations.first?.primary?.code ?? "", status[item.status] ?? item.status.rawValue,
        ].joined(separator: "|")
    }

    @Test("An exam is read again from its parts alone", arguments: files)
    func parts(_ file: File) throws {
        let bytes = try file.bytes()
        guard case .success(let parsed) = CDAInput.read(bytes) else { return }
        #expect(parsed.parts.map(\.bytes) == [bytes])
        let again = try CDAExamReader.read(parsed.parts).get()
        #expect(again.exam == parsed.exam)
        #expect(again.subject == parsed.subject)
    }

    @Test("Documents that share a header do not become versions of each other")
    func identities() throws {
        let sources = Self.files.compactMap { file in
            (try? CDAInput.read(try file.bytes()).get()).map { parsed in
                [parsed.exam.source.value, "\(parsed.subject)"]
            }
        }
        #expect(Set(sources).count == sources.count)
    }

    @Test("An imaging report lists its study, its findings and its impression")
    func imaging() throws {
        guard let file = Self.files.first(where: { $0.path.hasSuffix("Diagnostic_Imaging_Report.xml") }) else { return }
        let exam = try CDAInput.read(try file.bytes()).get().exam
        #expect(exam.kind == .imaging)
        let study = try #require(exam.imaging.first)
        #expect(study.studyUID == "1.2.840.113619.2.62.994044785528.114289542805")
        #expect(study.modalities.map(\.code) == ["CR"])
        #expect(study.series.map(\.instances.count) == [2])
        #expect(exam.conclusion?.contains("Round density in left superior hilus") == true)
        #expect(exam.items.map(\.level) == [0, 1])
        #expect(exam.items.last?.code.primary?.code == "246120007")
    }
}
