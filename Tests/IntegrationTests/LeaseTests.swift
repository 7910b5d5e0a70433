import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Access that ends", .serialized)
    struct LeaseTests {}
}

extension IntegrationTests.LeaseTests {
    @Test("An agent cut off from the chain opens nothing after the lease, and opens again when the others are back")
    func lease() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 2, patients: 2), to: "exams.ndjson"))
        let reader = try hospitals.reader("b")
        let short = try #require(try reader.find(ExamFile.patient(0)) { $0.count == 1 }.first)["record"].string
        let long = try #require(try reader.find(ExamFile.patient(1)) { $0.count == 1 }.first)["record"].string
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b", "--lease", "2s"])
        _ = try hospitals.grant(ExamFile.patient(1), witnessedBy: "b", ["--to", "b", "--lease", "24h"])
        for record in [short, long] { try reader.fetch(record) { $0.status == 0 } }
        for name in ["a", "c", "d"] { hospitals.stop(name) }
        // Until the lease is over it opens; from then on never.
        let stale = try reader.fetch(short) { $0.status != 0 }
        #expect(stale.status == 6)
        #expect(stale.code == "access.stale")
        #expect(stale.output.isEmpty)
        #expect(try reader.find(ExamFile.patient(0))[0]["access"].string == "stale")
        try Consortium.expect(0, reader.fetch(long))
        // A restart does not make it fresh.
        hospitals.kill("b")
        try hospitals.start("b")
        #expect(try reader.fetch(short).code == "access.stale")
        for name in ["a", "c", "d"] { try hospitals.start(name) }
        try reader.fetch(short) { $0.status == 0 }
    }

    @Test("A grant opens nothing before it begins and nothing after it ends")
    func period() throws {
        let hospitals = try Consortium(["a", "b"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 2, patients: 2), to: "exams.ndjson"))
        let reader = try hospitals.reader("b")
        let later = try #require(try reader.find(ExamFile.patient(0)) { $0.count == 1 }.first)["record"].string
        let ending = try #require(try reader.find(ExamFile.patient(1)) { $0.count == 1 }.first)["record"].string
        _ = try hospitals.grant(ExamFile.patient(0), witnessedBy: "b", ["--to", "b", "--from", "2099-01-01"])
        let early = try reader.fetch(later)
        #expect(early.status == 4)
        #expect(early.code == "access.not-yet")

        let formatter = ISO8601DateFormatter()
        let end = formatter.string(from: Date(timeIntervalSinceNow: 4))
        _ = try hospitals.grant(ExamFile.patient(1), witnessedBy: "b", ["--to", "b", "--until", end])
        let ended = try reader.fetch(ending) { $0.status == 5 }
        #expect(ended.code == "access.expired")
        #expect(try reader.find(ExamFile.patient(1))[0]["access"].string == "expired")
    }
}
