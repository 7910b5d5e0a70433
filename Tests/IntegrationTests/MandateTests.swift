import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Who speaks for a patient", .serialized)
    struct MandateTests {}
}

extension IntegrationTests.MandateTests {
    private static let child = ExamFile.patient(0)

    /// Two hospitals; `a` has an exam of a child.
    private static func hospitals() throws -> (Consortium, Reader, String) {
        let hospitals = try Consortium(["a", "b"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 1, patients: 1), to: "exams.ndjson"))
        let reader = try hospitals.reader("b")
        let record = try #require(try reader.find(Self.child) { $0.count == 1 }.first)["record"].string
        return (hospitals, reader, record)
    }

    /// `name` makes the holder of a new key a delegate; returns key file and delegation.
    private static func appoint(
        _ hospitals: Consortium,
        _ name: String,
        _ person: String,
        _ options: [String]
    ) throws -> (key: String, delegation: String) {
        let key = try hospitals.enrol(person, at: name, key: "delegate-\(UUID().uuidString)")
        let shown = try hospitals.succeed(name, ["patient", "key", key, "--json"]).json["key"].string
        let paper = try hospitals.write("papers", to: "papers")
        let create = ["delegation", "create", "--json", "--patient", "-", "--as-witness", "--delegate", shown]
        let made = try hospitals.succeed(name, create + ["--evidence", paper] + options, input: Self.child)
        return (key, made.json["delegation"].string)
    }

    private static func guardian(
        _ hospitals: Consortium,
        _ name: String,
        _ person: String
    ) throws -> (key: String, delegation: String) {
        let year = Calendar(identifier: .gregorian).component(.year, from: Date())
        return try self.appoint(
            hospitals,
            name,
            person,
            ["--capacity", "guardian", "--birth-date", "\(year - 5)-01-01"]
        )
    }

    private static func declare(_ kind: String, _ hospitals: Consortium, at name: String) throws -> String {
        let paper = try hospitals.write("certificate", to: "certificate")
        return try hospitals.succeed(
            name,
            ["life-event", "declare", kind, "--json", "--patient", "-", "--evidence", paper],
            input: Self.child
        ).json["event"].string
    }

    private static func mandates(_ hospitals: Consortium, _ name: String) throws -> JSON {
        try hospitals.succeed(name, ["mandates", "--json", "--patient", "-"], input: Self.child).json
    }

    @Test("Guardians who disagree stop a grant until it is decided; custody ends both; a death ends everybody's word")
    func guardians() throws {
        let (hospitals, reader, record) = try Self.hospitals()
        let mother = try Self.guardian(hospitals, "a", Person.wang)
        let father = try Self.guardian(hospitals, "b", Person.other)
        let grant = try hospitals.grant(
            Self.child,
            at: "a",
            key: mother.key,
            ["--to", "b", "--delegation", mother.delegation]
        )
        try reader.fetch(record) { $0.status == 0 }
        let object = ["objection", "create", grant, "--delegation", father.delegation, "--key", father.key]
        try hospitals.succeed("b", object)
        let contested = try reader.fetch(record)
        #expect(contested.status == 4 && contested.code == "access.guardians-disagree")
        try hospitals.settle()
        #expect(try Self.mandates(hospitals, "a")["objections"][0]["state"].string == "open")
        try hospitals.succeed(
            "a",
            ["objection", "decide", grant, "--delegation", father.delegation, "--outcome", "dismissed"]
        )
        try reader.fetch(record) { $0.status == 0 }

        let custody = try Self.declare("custody", hospitals, at: "b")
        #expect(try reader.fetch(record) { $0.status != 0 }.code == "access.delegation-over")
        #expect(try Self.mandates(hospitals, "b")["mandates"].list.allSatisfy { !$0["speaks"].bool })
        #expect(try hospitals.command("a", ["life-event", "withdraw", custody]).status == 3)
        let aunt = try Self.guardian(hospitals, "b", "CN-PP:E12345678")
        _ = try hospitals.grant(Self.child, at: "b", key: aunt.key, ["--to", "b", "--delegation", aunt.delegation])
        try reader.fetch(record) { $0.status == 0 }
        let death = try Self.declare("death", hospitals, at: "b")
        #expect(try reader.fetch(record) { $0.status != 0 }.code == "access.delegation-over")
        try hospitals.succeed("b", ["life-event", "withdraw", death])
        try reader.fetch(record) { $0.status == 0 }
    }

    @Test("A statutory delegate speaks from a declared incapacity until recovery")
    func incapacity() throws {
        let (hospitals, reader, record) = try Self.hospitals()
        let ward = try Self.appoint(hospitals, "b", Person.wang, ["--capacity", "statutory"])
        _ = try hospitals.grant(Self.child, at: "b", key: ward.key, ["--to", "b", "--delegation", ward.delegation])
        #expect(try reader.fetch(record).code == "access.delegation-over")
        _ = try Self.declare("incapacity", hospitals, at: "b")
        // The custodian learns of it too: only then is there a key.
        try reader.fetch(record) { $0.status == 0 }
        _ = try Self.declare("recovery", hospitals, at: "b")
        #expect(try reader.fetch(record) { $0.status != 0 }.code == "access.delegation-over")
    }
}
