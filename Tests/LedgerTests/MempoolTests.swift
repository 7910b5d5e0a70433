import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("The pool of waiting transactions")
struct MempoolTests {
    @Test("Keeps the order of arrival, and forgets what is final or too late")
    func orderAndRemoval() {
        let bench = Bench()
        var pool = Mempool()
        let transactions = (0..<300).map { number in
            bench.transaction(
                .commitments(.commitExams(bench.batch("a", UInt64(number)))),
                by: ["a"],
                validUntil: UInt64(1 + number % 3)
            )
        }
        for transaction in transactions { #expect(pool.insert(transaction) == nil) }
        #expect(Array(pool.transactions) == transactions)
        let final = transactions[..<100]
        let expired = pool.blockCommitted(final.map(\.id), height: Height(1))
        let rest = transactions[100...].filter { $0.body.validUntil > Height(1) }
        #expect(Array(pool.transactions) == rest)
        #expect(expired == transactions[100...].filter { $0.body.validUntil == Height(1) }.map(\.id))
        #expect(pool.byteCount == rest.reduce(0) { $0 + $1.bytes.count })
        #expect(pool.insert(transactions[0]) == nil, "a fork may bring back what was in a block")
        #expect(Array(pool.transactions) == rest + [transactions[0]])
        _ = pool.blockCommitted([], height: Height(3))
        #expect(pool.isEmpty && pool.byteCount == 0)
    }

    @Test("A signer's share is free again when its transactions are final")
    func shareIsFreed() {
        let bench = Bench()
        var pool = Mempool()
        let share = (0..<UInt64(Mempool.countMax / Mempool.signerShare)).map {
            bench.unsigned(.commitments(.commitExams(bench.batch("a", $0))), by: "a")
        }
        let next = bench.unsigned(.commitments(.commitExams(bench.batch("a", .max))), by: "a")
        for transaction in share { #expect(pool.insert(transaction) == nil) }
        #expect(pool.insert(next)?.code == .signerShareFull)
        #expect(pool.insert(bench.unsigned(.grants(.revokeGrant(GrantID(.zero))), by: "b")) == nil)
        _ = pool.blockCommitted([share[0].id], height: Height(1))
        #expect(pool.insert(next) == nil)
        #expect(pool.contains(next.id) && !pool.contains(share[0].id))
    }
}
