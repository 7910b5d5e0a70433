/// The numbers that all agents of a chain should agree on.
///
/// Safety does not depend on any of them.
package struct ConsensusParameters: Hashable, Sendable {
    /// Δ0, the delay within which messages and one block's execution are expected, in milliseconds.
    package var baseDelay: Int64
    /// Longest Δ that failed views can lead to, in milliseconds.
    package var delayMax: Int64
    /// Between two heartbeats, in milliseconds, ± 20 %.
    package var statusInterval: Int64
    /// How far a block's time may be ahead of a voter's clock, in milliseconds.
    package var clockSkewMax: Int64

    package init(
        baseDelay: Int64,
        delayMax: Int64 = 30_000,
        statusInterval: Int64 = 5_000,
        clockSkewMax: Int64 = 5_000
    ) {
        precondition(baseDelay > 0 && delayMax >= baseDelay && statusInterval > 0, "delays are positive")
        self.baseDelay = baseDelay
        self.delayMax = delayMax
        self.statusInterval = statusInterval
        self.clockSkewMax = clockSkewMax
    }

    /// Agents on one machine or in one room.
    package static let loopback = ConsensusParameters(baseDelay: 100)
    /// Agents in different institutions.
    package static let wideArea = ConsensusParameters(baseDelay: 500)

    /// Δ after `fails` views without a decision, of which `tolerated` are no reason to slow down.
    func delay(fails: Int, tolerated: Int) -> Int64 {
        var delay = self.baseDelay
        var rest = fails - tolerated
        while rest > 0, delay < self.delayMax {
            delay += (delay + 1) / 2
            rest -= 1
        }
        return min(delay, self.delayMax)
    }
}

/// Bounds on what peers can make a machine hold or do.
enum ConsensusLimits {
    /// Votes are kept for this many views ahead; a peer with a larger view number moves nobody without a certificate.
    static let viewWindow: UInt64 = 64
    /// No view beyond this is real; it keeps arithmetic on views from overflowing.
    static let viewMax: UInt64 = 1 << 62
    /// Blocks asked for at the same time.
    static let fetchesMax = 8
    /// A node that is further behind asks for ranges in place of single blocks.
    static let heightGapForRange: UInt64 = 8
    /// A leader adds transactions only while fewer blocks than this await a decision, so that what must be decided at
    /// once, and sent as one range, stays below the longest message.
    static let undecidedBlocksMax: UInt64 = 3
    /// A leader that was silent for so long while a quorum was not is skipped without waiting, in milliseconds.
    static let silenceMax: Int64 = 10_000
    /// Views whose own votes are sent again after a restart or shown to a peer that restarts.
    static let resentViewsMax = 16
    /// Peers whose last answer is remembered; more make it forget all, which only lets it answer sooner.
    static let answeredPeersMax = 1024
}
