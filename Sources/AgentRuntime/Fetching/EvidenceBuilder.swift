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
        guard let terms = opened.terms else { return nil }
        let state = opened.tip.state
        let grant = terms.state.grant
        // A grantee by name needs no group.
        let group = terms.groups.first {
            !grant.grantees.contains(self.context.institution)
                && $0.isMember(self.context.institution, at: opened.tip.height)
        }
        var delegation: EvidenceFile.Support?
        if case .delegate(_, let id) = grant.grantor { delegation = try Self.support(.delegation(id), state) }
        let own = try Self.support(.grant(terms.id), state)
        return EvidenceFile.Grant(
            state: own.state,
            proof: own.proof,
            scope: terms.scope,
            narrowings: terms.narrowings,
            group: try group.map { try Self.support(.group($0.id), state) },
            delegation: delegation,
            referrals: try terms.referrals.map { try Self.support(.referral($0.referral.id), state) }
        )
    }

    private static func support(_ key: StateKey, _ state: LedgerState) throws -> EvidenceFile.Support {
        guard let bytes = state.bytes(at: key) else {
            throw Self.incomplete("the grant, or something that it leans on, is not in the state")
        }
        return EvidenceFile.Support(state: bytes, proof: state.proof(for: key))
    }

    private static func incomplete(_ what: String) -> AgentFailure {
        AgentFailure(.proofIncomplete, what, hint: "Run entente doctor.")
    }
}
