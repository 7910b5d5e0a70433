package import Primitives

/// What the application found when it executed a block on its parent's state.
package enum VerifyOutcome: Hashable, Sendable {
    /// All roots are as the header says.
    ///
    /// The application keeps the resulting state until a block at or above this height is committed.
    case valid
    /// The body is not the one the header commits to.
    ///
    /// Another peer may hold the right one.
    case bodyMismatch
    /// The header with its right body breaks a rule or states other roots than executing gives.
    case invalid
    /// The parent's state is not at hand now; asked again later.
    case unavailable
}

/// The application's answer to a request for a block.
package enum BuildOutcome: Hashable, Sendable {
    /// With everything that the request fixes as it says, and already executed.
    case block(BlockHeader, body: [UInt8])
    /// No transaction can be added to this parent, and an empty block was not allowed.
    case nothingToAdd
    case failed
}

/// What a machine starts from.
package struct Recovery: Sendable {
    package let final: FinalPoint
    /// Everything in the vote log, in any order; records at or below the final view are ignored.
    package let records: [VoteLogRecord]
    /// `false` if the vote log is damaged before its end: some vote may be forgotten, so none is cast in this epoch.
    package let mayVote: Bool

    package init(final: FinalPoint, records: [VoteLogRecord], mayVote: Bool = true) {
        self.final = final
        self.records = records
        self.mayVote = mayVote
    }
}

/// What happens to a machine.
package enum ConsensusInput: Sendable {
    /// Exactly once, first.
    case start(Recovery)
    case message(ConsensusMessage, from: InstitutionID)
    /// A channel to a peer was opened.
    case connected(InstitutionID)
    case timer(ConsensusTimer, generation: UInt64)
    /// Whether the application holds transactions that are in no decided block.
    ///
    /// Given again with every new one.
    case pending(Bool)
    /// The records of `.persist(token, drafts)` are on disk with these signatures, in the same order.
    case durable(token: UInt64, signatures: [Signature])
    case built(view: View, BuildOutcome)
    case verified(hash: Digest, VerifyOutcome)
}
