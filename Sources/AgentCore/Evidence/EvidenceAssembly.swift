package import Consensus
package import Ledger
package import Primitives
package import Records

/// The block in which a batch was committed, as the store keeps it.
package struct EvidenceBlock: Sendable {
    package var header: BlockHeader
    package var body: BlockBody
    package var receipts: [TransactionReceipt]

    package init(header: BlockHeader, body: BlockBody, receipts: [TransactionReceipt]) {
        self.header = header
        self.body = body
        self.receipts = receipts
    }
}

/// The final block under which an evidence file proves everything.
package struct EvidenceTip: Sendable {
    package var header: BlockHeader
    package var finalization: Certificate
    package var state: LedgerState
    /// Hashes of heights 0 to the one below the tip.
    package var ancestors: [Digest]

    package init(header: BlockHeader, finalization: Certificate, state: LedgerState, ancestors: [Digest]) {
        self.header = header
        self.finalization = finalization
        self.state = state
        self.ancestors = ancestors
    }
}

extension EvidenceFile {
    /// Puts together the evidence for one reading.
    ///
    /// Returns `nil` if a part is missing: the leaf from the batch, the batch's transaction from its block, the block
    /// from the tip's history, or the grant from the tip's state.
    package init?(
        receipt: FetchReceipt,
        content: [UInt8],
        salt: [UInt8],
        suite: SuiteID,
        leaves: [ExamLeaf],
        batch: BatchState,
        block: EvidenceBlock,
        scope: GrantScope?,
        tip: EvidenceTip
    ) {
        let transactions = block.body.transactions
        guard let leafIndex = leaves.firstIndex(where: { $0.record == receipt.request.record }),
            let index = transactions.firstIndex(where: { $0.id == batch.transaction }),
            block.receipts.count == transactions.count
        else { return nil }
        let isTip = block.header == tip.header
        let height = Int(clamping: block.header.height.value)
        guard isTip || tip.ancestors.indices.contains(height) && tip.ancestors[height] == block.header.hash else {
            return nil
        }
        let history =
            isTip ? [] : MerkleTree.inclusionProof(of: height, in: tip.ancestors.map(ExecutedBlock.historyLeaf))
        var grant: Grant?
        if let id = receipt.grant {
            guard let state = tip.state.grant(id), let scope else { return nil }
            grant = Grant(state: state.canonicalBytes, proof: tip.state.proof(for: .grant(id)), scope: scope)
        }
        self.init(
            chain: tip.header.chain,
            record: Record(
                suite: suite,
                salt: salt,
                content: content,
                leaf: leaves[leafIndex],
                index: UInt32(leafIndex),
                path: MerkleTree.inclusionProof(of: leafIndex, in: leaves.map(\.leafHash))
            ),
            commitment: Commitment(
                transaction: transactions[index].bytes,
                index: UInt32(index),
                transactionPath: MerkleTree.inclusionProof(of: index, in: transactions.map(\.leafHash)),
                receiptPath: MerkleTree.inclusionProof(of: index, in: block.receipts.map(\.leafHash)),
                ancestor: isTip ? nil : Commitment.Ancestor(header: block.header, path: history)
            ),
            header: tip.header,
            finalization: tip.finalization.canonicalBytes,
            grant: grant,
            receipt: receipt
        )
    }
}
