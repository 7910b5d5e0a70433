import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Linked identities", .serialized)
    struct IdentityTests {}
}

extension IntegrationTests.IdentityTests {
    private static func evidence(_ hospitals: Consortium) throws -> String {
        let file = hospitals.file("papers")
        try Data("identity card and wristband, seen".utf8).write(to: file)
        return file.path
    }

    private static func link(
        _ hospitals: Consortium,
        _ kind: String,
        _ first: String,
        _ second: String
    ) throws -> Program.Result {
        try hospitals.command(
            "a",
            ["identity", "link", "--json", "--kind", kind, "--evidence", Self.evidence(hospitals)],
            input: first + "\n" + second + "\n"
        )
    }

    /// One exam of somebody whom hospital A knows by a temporary identifier alone.
    private static func importing(_ hospitals: Consortium, of temporary: String) throws {
        let value = temporary.split(separator: ":")[1]
        let text = ExamFile.lines(count: 1, patients: 1)
            .replacingOccurrences(of: "urn:test:patient", with: "urn:entente:temporary:a")
            .replacingOccurrences(of: #""value":"P0""#, with: #""value":"\#(value)""#)
        _ = try hospitals.importing("a", hospitals.write(text, to: "temporary.ndjson"))
    }

    @Test(
        "An exam under a temporary identifier is found and read through a link, and not after its end; the list names it"
    )
    func temporaryIdentity() throws {
        let hospitals = try Consortium(["a", "b"])
        let temporary = try hospitals.succeed("a", ["identity", "temporary", "--json"]).json["identifier"].string
        #expect(temporary.hasPrefix("TEMP@a:"))
        try Self.importing(hospitals, of: temporary)
        let doctor = try hospitals.reader("b")
        let key = try hospitals.enrol(Person.wang, at: "b")
        let grant = try hospitals.grant(Person.wang, at: "b", key: key, ["--to", "b"])
        try hospitals.settle()
        #expect(try doctor.find(Person.wang).isEmpty)

        let made = try Consortium.expect(0, Self.link(hospitals, "temporary", Person.wang, temporary))
        let link = made.json["link"].string
        let found = try doctor.find(Person.wang) { $0.count == 1 && $0[0]["access"].string == "granted" }
        #expect(found[0]["links"].list.map(\.string) == [link] && found[0]["linkKind"].string == "temporary")
        #expect(found[0]["identity"].string == "match")
        let record = found[0]["record"].string
        try doctor.fetch(record) { $0.status == 0 }
        // The number that is known finds as well as the temporary one.
        #expect(try doctor.find(temporary)[0]["links"].list.isEmpty)

        let papers = try Self.evidence(hospitals)
        let unlink = ["identity", "unlink", link, "--reason", "mistaken", "--evidence", papers]
        try hospitals.succeed("a", unlink)
        try hospitals.settle()
        _ = try doctor.find(Person.wang) { $0.isEmpty }
        #expect(try doctor.fetch(record).code == "access.not-granted")
        let fixups = try hospitals.eventually("a", ["identity", "fixups", link]) {
            $0.json["fixups"].list.contains { $0["kind"].string == "read" }
        }.json["fixups"].list
        let read = try #require(fixups.first { $0["kind"].string == "read" })
        #expect(read["record"].string == record && read["institution"].string == "b" && read["grant"].string == grant)
        #expect(fixups.contains { $0["kind"].string == "granted" && $0["grant"].string == grant })
        let listed = try hospitals.succeed("a", ["identity", "list", "--json"]).json["links"].list
        #expect(listed.count == 1 && listed[0]["state"].string == "ended" && listed[0]["reason"].string == "mistaken")
        #expect(try hospitals.command("a", unlink + ["--json"]).code == "transaction.refused")
    }

    @Test(
        "An exam that describes its patient otherwise is held back until somebody has looked; likeness shares nothing"
    )
    func review() throws {
        let hospitals = try Consortium(["a", "b"])
        let lines = ExamFile.lines(count: 2, patients: 1).split(separator: "\n").map(String.init)
        let twin = lines[1].replacingOccurrences(of: "Test Person", with: "Other Person")
        _ = try hospitals.importing("a", hospitals.write(lines[0] + "\n" + twin + "\n", to: "two.ndjson"))
        let doctor = try hospitals.reader("b")
        let patient = ExamFile.patient(0)
        _ = try hospitals.grant(patient, witnessedBy: "b", ["--to", "b"])
        let found = try doctor.find(patient) { $0.count == 2 && $0.allSatisfy { $0["access"].string == "granted" } }
        let right = try #require(found.first { $0["identity"].string == "match" })["record"].string
        let held = try #require(found.first { $0["identity"].string == "possible" })["record"].string
        try doctor.fetch(right) { $0.status == 0 }
        #expect(try doctor.fetch(held).code == "record.not-here")
        let cases = try hospitals.succeed("a", ["identity", "review", "--json"]).json["cases"].list
        #expect(cases.count == 1 && cases[0]["kind"].string == "mismatch" && cases[0]["record"].string == held)
        #expect(cases[0]["reasons"].list.map(\.string).contains("name-differs"))
        let number = "\(cases[0]["case"].int)"
        try hospitals.succeed("a", ["identity", "confirm", number, "--same"])
        try doctor.fetch(held) { $0.status == 0 }
        let again = try hospitals.command("a", ["identity", "confirm", number, "--same", "--json"])
        #expect(again.status == 3 && again.code == "identity.unknown")

        // Another patient of the same name and birth date: a hint here, and nothing elsewhere.
        let other = ExamFile.lines(count: 1, patients: 1, source: "other").replacingOccurrences(of: "P0", with: "P7")
        _ = try hospitals.importing("a", hospitals.write(other, to: "other.ndjson"))
        let home = try hospitals.reader("a", id: "own")
        let arguments = ["find", "--json", "--patient", "-", "--as"]
        let here = try hospitals.succeed("a", arguments + [home.credential], input: patient).json
        #expect(here["possibleIdentities"].int == 1 && here["results"].list.count == 2)
        let there = try hospitals.succeed("b", arguments + [doctor.credential], input: patient).json
        #expect(there["possibleIdentities"].int == 0 && there["results"].list.count == 2)
        #expect(
            try hospitals.succeed("a", ["identity", "review", "--json"]).json["cases"][0]["kind"].string == "likeness"
        )
    }

    @Test(
        "A mother's grant covers her newborn's exams, marked as another person's; two numbers are not linked unawares"
    )
    func newborn() throws {
        let hospitals = try Consortium(["a", "b"])
        let child = try hospitals.succeed("a", ["identity", "temporary", "--json"]).json["identifier"].string
        try Self.importing(hospitals, of: child)
        let doctor = try hospitals.reader("b")
        _ = try hospitals.grant(Person.wang, witnessedBy: "b", ["--to", "b"])
        try Consortium.expect(0, Self.link(hospitals, "newborn", Person.wang, child))
        let found = try doctor.find(Person.wang) { $0.count == 1 && $0[0]["access"].string == "granted" }
        #expect(found[0]["linkKind"].string == "newborn" && found[0]["identity"].string == "possible")
        try doctor.fetch(found[0]["record"].string) { $0.status == 0 }
        // With an own number the child is its own person.
        try Consortium.expect(0, Self.link(hospitals, "temporary", Person.other, child))
        _ = try doctor.find(Person.wang) { $0.isEmpty }
        #expect(try doctor.fetch(found[0]["record"].string).code == "access.not-granted")
        let refused = try Self.link(hospitals, "same", Person.wang, Person.other)
        #expect(refused.status == 4 && refused.code == "identity.contradiction")
        let loop = try Self.link(hospitals, "temporary", Person.other, child)
        #expect(loop.code == "transaction.refused")
    }
}
