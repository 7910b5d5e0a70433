import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("A watched folder", .serialized)
    struct WatchedFolderTests {}
}

extension IntegrationTests.WatchedFolderTests {
    /// Asks the agent for its status until `condition` holds: each try is a process, so the wait is bounded and no sleep.
    private static func wait(_ hospitals: Consortium, for condition: () -> Bool) throws {
        for _ in 0..<2_000 where !condition() { _ = try hospitals.status("a") }
        #expect(condition())
    }

    private static func exists(_ folder: URL, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: name).path)
    }

    @Test("Whole files are imported and moved away, refused ones with a report, and partial ones are left alone")
    func files() throws {
        let hospitals = try Consortium(["a"], starting: false)
        let folder = hospitals.file("inbox")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let good = ExamFile.lines(count: 20, patients: 3)
        // Renamed into place, partial by name, and half of what it will be.
        try Data(good.utf8).write(to: hospitals.file("outside"))
        try Data(good.utf8).write(to: folder.appending(path: "later.ndjson.part"))
        try Data(good.utf8).write(to: folder.appending(path: ".hidden.ndjson"))
        try Data().write(to: folder.appending(path: "empty.ndjson"))
        try hospitals.start("a", arguments: ["--watch", folder.path])
        try FileManager.default.moveItem(at: hospitals.file("outside"), to: folder.appending(path: "good.ndjson"))
        var lines = ExamFile.lines(count: 4, patients: 2, source: "other").split(separator: "\n").map(String.init)
        lines.insert(#"{"resourceType":"Bundle","type":"#, at: 2)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: folder.appending(path: "bad.ndjson"))
        try Self.wait(hospitals) {
            Self.exists(folder, "done/good.ndjson") && Self.exists(folder, "failed/bad.ndjson")
        }
        let status = try hospitals.status("a")
        #expect(status["exams"].int == 24)
        #expect(status["feeds"].list.map { $0["feed"].string } == ["folder"])
        #expect(status["feeds"][0]["committed"].int == 24 && status["feeds"][0]["quarantined"].int == 1)
        #expect(status["feeds"][0]["sinceCreation"]["exams"].int == 24)
        #expect(status["feeds"][0]["sinceReceipt"]["p99"].int >= status["feeds"][0]["sinceReceipt"]["p50"].int)
        let report = try String(contentsOf: folder.appending(path: "failed/bad.ndjson.report"), encoding: .utf8)
        #expect(report.hasPrefix("code,position,message\r\nfhir.json-syntax,\"line 3, byte "))
        #expect(Self.exists(folder, "later.ndjson.part") && Self.exists(folder, ".hidden.ndjson"))
        #expect(Self.exists(folder, "empty.ndjson"))
        #expect(!hospitals.log("a").contains("ndjson"), "names of files may name patients")
        // The same again under the same name adds nothing and takes a name of its own.
        try FileManager.default.moveItem(
            at: folder.appending(path: "later.ndjson.part"),
            to: folder.appending(path: "good.ndjson")
        )
        try Self.wait(hospitals) { Self.exists(folder, "done/good.ndjson.2") }
        #expect(try hospitals.status("a")["exams"].int == 24)
    }

    @Test("A kill while a file is imported leaves it to the next start, which adds only what is missing")
    func killed() throws {
        let hospitals = try Consortium(["a"], starting: false)
        let folder = hospitals.file("inbox")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(ExamFile.lines(count: 6_000, patients: 30).utf8).write(to: folder.appending(path: "many.ndjson"))
        try hospitals.start("a", arguments: ["--watch", folder.path])
        try hospitals.status("a") { $0["exams"].int > 0 }
        hospitals.kill("a")
        #expect(Self.exists(folder, "many.ndjson") || Self.exists(folder, "done/many.ndjson"))
        try hospitals.start("a", arguments: ["--watch", folder.path])
        try Self.wait(hospitals) { Self.exists(folder, "done/many.ndjson") }
        #expect(try hospitals.status("a")["exams"].int == 6_000)
    }
}
