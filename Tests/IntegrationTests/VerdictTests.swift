import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Verdicts of mutual recognition on four agents", .serialized)
    struct VerdictTests {}
}

extension IntegrationTests.VerdictTests {
    /// The sample pack for a hospital that is called `a`, with windows of thirty days.
    private static func pack(_ hospitals: Consortium, version: Int = 1, days: Int = 30) throws -> String {
        let text = try String(contentsOfFile: Samples.path("policy/quickstart.yaml"), encoding: .utf8)
            .replacing("hospital-a", with: "a").replacing("3650 days", with: "\(days) days")
            .replacing("version: 1", with: "version: \(version)")
        let yaml = try hospitals.write(text, to: "pack-\(version).yaml")
        let pack = hospitals.path("pack-\(version).pack")
        try Consortium.expect(
            0,
            Program.run(["policy", "sign", yaml, "--key", hospitals.path("author.key"), "--output", pack])
        )
        return pack
    }

    /// A sample of hospital A as if it had been made `daysAgo`.
    private static func exam(_ hospitals: Consortium, _ sample: String, daysAgo: Int, as name: String) throws -> String
    {
        let day = ISO8601DateFormatter()
        day.formatOptions = [.withFullDate]
        let date = day.string(from: Date(timeIntervalSinceNow: -86_400 * Double(daysAgo)))
        let text = try String(contentsOfFile: Samples.path(sample), encoding: .utf8)
            .replacing("2026-10-08", with: date).replacing("2026-10-09", with: date)
            .replacing("R000001", with: name).replacing("cbc-1", with: name)
        return try hospitals.write(text, to: name + ".json")
    }

    /// Adopts a pack that `first` proposes, and checks that it takes a quorum.
    private static func adopt(_ hospitals: Consortium, _ pack: String) throws -> String {
        let proposed = try hospitals.succeed("a", ["policy", "publish", "--json", pack]).json
        #expect(proposed["state"].string == "waiting")
        #expect(proposed["approvals"].int == 1 && proposed["quorum"].int == 3)
        let proposal = proposed["proposal"].string
        for (name, approvals) in [("b", 2), ("c", 3)] {
            try hospitals.eventually(name, ["policy", "list"]) { result in
                result.json["policies"].list.contains {
                    $0["proposal"].string == proposal && $0["approvals"].int == approvals - 1
                }
            }
            let approved = try hospitals.succeed(name, ["policy", "approve", "--json", proposal]).json
            #expect(approved["approvals"].int == approvals)
            #expect(approved["state"].string == (approvals < 3 ? "waiting" : "in-force"))
        }
        let again = try hospitals.command("d", ["policy", "approve", "--json", proposal])
        #expect(again.status != 0, "what is adopted is closed")
        return proposal
    }

    private static func verdict(_ result: JSON, _ record: String) -> JSON {
        result["results"].list.first { $0["record"].string == record }?["verdict"] ?? JSON(nil)
    }

    @Test("Hospital B sees which exams of A it must recognise, why others not, and gets the same verdict again")
    func story() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        let pack = try Self.pack(hospitals)
        _ = try hospitals.importing("a", try Self.exam(hospitals, "hospital-a/blood-count.json", daysAgo: 2, as: "new"))
        _ = try hospitals.importing(
            "a",
            try Self.exam(hospitals, "hospital-a/blood-count.json", daysAgo: 60, as: "old")
        )
        _ = try hospitals.importing("a", try Self.exam(hospitals, "hospital-a/chest-ct.json", daysAgo: 3, as: "ct"))
        let lin = try hospitals.reader("b")
        let found = try lin.find(Person.wang) { $0.count == 3 }
        #expect(found.allSatisfy { $0["verdict"].keys.isEmpty }, "no pack is in force yet")
        let counts = found.filter { $0["item"].string == "58410-2" }.map { $0["record"].string }
        let (new, old) = try (#require(counts.first), #require(counts.last))
        let ct = try #require(found.first { $0["kind"].string == "imaging" })["record"].string
        let none = try hospitals.command(
            "b",
            ["why", "--json", "--patient", "-", "--order", "cbc", "--as", lin.credential],
            input: Person.wang
        )
        #expect(none.code == "policy.none" && none.status == 9)

        _ = try Self.adopt(hospitals, pack)
        let order = ["find", "--patient", "-", "--as", lin.credential, "--order", "cbc"]
        let closed = try hospitals.eventually("b", order, input: Person.wang) { $0.json["policy"]["version"].int == 1 }
        #expect(closed.json["verdict"]["outcome"].string == "NO_ACCESS")
        #expect(Self.verdict(closed.json, new)["reason"]["code"].string == "N19")

        let grant = try hospitals.grant(Person.wang, witnessedBy: "b", ["--to", "b"])
        let open = try hospitals.eventually("b", order, input: Person.wang) { result in
            result.json["results"].list.allSatisfy { $0["verdict"]["basis"].string == "record" }
        }.json
        #expect(open["verdict"]["outcome"].string == "MUST_RECOGNISE")
        #expect(open["verdict"]["chosen"].string == new)
        #expect(open["verdict"]["ageSource"].string == "record")
        #expect(Self.verdict(open, old)["reason"]["code"].string == "N07")
        #expect(Self.verdict(open, old)["reason"]["rule"].string == "W-LAB")
        #expect(Self.verdict(open, ct)["reason"]["code"].string == "N15")
        let glance = try hospitals.succeed(
            "b",
            ["find", "--json", "--patient", "-", "--as", lin.credential],
            input: Person.wang
        ).json
        #expect(Self.verdict(glance, new)["outcome"].string == "MUST_RECOGNISE")
        #expect(Self.verdict(glance, old)["outcome"].string == "NOT_ELIGIBLE")
        #expect(Self.verdict(glance, ct)["outcome"].string == "MAY_RECOGNISE")
        #expect(Self.verdict(glance, ct)["reason"]["code"].string == "N04")
        try Self.expectReproduction(hospitals, lin, [new, old, ct])

        try hospitals.succeed("b", ["revoke", grant, "--witness", hospitals.path("consent")])
        let revoked = try hospitals.succeed("b", order + ["--json"], input: Person.wang).json
        #expect(Self.verdict(revoked, new)["reason"]["code"].string == "N20")
    }

    private static func expectReproduction(_ hospitals: Consortium, _ lin: Reader, _ records: [String]) throws {
        let order = ["--order", "hgb", "--as", lin.credential, "--json"]
        let first = try hospitals.succeed("b", ["find", "--patient", "-"] + order, input: Person.wang).json["verdict"]
        #expect(first["outcome"].string == "MUST_RECOGNISE")
        // The order's own time, later: the same grants, exams and rules.
        let block = first["block"].int
        let asked = order + ["--as-of", first["time"].string, "--block", String(block)]
        #expect(first["comparable"].string.isEmpty, "a result is not shown before the record is opened")
        let input = hospitals.path("verdict")
        let why = ["why", "--patient", "-", "--output", input] + asked
        let refused = try hospitals.command("b", why, input: Person.wang)
        #expect(refused.code == "verdict.not-opened")
        for record in records { try Consortium.expect(0, lin.fetch(record)) }
        let again = try hospitals.succeed("b", why, input: Person.wang).json
        #expect(again["digest"].string == first["digest"].string)
        #expect(again["inputHash"].string == first["inputHash"].string)
        #expect(again["exams"][0]["steps"].list.count == 12)
        #expect(!again["comparable"].string.isEmpty)
        let one = try hospitals.succeed("b", ["why", records[1]] + asked).json
        #expect(one["digest"].string == first["digest"].string)
        #expect(one["exams"].list.map { $0["record"].string } == [records[1]])
        // Another agent has the pack from the chain; a newer pack changes nothing about it.
        let elsewhere = try hospitals.succeed("c", ["why", "--input", input, "--json"]).json
        #expect(elsewhere["digest"].string == first["digest"].string)
        #expect(elsewhere["outcome"].string == "MUST_RECOGNISE")
        _ = try Self.adopt(hospitals, try Self.pack(hospitals, version: 2, days: 1))
        let replaced = try hospitals.succeed("b", ["why", "--patient", "-"] + asked, input: Person.wang).json
        #expect(replaced["digest"].string == first["digest"].string, "what was in force then counts")
        let now = try hospitals.eventually(
            "b",
            ["find", "--patient", "-", "--order", "hgb", "--as", lin.credential],
            input: Person.wang
        ) { $0.json["policy"]["version"].int == 2 }
        #expect(now.json["verdict"]["outcome"].string == "NOT_ELIGIBLE")
        // Both packs were in force in that second; which one counted follows from the block.
        let later = order + ["--as-of", now.json["verdict"]["time"].string, "--block"]
        let before = try hospitals.succeed(
            "b",
            ["why", "--patient", "-"] + later + [String(block)],
            input: Person.wang
        ).json
        #expect(before["outcome"].string == "MUST_RECOGNISE")
        let unmade = try hospitals.command("b", ["why", "--patient", "-"] + later + ["1000000"], input: Person.wang)
        #expect(unmade.code == "request.invalid")
    }

    @Test("Who may not know an exam learns nothing of it from verdicts")
    func hidden() throws {
        let hospitals = try Consortium(["a", "b"])
        let pack = try Self.pack(hospitals)
        _ = try hospitals.importing("a", try Self.exam(hospitals, "hospital-a/blood-count.json", daysAgo: 2, as: "new"))
        let proposal = try hospitals.succeed("a", ["policy", "publish", "--json", pack]).json["proposal"].string
        try hospitals.eventually("b", ["policy", "list"]) { !$0.json["policies"].list.isEmpty }
        try hospitals.succeed("b", ["policy", "approve", proposal])
        let lin = try hospitals.reader("b")
        let record = try #require(try lin.find(Person.wang) { $0.count == 1 }.first)["record"].string
        let why = ["why", record, "--as", lin.credential]
        #expect(try hospitals.command("b", why + ["--json"]).json["outcome"].string == "NO_ACCESS")
        let key = try hospitals.enrol(Person.wang, at: "a")
        try hospitals.succeed("a", ["discovery", "hide", "--patient", "-", "--key", key], input: Person.wang)
        try hospitals.eventually("b", why) { $0.code == "record.unknown" }
        let judged = try hospitals.succeed(
            "b",
            ["find", "--json", "--patient", "-", "--order", "cbc", "--as", lin.credential],
            input: Person.wang
        ).json
        #expect(judged["results"].list.isEmpty)
        #expect(judged["verdict"]["exams"].list.isEmpty)
        #expect(judged["verdict"]["outcome"].string == "NOT_ELIGIBLE", "as for a patient without exams")
    }
}
