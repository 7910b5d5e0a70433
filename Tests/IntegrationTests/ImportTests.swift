import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Importing", .serialized)
    struct ImportTests {
        /// Third-party files beside the checkout.
        static let shared = TestData.shared?.appending(path: "fhir")
    }
}

extension IntegrationTests.ImportTests {
    @Test("The same input again changes nothing, changed content makes a version that names the old one")
    func again() throws {
        let hospitals = try Consortium(["a", "b"])
        let path = try hospitals.write(ExamFile.lines(count: 20, patients: 5), to: "exams.ndjson")
        #expect(try hospitals.importing("a", path)["committed"].int == 20)
        let height = try hospitals.settle()
        let again = try hospitals.importing("a", path)
        #expect(again["committed"].int == 0)
        #expect(again["duplicates"].int == 20)
        #expect(again["batches"].list.isEmpty)
        // Nothing new needs no block either.
        #expect(try hospitals.status("a")["height"].int == height)

        let changed = ExamFile.lines(count: 20, patients: 5) { $0 == 7 ? "99.5" : "\($0 % 400).5" }
        let update = try hospitals.importing("a", hospitals.write(changed, to: "changed.ndjson"))
        #expect(update["committed"].int == 1)
        #expect(update["newVersions"].int == 1)
        #expect(update["duplicates"].int == 19)
        #expect(try hospitals.status("a")["exams"].int == 21)

        let lin = try hospitals.reader("b")
        let versions = try lin.find(ExamFile.patient(2)) { $0.count == 5 }
        let old = try #require(versions.first { $0["superseded"].bool })
        let new = try #require(versions.first { !$0["supersedes"].string.isEmpty })
        #expect(new["supersedes"].string == old["record"].string)
        #expect(versions.filter { $0["superseded"].bool }.count == 1)
        _ = try hospitals.grant(ExamFile.patient(2), witnessedBy: "b", ["--to", "b"])
        let opened = try lin.fetch(new["record"].string) { $0.status == 0 }
        #expect(opened.json["exam"]["items"][0]["value"].string == "99.5")
        let older = try lin.fetch(old["record"].string) { $0.status == 0 }
        #expect(older.json["exam"]["items"][0]["value"].string == "7.5")
    }

    @Test("A dry run counts and changes nothing; standard input and files give the same")
    func dryRun() throws {
        let hospitals = try Consortium(["a"])
        let height = try hospitals.status("a")["height"].int
        let text = ExamFile.lines(count: 10, patients: 3)
        let path = try hospitals.write(text, to: "exams.ndjson")
        let dry = try hospitals.succeed("a", ["import", "--json", "--dry-run", path]).json
        #expect(dry["dryRun"].bool)
        #expect(dry["committed"].int == 10)
        #expect(try hospitals.status("a")["exams"].int == 0)
        #expect(try hospitals.status("a")["height"].int == height)
        let piped = try hospitals.succeed("a", ["import", "--json", "-"], input: text).json
        #expect(piped["committed"].int == 10)
        #expect(try hospitals.importing("a", path)["duplicates"].int == 10)
    }

    @Test("Broken inputs are set aside with file, position and reason, and the rest is imported")
    func quarantine() throws {
        let hospitals = try Consortium(["a"])
        var lines = ExamFile.lines(count: 4, patients: 2).split(separator: "\n").map(String.init)
        lines.insert(#"{"resourceType":"Bundle","type":"#, at: 2)
        let path = try hospitals.write(lines.joined(separator: "\n") + "\n", to: "exams.ndjson")
        let report = hospitals.path("report.csv")
        let result = try hospitals.expect(8, "a", ["import", "--json", "--report", report, path])
        #expect(result.json["committed"].int == 4)
        #expect(result.json["quarantined"].int == 1)
        let csv = try String(contentsOfFile: report, encoding: .utf8).components(separatedBy: "\r\n")
        #expect(csv.first == "file,position,code,message,quarantine")
        #expect(csv.dropFirst().first?.contains("exams.ndjson") == true)
        let item = try hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"][0]
        #expect(item["file"].string.hasSuffix("exams.ndjson"))
        let start = lines[0].utf8.count + lines[1].utf8.count + 2
        let position = try #require(item["position"].string.split(separator: " ").last.flatMap { Int($0) })
        #expect((start...start + lines[2].utf8.count).contains(position))
        #expect(item["code"].string == "fhir.json-syntax")
        let shown = try hospitals.succeed("a", ["quarantine", "show", item["id"].string, "--full", "--json"]).json
        #expect(shown["content"].string == Data(lines[2].utf8).base64EncodedString())
        // Still broken: it stays where it is.
        let retried = try hospitals.expect(8, "a", ["quarantine", "retry", "--json", item["id"].string])
        #expect(retried.json["committed"].int == 0)
        #expect(try hospitals.status("a")["quarantined"].int == 1)
        #expect(try hospitals.expect(3, "a", ["quarantine", "show", "999999"]).code == "quarantine.unknown")
    }

    @Test("An agent that is killed in the middle of an import loses nothing and doubles nothing")
    func killed() throws {
        let count = 6000
        var interrupted = 0
        let hospitals = try Consortium(["a", "b", "c", "d"])
        let path = try hospitals.write(ExamFile.lines(count: count, patients: 50), to: "exams.ndjson")
        // Later each time: while reading, between batches, while the last ones become final.
        for (attempt, least) in [1, 1500, 4000].enumerated() {
            let running = try hospitals.background("a", ["import", "--json", path])
            while running.isRunning, try hospitals.status("a")["exams"].int < least {}
            hospitals.kill("a")
            let result = try running.result()
            interrupted += result.status == 0 ? 0 : 1
            #expect(result.status == 0 || result.status == 9, "attempt \(attempt): \(result.errors)")
            try hospitals.start("a")
        }
        #expect(interrupted > 0, "no import was interrupted: import more")
        let last = try hospitals.importing("a", path)
        #expect(last["committed"].int + last["duplicates"].int == count)
        #expect(last["quarantined"].int == 0)
        #expect(try hospitals.importing("a", path)["duplicates"].int == count)
        #expect(try hospitals.status("a")["exams"].int == count)
        let lin = try hospitals.reader("b")
        try hospitals.status("b") { $0["locators"].int == count && $0["lacking"].int == 0 }
        for number in [0, 17, 49] {
            let records = try lin.find(ExamFile.patient(number)).map { $0["record"].string }
            #expect(records.count == count / 50)
            #expect(Set(records).count == records.count)
        }
        // A moment after its start no quorum has confirmed its tip yet, and doctor says so.
        try hospitals.eventually("a", ["doctor", "--full"]) { _ in true }
    }

    @Test(
        "Files of other makers: what is in them can be found and opened, again changes nothing",
        .enabled(if: shared != nil)
    )
    func thirdParty() throws {
        let folder = try #require(Self.shared)
        let hospitals = try Consortium(["a", "b"])
        let bulk = try hospitals.importing("a", folder.appending(path: "bulk-clinosim-us").path)
        // 88 of 90 reports (two have a code with a trailing space), 5 studies, and the observations outside of reports.
        #expect(bulk["rejections"]["fhir.bad-code"].int == 2)
        #expect(bulk["skipped"]["Encounter"].int == 150)
        #expect(bulk["committed"].int == bulk["read"].int)
        let all = try hospitals.importing("a", folder.path)
        #expect(all["committed"].int > 0)
        #expect(all["committed"].int + all["duplicates"].int == all["read"].int)
        let again = try hospitals.importing("a", folder.path)
        #expect(again["committed"].int == 0)
        #expect(again["batches"].list.isEmpty)
        try Self.expectReports(hospitals, folder.appending(path: "bulk-clinosim-us"))
        try hospitals.succeed("a", ["doctor", "--full"])
    }

    /// Compares opened reports with the export's own lines, read here with another parser.
    private static func expectReports(_ hospitals: Consortium, _ folder: URL) throws {
        func lines(_ name: String) throws -> [JSON] {
            try String(contentsOf: folder.appending(path: name + ".ndjson"), encoding: .utf8)
                .split(separator: "\n").map { try JSON(String($0)) }
        }
        let reader = try hospitals.reader("a")
        let patients = try lines("Patient")
        let observations = try Dictionary(
            lines("Observation").map { ("Observation/" + $0["id"].string, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var compared = 0
        for report in try lines("DiagnosticReport").filter({ $0["result"].list.count > 1 }).prefix(6) {
            let patient = try #require(
                patients.first { "Patient/" + $0["id"].string == report["subject"]["reference"].string }
            )["identifier"][0]
            let asked = patient["system"].string + "|" + patient["value"].string
            for found in try reader.find(asked) where found["item"].string == report["code"]["coding"][0]["code"].string
            {
                let exam = try Consortium.expect(0, reader.fetch(found["record"].string)).json["exam"]
                guard exam["effective"].string == report["effectiveDateTime"].string,
                    exam["items"].list.count == report["result"].list.count
                else { continue }
                for (item, reference) in zip(exam["items"].list, report["result"].list) {
                    let source = try #require(observations[reference["reference"].string])
                    #expect(item["value"].decimal == source["valueQuantity"]["value"].decimal)
                    #expect(item["unit"].string == source["valueQuantity"]["unit"].string)
                    #expect(item["code"]["codings"][0]["code"].string == source["code"]["coding"][0]["code"].string)
                    compared += 1
                }
                break
            }
        }
        #expect(compared > 10)
    }
}
