import Ledger
import Oblivious
import Primitives
import Records
import TestSupport
import Testing

@Suite("Transactions have one byte form")
struct TransactionTests {
    static let dealing = Dealing(
        context: CeremonyContext(chain: ChainID(.zero), number: 1),
        dealer: institution("a"),
        constant: RistrettoScalar(7),
        threshold: 1,
        holders: [.generator],
        seed: [UInt8](repeating: 1, count: 32)
    )

    @Test("The bytes of one transaction, one block and the genesis block are pinned")
    func goldenBytes() throws {
        var bench = Bench()
        let transaction = bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"], validUntil: 10)
        #expect(bench.rules.genesisBlock.hash.hex == "51bd02cc751ee5e80ec521449ef6573e42a6d13e7cba25adfc864f8a102f7540")
        #expect(transaction.body.id.digest.hex == "668ae2be1788f88d8d05aa5b32c0a674a363d7e0eed10a66962be65e9659cb58")
        #expect(transaction.leafHash.hex == "dc7cbf5c09543828b8fd1b35fa1acca588033a794f995251292da55fbb5f9ed3")
        // Variant, "a", number, previous, count, root, manifest.
        let payload =
            "00" + "0161" + String(repeating: "0", count: 80) + "0a000000"
            + "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
            + "dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986"
        #expect(Hex.encode(transaction.body.payload) == payload)
        #expect(transaction.bytes.count == 227)
        let block = try bench.block([transaction])
        #expect(block.header.stateRoot.hex == "87a03f1f6be1ab68fc738d7c836663f0fe195f0e98de96df8cc3601774688ba2")
        #expect(block.header.receiptRoot.hex == "d92cbbf65e33e648ab18d9c8aa8bfc2d20230c331fe8b6774e006287d0f18c3c")
        #expect(block.hash.hex == "c39110d91253bbb9377cd6eae9bd6716d23e6c5a5bead41320aee2002329be5a")
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
            bench.join("a"), bench.reshare("a", 2), bench.deal("a", 1, Self.dealing),
            bench.complain("a", about: "b"), bench.confirm("a"), bench.advance("a"),
            bench.served("a", [("b", 1, 2), ("c", 1, 3)]),
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
