import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("R8: erasure", .serialized)
    struct ErasureTests {}
}

extension IntegrationTests.ErasureTests {
    /// Exams of so long ago that nothing has them kept: of 1990 instead of 2026.
    private static func old(_ text: String, year: String = "1990") -> String {
        text.replacingOccurrences(of: "2026-", with: "\(year)-")
    }

    /// Two exams of a patient at A, both granted to B and read there; the records and the patient's key.
    private static func granted(
        _ hospitals: Consortium,
        year: String = "1990"
    ) throws -> (reader: Reader, records: [String], key: String) {
        let text = Self.old(ExamFile.lines(count: 2, patients: 1), year: year)
        _ = try hospitals.importing("a", hospitals.write(text, to: "old.ndjson"))
        let key = try hospitals.enrol(ExamFile.patient(0), at: "a")
        _ = try hospitals.grant(ExamFile.patient(0), at: "a", key: key, ["--to", "b"])
        let reader = try hospitals.reader("b")
        let records = try reader.find(ExamFile.patient(0)) { $0.count == 2 }.map { $0["record"].string }
        for record in records { try reader.fetch(record) { $0.status == 0 } }
        return (reader, records, key)
    }

    private static func request(
        _ hospitals: Consortium,
        _ name: String,
        _ records: [String],
        key: String
    ) throws -> String {
        try hospitals.succeed(name, ["erase", "request", "--json", "--key", key] + records).json["erasure"].string
    }

    /// Waits until an erasure is as wished at `name`; its line.
    @discardableResult
    private static func status(
        _ hospitals: Consortium,
        _ name: String,
        _ erasure: String,
        until condition: (JSON) -> Bool
    ) throws -> JSON {
        try hospitals.eventually(name, ["erase", "status", erasure]) {
            $0.status == 0 && condition($0.json["erasures"][0])
        }.json["erasures"][0]
    }

    private static func confirm(_ hospitals: Consortium, _ erasure: String) throws {
        _ = try hospitals.eventually("a", ["erase", "confirm", erasure]) { $0.status == 0 }
    }

    @Test("R8: erased at A, refused at B, proved by both, and verified offline; the other exam goes on opening")
    func whole() throws {
        let hospitals = try Consortium(["a", "b"])
        let (reader, records, key) = try Self.granted(hospitals)
        let own = try hospitals.reader("a", id: "own")
        // The patient asks at B, A decides.
        let erasure = try Self.request(hospitals, "b", [records[0]], key: key)
        let elsewhere = try hospitals.command("b", ["erase", "confirm", erasure, "--json"])
        #expect(elsewhere.status == 2 && elsewhere.code == "request.invalid")
        try Consortium.expect(0, reader.fetch(records[0]))
        try Self.confirm(hospitals, erasure)
        let line = try Self.status(hospitals, "b", erasure) { $0["state"].string == "complete" }
        #expect(line["outstanding"].list.isEmpty && line["requester"].string == "patient")
        let proofs = line["proofs"].list
        #expect(Set(proofs.map { $0["institution"].string }) == ["a", "b"])
        for proof in proofs {
            #expect(proof["dataKeys"].int == (proof["institution"].string == "a" ? 1 : 0))
            #expect(proof["copies"].int == 2, "a ciphertext and a wrapped key")
        }
        for reader in [reader, own] {
            let refused = try reader.fetch(records[0])
            #expect(refused.status == 5 && refused.code == "record.erased")
            let listed = try reader.find(ExamFile.patient(0)) { $0.count == 2 }
            #expect(Set(listed.map { "\($0["record"].string == records[0]) \($0["access"].string)" }).count == 2)
            #expect(listed.first { $0["record"].string == records[0] }?["access"].string == "erased")
            try Consortium.expect(0, reader.fetch(records[1]))
        }
        let again = try hospitals.command("a", ["erase", "request", "--json", "--key", key, records[0]])
        #expect(again.status == 5 && again.code == "record.erased")

        // Somebody with the genesis file alone.
        try hospitals.succeed("b", ["erase", "proof", erasure, "--output", hospitals.path("proof")])
        let verify = ["verify", "--json", "--genesis", hospitals.path("genesis")]
        let verified = try Program.run(verify + [hospitals.path("proof")])
        #expect(verified.status == 0 && verified.json["valid"].bool)
        #expect(verified.json["records"].list.map(\.string) == [records[0]])
        let bytes = try Data(contentsOf: hospitals.file("proof"))
        for index in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) {
            var changed = bytes
            changed[index] ^= 4
            try changed.write(to: hospitals.file("changed"))
            #expect(try Program.run(verify + [hospitals.path("changed")]).status == 7, "byte \(index)")
        }
        // Whoever has no grant is not told; whoever joins later gets nothing.
        let consent = try hospitals.write("form", to: "form")
        try hospitals.succeed(
            "b",
            ["grant", "--patient", "-", "--witness", consent, "--to", "b"],
            input: ExamFile.patient(0)
        )
        try hospitals.settle()
        #expect(try reader.fetch(records[0]).code == "record.erased")
        for name in ["a", "b"] {
            try hospitals.succeed(name, ["doctor", "--full"])
            hospitals.stop(name)
            try hospitals.start(name)
        }
        #expect(try reader.fetch(records[0]).code == "record.erased")
        try reader.fetch(records[1]) { $0.status == 0 }
    }

    @Test(
        "R8: agents that are killed while they destroy end with the record destroyed and proved, and nothing else lost"
    )
    func killed() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        let (reader, records, key) = try Self.granted(hospitals)
        let erasure = try Self.request(hospitals, "a", [records[0]], key: key)
        // B is away: it is listed as missing, and destroys when it is back.
        hospitals.stop("b")
        try Self.confirm(hospitals, erasure)
        for round in 0..<4 {
            hospitals.kill("a")
            try hospitals.start("a")
            for _ in 0..<round { _ = try hospitals.command("a", ["status"]) }
        }
        let line = try Self.status(hospitals, "a", erasure) { $0["proofs"].list.count == 1 }
        #expect(line["state"].string == "accepted")
        #expect(line["outstanding"].list.map(\.string) == ["b"])
        try hospitals.succeed("a", ["erase", "proof", erasure, "--output", hospitals.path("proof")])
        let verify = ["verify", "--json", "--genesis", hospitals.path("genesis"), hospitals.path("proof")]
        let early = try Program.run(verify)
        #expect(early.status == 7 && early.json["outstanding"].list.map(\.string) == ["b"])
        for round in 0..<4 {
            try hospitals.start("b")
            for _ in 0..<2 * round { _ = try hospitals.command("b", ["status"]) }
            hospitals.kill("b")
        }
        try hospitals.start("b")
        try Self.status(hospitals, "a", erasure) { $0["state"].string == "complete" }
        #expect(try reader.fetch(records[0]).code == "record.erased")
        try reader.fetch(records[1]) { $0.status == 0 }
        try hospitals.succeed("a", ["erase", "proof", erasure, "--output", hospitals.path("proof")])
        #expect(try Program.run(verify).status == 0)
        for name in hospitals.names { try hospitals.succeed(name, ["doctor", "--full"]) }
    }

    @Test("R8: what the law has kept is refused with reason and end, and is still there; after the period it is erased")
    func retention() throws {
        let hospitals = try Consortium(["a", "b"])
        let recent = try Self.granted(hospitals, year: "2026")
        // At the source the wish does not even reach the chain.
        let told = try hospitals.command("a", ["erase", "request", "--json", "--key", recent.key, recent.records[0]])
        #expect(told.status == 4 && told.code == "erasure.retained" && told.errors.contains("2041-01-"))
        // Elsewhere it does, and the source's agent refuses by itself.
        let erasure = try Self.request(hospitals, "b", recent.records, key: recent.key)
        let line = try Self.status(hospitals, "b", erasure) { $0["state"].string == "refused" }
        #expect(line["refusal"].string == "retention" && line["until"].string.hasPrefix("2041-01-"))
        try Consortium.expect(0, recent.reader.fetch(recent.records[0]))
        let late = try hospitals.command("a", ["erase", "confirm", erasure, "--json"])
        #expect(late.status != 0)

        // Twenty years old: kept if of an inpatient, not if of an outpatient.
        let text = Self.old(ExamFile.lines(count: 1, patients: 1, source: "twenty"), year: "2006")
        _ = try hospitals.importing("a", hospitals.write(text, to: "twenty.ndjson"))
        let record = try #require(
            try recent.reader.find(ExamFile.patient(0)) { $0.count == 3 }
                .first { $0["examTime"].string.hasPrefix("2006") }
        )["record"].string
        let paper = try hospitals.write("signed request", to: "request")
        let own = try hospitals.reader("a", id: "own")
        _ = try own.find(ExamFile.patient(0)) { $0.count == 3 }
        let second = try hospitals.succeed("a", ["erase", "request", "--json", "--evidence", paper, record])
            .json["erasure"].string
        let kept = try hospitals.command("a", ["erase", "confirm", second, "--json"])
        #expect(kept.status == 4 && kept.code == "erasure.retained" && kept.errors.contains("2036-01-"))
        try hospitals.succeed("a", ["erase", "confirm", second, "--class", "outpatient"])
        try Self.status(hospitals, "a", second) { $0["state"].string == "complete" }
        #expect(try own.fetch(record).code == "record.erased")
    }

    @Test("R8: another patient's key asks in vain, and a legal hold is refused with its reason")
    func refused() throws {
        let hospitals = try Consortium(["a", "b"])
        let (reader, records, key) = try Self.granted(hospitals)
        let stranger = try hospitals.enrol(Person.wang, at: "a", key: "stranger.key")
        let foreign = try hospitals.command("b", ["erase", "request", "--json", "--key", stranger, records[0]])
        #expect(foreign.status == 3 && foreign.code == "record.unknown")
        let erasure = try Self.request(hospitals, "a", records, key: key)
        try hospitals.succeed("a", ["erase", "refuse", erasure, "--reason", "legal-hold", "--until", "2030-01-01"])
        let line = try Self.status(hospitals, "b", erasure) { $0["state"].string == "refused" }
        #expect(line["refusal"].string == "legal-hold" && line["until"].string == "2030-01-01T00:00:00Z")
        try Consortium.expect(0, reader.fetch(records[0]))
        let unknown = try hospitals.command(
            "a",
            ["erase", "proof", String(repeating: "0", count: 64), "--output", hospitals.path("x"), "--json"]
        )
        #expect(unknown.status == 3 && unknown.code == "erasure.unknown")
    }
}
