import SimulationKit
import Testing

@Suite("Simulated clusters keep their promises")
struct SimulationTests {
    @Test("Through loss, reordering, partitions, crashes and up to f liars", arguments: 0..<200 as Range<UInt64>)
    func seed(_ seed: UInt64) {
        var cluster = Cluster(Scenario(seed: seed))
        #expect(throws: Never.self, "entente-sim --verbose --seed \(seed)") { try cluster.run() }
        #expect(cluster.report.blocks > 0)
    }

    @Test("Sets of one, two and three tolerate no liar, but every crash", arguments: 1...3, 0..<10 as Range<UInt64>)
    func small(_ validators: Int, _ seed: UInt64) {
        var cluster = Cluster(Scenario(seed: seed, validators: validators))
        #expect(throws: Never.self, "entente-sim --verbose --seed \(seed) --validators \(validators)") {
            try cluster.run()
        }
        #expect(cluster.report.blocks > 0)
    }

    @Test("The same seed gives the same run", arguments: [3, 11, 42] as [UInt64])
    func repeatable(_ seed: UInt64) throws {
        var first = Cluster(Scenario(seed: seed))
        var second = Cluster(Scenario(seed: seed))
        try first.run()
        try second.run()
        #expect(first.report == second.report)
        #expect(first.report.messages > 0)
    }

    @Test("The ledger is at work: blocks hold transactions, and contract modules refuse some of them")
    func ledger() throws {
        var transactions = 0
        var refusals = 0
        for seed in 0..<10 as Range<UInt64> {
            var cluster = Cluster(Scenario(seed: seed))
            try cluster.run()
            transactions += cluster.report.transactions
            refusals += cluster.report.refusals
        }
        #expect(transactions > 100)
        #expect((1..<transactions).contains(refusals))
    }

    @Test("The seeds between them contain every kind of fault")
    func coverage() {
        let scenarios = (0..<200 as Range<UInt64>).map { Scenario(seed: $0) }
        #expect(scenarios.contains { $0.hasEquivocator && $0.hasSilent })
        #expect(scenarios.contains { $0.hasWrongClock })
        #expect(scenarios.contains { $0.hasDamagedLog })
        #expect(scenarios.contains { $0.hasVerifier })
        #expect(Set(scenarios.map(\.validators)) == [4, 5, 7])
    }
}
