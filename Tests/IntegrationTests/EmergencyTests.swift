import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Emergency access", .serialized)
    struct EmergencyTests {}
}

extension IntegrationTests.EmergencyTests {
    static func clinician(
        _ hospitals: Consortium,
        _ name: String,
        _ id: String,
        _ rights: [String]
    ) throws -> Reader {
        let credential = hospitals.path("\(id)@\(name)")
        try hospitals.succeed(
            name,
            ["clinician", "add", "--id", id, "--name", "急诊", "--department", "急诊科", "--output", credential] + rights
        )
        return Reader(hospitals: hospitals, name: name, credential: credential)
    }

    static func open(
        _ reader: Reader,
        of patient: String = Person.wang,
        _ options: [String] = []
    ) throws -> Program.Result {
        try reader.hospitals.command(reader.name, ["--json"] + self.opening(reader) + options, input: patient)
    }

    static func opening(_ reader: Reader) -> [String] {
        [
            "break-glass", "--patient", "-", "--reason", "unconscious", "--text", "found on the street",
            "--circumstances", "no kin reachable", "--as", reader.credential,
        ]
    }

    @Test("A record opens without a grant after a signed, final declaration; others learn of it; it is reviewed")
    func breakGlass() throws {
        let hospitals = try Consortium(["a", "b"])
        _ = try hospitals.importing("a", Samples.path("hospital-a/blood-count.json"))
        let doctor = try Self.clinician(hospitals, "b", "wei", ["--break-glass"])
        let plain = try Self.clinician(hospitals, "b", "lin", [])
        let chief = try Self.clinician(hospitals, "b", "zhao", ["--review"])
        let record = try #require(try doctor.find(Person.wang) { $0.count == 1 }.first)["record"].string
        #expect(try doctor.fetch(record, ["--purpose", "BTG"]).code == "access.not-granted")
        let refused = try Self.open(plain)
        #expect(refused.status == 4 && refused.code == "emergency.no-right")

        let opened = try Self.open(doctor, of: Person.wang, ["--approver", chief.credential])
        try Consortium.expect(0, opened)
        let emergency = opened.json["emergency"].string
        // Only the declared purpose, only the declaring clinician, nothing handed out.
        let read = try hospitals.eventually(
            "b",
            ["fetch", record, "--purpose", "BTG", "--as", doctor.credential]
        ) { $0.status == 0 }
        #expect(read.json["exam"]["items"].list.count == 5)
        #expect(try doctor.fetch(record).code == "access.purpose")
        #expect(try plain.fetch(record, ["--purpose", "BTG"]).code == "access.reader")
        for option in ["--original", "--evidence"] {
            let export = try doctor.fetch(record, ["--purpose", "BTG", option, hospitals.path("export")])
            #expect(export.status == 4 && export.code == "access.emergency-no-export")
        }

        // The source and the patient see it, with what was said; the log says BTG.
        for (name, arguments, input) in [
            ("a", ["notices", "--json"], ""), ("a", ["notices", "--json", "--patient", "-"], Person.wang),
            ("b", ["notices", "--json"], ""),
        ] {
            let notices = try hospitals.succeed(name, arguments, input: input).json["notices"]
            #expect(notices.list.count == 1)
            #expect(notices[0]["emergency"].string == emergency)
            #expect(notices[0]["institution"].string == "b" && notices[0]["approved"].bool)
            #expect(notices[0]["review"].string == "open" && notices[0]["own"].bool == (name == "b"))
        }
        let told = try hospitals.succeed("a", ["notices", "--json"]).json["notices"][0]
        #expect(told["text"].string == "found on the street" && told["circumstances"].string == "no kin reachable")
        let reads = try hospitals.succeed("b", ["access-log", "--json", "--patient", "-"], input: Person.wang)
        #expect(reads.json["reads"][0]["purpose"].string == "BTG")

        let review = ["review", emergency, "--json", "--outcome", "justified", "--as"]
        #expect(try hospitals.command("b", review + [doctor.credential]).code == "emergency.no-right")
        // Who approved does not review.
        #expect(try hospitals.command("b", review + [chief.credential]).code == "transaction.refused")
        let board = try Self.clinician(hospitals, "b", "sun", ["--review"])
        try hospitals.succeed("b", review + [board.credential])
        let after = try hospitals.succeed("b", ["notices", "--json"]).json
        #expect(after["notices"][0]["review"].string == "justified")
        #expect(after["opened"].int == 1 && after["justified"].int == 1 && after["unjustified"].int == 0)
    }

    @Test("The usual extent leaves out what is sensitive; widening is a second act")
    func widening() throws {
        let hospitals = try Consortium(["a", "b"])
        let hiv = ExamFile.lines(count: 1, patients: 1).replacingOccurrences(of: "2345-7", with: "56888-1")
        _ = try hospitals.importing("a", hospitals.write(hiv, to: "hiv.ndjson"))
        let doctor = try Self.clinician(hospitals, "b", "wei", ["--break-glass"])
        let options = [
            "break-glass", "--json", "--patient", "-", "--reason", "life-threatening", "--text", "bleeding",
            "--circumstances", "shock room", "--as", doctor.credential,
        ]
        let patient = ExamFile.patient(0)
        try hospitals.settle()
        let first = try hospitals.succeed("b", options, input: patient).json["emergency"].string
        try hospitals.settle()
        #expect(try doctor.find(patient).isEmpty)
        let unknown = try hospitals.command(
            "b",
            options + ["--widen", String(repeating: "0", count: 64)],
            input: patient
        )
        #expect(unknown.status == 3 && unknown.code == "emergency.unknown")
        try hospitals.succeed("b", options + ["--widen", first], input: patient)
        let listed = try doctor.find(patient) { $0.count == 1 }
        let record = listed[0]["record"].string
        try hospitals.eventually("b", ["fetch", record, "--purpose", "BTG", "--as", doctor.credential]) {
            $0.status == 0
        }
        let notices = try hospitals.succeed("a", ["notices", "--json"]).json["notices"]
        #expect(notices.list.map { $0["wide"].bool } == [true, false])
        #expect(notices[0]["widens"].string == first)
    }
}
