import AgentCore
import Consensus
import Ledger
import Primitives
import Records

/// A story that ends in an account of `b`: the grant of ``EvidenceBench`` in block 1, readings that `b` anchors in blocks 3
/// and 5, the tip at 6.
///
/// Blocks are a second apart.
struct AccountBench {
    var evidence = EvidenceBench()
    var from: Int64 = 2000
    var until: Int64 = 5000
    /// Anchored in block 3, by `b`; one under the grant and one more of another request.
    var readings: [FetchReceipt]?
    /// Told before it is signed.
    var change: (inout Account) -> Void = { _ in }
    var signer = "b"

    static func reading(_ bench: EvidenceBench, nonce: UInt8) -> FetchReceipt {
        var bench = bench
        let told = bench.request
        bench.request = { request in
            request.nonce = [UInt8](repeating: nonce, count: FetchRequest.nonceBytes)
            told(&request)
        }
        return bench.signedReceipt(grant: bench.accessGrant.id)
    }

    func file() -> AccountFile {
        let first = self.readings ?? [Self.reading(self.evidence, nonce: 1), Self.reading(self.evidence, nonce: 2)]
        let later = [Self.reading(self.evidence, nonce: 3)]
        let batch = Self.anchor(first, number: 0, previous: .zero)
        let second = Self.anchor(later, number: 1, previous: batch.digest)
        let rules = LedgerRules(genesis: EvidenceBench.genesis, validatorsHash: EvidenceBench.validators.hash)
        var blocks = [rules.genesisBlock]
        for height in 1...6 as ClosedRange<UInt64> {
            var transactions = [
                EvidenceBench.transaction(
                    .institutions(.changeAddress(institution("c"), address: "c.example:\(height)")),
                    by: "c"
                )
            ]
            if height == 1 {
                transactions.append(
                    EvidenceBench.transaction(.grants(.createGrant(self.evidence.accessGrant)), by: "c")
                )
            }
            if height == 3 {
                transactions.append(EvidenceBench.transaction(.receipts(.anchorReceipts(batch)), by: "b"))
            }
            if height == 4 {
                // Refused: the number is taken.
                let again = EvidenceBench.transaction(.receipts(.anchorReceipts(batch)), by: "b")
                transactions.append(again)
            }
            if height == 5 {
                transactions.append(EvidenceBench.transaction(.receipts(.anchorReceipts(second)), by: "b"))
            }
            let position = BlockPosition(
                epoch: Epoch(0),
                view: View(height + 2),
                time: Timestamp(milliseconds: Int64(height) * 1000),
                proposer: 0,
                justificationHash: .zero
            )
            blocks.append(
                rules.build(on: blocks[blocks.count - 1], at: position, candidates: transactions) { _ in true }
            )
        }
        return self.file(blocks, first, later)
    }

    private func file(_ blocks: [ExecutedBlock], _ first: [FetchReceipt], _ later: [FetchReceipt]) -> AccountFile {
        let tip = blocks[blocks.count - 1]
        let grant = self.evidence.accessGrant.id
        var account = Account(
            chain: EvidenceBench.chain,
            institution: institution("b"),
            from: Timestamp(milliseconds: self.from),
            until: Timestamp(milliseconds: self.until),
            header: tip.header,
            finalization: self.evidence.finalization(of: tip).canonicalBytes,
            history: MerkleTree.inclusionProof(
                of: 5,
                in: blocks.dropLast().map { ExecutedBlock.historyLeaf($0.hash) }
            ),
            blocks: blocks[1...5].map { block in
                Account.Block(
                    header: block.header,
                    transactions: block.body.transactions.map(\.bytes),
                    receipts: block.receipts.map(\.canonicalBytes)
                )
            },
            readings: [first, later],
            grants: [
                Account.Grant(
                    state: tip.state.bytes(at: .grant(grant)) ?? [],
                    proof: tip.state.proof(for: .grant(grant)),
                    groups: []
                )
            ]
        )
        self.change(&account)
        return AccountFile(account) { TestKey(self.signer).sign($0) }
    }

    private static func anchor(_ receipts: [FetchReceipt], number: UInt64, previous: Digest) -> BatchAnchor {
        BatchAnchor(
            institution: institution("b"),
            number: number,
            previous: previous,
            count: UInt32(receipts.count),
            root: MerkleTree.root(receipts.map(\.leafHash)),
            manifest: ContentAddress(Digest(hashing: [3]))
        )
    }
}
