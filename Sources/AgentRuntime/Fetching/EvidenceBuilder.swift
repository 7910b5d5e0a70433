import Consensus
import Ledger
import LedgerStore
import Primitives
package import Records

/// Gathers what a verifier with nothing but the genesis file needs to check one reading.
package struct EvidenceBuilder: Sendable {
    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    package func build(_ opened: Fetcher.Opened, salt: [UInt8], manifest: Manifest) throws -> [UInt8] {
        let row = opened.location.row
        let header = opened.tip.block.header
        guard let certificate = opened.tip.certificate else {
            throw Self.incomplete("the chain has no final block yet")
        }
        let leaves = manifest.entries.map(\.leaf.leafHash)
        return EvidenceFile(
            chain: self.context.rules.chain,
            record: EvidenceFile.Record(
                suite: .international,
                salt: salt,
                content: opened.content.canonicalBytes,
                leaf: row.leaf,
                index: row.index,
                path: MerkleTree.inclusionProof(of: Int(row.index), in: leaves)
            ),
            commitment: try self.commitment(opened.batch, under: header),
            header: header,
            finalization: certificate.canonicalBytes,
            grant: try self.grant(opened),
            receipt: opened.receipt
        ).canonicalBytes
    }

    private func commitment(_ batch: BatchState, under header: BlockHeader) throws -> EvidenceFile.Commitment {
        guard let place = try self.context.chain.transaction(id: batch.transaction.digest),
            let block = try self.context.chain.block(at: place.height)
        else { throw Self.incomplete("the block that commits the batch is not stored") }
        let transactions = try BlockBody(canonicalBytes: block.body).transactions
        let receipts = try block.receipts.map { try TransactionReceipt(canonicalBytes: $0) }
        let index = Int(place.index)
        guard transactions.indices.contains(index), receipts.indices.contains(index) else {
            throw Self.incomplete("the block that commits the batch is not whole")
        }
        var ancestor: EvidenceFile.Commitment.Ancestor?
        if block.header.height < header.height {
            let path = try self.context.chain.historyPath(of: block.header.height, size: header.historySize)
            guard let path else { throw Self.incomplete("the history of the chain is not stored") }
            ancestor = EvidenceFile.Commitment.Ancestor(header: block.header, path: path)
        }
        return EvidenceFile.Commitment(
            transaction: transactions[index].bytes,
            index: place.index,
            transactionPath: MerkleTree.inclusionProof(of: index, in: transactions.map(\.leafHash)),
            receiptPath: MerkleTree.inclusionProof(of: index, in: receipts.map(\.leafHash)),
            ancestor: ancestor
        )
    }

    private func grant(_ opened: Fetcher.Opened) throws -> EvidenceFile.Grant? {
        guard case .granted(let id, _, let scope) = opened.access else { return nil }
        let key = StateKey.grant(id)
        guard let bytes = opened.tip.state.bytes(at: key) else {
            throw Self.incomplete("the grant is not in the state")
        }
        return EvidenceFile.Grant(state: bytes, proof: opened.tip.state.proof(for: key), scope: scope)
    }

    private static func incomplete(_ what: String) -> AgentFailure {
        AgentFailure(.proofIncomplete, what, hint: "Run entente doctor.")
    }
}
