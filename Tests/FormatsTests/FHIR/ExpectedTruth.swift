import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

/// What independent readers found in the collection of third-party FHIR files.
enum ExpectedTruth {
    struct File: Sendable, CustomTestStringConvertible {
        let path: String
        let verdict: String
        let truth: Truth

        var testDescription: String { self.path }

        func bytes() throws -> [UInt8] { try TestData.sharedBytes(self.path) }
    }

    struct Truth: Decodable, Sendable {
        struct Patient: Decodable, Sendable {
            let id: String
            let identifiers: [String]?
            let birthDate: String?
            let gender: String?
            let family: String?
            let given: [String]?
        }

        struct Imaging: Decodable, Sendable {
            let id: String
            let uids: [String]
            let started: String?
            let modality: [String]
            let series: Int
            let instances: Int
        }

        let counts: [String: Int]?
        let patients: [Patient]?
        let patients_sha256: String?
        let reports_sha256: String?
        let observation_line_count: Int?
        let observation_lines_sha256: String?
        let observation_lines: [String]?
        let imaging: [Imaging]?
        let unresolvedSubjects: [String]?
        let type: String?
        let values: [String]?
    }

    private struct Entry: Decodable {
        let verdict: String
        let truth: Truth?
    }

    /// Empty where the collection is absent.
    static let files: [File] = {
        TestData.expected("fhir/", as: Entry.self).compactMap { path, entry in
            entry.truth.map { File(path: path, verdict: entry.verdict, truth: $0) }
        }
    }()

    static let resources = Self.files.filter { $0.truth.type == nil }
    static let primitives = Self.files.filter { $0.truth.type != nil }
}

/// An exam in the lines that the truth is written in.
enum TruthLines {
    /// `system|code|effective|value|unit|status`, with `+` before components.
    static func observations(_ exams: [Exam]) -> [String] {
        exams.flatMap(\.items).flatMap { item in
            [self.line(item, prefix: "")] + item.components.map { self.line($0, prefix: "+") }
        }.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    }

    /// One line per report, `code|effective|status|number of results`.
    static func reports(_ exams: [ParsedExam]) -> [String] {
        exams.filter { $0.parts[0].type.hasPrefix("DiagnosticReport") }.map { parsed in
            let exam = parsed.exam
            let code = exam.code.primary.map { "\($0.system ?? "")|\($0.code ?? "")" } ?? exam.code.text ?? ""
            let results = exam.items.count { $0.level == 0 }
            return "\(code)|\(self.text(exam.effective))|\(exam.status.rawValue)|\(results)"
        }.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    }

    static func digest(_ lines: [String]) -> String {
        Digest(hashing: Array(lines.joined(separator: "\n").utf8)).hex
    }

    private static func line(_ item: ExamItem, prefix: String) -> String {
        let code = item.code.primary.map { "\($0.system ?? "")|\($0.code ?? "")" } ?? item.code.text ?? ""
        let (value, unit) = self.value(item.value)
        return "\(prefix)\(code)|\(self.text(item.effective))|\(value)|\(unit)|\(item.status.rawValue)"
    }

    private static func text(_ period: ClinicalPeriod?) -> String { period?.first?.text ?? "" }

    private static func value(_ value: ItemValue?) -> (String, String) {
        switch value {
        case nil: ("", "")
        case .quantity(let quantity):
            ((quantity.comparator?.rawValue ?? "") + (quantity.value ?? ""), quantity.code ?? quantity.unit ?? "")
        case .coded(let concept):
            (concept.primary.map { "\($0.system ?? "")|\($0.code ?? "")" } ?? concept.text ?? "", "")
        case .text(let text): (text, "")
        case .boolean(let flag): (flag ? "true" : "false", "")
        case .integer(let number): (String(number), "")
        case .dateTime(let time): (time.text, "")
        case .time(let time): (time, "")
        case .period: ("valuePeriod", "")
        case .range: ("valueRange", "")
        case .ratio: ("valueRatio", "")
        case .sampledData: ("valueSampledData", "")
        }
    }
}
