import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("A PACS over DICOMweb", .serialized)
    struct DICOMWebTests {}
}

/// One hospital whose agent reads from a PACS.
private final class PACSHospital {
    let hospitals: Consortium
    private let arguments: [String]

    /// `credentials`: the line of their file.
    init(_ url: String, credentials: String? = nil, days: Int = 7, settle: Int = 1) throws {
        self.hospitals = try Consortium(["a"], starting: false)
        var arguments = [
            "--dicomweb", url, "--dicomweb-interval", "1", "--dicomweb-settle", "\(settle)", "--dicomweb-days",
            "\(days)",
        ]
        if let credentials {
            let file = self.hospitals.file("credentials")
            try Data(credentials.utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            arguments += ["--dicomweb-credentials", file.path]
        }
        self.arguments = arguments
        try self.start()
    }

    func start() throws { try self.hospitals.start("a", arguments: self.arguments) }
    func kill() { self.hospitals.kill("a") }
    func stop() { self.hospitals.stop("a") }
    var log: String { self.hospitals.log("a") }

    func exams() throws -> Int { try self.hospitals.status("a")["exams"].int }

    /// Waits until the agent has so many exams; each try is a process, so the wait is bounded and no sleep.
    func wait(exams count: Int) throws { try self.wait { $0["exams"].int >= count } }

    func wait(_ condition: (JSON) -> Bool) throws {
        var last = JSON(nil)
        for _ in 0..<4_000 {
            last = try self.hospitals.status("a")
            if condition(last) { return }
        }
        throw Program.Unexpected(text: "never became true: \(last)\n\(self.log.suffix(4000))")
    }

    func feed(_ status: JSON) -> JSON { status["feeds"].list.first { $0["feed"].string == "dicomweb" } ?? JSON(nil) }

    func quarantined() throws -> [JSON] {
        try self.hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"].list
    }
}

extension IntegrationTests.DICOMWebTests {
    private static func patient(_ id: String) -> String { "MRN@a|\(id)" }

    @Test("A study in a real PACS becomes one exam, what is added later a new version, and a restart adds nothing")
    func story() throws {
        let pacs = try Orthanc()
        let first = DICOMFile(study: 1)
        try pacs.store([first.bytes, DICOMFile(study: 1, number: 2).bytes])
        try pacs.store([DICOMFile(study: 2, patient: "P2").bytes])
        // Older than is looked at.
        try pacs.store([DICOMFile(study: 3, patient: "P3", date: "20010203").bytes])
        let hospital = try PACSHospital(pacs.url, credentials: pacs.credentials)
        try hospital.wait(exams: 2)
        let reader = try hospital.hospitals.reader("a")
        let found = try reader.find(Self.patient("P1")) { $0.count == 1 }
        #expect(found[0]["kind"].string == "imaging")
        let exam = try reader.fetch(found[0]["record"].string) { $0.status == 0 }.json["exam"]
        #expect(exam["imaging"][0]["studyUID"].string == first.studyUID)
        #expect(exam["imaging"][0]["images"].int == 2)
        #expect(exam["code"]["text"].string == "Chest")
        #expect(exam["origin"].string == "device")
        #expect(exam["devices"].strings == ["Example Devices Scanner 9, CT-1"])
        // Another series arrives.
        try pacs.store([DICOMFile(study: 1, series: 2).bytes])
        try hospital.wait(exams: 3)
        let versions = try reader.find(Self.patient("P1")) { $0.count == 2 }
        let newer = try #require(versions.first { !$0["superseded"].bool })
        #expect(newer["supersedes"].string == found[0]["record"].string)
        let opened = try reader.fetch(newer["record"].string) { $0.status == 0 }.json["exam"]
        #expect(opened["imaging"][0]["images"].int == 3)
        #expect(opened["imaging"][0]["seriesList"].list.count == 2)
        // The PACS loses everything: what was imported stays, and nothing is voided.
        try pacs.empty()
        try pacs.store([DICOMFile(study: 4).bytes])
        try hospital.wait(exams: 4)
        hospital.stop()
        try hospital.start()
        try pacs.store([DICOMFile(study: 5).bytes])
        try hospital.wait(exams: 5)
        let feed = hospital.feed(try hospital.hospitals.status("a"))
        #expect(feed["read"].int == 1, "what was read before the restart is not read again")
        try hospital.wait { hospital.feed($0)["sinceCreation"]["exams"].int == 1 }
        #expect(try reader.find(Self.patient("P1")).count == 4)
        #expect(!hospital.log.contains("2.25."), "studies are not named in the log")
    }

    @Test("A kill in mid-run loses no study and takes none twice, and a PACS that goes away is found again")
    func killed() throws {
        let pacs = try Orthanc()
        let count = 400
        for start in stride(from: 0, to: count, by: 50) {
            try pacs.store((start..<start + 50).map { DICOMFile(study: 100 + $0, patient: "P\($0 % 7)").bytes })
        }
        let hospital = try PACSHospital(pacs.url, credentials: pacs.credentials, settle: 0)
        for (round, least) in [1, 200].enumerated() {
            try hospital.wait(exams: least)
            hospital.kill()
            // Up and down while the agent is away, and away while the agent is up.
            pacs.stop()
            try hospital.start()
            try hospital.wait { _ in hospital.log.split(separator: "dicomweb.unreachable").count > round + 1 }
            try pacs.start()
        }
        try hospital.wait(exams: count)
        try pacs.store([DICOMFile(study: 999).bytes])
        try hospital.wait(exams: count + 1)
        let feed = hospital.feed(try hospital.hospitals.status("a"))
        #expect(feed["quarantined"].int == 0)
        #expect(try hospital.exams() == count + 1)
        let reader = try hospital.hospitals.reader("a")
        #expect(try reader.find(Self.patient("P3")).count == (0..<count).count { $0 % 7 == 3 })
    }

    @Test("The exam of a study is the same over DICOMweb as from its files", .enabled(if: TestData.shared != nil))
    func sameAsFiles() throws {
        let pacs = try Orthanc()
        let folder = try #require(TestData.shared).appending(path: "dicom/media")
        var paths: [String] = []
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where !name.contains("DICOMDIR") {
            var isFolder: ObjCBool = false
            let path = folder.appending(path: name).path
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
                paths.append(path)
            }
        }
        #expect(paths.count == 24)
        try pacs.store(try paths.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0))) })
        let hospital = try PACSHospital(pacs.url, credentials: pacs.credentials, days: 0, settle: 0)
        let files = try Consortium(["a"])
        let imported = try files.command("a", ["import", "--json"] + paths).json["committed"].int
        #expect(imported > 1)
        try hospital.wait(exams: imported)
        let readers = try [hospital.hospitals.reader("a"), files.reader("a")]
        var exams: [[String: String]] = [[:], [:]]
        for (index, reader) in readers.enumerated() {
            for line in try reader.find(Self.patient("98890234"), until: { $0.count == imported }) {
                let exam = try reader.fetch(line["record"].string) { $0.status == 0 }.json["exam"]
                exams[index][exam["imaging"][0]["studyUID"].string] = exam.text
            }
        }
        #expect(exams[0].count == imported && exams[0] == exams[1])
    }

    // MARK: Hostile answers

    @Test("A PACS that redirects is not followed")
    func redirected() throws {
        let other = try FakePACS { _, _ in FakePACS.json("[]") }
        let url = other.url
        let pacs = try FakePACS { _, _ in FakePACS.answer("302 Found", ["Location: \(url)/studies"]) }
        let hospital = try PACSHospital(pacs.url)
        try hospital.wait { _ in hospital.log.contains("dicomweb.redirected") }
        #expect(other.requests.isEmpty)
    }

    @Test("Pages without end, answers without end and pages of another kind end in a coded refusal")
    func endless() throws {
        let pages = try FakePACS { path, number in
            guard path.hasPrefix("/studies?") else { return FakePACS.answer("404 Not Found") }
            let studies = (0..<100).map { FakePACS.study("2.25.\(number).\($0)") }
            return FakePACS.json("[" + studies.joined(separator: ",") + "]")
        }
        let hospital = try PACSHospital(pages.url, settle: 3_600)
        try hospital.wait { _ in hospital.log.contains("dicomweb.too-many") }
        let bytes = try FakePACS { _, _ in FakePACS.endless }
        let second = try PACSHospital(bytes.url)
        try second.wait { _ in second.log.contains("dicomweb.too-large") }
        let html = try FakePACS { _, _ in FakePACS.json("<html>not found</html>") }
        let third = try PACSHospital(html.url)
        try third.wait { _ in third.log.contains("dicomweb.bad-answer") }
        let denied = try FakePACS { _, _ in FakePACS.answer("401 Unauthorized") }
        let fourth = try PACSHospital(denied.url)
        try fourth.wait { _ in fourth.log.contains("dicomweb.denied") }
        for hospital in [hospital, second, third, fourth] { #expect(try hospital.exams() == 0) }
    }

    @Test("Of the metadata only the study that was asked for is taken; the rest is set aside once")
    func metadata() throws {
        let uid = "2.25.77"
        let pacs = try FakePACS { path, number in
            // It fails at first.
            guard number > 1 else { return FakePACS.answer("503 Service Unavailable") }
            if path.hasPrefix("/studies?") {
                return FakePACS.json(path.contains("offset=0") ? "[\(FakePACS.study(uid)),{}]" : "[]")
            }
            guard path == "/studies/\(uid)/metadata" else { return FakePACS.answer("404 Not Found") }
            return FakePACS.json("[\(FakePACS.instance(uid, "1")),\(FakePACS.instance("2.25.78", "2")),{\"x\":1}]")
        }
        let hospital = try PACSHospital(pacs.url, settle: 0)
        try hospital.wait(exams: 1)
        let codes = Set(try hospital.quarantined().map { $0["code"].string })
        #expect(codes == ["dicom.study-conflict", "dicom.json-structure", "dicom.study-uid-missing"])
        let before = try hospital.quarantined().count
        hospital.stop()
        try hospital.start()
        let asked = pacs.requests.count
        try hospital.wait { _ in pacs.requests.count > asked + 4 }
        #expect(try hospital.quarantined().count == before && hospital.exams() == 1)
        let reader = try hospital.hospitals.reader("a")
        let found = try reader.find(Self.patient("P1")) { $0.count == 1 }
        let exam = try reader.fetch(found[0]["record"].string) { $0.status == 0 }.json["exam"]
        #expect(exam["imaging"][0]["studyUID"].string == uid && exam["imaging"][0]["images"].int == 1)
        #expect(!pacs.requests.contains { $0.contains("frames") || $0.contains("/instances") || $0.contains("bulk") })
    }

    @Test("Credentials come from a private file, and go over TLS or stay on this machine")
    func credentials() throws {
        let hospitals = try Consortium(["a"], starting: false)
        let file = hospitals.file("credentials")
        try Data("bearer abc\n".utf8).write(to: file)
        func fails(_ arguments: [String], _ text: String) throws {
            let ended = #expect(throws: AgentProcess.Ended.self) { try hospitals.start("a", arguments: arguments) }
            #expect(ended?.log.contains(text) == true, "\(ended?.log ?? "")")
        }
        let local = ["--dicomweb", "http://127.0.0.1:9", "--dicomweb-credentials", file.path]
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        try fails(local, "others can read them")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        try fails(["--dicomweb", "http://pacs.example", "--dicomweb-credentials", file.path], "plain HTTP")
        try fails(["--dicomweb", "http://u:p@127.0.0.1:9"], "not an http or https URL")
        try fails(["--dicomweb-days", "3"], "need --dicomweb")
        try Data("abc\n".utf8).write(to: file)
        try fails(local, "no known form")
        // A header cannot be made longer by a line in the file.
        try Data("bearer abc\r\nX: y\n".utf8).write(to: file)
        try fails(local, "no known form")
    }
}
