import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Emergencies without contact", .serialized)
    struct OfflineEmergencyTests {}
}

extension IntegrationTests.OfflineEmergencyTests {
    private typealias Emergencies = IntegrationTests.EmergencyTests

    private static let patient = ExamFile.patient(0)
    /// A try takes some hundredths of a second; contact counts as lost after fifteen.
    private static let tries = 4000

    /// Four hospitals; `a` has a recent and an old exam of a patient who lets `b` read both in emergencies.
    private struct Story {
        let hospitals: Consortium
        let doctor: Reader
        let recent: String
        let old: String
    }

    private static func story() throws -> Story {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        let exam = ExamFile.lines(count: 1, patients: 1)
        let old = ExamFile.lines(count: 1, patients: 1, source: "archive")
            .replacingOccurrences(of: "\"2026-", with: "\"2021-")
        _ = try hospitals.importing("a", hospitals.write(exam + old, to: "exams.ndjson"))
        let doctor = try Emergencies.clinician(hospitals, "b", "wei", ["--break-glass"])
        let found = try doctor.find(Self.patient) { $0.count == 2 }
        try hospitals.settle()
        let before = try hospitals.status("b")["objects"].int
        _ = try hospitals.grant(Self.patient, witnessedBy: "b", ["--to", "b", "--purpose", "BTG"])
        // A page of keys and two records.
        try hospitals.status("b") { $0["objects"].int >= before + 3 && $0["lacking"].int == 0 }
        #expect(try doctor.find(Self.patient).map { $0["access"].string } == ["emergency", "emergency"])
        return Story(
            hospitals: hospitals,
            doctor: doctor,
            recent: found[0]["record"].string,
            old: found[1]["record"].string
        )
    }

    private static func cutOff(_ story: Story) { for name in ["a", "c", "d"] { story.hospitals.stop(name) } }

    private static func reconnect(_ story: Story) throws {
        for name in ["a", "c", "d"] { try story.hospitals.start(name) }
    }

    /// Declares while cut off, as soon as the agent is sure that it is; returns the emergency.
    private static func declare(_ story: Story) throws -> String {
        try story.hospitals.eventually(
            "b",
            Emergencies.opening(story.doctor) + ["--offline"],
            input: Self.patient,
            tries: Self.tries
        ) { $0.status == 0 }.json["emergency"].string
    }

    private static func btg(_ story: Story, _ record: String, _ options: [String] = []) throws -> Program.Result {
        try story.doctor.fetch(record, ["--purpose", "BTG"] + options)
    }

    @Test("What is prepared opens while cut off, for hours and within its extent; then everybody learns of it")
    func offline() throws {
        let story = try Self.story()
        let hospitals = story.hospitals
        let other = try Emergencies.clinician(hospitals, "b", "lin", ["--break-glass"])
        #expect(try story.doctor.find(ExamFile.patient(1)).isEmpty)
        #expect(try Self.btg(story, story.recent).code == "access.undeclared")
        let inContact = try Emergencies.open(story.doctor, of: Self.patient, ["--offline"])
        #expect(inContact.status == 4 && inContact.code == "emergency.in-contact")

        Self.cutOff(story)
        let emergency = try Self.declare(story)
        try Consortium.expect(0, Self.btg(story, story.recent))
        #expect(try Self.btg(story, story.old).code == "access.undeclared")
        #expect(try other.fetch(story.recent, ["--purpose", "BTG"]).code == "access.undeclared")
        #expect(try story.doctor.fetch(story.recent).code == "access.purpose")
        let export = try Self.btg(story, story.recent, ["--evidence", hospitals.path("export")])
        #expect(export.code == "access.emergency-no-export")
        let unprepared = try Emergencies.open(story.doctor, of: ExamFile.patient(1), ["--offline"])
        #expect(unprepared.status == 4 && unprepared.code == "emergency.not-prepared")
        let wide = try Emergencies.open(story.doctor, of: Self.patient, ["--offline", "--widen", emergency])
        #expect(wide.code == "request.invalid")
        let waiting = try hospitals.succeed("b", ["notices", "--json"]).json
        #expect(waiting["notices"].list.count == 1 && waiting["notices"][0]["waiting"].bool)
        #expect(waiting["figures"]["waiting"].int == 2)

        // A kill forgets nothing, and four hours are four hours.
        hospitals.kill("b")
        try hospitals.start("b")
        try Consortium.expect(0, Self.btg(story, story.recent))
        hospitals.kill("b")
        let late = try IntegrationTests.ClockTests.clock(4 * 3600 + 60, hospitals)
        try hospitals.start("b", environment: late)
        #expect(try Self.btg(story, story.recent).code == "access.undeclared")
        hospitals.stop("b")
        try hospitals.start("b")

        try Self.reconnect(story)
        let told = try hospitals.eventually("a", ["notices"], tries: Self.tries) { result in
            result.json["notices"].list.first?["uses"].int == 2
        }.json["notices"][0]
        #expect(told["emergency"].string == emergency && told["institution"].string == "b")
        #expect(told["offline"].bool && !told["waiting"].bool && told["broken"].string.isEmpty)
        #expect(told["text"].string == "found on the street" && told["review"].string == "open")
        try hospitals.status("b") { $0["emergencies"]["waiting"].int == 0 }
        let reads = try hospitals.succeed("a", ["access-log", "--json", "--patient", "-"], input: Self.patient).json
        #expect(reads["reads"].list.allSatisfy { $0["purpose"].string == "BTG" })

        // Whoever was not reviewed is locked out, also where no ledger can refuse.
        Self.cutOff(story)
        hospitals.stop("b")
        try hospitals.start("b", environment: IntegrationTests.ClockTests.clock(80 * 3600, hospitals))
        let locked = try Emergencies.open(story.doctor, of: Self.patient, ["--offline"])
        #expect(locked.status == 4 && locked.code == "emergency.locked-out")
        hospitals.stop("b")
        try hospitals.start("b")
        try Self.reconnect(story)
        let chief = try Emergencies.clinician(hospitals, "b", "zhao", ["--review"])
        try hospitals.succeed("b", ["review", emergency, "--outcome", "justified", "--as", chief.credential])
        #expect(try hospitals.succeed("a", ["anomalies", "--json"]).json["anomalies"].list.isEmpty)
    }

    @Test("A home that was copied back hides nothing that its log holds, and is an anomaly")
    func copiedBack() throws {
        let story = try Self.story()
        let hospitals = story.hospitals
        let home = hospitals.home("b")
        Self.cutOff(story)
        hospitals.stop("b")
        let names = ["custody.sqlite", "custody.sqlite-wal", "custody.sqlite-shm", "emergency.log"]
        let files = FileManager.default
        for name in names where files.fileExists(atPath: home.appending(path: name).path) {
            try files.copyItem(at: home.appending(path: name), to: hospitals.file("old-" + name))
        }
        func copyBack(_ names: [String]) throws {
            for name in names {
                try? files.removeItem(at: home.appending(path: name))
                guard files.fileExists(atPath: hospitals.path("old-" + name)) else { continue }
                try files.copyItem(at: hospitals.file("old-" + name), to: home.appending(path: name))
            }
        }
        try hospitals.start("b")
        let emergency = try Self.declare(story)
        try Consortium.expect(0, Self.btg(story, story.recent))
        hospitals.stop("b")
        try copyBack(Array(names.prefix(3)))
        try hospitals.start("b")
        try Self.reconnect(story)
        func anomalies(_ count: Int) throws -> [JSON] {
            try hospitals.eventually("a", ["anomalies"], tries: Self.tries) { result in
                result.json["anomalies"].list.count { $0["kind"].string == "emergency.local-chain" } >= count
            }.json["anomalies"].list
        }
        #expect(try anomalies(1)[0]["institution"].string == "b")
        let told = try hospitals.eventually("a", ["notices"], tries: Self.tries) { result in
            result.json["notices"].list.first?["uses"].int == 1
        }.json["notices"][0]
        #expect(told["emergency"].string == emergency && told["broken"].string.isEmpty)

        // The whole home, as it was before.
        try hospitals.status("b") { $0["emergencies"]["waiting"].int == 0 }
        hospitals.stop("b")
        try copyBack(names)
        try hospitals.start("b")
        let facts = try hospitals.eventually("b", ["anomalies"], tries: Self.tries) { result in
            result.json["anomalies"].list.count >= 2
        }.json["anomalies"].list.flatMap { $0["facts"].list.map { $0["text"].string } }
        #expect(facts.contains("home-copied-back"))
    }

    @Test("What a kill between the two copies leaves is mended without a word")
    func killedBetween() throws {
        let story = try Self.story()
        let hospitals = story.hospitals
        let home = hospitals.home("b")
        let files = FileManager.default
        Self.cutOff(story)
        _ = try Self.declare(story)
        hospitals.stop("b")
        try files.copyItem(at: home.appending(path: "custody.sqlite"), to: hospitals.file("before"))
        try hospitals.start("b")
        try Consortium.expect(0, Self.btg(story, story.recent))
        hospitals.stop("b")
        // The log has the use, the store neither use nor receipt: as if it had been killed before the second write.
        for name in ["custody.sqlite", "custody.sqlite-wal", "custody.sqlite-shm"] {
            try? files.removeItem(at: home.appending(path: name))
        }
        try files.copyItem(at: hospitals.file("before"), to: home.appending(path: "custody.sqlite"))
        try hospitals.start("b")
        #expect(try hospitals.succeed("b", ["notices", "--json"]).json["figures"]["waiting"].int == 2)
        try Self.reconnect(story)
        let told = try hospitals.eventually("a", ["notices"], tries: Self.tries) { result in
            result.json["notices"].list.first?["uses"].int == 1
        }.json["notices"][0]
        #expect(told["broken"].string.isEmpty)
        #expect(try hospitals.succeed("b", ["anomalies", "--json"]).json["anomalies"].list.isEmpty)
    }

    @Test("More emergencies than usual are an anomaly on the chain, and refuse nobody")
    func alarm() throws {
        let hospitals = try Consortium(["a", "b"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 4, patients: 4), to: "exams.ndjson"))
        let doctor = try Emergencies.clinician(hospitals, "b", "wei", ["--break-glass"])
        for patient in 0..<4 { try Consortium.expect(0, Emergencies.open(doctor, of: ExamFile.patient(patient))) }
        let notices = try hospitals.succeed("b", ["notices", "--json"]).json
        #expect(notices["notices"].list.map { $0["alarms"].list.map(\.string) } == [["clinician"], [], [], []])
        #expect(try hospitals.status("b")["emergencies"]["alarming"].int == 1)
        let anomaly = try hospitals.eventually("a", ["anomalies"]) { $0.json["anomalies"].list.count == 1 }
            .json["anomalies"][0]
        #expect(anomaly["kind"].string == "emergency.rate" && anomaly["institution"].string == "b")
        #expect(anomaly["records"].list.map(\.string) == [notices["notices"][0]["emergency"].string])
    }
}
