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
        #expect(bench.rules.genesisBlock.hash.hex == "76c0efe833b72d99bf566ce07232feb28bf4061297cc9569d011eded410f2caf")
        #expect(transaction.body.id.digest.hex == "ff9a3c55c9c4c9bb845d3e76d4de3bebbccf8d45c0750bb2e77c1a0baa32cff6")
        #expect(transaction.leafHash.hex == "f5e288e8125e64fdc26f7eca4e95a6d755c9a638aa40ea14464eefa89ffbc1b6")
        // Variant, "a", number, previous, count, root, manifest.
        let payload =
            "00" + "0161" + String(repeating: "0", count: 80) + "0a000000"
            + "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
            + "dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986"
        #expect(Hex.encode(transaction.body.payload) == payload)
        #expect(transaction.bytes.count == 227)
        let block = try bench.block([transaction])
        #expect(block.header.stateRoot.hex == "c0b76a8311333ce4015bd97d3a70714f1836746d6a796ed1f9be70f1030acdfa")
        #expect(block.header.receiptRoot.hex == "f34a94b846606cbed668f5e3e19550691578d1ac1cbe3933537928a4c24f96e3")
        #expect(block.hash.hex == "5524f5cb3e613e84cba52734d3c223828601cd7a2677ce11d721564287c7ed1b")
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
