import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("Transactions have one byte form")
struct TransactionTests {
    @Test("The bytes of one transaction, one block and the genesis block are pinned")
    func goldenBytes() throws {
        var bench = Bench()
        let transaction = bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"], validUntil: 10)
        #expect(bench.rules.genesisBlock.hash.hex == "5ad78817e55c8a379a8bd773953892db0faac1b71d1bcc0f00b0f5692b94351b")
        #expect(transaction.body.id.digest.hex == "307a273ea5e7d85076cf9b3ff09075211568420f6aac10c773550e46ae992f0c")
        #expect(transaction.leafHash.hex == "1c05588d363618d89dd8d81492b4b74f69ec462af5f02e64fea53162345b9035")
        // Variant, "a", number, previous, count, root, manifest.
        let payload =
            "00" + "0161" + String(repeating: "0", count: 80) + "0a000000"
            + "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
            + "dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986"
        #expect(Hex.encode(transaction.body.payload) == payload)
        #expect(transaction.bytes.count == 227)
        let block = try bench.block([transaction])
        #expect(block.header.stateRoot.hex == "32409c31c6d52a171b7e20d1c5ae88a655d589fbfea2060c845f794ac998b06e")
        #expect(block.header.receiptRoot.hex == "1d6676c45f8bcee5d324556e063e7558c018ebfaf5eca7b74fe1427e2379c91e")
        #expect(block.hash.hex == "cd223839664b57f214a96aeb3c12c8d5e7d6a5910dba63b2edf992855827e2b4")
    }

    @Test("Every kind of call survives its encoding")
    func roundTrip() throws {
        let bench = Bench()
        let calls: [LedgerCall] = [
            .institutions(.rotateTransportKey(institution("a"), digest: .zero, oldUntil: Height(3))),
            .institutions(.changeAddress(institution("a"), address: "h:1")),
            .commitments(.commitExams(bench.batch("a", 3))),
            .grants(.enrolPatient(bench.enrolment("patient"))),
            .grants(.createGrant(bench.grant(of: "patient", witness: "b"))),
            .grants(.revokeGrant(GrantID(.zero))),
            .receipts(.anchorReceipts(bench.batch("b", 4))),
        ]
        for call in calls {
            let transaction = bench.transaction(call, by: ["b", "a", "patient"])
            let read = try Transaction(canonicalBytes: transaction.bytes)
            #expect(read == transaction)
            #expect(read.id == transaction.id)
            #expect(try LedgerCall(of: read.body) == call)
        }
    }

    @Test("The id covers what is signed, the leaf also the signatures")
    func idAndLeaf() {
        let bench = Bench()
        let one = bench.transaction(.grants(.revokeGrant(GrantID(.zero))), by: ["a"])
        let other = Transaction(body: one.body, signatures: [TestKey("b").sign(one.body.signedBytes)])
        #expect(one.id == other.id)
        #expect(one.leafHash != other.leafHash)
        #expect(one != other)
    }

    @Test("Signers out of order, twice or absent are refused")
    func signerOrder() throws {
        let bench = Bench()
        let good = bench.transaction(.grants(.revokeGrant(GrantID(.zero))), by: ["a", "b"])
        for signers in [
            [good.body.signers[1], good.body.signers[0]], [good.body.signers[0], good.body.signers[0]], [],
        ] {
            var body = good.body
            body.signers = signers
            let bytes = body.canonicalBytes + good.signatures.prefix(signers.count).flatMap(\.bytes)
            #expect(throws: CanonicalError.self) { try Transaction(canonicalBytes: bytes) }
        }
    }

    @Test("Hostile bytes are refused, and never read as another form of a good transaction")
    func hostileBytes() {
        let bench = Bench()
        let good = bench.transaction(.grants(.createGrant(bench.grant(of: "patient", witness: "b"))), by: ["b"])
        var generator = SeededGenerator(seed: 1)
        for length in 0..<good.bytes.count {
            #expect(throws: CanonicalError.self) { try Transaction(canonicalBytes: Array(good.bytes.prefix(length))) }
        }
        for _ in 0..<20_000 {
            var bytes = good.bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let read = try? Transaction(canonicalBytes: bytes) else { continue }
            #expect(read.bytes == bytes, "one value has one encoding")
            guard let call = try? LedgerCall(of: read.body) else { continue }
            #expect(call.payload == read.body.payload)
            var context = bench.context(call.module, signers: read.body.signers)
            try? call.execute(in: &context)
        }
    }
}
