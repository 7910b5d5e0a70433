import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("Blocks follow their parents")
struct BlockTests {
    @Test("A failed transaction leaves its receipt and its replay mark, and nothing else")
    func failedTransaction() throws {
        var empty = Bench()
        var bench = Bench()
        let failing = bench.transaction(.commitments(.commitExams(bench.batch("a", 5))), by: ["a"])
        try empty.block([])
        let block = try bench.block([failing])
        #expect(block.receipts.map(\.code) == [.commitWrongNumber])
        #expect(block.receipts[0].detail == "0")
        #expect(block.events.isEmpty)
        #expect(block.changes.count == 2, "the mark and the list of marks")
        #expect(block.state.heightOfTransaction(failing.id) == Height(1))
        #expect(block.state.count == empty.tip.state.count + 2)
        #expect(try bench.code(failing) == .replayed)
    }

    @Test("A replaced transport key is accepted up to its height, and can then be used by others")
    func transportKeys() throws {
        var bench = Bench()
        let a = institution("a")
        let first = Bench.card("a").transportKeyDigest
        let second = Digest(hashing: [2])
        let third = Digest(hashing: [3])
        var call = InstitutionsCall.rotateTransportKey(a, digest: second, oldUntil: Height(2))
        let block = try bench.block([bench.transaction(.institutions(call), by: ["a"])])
        #expect(block.events == [.institutionChanged(a)])
        #expect(bench.tip.state.institution(a)?.transportKeyDigests(at: Height(2)) == [first, second])
        #expect(bench.tip.state.institution(a)?.transportKeyDigests(at: Height(3)) == [second])
        #expect(bench.tip.state.institution(transportKey: first, at: Height(2)) == a)
        #expect(bench.tip.state.institution(transportKey: first, at: Height(3)) == nil)
        try bench.block([])
        call = .rotateTransportKey(a, digest: third, oldUntil: Height(9))
        try bench.block([bench.transaction(.institutions(call), by: ["a"])])
        #expect(bench.tip.state.institution(a)?.transportKeys.map(\.digest) == [second, third])
        call = .rotateTransportKey(institution("b"), digest: first, oldUntil: Height(9))
        #expect(try bench.code(.institutions(call), by: ["b"]) == .ok)
        #expect(bench.tip.state.institution(transportKey: first, at: Height(9)) == institution("b"))
    }

    @Test("A block in which a transaction may not stand is refused, whoever proposes it")
    func inadmissible() throws {
        var bench = Bench()
        let good = bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"])
        let forged = Transaction(body: good.body, signatures: [TestKey("b").sign(good.body.signedBytes)])
        let parent = bench.tip
        let block = try bench.block([good])
        #expect(block.receipts.map(\.code) == [.ok])
        for transactions in [[forged], [good, good]] {
            let body = BlockBody(transactions: transactions)
            var header = block.header
            header.transactionCount = UInt32(transactions.count)
            header.transactionRoot = body.transactionRoot
            let code: TransactionCode = transactions.count == 1 ? .badSignature : .replayed
            #expect(throws: BlockRefusal.transaction(TransactionRefusal(code))) {
                try bench.rules.execute(header: header, body: body, on: parent, isSignatureKnown: { _ in false })
            }
        }
        let rebuilt = bench.rules.build(
            on: parent,
            at: bench.position(),
            candidates: [good, forged, good],
            isSignatureKnown: { _ in false }
        )
        #expect(rebuilt.body.transactions == [good], "a builder leaves out what may not stand")
    }

    @Test("A header that differs in any field is refused")
    func wrongHeaders() throws {
        var bench = Bench()
        let parent = bench.tip
        let block = try bench.block([
            bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"])
        ])
        var refused = 0
        let bytes = block.header.canonicalBytes
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            guard let header = try? BlockHeader(canonicalBytes: changed) else { continue }
            // The consensus checks its own fields; the ledger has to take them as they are.
            var same = header
            same.view = block.header.view
            same.proposer = block.header.proposer
            same.justificationHash = block.header.justificationHash
            guard same != block.header else { continue }
            #expect(throws: BlockRefusal.self, "byte \(index)") {
                try bench.rules.execute(header: header, body: block.body, on: parent, isSignatureKnown: { _ in true })
            }
            refused += 1
        }
        #expect(refused > 350)
        var late = block.header
        late.time = parent.header.time
        #expect(throws: BlockRefusal.wrongTime) {
            try bench.rules.execute(header: late, body: block.body, on: parent, isSignatureKnown: { _ in true })
        }
    }

    @Test("Marks of transactions are forgotten when no block can hold them any more")
    func replayWindow() throws {
        var bench = Bench(parameters: ChainParameters(replayWindowBlocks: 16))
        let start = bench.tip.state.count
        // Fails, so that only its marks remain.
        let first = bench.transaction(.commitments(.commitExams(bench.batch("a", 9))), by: ["a"], validUntil: 16)
        try bench.block([first])
        for height in 2...16 {
            #expect(try bench.code(first) == .replayed, "height \(height)")
            try bench.block([])
        }
        #expect(bench.tip.state.count == start, "nothing is left of it")
        #expect(try bench.code(first) == .expired)
        #expect(bench.tip.header.height == Height(16))
    }

    @Test("A full block ends where the parameters say")
    func blockSize() throws {
        let bench = Bench(parameters: ChainParameters(blockBytesMax: 64 << 10, transactionBytesMax: 4 << 10))
        let transactions = (0..<400).map { number in
            bench.transaction(.commitments(.commitExams(bench.batch("a", UInt64(number)))), by: ["a"])
        }
        let block = bench.rules.build(
            on: bench.tip,
            at: bench.position(),
            candidates: transactions,
            isSignatureKnown: { _ in true }
        )
        #expect(block.body.canonicalBytes.count <= 64 << 10)
        #expect(block.body.transactions.count == ((64 << 10) - 4) / transactions[0].bytes.count)
        var header = block.header
        let body = BlockBody(transactions: transactions)
        header.transactionCount = 400
        header.transactionRoot = body.transactionRoot
        #expect(throws: BlockRefusal.tooLarge) {
            try bench.rules.execute(header: header, body: body, on: bench.tip, isSignatureKnown: { _ in true })
        }
    }

    @Test("Independent transactions give the same state in either order")
    func orderOfIndependent() throws {
        let bench = Bench()
        let transactions = Bench.members.map { name in
            bench.transaction(.commitments(.commitExams(bench.batch(name, 0))), by: [name])
        }
        var forwards = bench
        var backwards = bench
        #expect(
            try forwards.block(transactions).header.stateRoot
                == backwards.block(transactions.reversed()).header.stateRoot
        )
        #expect(forwards.tip.header.transactionRoot != backwards.tip.header.transactionRoot)
    }

    @Test("The tip comes back from a store only with the state and history that its header names")
    func storedTip() throws {
        var bench = Bench()
        for number in 0..<3 {
            try bench.block([
                bench.transaction(.grants(.createGrant(bench.grant(of: "p\(number)", witness: "a"))), by: ["a"])
            ])
        }
        var ancestors = MerkleFrontier()
        var chain = Bench()
        ancestors.append(ExecutedBlock.historyLeaf(chain.tip.hash))
        for number in 0..<2 {
            try chain.block([
                chain.transaction(.grants(.createGrant(chain.grant(of: "p\(number)", witness: "a"))), by: ["a"])
            ])
            ancestors.append(ExecutedBlock.historyLeaf(chain.tip.hash))
        }
        let state = LedgerState(entries: bench.tip.state.entries)
        let restored = try #require(
            ExecutedBlock(storedHeader: bench.tip.header, state: state, ancestors: ancestors)
        )
        #expect(restored.hash == bench.tip.hash)
        #expect(restored.history == bench.tip.history)
        let next = bench.transaction(.grants(.createGrant(bench.grant(of: "q", witness: "a"))), by: ["a"])
        let onLive = try bench.block([next])
        bench.tip = restored
        #expect(try bench.block([next]).hash == onLive.hash)
        #expect(ExecutedBlock(storedHeader: bench.tip.header, state: chain.tip.state, ancestors: ancestors) == nil)
    }

    @Test("Batches follow each other, and each stands in the state with its block")
    func batches() throws {
        var bench = Bench()
        let a = institution("a")
        let first = bench.batch("a", 0)
        let second = bench.batch("a", 1, previous: first.digest)
        // Both in one block: the second builds on what the first wrote.
        let block = try bench.block([
            bench.transaction(.commitments(.commitExams(first)), by: ["a"]),
            bench.transaction(.commitments(.commitExams(second)), by: ["a"]),
            bench.transaction(.receipts(.anchorReceipts(first)), by: ["a"]),
        ])
        #expect(block.receipts.map(\.code) == [.ok, .ok, .ok])
        #expect(block.events == [.examsCommitted(first), .examsCommitted(second), .receiptsAnchored(first)])
        #expect(block.state.commitmentHead(a) == BatchHead(next: 2, previous: second.digest))
        #expect(block.state.commitmentBatch(a, 1)?.anchor == second)
        #expect(block.state.commitmentBatch(a, 1)?.transaction == block.body.transactions[1].id)
        #expect(block.state.receiptHead(a) == BatchHead(next: 1, previous: first.digest))
        #expect(block.state.receiptBatch(a, 0)?.time == Timestamp(milliseconds: 1000))
        #expect(block.state.commitmentHead(institution("b")) == .start)
        #expect(block.state.institutionIDs == Bench.members.map(institution))
    }
}
