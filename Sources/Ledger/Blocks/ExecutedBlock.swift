package import Primitives

/// A block with everything that executing it on its parent gave: enough to build or check a child on it, and what a
/// store keeps once the block is final.
package struct ExecutedBlock: Sendable {
    package let header: BlockHeader
    package let hash: Digest
    package let body: BlockBody
    /// One for each transaction, in order.
    package let receipts: [TransactionReceipt]
    /// What differs from the parent's state, ordered by key.
    package let changes: [StateChange]
    package let events: [LedgerEvent]
    /// The state after the block.
    package let state: LedgerState
    /// The history tree over the hashes of heights 0 to this block's own: a child's header commits to its root.
    package let history: MerkleFrontier

    init(
        header: BlockHeader,
        body: BlockBody,
        receipts: [TransactionReceipt],
        changes: [StateChange],
        events: [LedgerEvent],
        state: LedgerState,
        ancestors: MerkleFrontier
    ) {
        self.header = header
        self.hash = header.hash
        self.body = body
        self.receipts = receipts
        self.changes = changes
        self.events = events
        self.state = state
        var history = ancestors
        history.append(Self.historyLeaf(self.hash))
        self.history = history
    }

    /// The tip as a store gives it back, without the block's body, which a child does not need.
    ///
    /// Returns `nil` if the state or the history is not the one that the header commits to.
    package init?(storedHeader header: BlockHeader, state: LedgerState, ancestors: MerkleFrontier) {
        guard state.root == header.stateRoot, ancestors.root == header.historyRoot,
            ancestors.count == header.historySize
        else { return nil }
        self.init(
            header: header,
            body: BlockBody(),
            receipts: [],
            changes: [],
            events: [],
            state: state,
            ancestors: ancestors
        )
    }

    /// The leaf of a block in the history tree.
    package static func historyLeaf(_ hash: Digest) -> Digest { MerkleTree.leafHash(use: "blk/1", hash.bytes) }
}
