import Formats
import Foundation
import ImportPipeline
import Records
import TestSupport
import Testing

@Suite("Files, folders and bulk exports give their exams")
struct ImportReaderTests {
    private struct Result {
        var exams: [(exam: ParsedExam, position: InputPosition)] = []
        var refused: [RefusedInput] = []
        var skipped: [String: Int] = [:]
        var progress: [ImportProgress] = []
    }

    private func read(
        _ paths: [String],
        _ options: ImportOptions = ImportOptions(),
        each: (ImportUnit) throws -> Void = { _ in }
    ) throws -> Result {
        let spool = try TemporaryFolder()
        var result = Result()
        try ImportReader(spoolFolder: spool.url, options: options).read(paths.map { .path($0) }) { unit in
            try each(unit)
            switch unit {
            case .exam(let exam, let position): result.exams.append((exam, position))
            case .refused(let refused): result.refused.append(refused)
            case .skipped(let type, let count): result.skipped[type] = count
            case .progress(let progress): result.progress.append(progress)
            }
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: spool.url.path)
        #expect(left.isEmpty, "the spool is removed")
        return result
    }

    private static func vector(_ name: String) throws -> [UInt8] { [UInt8](try TestData.vector("fhir/\(name)")) }

    @Test("A Bundle, a folder of single resources and lines are read in one run")
    func mixed() throws {
        let folder = try TemporaryFolder()
        let lines = try Self.vector("lines.ndjson")
        for (index, line) in FHIRForm.lines(of: lines).enumerated() {
            try Data(lines[line]).write(to: folder.file("resource-\(index).json"))
        }
        try Data(try Self.vector("transaction.json")).write(to: folder.file("transaction.json"))
        try Data("see readme".utf8).write(to: folder.file("README"))
        let result = try self.read([folder.url.path])
        #expect(result.refused.isEmpty)
        let expected = ParsedInput(fhir: try Self.vector("transaction.json")).exams + ParsedInput(fhir: lines).exams
        #expect(result.exams.map(\.exam.exam) == expected.map(\.exam))
        #expect(result.exams.map(\.exam.parts) == expected.map(\.parts))
        #expect(result.exams.map(\.exam.subject) == expected.map(\.subject))
        #expect(result.exams.map(\.position.file).suffix(2).allSatisfy { $0.contains("/resource-") })
        #expect(result.skipped == ["Condition": 2, "file": 1])
    }

    @Test(
        "Resources in separate files are joined in whatever order the files are read",
        arguments: 0..<8 as Range<UInt64>
    )
    func separateFiles(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let folder = try TemporaryFolder()
        let bytes = try Self.vector("lines.ndjson")
        var files: [Int: [UInt8]] = [:]
        for line in FHIRForm.lines(of: bytes).shuffled(using: &generator) {
            files[Int.random(in: 0..<3, using: &generator), default: []] += bytes[line] + [0x0d, 0x0a]
        }
        for (index, content) in files { try Data(content).write(to: folder.file("\(index).ndjson")) }
        let result = try self.read([folder.url.path])
        let expected = ParsedInput(fhir: bytes).exams.map(\.exam)
        #expect(Set(result.exams.map(\.exam.exam)) == Set(expected))
        #expect(result.exams.count == expected.count)
        for (parsed, position) in result.exams {
            let file = [UInt8](try Data(contentsOf: URL(fileURLWithPath: position.file)))
            #expect(file[Int(position.offset)...].starts(with: parsed.parts[0].bytes))
            #expect(file[..<Int(position.offset)].count { $0 == 0x0a } == position.line - 1)
        }
        let again = try self.read([folder.url.path])
        #expect(again.exams.map(\.exam) == result.exams.map(\.exam), "the order is stable")
    }

    @Test("A bulk export of a third party is joined as it is in memory")
    func bulk() throws {
        guard let shared = TestData.shared else { return }
        let folder = shared.appending(path: "fhir/bulk-clinosim-us")
        let result = try self.read([folder.path])
        var bytes: [UInt8] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            bytes += try Data(contentsOf: folder.appending(path: name))
        }
        let expected = ParsedInput(fhir: bytes)
        #expect(result.exams.map(\.exam.exam) == expected.exams.map(\.exam))
        #expect(result.refused.map(\.code) == ["fhir.bad-code", "fhir.bad-code"])
        #expect(result.refused.allSatisfy { $0.position.file.hasSuffix("DiagnosticReport.ndjson") })
        #expect(result.skipped == ["Encounter": 150])
    }

    @Test("What is wrong is refused with its place, and the rest is read")
    func refusals() throws {
        let folder = try TemporaryFolder()
        let observation = #"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"#
        let lines = [
            #"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:x","value":"1"}]}"#,
            observation + #""subject":{"reference":"Patient/p"}}"#,
            #"{"resourceType":"Observation""#,
            "",
            observation.replacing(#""o""#, with: #""o2""#) + #""subject":{"reference":"Patient/none"}}"#,
            observation.replacing(#""o""#, with: #""o3""#)
                + #""subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-02-30"}"#,
            #"{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"result":[{"reference":"Observation/q"}]}"#,
            #"{"no":"resource"}"#,
        ]
        try Data(lines.joined(separator: "\n").utf8).write(to: folder.file("a.ndjson"))
        try Data("not json".utf8).write(to: folder.file("b.json"))
        let result = try self.read([folder.url.path, folder.file("missing").path])
        #expect(result.exams.map(\.exam.exam.source.value) == ["Observation/o"])
        #expect(
            result.refused.map(\.code) == [
                "file.unreadable", "fhir.json-syntax", "fhir.not-a-resource", "file.not-recognised",
                "subject.unresolved", "fhir.bad-date", "fhir.result-unresolved",
            ]
        )
        #expect(result.refused.map(\.position.line) == [1, 3, 8, 1, 5, 6, 7])
        let bad = result.refused[5]
        let file = [UInt8](try Data(contentsOf: folder.file("a.ndjson")))
        #expect(file[Int(bad.position.offset)...].starts(with: Array(#""2026-02-30""#.utf8)))
        // With all that the exam is made of, so that it can be tried again.
        #expect(bad.bytes.starts(with: Array(#"{"resourceType":"Bundle""#.utf8)))
        #expect(bad.bytes.firstRange(of: Array(lines[5].utf8)) != nil)
        #expect(bad.message.contains("effective"))
        #expect(!result.refused.contains { $0.message.contains("2026") }, "no content in messages")
    }

    @Test("A refused piece of a document has its line")
    func documentLines() throws {
        let folder = try TemporaryFolder()
        let text = String(decoding: try Self.vector("transaction.json"), as: UTF8.self)
            .replacing("\"started\": \"2026-03-02\"", with: "\"started\": \"2026-02-30\"")
        try Data(text.utf8).write(to: folder.file("a.json"))
        let refused = try #require(try self.read([folder.file("a.json").path]).refused.first)
        let line = text.split(separator: "\n", omittingEmptySubsequences: false)[refused.position.line - 1]
        #expect(line.contains("2026-02-30"))
        #expect(refused.position.bundleIndex == 10)
    }

    @Test("Lines that are Bundles are read each by itself")
    func bundleLines() throws {
        let folder = try TemporaryFolder()
        let bundle = String(decoding: try Self.vector("transaction.json"), as: UTF8.self).replacing("\n", with: " ")
        let other = bundle.replacing("TEST-0001", with: "TEST-0002")
        try Data("\(bundle)\n\(other)\n\(bundle)\n".utf8).write(to: folder.file("bundles.ndjson"))
        let result = try self.read([folder.url.path])
        #expect(result.refused.isEmpty)
        #expect(result.exams.count == 9)
        #expect(result.exams.map(\.position.line) == [1, 1, 1, 2, 2, 2, 3, 3, 3])
        #expect(
            result.progress.last
                == .reading(done: Int64(bundle.utf8.count * 3 + 3), total: Int64(bundle.utf8.count * 3 + 3))
        )
    }

    @Test("Observations that group each other in a ring are one exam, also when they are joined")
    func ring() throws {
        let folder = try TemporaryFolder()
        let patient = #"{"resourceType":"Patient","id":"1"}"#
        let ring = ["a b", "b c", "c a"].map { pair in
            let names = pair.split(separator: " ")
            return #"{"resourceType":"Observation","id":"\#(names[0])","status":"final","code":{"text":"x"},"#
                + #""subject":{"reference":"Patient/1"},"hasMember":[{"reference":"Observation/\#(names[1])"}]}"#
        }
        try Data((ring + [patient]).joined(separator: "\n").utf8).write(to: folder.file("a.ndjson"))
        let result = try self.read([folder.url.path])
        #expect(result.exams.map { $0.exam.exam.items.count } == [3])
        #expect(result.refused.isEmpty)
    }

    @Test("Of two versions of a patient the later counts, two different ones refuse")
    func versions() throws {
        let folder = try TemporaryFolder()
        let observation =
            #"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#
        func patient(_ gender: String, _ time: String?) -> String {
            let meta = time.map { #""meta":{"lastUpdated":"\#($0)"},"# } ?? ""
            return #"{"resourceType":"Patient","id":"p",\#(meta)"gender":"\#(gender)"}"#
        }
        let older = patient("male", "2026-01-01T00:00:00Z")
        let newer = patient("female", "2026-01-01T00:00:00+00:00".replacing("-01T", with: "-02T"))
        try Data([newer, observation, older].joined(separator: "\n").utf8).write(to: folder.file("a.ndjson"))
        let result = try self.read([folder.url.path])
        guard case .patient(let found)? = result.exams.first?.exam.subject else {
            Issue.record("no patient")
            return
        }
        #expect(found.sex == .female)
        try Data([patient("male", nil), observation, older].joined(separator: "\n").utf8).write(
            to: folder.file("a.ndjson")
        )
        #expect(try self.read([folder.url.path]).refused.map(\.code) == ["fhir.reference-ambiguous"])
    }

    @Test("A file that changes between the two readings is found out")
    func changed() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("a.ndjson")
        try Data(try Self.vector("lines.ndjson")).write(to: url)
        let result = try self.read([url.path]) { unit in
            if case .progress(.reading(let done, let total)) = unit, done == total {
                try Data(repeating: 0x20, count: 2000).write(to: url)
            }
        }
        #expect(result.exams.isEmpty)
        #expect(Set(result.refused.map(\.code)) == ["file.changed"])
    }

    @Test("An error of the receiver ends the reading")
    func receiver() throws {
        struct Stop: Error {}
        let folder = try TemporaryFolder()
        try Data(try Self.vector("lines.ndjson")).write(to: folder.file("a.ndjson"))
        #expect(throws: Stop.self) {
            _ = try self.read([folder.url.path]) { if case .exam = $0 { throw Stop() } }
        }
    }

    @Test("Content that the user calls FHIR is read as FHIR")
    func forced() throws {
        let folder = try TemporaryFolder()
        try Data("// a comment\n{}".utf8).write(to: folder.file("a"))
        #expect(try self.read([folder.file("a").path]).refused.map(\.code) == ["file.not-recognised"])
        #expect(
            try self.read([folder.file("a").path], ImportOptions(format: .fhirR4JSON)).refused.map(\.code) == [
                "fhir.json-syntax"
            ]
        )
    }
}
