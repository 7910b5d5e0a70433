import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Grants in full", .serialized)
    struct AccessTests {}
}

extension IntegrationTests.AccessTests {
    /// The blood count of Wang at hospital a, as `name` finds it.
    private static func bloodCount(_ hospitals: Consortium, _ reader: Reader) throws -> String {
        _ = try hospitals.importing("a", Samples.path("hospital-a/blood-count.json"))
        return try #require(try reader.find(Person.wang) { $0.count == 1 }.first)["record"].string
    }

    private static func explain(_ reader: Reader, _ record: String, _ options: [String] = []) throws -> JSON {
        try reader.hospitals.succeed(
            reader.name,
            ["explain", record, "--json", "--as", reader.credential] + options
        ).json
    }

    private static func nurse(_ hospitals: Consortium, _ name: String) throws -> Reader {
        let credential = hospitals.path("nurse@\(name)")
        try hospitals.succeed(
            name,
            [
                "clinician", "add", "--id", "wu", "--name", "吴护士", "--department", "呼吸内科", "--role", "nurse",
                "--output", credential,
            ]
        )
        return Reader(hospitals: hospitals, name: name, credential: credential)
    }

    @Test("A grant names its readers, counts openings and hides a result; explain says which rule decides")
    func limits() throws {
        let hospitals = try Consortium(["a", "b"])
        let lin = try hospitals.reader("b")
        let wu = try Self.nurse(hospitals, "b")
        let record = try Self.bloodCount(hospitals, lin)
        #expect(try Self.explain(lin, record)["code"].string == "access.not-granted")
        #expect(try Self.explain(lin, record)["rule"].string == "grantee")
        let grant = try hospitals.grant(
            Person.wang,
            witnessedBy: "b",
            ["--to", "b", "--readers", "role:nurse", "--uses", "2", "--hide", "718-7"]
        )
        let opened = try wu.fetch(record) { $0.status == 0 }
        let codes = opened.json["exam"]["items"].list.map { $0["code"]["codings"][0]["code"].string }
        #expect(codes.count == 4 && !codes.contains("718-7"))
        #expect(opened.json["hidden"].strings == ["718-7"])
        #expect(opened.json["exam"]["conclusion"].string.isEmpty)
        let explained = try Self.explain(wu, record)
        #expect(explained["answer"].string == "granted" && explained["grant"].string == grant)
        #expect(explained["uses"].int == 1 && explained["usesMax"].int == 2)
        #expect(explained["hidden"].strings == ["718-7"])
        // Another clinician, the whole exam, another purpose, and once too often.
        let other = try lin.fetch(record)
        #expect(other.status == 4 && other.code == "access.reader")
        #expect(try Self.explain(lin, record)["rule"].string == "reader")
        #expect(try Self.explain(wu, record, ["--purpose", "HRESCH"])["code"].string == "access.purpose")
        let whole = try wu.fetch(record, ["--original", hospitals.path("original")])
        #expect(whole.status == 4 && whole.code == "access.masked")
        #expect(try wu.fetch(record, ["--evidence", hospitals.path("evidence")]).code == "access.masked")
        try Consortium.expect(0, wu.fetch(record))
        let used = try wu.fetch(record)
        #expect(used.status == 4 && used.code == "access.used-up")
        #expect(try Self.explain(wu, record)["rule"].string == "uses")
        let listed = try hospitals.succeed("b", ["grants", "--json", "--patient", "-"], input: Person.wang).json[
            "grants"
        ]
        #expect(listed[0]["uses"].int == 2 && listed[0]["usesMax"].int == 2)
        // The custodian wraps for its own grant set, and says the same words to nobody else.
        #expect(try Self.explain(hospitals.reader("a"), record)["answer"].string == "own")
    }

    @Test("Wrong combinations are refused before anything is signed")
    func combinations() throws {
        let hospitals = try Consortium(["a", "b"])
        let consent = try hospitals.write("signed form", to: "consent")
        let wishes: [(options: [String], code: String)] = [
            ([], "usage.grantee"),
            (["--to", "b", "--uses", "0"], "usage.uses"),
            (["--to", "b", "--records", "12"], "usage.record"),
            (["--to", "b", "--referral", "12"], "usage.referral"),
            (["--to", "b", "--referral", String(repeating: "0", count: 64)], "referral.unknown"),
            (["--to-groups", "east"], "group.unknown"),
            (["--to", "b", "--sensitive", "gossip"], "request.invalid"),
            (["--to", "b", "--readers", "wu"], "request.invalid"),
            (["--to", "b", "--readers", "person:a/wu"], "request.invalid"),
            (["--to", "b", "--items", "718-7", "--hide", "718-7"], "request.invalid"),
            (["--to", "b", "--exams-from", "2026-02-01", "--exams-until", "2026-01-01"], "request.invalid"),
            (["--to", "b", "--delegation", String(repeating: "0", count: 64)], "usage.grantor"),
        ]
        for wish in wishes {
            let result = try hospitals.command(
                "b",
                ["grant", "--json", "--patient", "-", "--witness", consent] + wish.options,
                input: Person.wang
            )
            #expect(result.code == wish.code, "\(wish.options)")
            #expect(result.output.isEmpty)
        }
        #expect(
            try hospitals.succeed("b", ["grants", "--json", "--patient", "-"], input: Person.wang)
                .json["grants"].list.isEmpty
        )
    }

    @Test("A group's members read while they are members, also those who join after the grant")
    func groups() throws {
        let hospitals = try Consortium(["a", "b", "c"])
        let lin = try hospitals.reader("b")
        let record = try Self.bloodCount(hospitals, lin)
        let hu = try hospitals.reader("c", id: "hu")
        try hospitals.succeed("a", ["group", "create", "east"])
        try hospitals.succeed("a", ["group", "change", "east", "--add", "b"])
        let denied = try hospitals.command("b", ["group", "change", "east", "--add", "c", "--json"])
        #expect(denied.status == 4 && denied.code == "transaction.refused")
        _ = try hospitals.grant(Person.wang, witnessedBy: "a", ["--to-groups", "east"])
        try lin.fetch(record) { $0.status == 0 }
        try hu.find(Person.wang) { $0.count == 1 }
        #expect(try hu.fetch(record).code == "access.not-granted")
        try hospitals.succeed("a", ["group", "change", "east", "--add", "c"])
        try hu.fetch(record) { $0.status == 0 }
        let evidence = hospitals.path("evidence")
        try Consortium.expect(0, hu.fetch(record, ["--evidence", evidence]))
        try Consortium.expect(0, Program.run(["verify", evidence, "--genesis", hospitals.path("genesis")]))
        try hospitals.succeed("c", ["group", "change", "east", "--remove", "c"])
        let left = try hu.fetch(record)
        #expect(left.status == 4 && left.code == "access.not-granted")
        try Consortium.expect(0, lin.fetch(record))
        #expect(try hospitals.succeed("b", ["group", "show", "east", "--json"]).json["members"].strings == ["a", "b"])
    }

    @Test("A grant bound to a referral ends when either side closes it")
    func referral() throws {
        let hospitals = try Consortium(["a", "b"])
        let lin = try hospitals.reader("b")
        let record = try Self.bloodCount(hospitals, lin)
        let referral = try hospitals.succeed("a", ["referral", "open", "--to", "b", "--json"]).json["referral"].string
        _ = try hospitals.grant(Person.wang, witnessedBy: "a", ["--to", "b", "--referral", referral])
        try lin.fetch(record) { $0.status == 0 }
        let evidence = hospitals.path("evidence")
        try Consortium.expect(0, lin.fetch(record, ["--evidence", evidence]))
        try Consortium.expect(0, Program.run(["verify", evidence, "--genesis", hospitals.path("genesis")]))
        try hospitals.succeed("b", ["referral", "close", referral])
        let closed = try lin.fetch(record)
        #expect(closed.status == 5 && closed.code == "access.referral-closed")
        let listed = try hospitals.succeed("b", ["grants", "--json", "--patient", "-"], input: Person.wang).json[
            "grants"
        ]
        #expect(listed[0]["state"].string == "referral-closed")
    }

    @Test("R9, R11: a delegate grants within a mandate, and its end ends the grants and leaves the readings")
    func delegation() throws {
        let hospitals = try Consortium(["a", "b"])
        let lin = try hospitals.reader("b")
        let record = try Self.bloodCount(hospitals, lin)
        let key = try hospitals.enrol(Person.wang, at: "b")
        let helper = try hospitals.enrol(Person.other, at: "b", key: "helper.key")
        let shown = try hospitals.succeed("b", ["patient", "key", helper, "--json"]).json["key"].string
        let mandate = try hospitals.write("power of attorney", to: "mandate")
        let delegation = try hospitals.succeed(
            "b",
            [
                "delegation", "create", "--json", "--patient", "-", "--key", key, "--delegate", shown,
                "--evidence", mandate, "--kinds", "lab",
            ],
            input: Person.wang
        ).json["delegation"].string
        let wide = try hospitals.grant(
            Person.wang,
            at: "b",
            key: helper,
            ["--to", "b", "--delegation", delegation, "--kinds", "lab"]
        )
        try lin.fetch(record) { $0.status == 0 }
        let evidence = hospitals.path("evidence")
        try Consortium.expect(0, lin.fetch(record, ["--evidence", evidence]))
        try Consortium.expect(0, Program.run(["verify", evidence, "--genesis", hospitals.path("genesis")]))
        let ended = try hospitals.succeed("b", ["delegation", "end", delegation, "--key", key, "--json"]).json
        let closed = try lin.fetch(record)
        #expect(closed.status == 5 && closed.code == "access.delegation-over")
        let again = try hospitals.command(
            "b",
            ["grant", "--json", "--patient", "-", "--key", helper, "--to", "b", "--delegation", delegation],
            input: Person.wang
        )
        #expect(again.code == "transaction.refused")
        // Ended once is enough, and the patient may also end what the delegate made.
        let repeated = try hospitals.succeed("b", ["delegation", "end", delegation, "--key", key, "--json"]).json
        #expect(repeated["height"].int == ended["height"].int)
        try hospitals.succeed("b", ["revoke", wide, "--key", key])
        let reads = try hospitals.succeed("b", ["access-log", "--json", "--patient", "-"], input: Person.wang)
        #expect(reads.json["reads"].list.count == 2)
        try Consortium.expect(0, Program.run(["verify", evidence, "--genesis", hospitals.path("genesis")]))
    }

    @Test("A guardian grants until the child is 14, and nothing sensitive")
    func guardian() throws {
        let hospitals = try Consortium(["a", "b"])
        let guardian = try hospitals.enrol(Person.other, at: "b", key: "guardian.key")
        let shown = try hospitals.succeed("b", ["patient", "key", guardian, "--json"]).json["key"].string
        let paper = try hospitals.write("birth certificate", to: "paper")
        func appoint(_ options: [String]) throws -> Program.Result {
            let create = ["delegation", "create", "--json", "--patient", "-", "--as-witness", "--delegate", shown]
            let arguments = create + ["--capacity", "guardian", "--evidence", paper] + options
            return try hospitals.command("b", arguments, input: ExamFile.patient(0))
        }
        #expect(try appoint([]).code == "request.invalid")
        #expect(try appoint(["--birth-date", "1980-01-01"]).code == "request.invalid")
        #expect(try appoint(["--birth-date", "2025-02-30"]).code == "request.invalid")
        let year = Calendar(identifier: .gregorian).component(.year, from: Date())
        let birth = ["--birth-date", "\(year - 13)-12-31"]
        #expect(try appoint(birth + ["--sensitive", "abuse"]).code == "request.invalid")
        let made = try appoint(birth + ["--until", "\(year + 4)-01-01"])
        try Consortium.expect(0, made)
        let delegation = ["--delegation", made.json["delegation"].string]
        _ = try hospitals.grant(ExamFile.patient(0), at: "b", key: guardian, ["--to", "b"] + delegation)
        // The child is 14 before that: the chain refuses what would outlast the guardian's word.
        let late = [
            "grant", "--json", "--patient", "-", "--key", guardian, "--to", "b", "--until", "\(year + 3)-01-01",
        ]
        let beyond = try hospitals.command("b", late + delegation, input: ExamFile.patient(0))
        #expect(beyond.code == "transaction.refused")
        let listed = try hospitals.succeed("b", ["grants", "--json", "--patient", "-"], input: ExamFile.patient(0))
        #expect(listed.json["grants"][0]["grantor"].string == "guardian")
    }

    @Test("R10, R12: a part of a grant is revoked by institution and by date; a whole one any number of times")
    func narrowing() throws {
        let hospitals = try Consortium(["a", "b", "c"])
        let lin = try hospitals.reader("b")
        let record = try Self.bloodCount(hospitals, lin)
        let hu = try hospitals.reader("c", id: "hu")
        try hu.find(Person.wang) { $0.count == 1 }
        let key = try hospitals.enrol(Person.wang, at: "b")
        let grant = try hospitals.grant(Person.wang, at: "b", key: key, ["--to", "b", "c"])
        for reader in [lin, hu] { try reader.fetch(record) { $0.status == 0 } }
        let narrow = ["narrow", grant, "--json", "--patient", "-", "--key", key]
        #expect(try hospitals.command("b", narrow, input: Person.wang).code == "usage.narrowing")
        try hospitals.succeed("b", narrow + ["--without-institutions", "c"], input: Person.wang)
        let refused = try hu.fetch(record) { $0.status != 0 }
        #expect(refused.status == 5 && refused.code == "access.narrowed")
        let evidence = hospitals.path("evidence")
        try Consortium.expect(0, lin.fetch(record, ["--evidence", evidence]))
        try Consortium.expect(0, Program.run(["verify", evidence, "--genesis", hospitals.path("genesis")]))
        try hospitals.succeed("b", narrow + ["--hide", "718-7"], input: Person.wang)
        #expect(try lin.fetch(record).json["hidden"].strings == ["718-7"])
        try hospitals.succeed("b", narrow + ["--exams-from", "2030-01-01"], input: Person.wang)
        #expect(try lin.fetch(record).code == "access.narrowed")
        #expect(try Self.explain(lin, record)["rule"].string == "partial-revocation")
        let listed = try hospitals.succeed("b", ["grants", "--json", "--patient", "-"], input: Person.wang).json[
            "grants"
        ]
        #expect(listed[0]["narrowings"].list.count == 3)
        let heights = try (0..<2).map { _ in
            try hospitals.succeed("b", ["revoke", grant, "--key", key, "--json"]).json["height"].int
        }
        #expect(heights[0] == heights[1])
    }

    @Test("Who is not to be found, and what is sensitive, is not there for those who may not open it")
    func discovery() throws {
        let hospitals = try Consortium(["a", "b"])
        let lin = try hospitals.reader("b")
        let record = try Self.bloodCount(hospitals, lin)
        let hiv = ExamFile.lines(count: 1, patients: 1).replacingOccurrences(of: "2345-7", with: "56888-1")
        _ = try hospitals.importing("a", hospitals.write(hiv, to: "hiv.ndjson"))
        let key = try hospitals.enrol(Person.wang, at: "b")
        try hospitals.succeed("b", ["discovery", "hide", "--patient", "-", "--key", key], input: Person.wang)
        try lin.find(Person.wang) { $0.isEmpty }
        // As if it were not there, in every answer.
        let unknown = try lin.fetch(record)
        #expect(unknown.status == 3 && unknown.code == "record.unknown")
        let explained = try hospitals.command("b", ["explain", record, "--json", "--as", lin.credential])
        #expect(explained.code == "record.unknown")
        let absent = try hospitals.command(
            "b",
            ["explain", String(repeating: "1", count: 64), "--json", "--as", lin.credential]
        )
        #expect(absent.status == explained.status && absent.errors == explained.errors)
        // Also after a restart; and at home nothing is hidden.
        hospitals.kill("b")
        try hospitals.start("b")
        #expect(try lin.find(Person.wang).isEmpty)
        let grant = try hospitals.grant(Person.wang, at: "b", key: key, ["--to", "b"])
        try lin.fetch(record) { $0.status == 0 }
        try hospitals.succeed("b", ["revoke", grant, "--key", key])
        #expect(try lin.fetch(record).code == "record.unknown")
        try hospitals.succeed("b", ["discovery", "show", "--patient", "-", "--key", key], input: Person.wang)
        #expect(try lin.fetch(record) { $0.code != "record.unknown" }.code == "access.revoked")

        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b"])
        try hospitals.settle()
        #expect(try lin.find(ExamFile.patient(0)).isEmpty)
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b", "--sensitive", "sexual-health"])
        let listed = try lin.find(ExamFile.patient(0)) { $0.count == 1 }
        #expect(listed[0]["item"].string == "56888-1")
        try lin.fetch(listed[0]["record"].string) { $0.status == 0 }
    }

    @Test("R1, R6: after a revocation no key is released, neither of what was there nor of what came later")
    func noNewKeys() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        let lin = try hospitals.reader("b")
        let revoked = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b"])
        let consent = hospitals.path("consent")
        try hospitals.succeed("b", ["revoke", revoked, "--witness", consent])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 1, patients: 1), to: "exams.ndjson"))
        let record = try #require(try lin.find(ExamFile.patient(0)) { $0.count == 1 }.first)["record"].string
        try hospitals.settle()
        // With the custodian away a new grant finds nothing at b: nothing was handed out under the revoked one.
        hospitals.stop("a")
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b"])
        let missing = try lin.fetch(record)
        #expect(missing.status == 6 && missing.code == "record.not-here")
        try hospitals.start("a")
        try lin.fetch(record) { $0.status == 0 }
    }

    @Test("R5: a reading leaves neither plaintext nor a key that opens the record on the reader's disk")
    func nothingKept() throws {
        let hospitals = try Consortium(["a", "b"])
        let canary = "Canarylyte"
        let text = ExamFile.lines(count: 1, patients: 1).replacingOccurrences(of: "Glucose", with: canary)
        _ = try hospitals.importing("a", hospitals.write(text, to: "exams.ndjson"))
        let lin = try hospitals.reader("b")
        let record = try #require(try lin.find(ExamFile.patient(0)) { $0.count == 1 }.first)["record"].string
        let grant = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b"])
        let opened = try lin.fetch(record) { $0.status == 0 }
        #expect(opened.output.contains(canary))
        hospitals.stop("b")
        let files = FileManager.default.enumerator(at: hospitals.home("b"), includingPropertiesForKeys: nil)
        var seen = 0
        while let url = files?.nextObject() as? URL {
            guard let bytes = try? Data(contentsOf: url) else { continue }
            seen += 1
            #expect(bytes.range(of: Data(canary.utf8)) == nil, "\(url.lastPathComponent)")
        }
        #expect(seen > 5)
        // What is left there opens nothing once the grant has ended.
        try hospitals.start("b")
        try hospitals.succeed("b", ["revoke", grant, "--witness", hospitals.path("consent")])
        #expect(try lin.fetch(record).code == "access.revoked")
    }

    @Test("R13: a corrected report marks the old one, which stays where it was")
    func corrected() throws {
        let hospitals = try Consortium(["a", "b"])
        let lin = try hospitals.reader("b")
        for value in ["5.1", "6.2"] {
            let lines = ExamFile.lines(count: 1, patients: 1) { _ in value }
            _ = try hospitals.importing("a", hospitals.write(lines, to: "exams-\(value).ndjson"))
        }
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b"])
        let found = try lin.find(ExamFile.patient(0)) { $0.count == 2 }
        #expect(found.filter { $0["superseded"].bool }.count == 1)
        for exam in found { try lin.fetch(exam["record"].string) { $0.status == 0 } }
    }
}
