package import Primitives

/// The machine's alarms.
///
/// A later setting of the same timer replaces the earlier one.
package enum ConsensusTimer: UInt8, Hashable, Sendable, CaseIterable {
    /// The listening period after a start is over.
    case listen
    /// No valid proposal came in time.
    case proposal
    /// The view did not end in time.
    case view
    /// The leader has waited long enough for transactions, and builds an empty block to get its parent decided.
    case empty
    /// What the view hangs on is sent again.
    case retry
    /// A proposal's time is no longer too far ahead.
    case early
    /// Missing blocks and certificates are asked for.
    case fetch
    /// Heartbeat.
    case status
}

/// A leader's order for a block.
///
/// The application adds transactions and roots.
package struct BuildRequest: Hashable, Sendable {
    package let epoch: Epoch
    package let view: View
    package let parent: BlockHeader
    package let parentHash: Digest
    package let parentView: View
    package let justificationHash: Digest
    package let proposer: UInt16
    package let time: Timestamp
    package let validatorsHash: Digest
    /// Whether the block may hold transactions.
    package let withTransactions: Bool
    /// Whether a block without transactions is wanted if there are none to add.
    package let allowEmpty: Bool

    package init(
        epoch: Epoch,
        view: View,
        parent: BlockHeader,
        parentHash: Digest,
        parentView: View,
        justificationHash: Digest,
        proposer: UInt16,
        time: Timestamp,
        validatorsHash: Digest,
        withTransactions: Bool,
        allowEmpty: Bool
    ) {
        self.epoch = epoch
        self.view = view
        self.parent = parent
        self.parentHash = parentHash
        self.parentView = parentView
        self.justificationHash = justificationHash
        self.proposer = proposer
        self.time = time
        self.validatorsHash = validatorsHash
        self.withTransactions = withTransactions
        self.allowEmpty = allowEmpty
    }
}

/// Why a machine stopped for good.
///
/// An operator must look before it is started again.
package enum HaltReason: Hashable, Sendable {
    /// A quorum decided a block that does not extend what was decided before: more than f validators are faulty.
    case conflictingFinalization(Certificate, FinalPoint)
    /// A quorum accepted a block that executing here refuses.
    case stateDivergence(Digest)
    /// A vote by the own key exists that the vote log does not hold: the key is in use elsewhere, or history was lost.
    case unknownOwnVote(VoteBody)
    /// The vote log holds two votes that exclude each other, or a vote of another key.
    case contradictoryVoteLog(VoteBody)
}

/// Work for the driver, done in order.
package enum ConsensusEffect: Hashable, Sendable {
    /// Sign each draft's body, write the records and force them to disk, then answer with `.durable`.
    ///
    /// The machine uses a vote only after that answer.
    case persist(token: UInt64, drafts: [VoteLogDraft])
    /// To all connected peers, validators or not.
    case broadcast(ConsensusMessage)
    case send(ConsensusMessage, to: InstitutionID)
    /// After `after` milliseconds by a clock that never jumps, give `.timer` with the generation.
    case setTimer(ConsensusTimer, generation: UInt64, after: Int64)
    case cancelTimer(ConsensusTimer)
    case build(BuildRequest)
    /// Execute on the state of the block's parent, which has been found valid or is the last committed block.
    case verify(Block)
    /// Decided, in height order from the block after the last committed one.
    ///
    /// The certificate finalizes the last.
    case commit([Block], Certificate)
    /// Send the peer `.block` with this committed block, if it is stored.
    case serveBlock(Digest, to: InstitutionID)
    /// Send the peer `.range` with whole commits from this height on: at least one, and more while they fit the size.
    case serveRange(from: Height, bytesMax: Int, to: InstitutionID)
    /// Send the pending transactions to all validators again.
    case resendPending
    /// A validator voted twice; both signatures hold.
    case conflict(VoteConflict)
    case halt(HaltReason)
}
