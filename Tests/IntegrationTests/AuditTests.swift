import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Accounting", .serialized)
    struct AuditTests {}
}

extension IntegrationTests.AuditTests {
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
        let english = try hospitals.succeed("a", log, input: Person.wang).output
        #expect(english.contains("林医生") && english.contains("at b opened a record of you made by a, to treat you."))
        #expect(english.contains("Permission \(grant.prefix(8)) allowed it."))
        let chinese = try hospitals.succeed("a", log + ["--language", "zh"], input: Person.wang).output
        #expect(chinese.contains("b 呼吸内科 林医生 查看了a 的一份您的记录，用于诊疗。依据授权 \(grant.prefix(8))。"))
    }
}
