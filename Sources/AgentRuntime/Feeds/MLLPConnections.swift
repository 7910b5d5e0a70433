import NIOCore
import Synchronization

/// The open connections of the listener, what each is waiting for, and for how long it may.
final class MLLPConnections: Sendable {
    /// What a connection does.
    enum Phase: Hashable, Sendable {
        /// Waits for the next message. Can become `receiving` or `working`.
        case waiting
        /// Holds a part of a message. Can become `waiting` or `working`.
        case receiving
        /// Messages are made durable, which takes as long as the disk takes. Can become `answering`.
        case working
        /// Can become `waiting` or `receiving`.
        case answering
    }

    /// Senders keep a connection each, and a hospital has tens of sending systems.
    static let connectionsMax = 64
    /// Senders hold their connections open, also over a night; one that is closed connects again.
    static let idleMillisecondsMax: Int64 = 600_000
    /// For the rest of a message that began: the largest at 4 Mbit/s.
    static let receivingMillisecondsMax: Int64 = 60_000
    /// For a sender to read what it was answered.
    static let answeringMillisecondsMax: Int64 = 30_000
    /// What each connection may hold of an unfinished message.
    static let bytesHeldMax = 1 << 20
    /// Connections that may hold more than that at a time, up to the largest message: scanned documents.
    static let largeMax = 4

    private struct Connection {
        var channel: any Channel
        var phase = Phase.waiting
        var since: Int64
        var isLarge = false
    }

    private struct State {
        var connections: [UInt64: Connection] = [:]
        var last: UInt64 = 0
        var isStopping = false
    }

    private let state = Mutex(State())

    /// A number for a new connection; `nil` if there are too many.
    func admit(_ channel: any Channel, uptime: Int64) -> UInt64? {
        self.state.withLock { state in
            guard !state.isStopping, state.connections.count < Self.connectionsMax else { return nil }
            state.last += 1
            state.connections[state.last] = Connection(channel: channel, since: uptime)
            return state.last
        }
    }

    func remove(_ number: UInt64) { self.state.withLock { $0.connections[number] = nil } }

    /// Notes what a connection does from now on; `false` if it must end instead.
    func enter(_ phase: Phase, _ number: UInt64, bytesHeld: Int = 0, uptime: Int64) -> Bool {
        self.state.withLock { state in
            guard var connection = state.connections[number] else { return false }
            let isLarge = bytesHeld > Self.bytesHeldMax
            if isLarge, !connection.isLarge {
                // Its sender comes again, when the others are done.
                guard state.connections.values.filter(\.isLarge).count < Self.largeMax else { return false }
            }
            connection.isLarge = isLarge
            // A message that comes drop by drop began when it began.
            if connection.phase != phase || phase == .waiting { connection.since = uptime }
            connection.phase = phase
            state.connections[number] = connection
            // What is in work is finished and answered; nothing else is begun.
            return !state.isStopping || phase == .answering
        }
    }

    /// Closes connections whose sender takes too long.
    func closeOverdue(uptime: Int64) {
        let overdue = self.state.withLock { state in
            state.connections.values.filter { connection in
                let limit: Int64? =
                    switch connection.phase {
                    case .waiting: Self.idleMillisecondsMax
                    case .receiving: Self.receivingMillisecondsMax
                    case .answering: Self.answeringMillisecondsMax
                    case .working: nil
                    }
                return limit.map { uptime - connection.since > $0 } ?? false
            }.map(\.channel)
        }
        for channel in overdue { channel.close(promise: nil) }
    }

    /// Admits nothing more and closes what waits for its sender.
    func stop() {
        let idle = self.state.withLock { state in
            state.isStopping = true
            return state.connections.values.filter { $0.phase == .waiting || $0.phase == .receiving }.map(\.channel)
        }
        for channel in idle { channel.close(promise: nil) }
    }
}
