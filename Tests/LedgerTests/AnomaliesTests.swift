import Ledger
import Primitives
import Records
import TestSupport
import Testing

extension Bench {
    func anomaly(_ number: Int, records: Int = 2) -> Anomaly {
        Anomaly(
            kind: AnomalyKind.allCases[number % AnomalyKind.allCases.count],
            count: UInt32(records),
            records: (0..<records).map { ContentAddress(Digest(hashing: Array("\(number)/\($0)".utf8))) },
            commitment: Digest(hashing: Array("detail \(number)".utf8)),
            time: Timestamp(milliseconds: Int64(number))
        )
    }

    func report(
        _ institutionName: String,
        _ number: UInt64,
        previous: Digest = .zero,
        anomalies: [Anomaly]? = nil
    ) -> AnomalyReport {
        AnomalyReport(
            institution: institution(institutionName),
            number: number,
            previous: previous,
            anomalies: anomalies ?? [self.anomaly(Int(number))]
        )
    }
}

@Suite("Reports of anomalies are appended and never taken back")
struct AnomaliesTests {
    @Test("Reports of an institution follow each other, and each stands in the state with its block")
    func appended() throws {
        var bench = Bench()
        let first = bench.report("a", 0)
        let second = bench.report("a", 1, previous: first.digest)
        let other = bench.report("b", 0)
        let block = try bench.block([
            bench.transaction(.anomalies(.report(first)), by: ["a"]),
            bench.transaction(.anomalies(.report(second)), by: ["a"]),
            bench.transaction(.anomalies(.report(other)), by: ["b"]),
        ])
        #expect(block.receipts.map(\.code) == [.ok, .ok, .ok])
        let a = institution("a")
        #expect(block.state.anomalyHead(a) == BatchHead(next: 2, previous: second.digest))
        #expect(block.state.anomalyReport(a, 0)?.digest == first.digest)
        #expect(block.state.anomalyReport(a, 1)?.height == block.header.height)
        #expect(block.state.anomalyReport(a, 1)?.transaction == block.body.transactions[1].id)
        #expect(block.state.anomalyReport(a, 2) == nil)
        #expect(block.state.anomalyHead(institution("b")).next == 1)
        #expect(block.state.anomalyHead(institution("c")) == .start)
        #expect(block.events.contains(.anomaliesReported(a, number: 1)))
    }

    @Test("The largest report fits what a transaction may write and be")
    func largest() throws {
        var bench = Bench()
        let anomalies = (0..<AnomalyReport.anomaliesMax).map { bench.anomaly($0, records: Anomaly.recordsMax) }
        let transaction = bench.transaction(.anomalies(.report(bench.report("a", 0, anomalies: anomalies))), by: ["a"])
        #expect(transaction.bytes.count < 12 << 10)
        #expect(try bench.code(transaction) == .ok)
        #expect(bench.tip.state.anomalyReport(institution("a"), 0)?.count == UInt32(AnomalyReport.anomaliesMax))
    }

    @Test("The bytes of a report come back, and no shortening of them is a report")
    func bytes() throws {
        let bench = Bench()
        let report = bench.report("a", 3, previous: Digest(hashing: [1]), anomalies: (0..<9).map { bench.anomaly($0) })
        let call = AnomaliesCall.report(report)
        #expect(try AnomaliesCall(canonicalBytes: call.canonicalBytes) == call)
        for count in 0..<call.canonicalBytes.count {
            #expect(throws: CanonicalError.self) {
                try AnomaliesCall(canonicalBytes: Array(call.canonicalBytes.prefix(count)))
            }
        }
    }

    @Test("An anomaly whose count and records do not fit is refused", arguments: 0..<5)
    func malformed(fault: Int) throws {
        var bench = Bench()
        var anomaly = bench.anomaly(0)
        switch fault {
        case 0: anomaly.records = []
        case 1: anomaly.count = 0
        case 2: anomaly.count = 1
        case 3: anomaly.records[1] = anomaly.records[0]
        default: anomaly.count = Anomaly.countMax + 1
        }
        let call = LedgerCall.anomalies(.report(bench.report("a", 0, anomalies: [anomaly])))
        #expect(try bench.code(call, by: ["a"]) == .anomaliesMalformed)
        #expect(bench.tip.state.anomalyHead(institution("a")) == .start)
    }

    @Test(
        "Whatever is sent in whatever order, the list has no gap and each entry names the one before",
        arguments: 0..<20
    )
    func chained(seed: UInt64) throws {
        var bench = Bench()
        var random = SeededGenerator(seed: seed)
        var accepted: [AnomalyReport] = []
        for _ in 0..<40 {
            // Right, repeated, ahead, or with another predecessor.
            let number = UInt64(accepted.count) &+ [0, 0, 0, 1, UInt64.max][Int(random.next() % 5)]
            let previous = random.next() % 4 == 0 ? Digest(hashing: [7]) : accepted.last?.digest ?? .zero
            let report = bench.report("a", number, previous: previous, anomalies: [bench.anomaly(accepted.count)])
            if try bench.code(.anomalies(.report(report)), by: ["a"]) == .ok { accepted.append(report) }
        }
        #expect(accepted.count > 10)
        #expect(bench.tip.state.anomalyHead(institution("a")).next == UInt64(accepted.count))
        for (index, report) in accepted.enumerated() {
            #expect(report.number == UInt64(index))
            #expect(report.previous == (index == 0 ? .zero : accepted[index - 1].digest))
            #expect(bench.tip.state.anomalyReport(institution("a"), report.number)?.digest == report.digest)
        }
    }
}
