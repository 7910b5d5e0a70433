package import Primitives
import Synchronization

/// Which content came last under which sender and control id, to tell a sender that names two messages alike.
///
/// There is no table of messages, because none is needed against loss or duplicates: an exam is known by its identity in its
/// source and by its content, which are durable with it, so a message that comes again adds nothing also after a restart.
/// And there must be none that lasts: control ids are counters that begin again, and then an old one under new content is
/// right. What this forgets at a restart or after an hour is only a reproach.
package final class ControlIDMemory: Sendable {
    package init() {}

    /// What is known of a name when a message comes under it.
    package enum Claim: Hashable, Sendable {
        /// Nothing, or the same message.
        case granted
        /// Another message, not long ago.
        case taken
    }

    /// An hour: far longer than a sender takes to send again, shorter than a counter takes to come round.
    package static let lifeMilliseconds: Int64 = 3_600_000
    /// Some 10 MB; beyond it the oldest are forgotten.
    package static let namesMax = 65_536

    private struct State {
        var contents: [Digest: (content: Digest, number: UInt64, time: Int64)] = [:]
        /// In the order of claims; one that was claimed again stands here twice.
        var order: [(name: Digest, number: UInt64)] = []
        /// Where the oldest stands in `order`.
        var start = 0
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Notes that `content` came under `name`, unless other content did.
    package func claim(_ name: Digest, content: Digest, uptime: Int64) -> Claim {
        self.state.withLock { state in
            if let known = state.contents[name], known.content != content, uptime - known.time < Self.lifeMilliseconds {
                return .taken
            }
            state.last += 1
            state.contents[name] = (content, state.last, uptime)
            state.order.append((name, state.last))
            while state.order.count - state.start > Self.namesMax {
                let oldest = state.order[state.start]
                if state.contents[oldest.name]?.number == oldest.number { state.contents[oldest.name] = nil }
                state.start += 1
            }
            if state.start > Self.namesMax {
                state.order.removeFirst(state.start)
                state.start = 0
            }
            return .granted
        }
    }

    /// Forgets a message that was not accepted: its sender may correct it and keep the name.
    package func release(_ name: Digest, content: Digest) {
        self.state.withLock { state in
            if state.contents[name]?.content == content { state.contents[name] = nil }
        }
    }
}
