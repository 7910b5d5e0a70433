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
        /// Can become `waiting`, `receiving` or `parting`.
        case answering
        /// Is told that nothing more is taken, and given time to read its answers. Final.
        case parting
    }

    /// Senders keep a connection each, and a hospital has tens of sending systems.
    static let connectionsMax = 64
    /// Senders hold their connections open, also over a night; one that is closed connects again.
    static let idleMillisecondsMax: Int64 = 600_000
    /// For the rest of a message that began: the largest at 4 Mbit/s.
    static let receivingMillisecondsMax: Int64 = 60_000
    /// For a sender to read what it was answered.
    static let answeringMillisecondsMax: Int64 = 30_000
    /// For a sender to read its last answers and close: longer than they travel, shorter than a service manager waits.
    static let partingMillisecondsMax: Int64 = 2_000
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

        mutating func part(_ number: UInt64, _ uptime: Int64) -> (any Channel)? {
            guard let connection = self.connections[number], connection.phase != .parting else { return nil }
            self.connections[number]?.phase = .parting
            self.connections[number]?.since = uptime
            return connection.channel
        }
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
            guard var connection = state.connections[number], connection.phase != .parting else { return false }
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
                    case .parting: Self.partingMillisecondsMax
                    case .working: nil
                    }
                return limit.map { uptime - connection.since > $0 } ?? false
            }.map(\.channel)
        }
        for channel in overdue { channel.close(promise: nil) }
    }

    /// Ends a connection, so that its sender gets every answer.
    ///
    /// A socket that is closed while it holds bytes nobody has read is reset, and a reset discards the answers on their way.
    func part(_ number: UInt64, uptime: Int64) {
        let channel = self.state.withLock { $0.part(number, uptime) }
        channel?.close(mode: .output, promise: nil)
    }

    /// Admits nothing more and ends what waits for its sender.
    func stop(uptime: Int64) {
        let idle = self.state.withLock { state in
            state.isStopping = true
            let numbers = state.connections.filter { $0.value.phase == .waiting || $0.value.phase == .receiving }.keys
            return numbers.compactMap { state.part($0, uptime) }
        }
        for channel in idle { channel.close(mode: .output, promise: nil) }
    }
}
