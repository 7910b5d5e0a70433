import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Pseudonyms are formed by two of three institutions", .serialized)
    struct PseudonymTests {}
}

extension IntegrationTests.PseudonymTests {
    /// One votes, so that the chain goes on whoever else is away; all three hold shares.
    private func consortium() throws -> Consortium {
        try Consortium(["a", "b", "c"], verifiers: ["b", "c"], policy: ["pseudonym-window-ms=1000"])
    }

    private func write(_ hospitals: Consortium, _ name: String, patients: Int, source: String) throws -> String {
        let path = hospitals.path(name)
        let lines = ExamFile.lines(count: patients, patients: patients, source: source)
        // Other persons in each file.
        let named = lines.replacing(#""value":"P"#, with: #""value":"\#(source)P"#)
        try Data(named.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test("Two runs of genesis on the same cards give the same chain")
    func genesis() throws {
        let hospitals = try Consortium(["a", "b"], starting: false)
        let cards = ["b", "a"].map { hospitals.home($0).appending(path: "card").path }
        let again = hospitals.path("again")
        try Consortium.expect(
            0,
            Program.run(["genesis"] + cards + ["--output", again, "--policy", hospitals.path("policy")])
        )
        #expect(try Data(contentsOf: URL(fileURLWithPath: again)) == Data(contentsOf: hospitals.file("genesis")))
    }

    @Test("With one holder down an import goes on; with two it waits, says so, and goes on by itself")
    func holdersDown() throws {
        let hospitals = try self.consortium()
        let status = try hospitals.succeed("a", ["status", "--json"]).json["pseudonymKey"]
        #expect(status["threshold"].int == 2)
        #expect(status["holders"].strings.sorted() == ["a", "b", "c"])

        hospitals.stop("c")
        let first = try self.write(hospitals, "first", patients: 40, source: "one")
        #expect(try hospitals.importing("a", first)["committed"].int == 40)

        hospitals.stop("b")
        // Whom the home has met is found without anybody's help.
        let lin = try hospitals.reader("a")
        #expect(try lin.find("urn:test:patient|oneP3").count == 1)
        let refused = try hospitals.command(
            "a",
            ["find", "--json", "--patient", "-", "--as", lin.credential],
            input: "urn:test:patient|twoP3"
        )
        #expect(refused.status == 6 && refused.code == "pseudonym.unreachable")
        let doctor = try hospitals.command("a", ["doctor", "--json"])
        let check = doctor.json["checks"].list.first { $0["name"].string == "pseudonyms" }
        #expect(check?["ok"].bool == false)

        let second = try self.write(hospitals, "second", patients: 40, source: "two")
        let waiting = try hospitals.background("a", ["import", "--json", second])
        #expect(try hospitals.succeed("a", ["status", "--json"]).json["exams"].int == 40)
        try hospitals.start("c")
        let ended = try waiting.result()
        #expect(ended.status == 0)
        #expect(ended.json["committed"].int == 40)
        #expect(try lin.find("urn:test:patient|twoP3").count == 1)
    }

    @Test("All institutions form the same pseudonyms, before and after the key moved to new shares")
    func reshare() throws {
        let hospitals = try self.consortium()
        let first = try self.write(hospitals, "first", patients: 5, source: "one")
        #expect(try hospitals.importing("a", first)["committed"].int == 5)
        let reader = try hospitals.reader("b")
        try reader.find("urn:test:patient|oneP1") { $0.count == 1 }
        // The key rests for ten windows after it was shared.
        try hospitals.eventually("b", ["pseudonyms", "reshare"]) { $0.status == 0 }
        for name in ["a", "b", "c"] { try hospitals.awaitShare(name, generation: 2) }
        // A patient that b has not met: formed with new shares, found under the old pseudonym.
        #expect(try reader.find("urn:test:patient|oneP2").count == 1)
        let second = try self.write(hospitals, "second", patients: 5, source: "one")
        #expect(try hospitals.importing("a", second)["duplicates"].int == 5)
        let other = try hospitals.reader("c")
        try other.find("urn:test:patient|oneP3") { $0.count == 1 }
    }

    @Test("Evaluations are counted on the chain; over its quota an institution gets no more, what it knows works on")
    func quota() throws {
        let hospitals = try Consortium(
            ["a", "b"],
            policy: ["pseudonym-daily-quota=40", "pseudonym-window-ms=1000"]
        )
        // Each has a number of the system's and one of the hospital's own.
        let first = try self.write(hospitals, "first", patients: 20, source: "one")
        #expect(try hospitals.importing("a", first)["committed"].int == 20)
        try hospitals.eventually("a", ["status"]) { $0.json["pseudonymKey"]["usedToday"].int == 40 }
        let second = try self.write(hospitals, "second", patients: 1, source: "two")
        let refused = try hospitals.command("a", ["import", "--json", second])
        #expect(refused.status == 4 && refused.code == "pseudonym.over-quota")
        // Known patients need nobody.
        #expect(try hospitals.importing("a", first)["duplicates"].int == 20)
    }
}
