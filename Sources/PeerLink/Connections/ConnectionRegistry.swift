internal import NIOCore
internal import Primitives
internal import Synchronization

/// The connections that peers opened to this agent, and what each may open on them.
final class ConnectionRegistry: Sendable {
    private struct Record {
        var channel: any Channel
        var peer: PeerVerifier.Peer?
        var messageClasses: Set<MessageClass> = []
        var fetchCount = 0
    }

    private struct State {
        var records: [UInt64: Record] = [:]
        var nextNumber: UInt64 = 1
        var unknownCount = 0
        var isClosed = false
    }

    private let limits: PeerLinkLimits
    private let state = Mutex(State())

    init(limits: PeerLinkLimits) { self.limits = limits }

    /// The number of a new connection, or `nil` if there are too many.
    func admit(_ channel: any Channel) -> UInt64? {
        self.state.withLock { state in
            guard !state.isClosed, state.records.count < self.limits.connectionsMax,
                state.unknownCount < self.limits.connectionsUnknownMax
            else { return nil }
            let number = state.nextNumber
            state.nextNumber += 1
            state.unknownCount += 1
            state.records[number] = Record(channel: channel)
            return number
        }
    }

    /// Records who is behind a connection, and closes the peer's oldest if it has too many.
    func authenticate(_ number: UInt64, as peer: PeerVerifier.Peer) {
        let surplus = self.state.withLock { state -> (any Channel)? in
            guard state.records[number]?.peer == nil, state.records[number] != nil else { return nil }
            state.records[number]?.peer = peer
            state.unknownCount -= 1
            let numbers = state.records.filter { $0.value.peer?.institution == peer.institution }.keys.sorted()
            guard numbers.count > self.limits.connectionsPerPeerMax, let oldest = numbers.first else { return nil }
            return state.records[oldest]?.channel
        }
        surplus?.close(promise: nil)
    }

    func remove(_ number: UInt64) {
        self.state.withLock { state in
            guard let record = state.records.removeValue(forKey: number), record.peer == nil else { return }
            state.unknownCount -= 1
        }
    }

    /// Who is behind a connection that is up.
    func institution(_ number: UInt64) -> InstitutionID? {
        self.state.withLock { $0.records[number]?.peer?.institution }
    }

    /// Opens the peer's stream for a class of messages; a second one on the same connection is refused.
    ///
    /// One on another connection shows that the peer has started again: the old connection is closed.
    func openMessages(_ messageClass: MessageClass, on number: UInt64) -> Bool {
        let (isOpen, stale) = self.state.withLock { state -> (Bool, [any Channel]) in
            guard let record = state.records[number], !record.messageClasses.contains(messageClass) else {
                return (false, [])
            }
            state.records[number]?.messageClasses.insert(messageClass)
            let stale = state.records.filter {
                $0.key != number && $0.value.peer?.institution == record.peer?.institution
                    && $0.value.messageClasses.contains(messageClass)
            }
            return (true, stale.values.map(\.channel))
        }
        for channel in stale { channel.close(promise: nil) }
        return isOpen
    }

    func closeMessages(_ messageClass: MessageClass, on number: UInt64) {
        self.state.withLock { _ = $0.records[number]?.messageClasses.remove(messageClass) }
    }

    /// Opens a fetch, unless the peer has too many open over all its connections.
    func openFetch(on number: UInt64) -> Bool {
        self.state.withLock { state in
            guard let institution = state.records[number]?.peer?.institution else { return false }
            let open = state.records.values.reduce(0) { count, record in
                record.peer?.institution == institution ? count + record.fetchCount : count
            }
            guard open < self.limits.fetchesPerPeerMax else { return false }
            state.records[number]?.fetchCount += 1
            return true
        }
    }

    func closeFetch(on number: UInt64) { self.state.withLock { $0.records[number]?.fetchCount -= 1 } }

    func close(_ number: UInt64) {
        self.state.withLock { $0.records[number]?.channel }?.close(promise: nil)
    }

    /// Closes all connections, and those that are still on their way when they arrive.
    func closeAll() {
        let channels = self.state.withLock { state in
            state.isClosed = true
            return state.records.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Closes the connections whose key the directory no longer lists for their peer.
    func closeRevoked(_ directory: PeerDirectory) {
        let channels = self.state.withLock { state in
            state.records.values.filter { record in
                guard let peer = record.peer else { return false }
                return directory.institution(forKeyDigest: peer.keyDigest) != peer.institution
            }.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}
