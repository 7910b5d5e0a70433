package import Consensus
package import Ledger
package import Primitives
package import Records

/// What happens to an agent.
package enum AgentInput: Sendable {
    /// Exactly once, first: what the vote log holds, and whether it is whole enough to vote.
    case start([VoteLogRecord], mayVote: Bool)
    /// Bytes from a peer whose name the transport vouches for.
    case message([UInt8], from: InstitutionID)
    case connected(InstitutionID)
    /// A transaction of this institution or of a person at its desk.
    case submit(Transaction)
    case timer(ConsensusTimer, generation: UInt64)
    case durable(token: UInt64, signatures: [Signature])
}

/// Work for the driver, done in order: what is persisted is durable before anything after it is sent.
package enum AgentEffect: Sendable {
    /// Sign each draft's body, append the records to the vote log, force them to disk, answer with `.durable`.
    case persist(token: UInt64, drafts: [VoteLogDraft])
    case broadcast(AgentMessage)
    case send(AgentMessage, to: InstitutionID)
    case setTimer(ConsensusTimer, generation: UInt64, afterMilliseconds: Int64)
    case cancelTimer(ConsensusTimer)
    /// Newly final blocks in height order and the certificate of the last.
    case commit(CommittedRange)
    /// Answer with `ConsensusMessage.block` if the store has it.
    case serveBlock(Digest, to: InstitutionID)
    /// Answer with `ConsensusMessage.range`: whole commits from this height on, at least one, more while they fit.
    case serveRange(from: Height, bytesMax: Int, to: InstitutionID)
    case admitted(TransactionID)
    case refused(TransactionID, TransactionRefusal)
    /// A submitted or relayed transaction that can no longer stand in a block.
    case expired(TransactionID)
    /// A validator said that nothing newer than this agent's tip is final.
    case confirmed(by: UInt16)
    case peerStatus(InstitutionID, Height)
    /// A custodian has pages for these grants.
    case pagesPublished([GrantID], by: InstitutionID)
    /// A peer's bytes are no message; the count is for the operator.
    case malformed(from: InstitutionID)
    case conflict(VoteConflict)
    case halt(HaltReason)
}

/// Blocks that became final together.
package struct CommittedRange: Sendable {
    package let blocks: [(block: Block, executed: ExecutedBlock)]
    /// Finalizes the last block.
    package let certificate: Certificate
}
