import LedgerStore
import Primitives
import Records
import TestSupport
import Testing

@Suite("The custody store keeps what exams are checked against and what was found")
struct CustodyAnomalyTests {
    private let folder: TemporaryFolder
    private let store: CustodyStore

    init() throws {
        self.folder = try TemporaryFolder()
        self.store = try CustodyStore(path: self.folder.path("custody.sqlite"))
    }

    private static func anomaly(_ number: Int) -> NewAnomaly {
        NewAnomaly(
            anomaly: Anomaly(
                kind: .accessionConflict,
                count: 1,
                records: [Fixture.address(number)],
                commitment: Fixture.digest("detail", number),
                time: Timestamp(milliseconds: Int64(number))
            ),
            sealed: Array("sealed \(number)".utf8)
        )
    }

    private static func report(_ number: UInt64, transaction: Int = 0) -> StoredAnomalyReport {
        StoredAnomalyReport(
            number: number,
            transactionID: Fixture.digest("report", transaction),
            transaction: Array("report \(transaction)".utf8)
        )
    }

    private func prepare(batch: UInt64, exam: Int, checks: BatchChecks) throws {
        try self.store.prepare(
            Fixture.commitment(batch),
            patients: [Fixture.patient(exam)],
            exams: [Fixture.exam(exam, patient: exam)],
            checks: checks
        )
    }

    private static func traces(_ tags: [Int], sealed: Int = 0) -> NewTraces {
        NewTraces(tags: tags.map { Fixture.digest("tag", $0) }, sealed: Array("statement \(sealed)".utf8))
    }

    @Test("Traces come back by the tags of their exams, the newest exam first and no more than asked for")
    func traces() throws {
        for number in 0..<5 {
            let checks = BatchChecks(traces: [Self.traces([0, 10 + number, 0], sealed: number)])
            try self.prepare(batch: UInt64(number), exam: number, checks: checks)
        }
        #expect(try self.store.traces(tags: [Fixture.digest("tag", 1)], exams: [], limit: 3).isEmpty)
        let found = try self.store.traces(tags: [1, 0].map { Fixture.digest("tag", $0) }, exams: [], limit: 3)
        #expect(found.map(\.record) == [4, 3, 2].map(Fixture.address))
        #expect(found.map(\.source) == [4, 3, 2].map { Fixture.digest("source", $0) })
        #expect(found.first?.patientTag == Fixture.digest("patient", 4))
        #expect(found.first?.sealed == Array("statement 4".utf8))
        // An exam that is met twice comes once; one that is asked for by number comes without a tag.
        let tags = [0, 14].map { Fixture.digest("tag", $0) }
        #expect(try self.store.traces(tags: tags, exams: [], limit: 1).map(\.record) == [Fixture.address(4)])
        let first = try #require(try self.store.exam(record: Fixture.address(0)))
        #expect(
            try self.store.traces(tags: tags, exams: [first.number], limit: 1).map(\.record)
                == [4, 0].map(Fixture.address)
        )
    }

    @Test("An exam of a release that left no traces is no fault")
    func withoutTraces() throws {
        try self.prepare(batch: 0, exam: 0, checks: BatchChecks())
        let exam = try #require(try self.store.exam(record: Fixture.address(0)))
        #expect(try self.store.traces(tags: [], exams: [exam.number], limit: 1).isEmpty)
    }

    @Test("What was found is there if and only if its batch is")
    func withBatch() throws {
        let traces = [Self.traces([0])]
        try self.prepare(batch: 0, exam: 0, checks: BatchChecks(traces: traces, anomalies: [Self.anomaly(0)]))
        // A number that is taken: nothing of the second batch stays.
        #expect(throws: LedgerStoreError.self) {
            try self.prepare(batch: 0, exam: 1, checks: BatchChecks(traces: traces, anomalies: [Self.anomaly(1)]))
        }
        #expect(try self.store.waitingAnomalies(limit: 10).map(\.anomaly) == [Self.anomaly(0).anomaly])
        #expect(try self.store.traces(tags: [Fixture.digest("tag", 0)], exams: [], limit: 10).count == 1)
        try self.store.check()
    }

    @Test("An anomaly goes from waiting into one report, and the report from open to final")
    func reports() throws {
        try self.prepare(batch: 0, exam: 0, checks: BatchChecks(anomalies: (0..<3).map(Self.anomaly)))
        let waiting = try self.store.waitingAnomalies(limit: 2)
        #expect(waiting.map(\.sealed) == [Array("sealed 0".utf8), Array("sealed 1".utf8)])
        #expect(try self.store.openAnomalyReport() == nil)
        try self.store.prepare(Self.report(0), anomalies: waiting.map(\.number))
        #expect(try self.store.openAnomalyReport() == Self.report(0))
        #expect(try self.store.waitingAnomalies(limit: 9).map(\.anomaly) == [Self.anomaly(2).anomaly])
        #expect(
            code { () throws(LedgerStoreError) in
                try self.store.prepare(Self.report(1, transaction: 1), anomalies: [waiting[0].number])
            } == .conflict
        )
        #expect(try self.store.openAnomalyReport()?.number == 0)

        // Signed anew under the same number, then under another.
        try self.store.replaceAnomalyReport(0, with: Self.report(0, transaction: 2))
        #expect(try self.store.openAnomalyReport() == Self.report(0, transaction: 2))
        try self.store.replaceAnomalyReport(0, with: Self.report(7, transaction: 3))
        #expect(try self.store.anomalies(report: 0).isEmpty)
        #expect(try self.store.anomalies(report: 7).map(\.place?.index) == [0, 1])

        try self.store.markAnomalyReportFinal(7, height: Height(12))
        #expect(try self.store.openAnomalyReport() == nil)
        #expect(
            code { () throws(LedgerStoreError) in
                try self.store.replaceAnomalyReport(7, with: Self.report(7, transaction: 4))
            } == .notFound
        )
        #expect(
            code { () throws(LedgerStoreError) in
                try self.store.markAnomalyReportFinal(8, height: Height(1))
            } == .notFound
        )
        #expect(try self.store.anomalies(report: 7).map(\.anomaly) == [0, 1].map { Self.anomaly($0).anomaly })
    }
}
