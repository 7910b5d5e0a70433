import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Results of others are recognised, and everybody counts the same", .serialized)
    struct MatchTests {}
}

/// Hospital A has examined a patient who now sits at hospital B.
private struct Visit {
    let hospitals: Consortium
    let doctor: Reader
    let count: String
    let scan: String

    /// `undoMinutes`: of the policy pack.
    init(_ names: [String] = ["a", "b", "c"], undoMinutes: Int = 30) throws {
        let hospitals = try Consortium(names)
        _ = try hospitals.importing("a", Samples.path("hospital-a/blood-count.json"))
        _ = try hospitals.importing("a", Samples.path("hospital-a/chest-ct.json"))
        try Self.adopt(hospitals, undoMinutes)
        let prices = try hospitals.write(
            "\u{FEFF}# yuan\nct-chest,organisation,2026-01-01,260\ncbc,institution,,25.5\n",
            to: "prices.csv"
        )
        #expect(try hospitals.succeed("b", ["prices", "load", "--json", prices]).json["prices"].int == 2)
        _ = try hospitals.grant(Person.wang, witnessedBy: "b", ["--to", "b"])
        let doctor = try hospitals.reader("b")
        let found = try doctor.find(Person.wang) { exams in
            exams.count == 2 && exams.allSatisfy { $0["verdict"]["basis"].string == "record" }
        }
        self.hospitals = hospitals
        self.doctor = doctor
        self.count = try #require(found.first { $0["kind"].string == "lab" })["record"].string
        self.scan = try #require(found.first { $0["kind"].string == "imaging" })["record"].string
    }

    private static func adopt(_ hospitals: Consortium, _ undoMinutes: Int) throws {
        let text = try String(contentsOfFile: Samples.path("policy/quickstart.yaml"), encoding: .utf8)
            .replacing("hospital-a", with: "a").replacing("undoMinutes: 30", with: "undoMinutes: \(undoMinutes)")
        let yaml = try hospitals.write(text, to: "pack.yaml")
        let pack = hospitals.path("pack.pack")
        try Consortium.expect(
            0,
            Program.run(["policy", "sign", yaml, "--key", hospitals.path("author.key"), "--output", pack])
        )
        let proposal = try hospitals.succeed("a", ["policy", "publish", "--json", pack]).json["proposal"].string
        let quorum = hospitals.names.count - (hospitals.names.count - 1) / 3
        for name in hospitals.names.prefix(quorum).dropFirst() {
            try hospitals.eventually(name, ["policy", "approve", proposal]) { $0.status == 0 }
        }
        for name in hospitals.names {
            try hospitals.eventually(name, ["policy", "list"]) { result in
                result.json["policies"].list.contains { $0["state"].string == "in-force" }
            }
        }
    }

    func match(_ order: String, _ items: [String] = ["cbc", "ct-chest"], visit: String = "V1") throws -> Program.Result
    {
        try self.hospitals.command(
            "b",
            ["match", "--json", "--patient", "-", "--as", self.doctor.credential, "--items"] + items,
            input: "\(Person.wang)\n\(visit)\n\(order)\n"
        )
    }

    func matched(_ order: String, _ items: [String] = ["cbc", "ct-chest"]) throws -> String {
        try Consortium.expect(0, self.match(order, items)).json["match"].string
    }

    func say(_ command: String, _ match: String, _ options: [String] = [], input: String = "") throws -> Program.Result
    {
        try self.hospitals.command(
            "b",
            [command, "--json", match, "--as", self.doctor.credential] + options,
            input: input
        )
    }

    /// The figures of `name` once all own facts are in blocks and `condition` holds for the total.
    func figures(_ name: String, until condition: (JSON) -> Bool) throws -> JSON {
        try self.hospitals.eventually(name, ["stats", "--by", "institution", "item", "class", "reason"]) { result in
            result.status == 0 && result.json["complete"].bool && condition(result.json["total"]["measures"])
        }.json
    }
}

extension IntegrationTests.MatchTests {
    @Test(
        "A patient with CT and blood count from A at B: reminded, one refused, one adopted, cited, counted by all alike"
    )
    func story() throws {
        let visit = try Visit()
        let made = try Consortium.expect(0, visit.match("O1")).json
        let match = made["match"].string
        #expect(made["items"].list.map { $0["item"].string } == ["cbc", "ct-chest"])
        #expect(made["items"].list.map { $0["eligibility"].string } == ["must", "may"])
        #expect(made["items"].list.map { $0["record"].string } == [visit.count, visit.scan])

        // The same call is the same reminder; another question under its numbers is none.
        let again = try Consortium.expect(0, visit.match("O1")).json
        #expect(again["match"].string == match && again["repeated"].bool)
        #expect(again["time"].string == made["time"].string)
        let other = try visit.match("O1", ["cbc"])
        #expect(other.code == "recognition.match-conflict" && other.status == 4)
        #expect(try Consortium.expect(0, visit.match("O9", ["hba1c"])).json["match"].string.isEmpty)

        // To open a result is to look at it.
        try Consortium.expect(0, visit.doctor.fetch(visit.scan))
        let looked = try visit.hospitals.succeed("b", ["matches", "--json", match]).json
        #expect(looked["items"].list.map { !$0["viewed"].string.isEmpty } == [false, true])

        // A group is decided on as a whole, with reasons where they belong.
        let part = try visit.say("refuse", match, ["--reason", "D01", "--items", "2"])
        #expect(part.code == "recognition.partial-group" && part.status == 2)
        #expect(try visit.say("refuse", match, ["--reason", "D06"]).code == "recognition.text-missing")
        #expect(try visit.say("refuse", match, ["--reason", "D55"]).code == "recognition.bad-reason")
        #expect(try visit.say("cite", match).code == "recognition.not-decided")
        let refusal = ["--reason", "D01", "--items", "2", "--rest", "adopt", "--explained", "--text", "-"]
        let decided = try Consortium.expect(0, visit.say("refuse", match, refusal, input: "伴新发咯血\n")).json
        #expect(decided["items"].list.map { $0["outcome"].string } == ["adopted", "refused"])
        #expect(decided["items"][1]["reason"].string == "D01")
        #expect(decided["saved"].string == "25.50")
        let recorded = try #require(decided["facts"].list.last)
        #expect(recorded["doctor"].string == "lin" && recorded["visit"].string == "V1")
        #expect(recorded["explained"].bool && recorded["text"].string == "伴新发咯血")

        // Said again it is nothing new, also after a kill; said otherwise it is a conflict.
        visit.hospitals.kill("b")
        try visit.hospitals.start("b")
        let repeated = try Consortium.expect(0, visit.say("refuse", match, refusal, input: "伴新发咯血\n")).json
        #expect(repeated["repeated"].bool && repeated["decisions"].list.count == 1)
        #expect(try visit.say("adopt", match).code == "recognition.decision-conflict")

        // Taken back and made otherwise: both stay, and the last one counts.
        try Consortium.expect(0, visit.say("undo", match))
        #expect(try Consortium.expect(0, visit.say("undo", match)).json["repeated"].bool)
        let second = try Consortium.expect(0, visit.say("refuse", match, refusal, input: "伴新发咯血\n")).json
        #expect(second["decisions"].list.map { $0["undone"].string.isEmpty } == [false, true])
        let cited = try Consortium.expect(0, visit.say("cite", match)).json
        #expect(cited["items"].list.map { $0["cited"].bool } == [true, false] && cited["state"].string == "cited")
        #expect(try visit.say("undo", match).code == "recognition.undo-cited")

        let expected = [
            "reminded": 2, "eligible": 2, "viewed": 1, "adopted": 1, "refused": 1, "undone": 2, "cited": 1,
            "contributed": 1, "saved": 2550, "unpriced": 0, "reported": 2, "produced": 2, "committed": 2,
        ]
        var tables: Set<String> = []
        for name in visit.hospitals.names {
            let figures = try visit.figures(name) { total in expected.allSatisfy { total[$0.key].int == $0.value } }
            tables.insert(figures["rows"].text)
            #expect(figures["total"]["rates"]["mutual"].string == "50.00")
            #expect(figures["total"]["rates"]["completeness"].string == "100.00")
        }
        #expect(tables.count == 1, "every agent has the same table")
        try Self.expectProof(visit, match)
        try Self.expectNothingPlain(visit)
    }

    /// A figure names its events, and is the same when it is made again from the chain.
    private static func expectProof(_ visit: Visit, _ match: String) throws {
        let lineage = try visit.hospitals.succeed("c", ["stats", "--lineage", "--measure", "saved", "--by", "class"])
        let events = try lineage.output.split(separator: "\n").map { try JSON(String($0)) }
        #expect(events.map { $0["kind"].string } == ["match", "decision"])
        #expect(events.allSatisfy { $0["match"].string == match && $0["institution"].string == "b" })
        #expect(events.allSatisfy { $0["key"].strings == ["lab"] && $0["transaction"].string.count == 64 })
        let verified = try visit.hospitals.succeed("c", ["stats", "--verify", "--json", "--by", "institution", "day"])
            .json
        #expect(verified["differences"].list.isEmpty && verified["complete"].bool)
        #expect(verified.keys.contains("differences"))
        let file = visit.hospitals.path("stats.csv")
        try visit.hospitals.succeed("b", ["stats", "--by", "department", "--csv", file])
        let csv = try Data(contentsOf: visit.hospitals.file("stats.csv"))
        #expect(csv.starts(with: [0xEF, 0xBB, 0xBF]))
        #expect(String(decoding: csv, as: UTF8.self).contains("呼吸内科"), "own departments have names")
        let elsewhere = try visit.hospitals.succeed("a", ["stats", "--by", "department"]).output
        #expect(!elsewhere.contains("呼吸内科"), "and others' have none")
    }

    /// Nobody's disk but that of B holds who decided, and that only sealed.
    private static func expectNothingPlain(_ visit: Visit) throws {
        for name in visit.hospitals.names {
            visit.hospitals.stop(name)
            let files = try #require(
                FileManager.default.enumerator(at: visit.hospitals.home(name), includingPropertiesForKeys: nil)
            )
            for case let file as URL in files {
                guard let bytes = try? Data(contentsOf: file, options: .alwaysMapped) else { continue }
                let isThere = bytes.range(of: Data("伴新发咯血".utf8)) != nil
                #expect(!isThere, "\(file.lastPathComponent)")
            }
        }
    }

    @Test("A new version between match and decision stops the whole group; a void stops citing; an undo can be late")
    func changes() throws {
        let visit = try Visit(["a", "b"], undoMinutes: 0)
        let (first, second) = (try visit.matched("O1"), try visit.matched("O2"))
        try Consortium.expect(0, visit.say("adopt", first))
        #expect(try visit.say("undo", first).code == "recognition.undo-late")
        let text = try String(contentsOfFile: Samples.path("hospital-a/chest-ct.json"), encoding: .utf8)
        let corrected = text.replacing("CT chest without contrast", with: "CT chest, plain")
        #expect(corrected != text)
        _ = try visit.hospitals.importing("a", visit.hospitals.write(corrected, to: "corrected.json"))
        try visit.doctor.find(Person.wang) { $0.contains { $0["superseded"].bool } }
        let late = try visit.say("adopt", second)
        #expect(late.code == "recognition.candidate-replaced" && late.status == 5)
        let open = try visit.hospitals.succeed("b", ["matches", "--json", second]).json
        #expect(open["decisions"].list.isEmpty && open["state"].string == "open", "nothing of the group is decided")
        #expect(try visit.say("cite", first, ["--items", "2"]).code == "recognition.candidate-replaced")

        let doctor = try visit.hospitals.reader("a", id: "gao")
        let void = ["void", visit.count, "--as", doctor.credential, "--reason"]
        #expect(
            try visit.hospitals.command(
                "b",
                ["void", visit.count, "--as", visit.doctor.credential, "--reason", "other"]
            ).code == "recognition.not-source"
        )
        for _ in 0..<2 { try visit.hospitals.succeed("a", void + ["wrong-specimen"]) }
        #expect(try visit.hospitals.command("a", void + ["other"]).code == "recognition.void-conflict")
        try visit.doctor.find(Person.wang) { $0.contains { $0["verdict"]["reason"]["code"].string == "N11" } }
        #expect(try visit.say("cite", first, ["--items", "1"]).code == "recognition.candidate-void")
        try Consortium.expect(0, visit.say("close", second))
        let figures = try visit.figures("a") { $0["overlooked"].int == 2 && $0["adopted"].int == 2 }
        #expect(figures["total"]["measures"]["cited"].int == 0, "what was decided before stays, and is not cited")
        // A result that is void answers no order.
        let none = try visit.match("O3", ["cbc"])
        #expect(none.json["match"].string.isEmpty && none.status == 0)
    }

    @Test("Killed at any moment, an agent loses no fact and commits none twice; who was away catches up")
    func killed() throws {
        let visit = try Visit(["a", "b", "c", "d"])
        visit.hospitals.stop("d")
        for round in 0..<5 {
            let match = try visit.matched("O\(round)")
            try Consortium.expect(0, visit.say("adopt", match))
            // Later kills fall into the gathering, the preparing, the sending and the deciding.
            for _ in 0..<round * round * 3 { _ = try visit.hospitals.status("b") }
            visit.hospitals.kill("b")
            try visit.hospitals.start("b")
            #expect(try visit.say("adopt", match).json["repeated"].bool)
            // Until a quorum has confirmed the tip no grant is honoured, and nothing could be matched.
            try visit.doctor.find(Person.wang) { $0.allSatisfy { $0["access"].string == "granted" } }
        }
        try visit.hospitals.start("d")
        var tables: Set<String> = []
        for name in visit.hospitals.names {
            let figures = try visit.figures(name) { $0["adopted"].int == 10 && $0["reminded"].int == 10 }
            tables.insert(figures["rows"].list.filter { $0["key"][0].string == "b" }.map(\.text).joined())
        }
        #expect(tables.count == 1)
        let all = try visit.hospitals.eventually("b", ["matches"]) { result in
            result.json["matches"].list.allSatisfy { $0["facts"].list.allSatisfy { $0["committed"].bool } }
        }.json["matches"].list
        #expect(all.count == 5 && all.allSatisfy { $0["facts"].list.count == 2 })
        #expect(all.allSatisfy { $0["facts"].list.allSatisfy { $0["refused"].string.isEmpty } })
    }
}
