import Foundation
import TestSupport
import Testing

/// What an independent reader found in the collection of third-party tables.
enum CSVExpectedTruth {
    struct File: Sendable, CustomTestStringConvertible {
        let path: String
        let verdict: String
        let truth: Truth

        var testDescription: String { self.path }

        func bytes() throws -> [UInt8] { try TestData.sharedBytes(self.path) }
    }

    struct Truth: Decodable, Sendable {
        let encoding: String?
        let columns: Int?
        let header: [String]?
        let rows: Int?
        let ragged: Int?
        let distinct: [String: Int]?
        let values: [String: [String: Int]]?
        let duplicateRows: Int?
        let patients: Int?
        let results: Int?
    }

    private struct Entry: Decodable {
        let verdict: String
        let truth: Truth?
    }

    /// Empty where the collection is absent.
    static let files: [File] = {
        TestData.expected("csv/", as: Entry.self).compactMap { path, entry in
            entry.truth.map { File(path: path, verdict: entry.verdict, truth: $0) }
        }
    }()

    static let tables = Self.files.filter { $0.path.hasSuffix(".csv") }
    static let lines = Self.files.filter { $0.path.hasSuffix(".ndjson") }

    /// Files with patient identifiers and values, whose header alone suggests a mapping.
    static let suggested = Self.tables.filter { file in
        ["clinosim-us/lab_results", "derived-zh/", "duplicate", "fake-pdi", "simple", "vt_test", "SR-UPLOAD"]
            .contains { file.path.contains($0) }
    }
}
