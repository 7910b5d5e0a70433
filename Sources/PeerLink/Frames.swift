package import Primitives

/// What a message is about.
///
/// Each class has its own stream and queues, so that one never waits for the other.
package enum MessageClass: Int, Hashable, Sendable, CaseIterable {
    /// Proposals, votes, certificates, status. The protocol repeats what matters, so when a peer cannot take them fast
    /// enough the oldest is dropped: the newest says more.
    case consensus
    /// Transactions on their way to the validators. When a peer cannot take them the new one is refused, and the sender
    /// offers it again later; dropping an accepted one would lose it silently.
    case transactions
}

/// A message that arrived.
package struct InboundFrame: Hashable, Sendable {
    /// Who sent it, by the key that opened the connection.
    package var from: InstitutionID
    package var messageClass: MessageClass
    package var bytes: [UInt8]

    package init(from: InstitutionID, messageClass: MessageClass, bytes: [UInt8]) {
        self.from = from
        self.messageClass = messageClass
        self.bytes = bytes
    }
}

/// What became of a message handed over for sending.
///
/// Queued is not delivered: a broken connection loses frames.
package enum SendOutcome: Hashable, Sendable {
    case queued
    /// Queued, and the oldest of its class was dropped for it.
    case queuedDroppingOldest
    case refused(Refusal)

    /// Why a message was not queued.
    package enum Refusal: Hashable, Sendable {
        case unknownPeer, full, tooLarge, stopping
    }
}

/// A peer as it is now.
package struct PeerStatus: Hashable, Sendable {
    package var institution: InstitutionID
    /// Whether messages to the peer flow.
    package var connected: Bool
    /// When `connected` last changed.
    package var since: Timestamp
    /// Frame bytes received and sent, of all kinds, since the agent started.
    package var bytesIn: UInt64
    package var bytesOut: UInt64
    /// Milliseconds by which the peer's wall clock is ahead of this agent's, as the peer says; `nil` before it said so.
    ///
    /// Off by the time a message takes, and by as much as the peer lies.
    package var clockAheadMilliseconds: Int64?
}
