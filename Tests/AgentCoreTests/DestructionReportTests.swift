import AgentCore
import Consensus
import Foundation
import Ledger
import Primitives
import Records
import TestSupport
import Testing

/// A story that ends in a proof of destruction: `a` erases, `b` had keys.
private struct DestructionBench {
    var calls: [(ErasuresCall, String)] = []
    var finalizers = ["a", "b", "d"]

    static let erasure = Erasure(
        source: institution("a"),
        records: [EvidenceBench.record],
        requester: .source(evidence: .zero),
        nonce: 1
    )

    /// As far as `steps` of: asked, accepted, proved by `a`, proved by `b`.
    init(steps: Int = 4) {
        let id = Self.erasure.id
        func proof(_ name: String) -> ErasuresCall {
            .prove(
                Destruction(
                    erasure: id,
                    institution: institution(name),
                    list: Self.erasure.listDigest,
                    generation: 3,
                    dataKeys: 1,
                    copies: 2
                )
            )
        }
        let all: [(ErasuresCall, String)] = [
            (.request(Self.erasure), "a"),
            (.decide(id, by: institution("a"), .accepted(.inpatient, holders: [institution("b")])), "a"),
            (proof("a"), "a"), (proof("b"), "b"),
        ]
        self.calls = Array(all.prefix(steps))
    }

    func file() throws -> DestructionProof {
        let rules = LedgerRules(genesis: EvidenceBench.genesis, validatorsHash: EvidenceBench.validators.hash)
        var tip = rules.genesisBlock
        for (index, (call, signer)) in self.calls.enumerated() {
            let body = TransactionBody(
                chain: EvidenceBench.genesis.chain,
                call: .erasures(call),
                validUntil: Height(100),
                signers: [.institution(institution(signer))]
            )
            let transaction = Transaction(body: body, signatures: [TestKey(signer).sign(body.signedBytes)])
            let position = BlockPosition(
                epoch: Epoch(0),
                view: View(UInt64(index) + 1),
                time: Timestamp(milliseconds: Int64(index + 1) * 1000),
                proposer: 0,
                justificationHash: .zero
            )
            tip = rules.build(on: tip, at: position, candidates: [transaction]) { _ in true }
            #expect(tip.receipts.map(\.code) == [.ok])
        }
        var bench = EvidenceBench()
        bench.finalizers = self.finalizers
        return DestructionProof(
            chain: EvidenceBench.genesis.chain,
            state: try #require(tip.state.bytes(at: .erasure(Self.erasure.id))),
            proof: tip.state.proof(for: .erasure(Self.erasure.id)),
            header: tip.header,
            finalization: bench.finalization(of: tip).canonicalBytes
        )
    }
}

@Suite("A proof of destruction")
struct DestructionReportTests {
    private static func codes(_ bytes: [UInt8]) -> [DestructionReport.Code] {
        DestructionReport.verify(bytes, genesis: EvidenceBench.genesis).findings.map(\.code).filter { $0 != .ok }
    }

    @Test("Is valid when source and holders have signed, and says what each did")
    func valid() throws {
        let file = try DestructionBench().file()
        let report = DestructionReport.verify(file.canonicalBytes, genesis: EvidenceBench.genesis)
        #expect(report.isValid && report.state?.isComplete == true)
        #expect(report.findings.contains { $0.text.contains("Institution b signed") && $0.time?.milliseconds == 4000 })
        #expect(try DestructionProof(canonicalBytes: file.canonicalBytes) == file)
    }

    @Test("Each thing that can be wrong has its code")
    func codes() throws {
        let good = try DestructionBench().file()
        var file = good
        #expect(Self.codes([1, 2, 3]) == [.malformed])
        file.chain = ChainID(.zero)
        #expect(Self.codes(file.canonicalBytes) == [.wrongChain])
        file = good
        file.header.validatorsHash = .zero
        #expect(Self.codes(file.canonicalBytes) == [.otherEpoch])
        var few = DestructionBench()
        few.finalizers = ["a", "b"]
        #expect(try Self.codes(few.file().canonicalBytes) == [.notFinal])
        // A proof that is in no state: the list of those who signed is the chain's, not the file's.
        file = try DestructionBench(steps: 3).file()
        #expect(Self.codes(file.canonicalBytes) == [.outstanding])
        file.state = good.state
        #expect(Self.codes(file.canonicalBytes) == [.notInState])
        #expect(try Self.codes(DestructionBench(steps: 2).file().canonicalBytes) == [.outstanding, .outstanding])
        #expect(try Self.codes(DestructionBench(steps: 1).file().canonicalBytes) == [.notAccepted])
    }

    @Test("Any flipped bit makes it invalid")
    func flipped() throws {
        let bytes = try DestructionBench().file().canonicalBytes
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1 << UInt8(index % 8)
            #expect(!DestructionReport.verify(changed, genesis: EvidenceBench.genesis).isValid, "byte \(index)")
        }
    }

    @Test("Erasure.md lists every code, and no other")
    func page() throws {
        let url = TestData.repositoryFile("Documentation/Protocol/Erasure.md")
        let rows = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `destruction.") }
            .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        #expect(rows == DestructionReport.Code.allCases.filter { $0 != .ok }.map(\.rawValue))
    }
}
