import Consensus
package import Ledger
package import LedgerStore
import Primitives

/// Reads the newest final block and the state after it from the store, and checks them against each other.
package struct ChainLoader: Sendable {
    private let chain: ChainStore
    private let rules: LedgerRules

    package init(chain: ChainStore, rules: LedgerRules) {
        self.chain = chain
        self.rules = rules
    }

    /// `genesis`: the genesis file's bytes, stored with a new chain.
    package func load(_ genesis: [UInt8]) throws -> ChainBoard.Tip {
        guard let stored = try self.chain.genesis() else { return try self.begin(genesis) }
        guard stored == genesis else {
            throw AgentFailure(
                .storeDamaged,
                "the home's chain database belongs to another chain than its genesis file",
                hint: "Restore chain.sqlite and genesis from the same backup."
            )
        }
        guard let tip = try self.chain.tip() else { throw Self.damaged }
        guard let bytes = tip.certificate else { return try self.begin(genesis) }
        var entries: [(key: Digest, value: [UInt8])] = []
        try self.chain.forEachStateLeaf { key, value in entries.append((key, value)) }
        let state = LedgerState(entries: entries)
        let ancestors = try self.chain.historyFrontier(size: tip.header.historySize)
        guard let ancestors, let block = ExecutedBlock(storedHeader: tip.header, state: state, ancestors: ancestors)
        else { throw Self.damaged }
        return ChainBoard.Tip(block: block, certificate: try Certificate(canonicalBytes: bytes))
    }

    private func begin(_ genesis: [UInt8]) throws -> ChainBoard.Tip {
        let block = self.rules.genesisBlock
        if try self.chain.genesis() == nil {
            try self.chain.begin(
                genesis: genesis,
                block: StoredBlock(
                    header: block.header,
                    body: block.body.canonicalBytes,
                    justification: [],
                    receipts: []
                ),
                stateChanges: block.changes.map { (key: $0.key, value: $0.value) }
            )
        }
        return ChainBoard.Tip(block: block, certificate: nil)
    }

    private static let damaged = AgentFailure(
        .storeDamaged,
        "the chain database does not hold what its newest block commits to",
        hint: "Stop the agent, move chain.sqlite aside and start again: the chain is fetched from the other members."
    )
}
