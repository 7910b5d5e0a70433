import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Agents that are killed", .serialized)
    struct CrashTests {}
}

extension IntegrationTests.CrashTests {
    /// What four hospitals have been told is done; all of it must be there afterwards.
    private struct Acknowledged {
        var exams = 0
        var grants: Set<String> = []
        var reads = 0
    }

    /// Imports at A, grants at B and reads at B, each as far as it comes while somebody may be killed.
    private static func work(
        _ hospitals: Consortium,
        _ round: Int,
        _ reader: Reader,
        _ record: String,
        _ acknowledged: inout Acknowledged,
        killing: () throws -> Void
    ) throws {
        let path = try hospitals.write(
            ExamFile.lines(count: 30, patients: 3, source: "round-\(round)"),
            to: "round-\(round).ndjson"
        )
        let consent = try hospitals.write("form \(round)", to: "consent-\(round)")
        let importing = try hospitals.background("a", ["import", "--json", path])
        let granting = try hospitals.background(
            "b",
            ["grant", "--json", "--patient", "-", "--witness", consent, "--to", "b"],
            input: ExamFile.patient(1)
        )
        let reading = try hospitals.background("b", ["fetch", record, "--json", "--as", reader.credential])
        try killing()
        if try importing.result().status == 0 { acknowledged.exams += 30 }
        let granted = try granting.result()
        if granted.status == 0 { acknowledged.grants.insert(granted.json["grant"].string) }
        if try reading.result().status == 0 { acknowledged.reads += 1 }
    }

    private static func expectKept(_ hospitals: Consortium, _ acknowledged: Acknowledged, _ round: Int) throws {
        try hospitals.settle()
        #expect(try hospitals.status("a")["exams"].int >= acknowledged.exams, "round \(round)")
        for name in hospitals.names {
            let listed = try hospitals.succeed(
                name,
                ["grants", "--json", "--patient", "-"],
                input: ExamFile.patient(1)
            )
            #expect(acknowledged.grants.isSubset(of: listed.json["grants"].list.map { $0["grant"].string }))
        }
        let log = try hospitals.succeed("b", ["access-log", "--json", "--patient", "-"], input: ExamFile.patient(1))
        #expect(log.json["reads"].list.count >= acknowledged.reads, "round \(round)")
    }

    /// Four hospitals, and a record of A that B may read.
    private static func hospitals() throws -> (Consortium, Reader, String, Acknowledged) {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 3, patients: 3), to: "first.ndjson"))
        let reader = try hospitals.reader("b")
        let record = try #require(try reader.find(ExamFile.patient(1)) { $0.count == 1 }.first)["record"].string
        let grant = try hospitals.grant(ExamFile.patient(1), witnessedBy: "b", ["--to", "b"])
        try reader.fetch(record) { $0.status == 0 }
        return (hospitals, reader, record, Acknowledged(exams: 3, grants: [grant], reads: 1))
    }

    @Test("One agent is killed while work goes on: the others go on, and it comes back with all it had promised")
    func one() throws {
        var (hospitals, reader, record, acknowledged) = try Self.hospitals()
        // Every agent, each at another moment; A imports, B grants and reads, C and D only vote.
        for (round, name) in ["a", "b", "c", "d", "a", "b"].enumerated() {
            try Self.work(hospitals, round, reader, record, &acknowledged) {
                for _ in 0..<round { _ = try hospitals.status("c") }
                hospitals.kill(name)
            }
            let others = hospitals.names.filter { $0 != name }
            let height = try hospitals.status(others[0])["height"].int
            acknowledged.grants.insert(
                try hospitals.grant(ExamFile.patient(1), witnessedBy: others[1], ["--to", others[2]])
            )
            #expect(try hospitals.status(others[1])["height"].int > height)
            try hospitals.start(name)
            try Self.expectKept(hospitals, acknowledged, round)
        }
        for name in hospitals.names { #expect(hospitals.agents[name]?.isRunning == true) }
    }

    @Test("All four are killed at once, again and again: the chain goes on and nothing acknowledged is lost")
    func all() throws {
        var (hospitals, reader, record, acknowledged) = try Self.hospitals()
        var height = try hospitals.settle()
        for round in 0..<5 {
            try Self.work(hospitals, 100 + round, reader, record, &acknowledged) {
                for _ in 0..<2 * round { _ = try hospitals.command("c", ["status"]) }
                for name in hospitals.names { hospitals.kill(name) }
            }
            for name in hospitals.names { try hospitals.start(name) }
            try Self.expectKept(hospitals, acknowledged, round)
            // What was under way may be lost or done, but the chain takes the next transaction.
            acknowledged.grants.insert(try hospitals.grant(ExamFile.patient(1), witnessedBy: "d", ["--to", "c"]))
            let now = try hospitals.settle()
            #expect(now > height)
            height = now
        }
        try Consortium.expect(0, reader.fetch(record))
        for name in hospitals.names { try hospitals.succeed(name, ["doctor", "--full"]) }
    }

    @Test("Without work there are no blocks, and a restart keeps the height")
    func idle() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 3, patients: 3), to: "first.ndjson"))
        let height = try hospitals.settle()
        for _ in 0..<25 {
            for name in hospitals.names { #expect(try hospitals.status(name)["height"].int == height) }
        }
        for name in hospitals.names { hospitals.stop(name) }
        for name in hospitals.names { try hospitals.start(name) }
        for name in hospitals.names {
            try hospitals.status(name) { status in status["peers"].list.allSatisfy { $0["connected"].bool } }
        }
        #expect(try hospitals.settle() == height)
    }
}
