import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Accounting", .serialized)
    struct AuditTests {}
}

extension IntegrationTests.AuditTests {
    /// What `b` has to account for, as the source tells it from `b`'s file and the genesis file alone.
    private static func account(_ hospitals: Consortium, _ record: String, _ grant: String) throws {
        let file = hospitals.path("account")
        try hospitals.succeed("b", ["audit", "account", "--from", "2020-01-01", "--output", file])
        let verify = ["verify", file, "--genesis", hospitals.path("genesis"), "--json"]
        let account = try hospitals.succeed("a", verify).json
        #expect(account["valid"].bool)
        #expect(account["institution"].string == "b")
        let reading = account["readings"].list.first
        #expect(account["readings"].list.count == 1)
        #expect(reading?["record"].string == record && reading?["grant"].string == grant)
        #expect(reading?["name"].string == "林医生")
        let events = account["events"].list.map { $0["name"].string }
        #expect(["exams.commit", "grant.enrol", "grant.create", "grant.revoke"].allSatisfy(events.contains))
        let bytes = try Data(contentsOf: URL(filePath: file))
        #expect(bytes.range(of: Data("999999195803121043".utf8)) == nil)
        var changed = bytes
        changed[changed.count / 2] ^= 1
        try changed.write(to: URL(filePath: file + ".changed"))
        let refused = try hospitals.command(
            "a",
            ["verify", file + ".changed", "--genesis", hospitals.path("genesis"), "--json"]
        )
        #expect(refused.status == 7)
        let backwards = ["audit", "account", "--from", "2020-01-02", "--until", "2020-01-01", "--output", file + ".b"]
        #expect(try hospitals.command("b", backwards).code == "request.invalid")
        let again = ["audit", "account", "--from", "2020-01-01", "--until", "2020-01-02", "--output", file + ".c"]
        try hospitals.succeed("b", again)
        let quiet = try hospitals.succeed(
            "a",
            ["verify", file + ".c", "--genesis", hospitals.path("genesis"), "--json"]
        ).json
        #expect(quiet["valid"].bool && quiet["readings"].list.isEmpty)
    }

    @Test("Whoever opens one neighbour after the other is told once, at home with the clinician, elsewhere without")
    func neighbours() throws {
        let hospitals = try Consortium(["a", "b"])
        let sample = try String(contentsOfFile: Samples.path("hospital-a/blood-count.json"), encoding: .utf8)
        let persons = (100..<108).map { Self.identifier("99999919580312\($0)") }
        for (index, person) in persons.enumerated() {
            let text = sample.replacing("999999195803121043", with: person).replacing("A000104", with: "A\(index)")
                .replacing("R000001", with: "R\(index)").replacing("cbc-1", with: "cbc-n\(index)")
            _ = try hospitals.importing("a", try hospitals.write(text, to: "n\(index).json"))
        }
        let lin = try hospitals.reader("a")
        for person in persons {
            let record = try #require(try lin.find("CN-RIC:" + person) { $0.count == 1 }.first)["record"].string
            try lin.fetch(record) { $0.status == 0 }
        }
        func told(_ name: String) throws -> [JSON] {
            try hospitals.succeed(name, ["anomalies", "--json"]).json["anomalies"].list
                .filter { $0["kind"].string == "reading.neighbours" }
        }
        try hospitals.eventually("b", ["anomalies", "--json"]) { result in
            result.json["anomalies"].list.contains { $0["kind"].string == "reading.neighbours" }
        }
        #expect(try told("a").count == 1)
        #expect(try hospitals.succeed("a", ["anomalies", "--json"]).output.contains("8 patients, limit 8"))
        #expect(try !hospitals.succeed("b", ["anomalies", "--json"]).output.contains("8 patients"))
        // After a start the same receipts are looked at again.
        hospitals.stop("a")
        try hospitals.start("a")
        let record = try #require(try lin.find("CN-RIC:" + persons[0]) { $0.count == 1 }.first)["record"].string
        try lin.fetch(record) { $0.status == 0 }
        try hospitals.settle()
        #expect(try told("a").count == 1)
    }

    /// With the check character of ISO 7064 MOD 11-2.
    private static func identifier(_ digits: String) -> String {
        var sum = 0
        for digit in digits { sum = (sum + (digit.wholeNumberValue ?? 0)) * 2 % 11 }
        let check = (12 - sum) % 11
        return digits + (check == 10 ? "X" : String(check))
    }

    @Test("Source and recipient export one reading each from its own side, and the patient is told in words")
    func export() throws {
        let hospitals = try Consortium(["a", "b", "c"])
        _ = try hospitals.importing("a", Samples.path("hospital-a/blood-count.json"))
        let lin = try hospitals.reader("b")
        let record = try #require(try lin.find(Person.wang) { $0.count == 1 }.first)["record"].string
        let key = try hospitals.enrol(Person.wang, at: "b")
        let grant = try hospitals.grant(Person.wang, at: "b", key: key, ["--to", "b"])
        try lin.fetch(record) { $0.status == 0 }
        try hospitals.eventually("a", ["access-log", "--patient", "-"], input: Person.wang) {
            $0.json["reads"].list.count == 1
        }
        try hospitals.succeed("b", ["revoke", grant, "--key", key])
        try hospitals.settle()
        let command = ["audit", "export", "--format", "fhir", "--patient", "-"]
        func profiles(_ name: String, _ options: [String] = []) throws -> [String] {
            let output = try hospitals.succeed(name, command + options, input: Person.wang).output
            #expect(output == (try hospitals.succeed(name, command + options, input: Person.wang).output))
            #expect(!output.contains("999999195803121043") || options.contains("--name-patient"))
            return try output.split(separator: "\n").map { line in
                let event = try JSON(String(line))
                #expect(event["resourceType"].string == "AuditEvent")
                return String(event["meta"]["profile"][0].string.split(separator: "/").last ?? "")
            }
        }
        let balp = "IHE.BasicAudit."
        #expect(try profiles("a") == ["PrivacyDisclosure.Source", "PatientUpdate"].map { balp + $0 })
        #expect(
            Set(try profiles("b"))
                == Set(["PrivacyDisclosure.Recipient", "AuthZconsent", "PatientUpdate"].map { balp + $0 })
        )
        #expect(try profiles("c") == [balp + "PatientUpdate"])
        #expect(try profiles("a", ["--until", "2020-01-01"]).isEmpty)
        #expect(try profiles("a", ["--name-patient"]).count == 2)

        let log = ["access-log", "--plain", "--patient", "-"]
        try Self.account(hospitals, record, grant)
        let english = try hospitals.succeed("a", log, input: Person.wang).output
        #expect(english.contains("林医生") && english.contains("at b opened a record of you made by a, to treat you."))
        #expect(english.contains("Permission \(grant.prefix(8)) allowed it."))
        let chinese = try hospitals.succeed("a", log + ["--language", "zh"], input: Person.wang).output
        #expect(chinese.contains("b 呼吸内科 林医生 查看了a 的一份您的记录，用于诊疗。依据授权 \(grant.prefix(8))。"))
    }
}
