internal import Foundation
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import Primitives
internal import Synchronization

/// What the agent keeps about one peer: what waits for it, and the connections dialled to it.
final class RemotePeer: Sendable {
    /// Connections are dialled apart by use, so that a full one delays only its own kind.
    enum Role: Int, Hashable, Sendable, CaseIterable {
        case messages
        case bulk
    }

    struct Dialled: Sendable {
        var transport: HTTP2ClientTransport.WrappedChannel
        var channel: any Channel
        var keyDigest: Digest
        var since = ContinuousClock.now
    }

    /// A connection that lasted this long was not refused, and the next attempt starts without a long wait.
    private static let settled: Duration = .seconds(1)

    private struct State {
        var dialled: [Role: Dialled] = [:]
        var isConnected = false
        var since: Timestamp
        var bytesIn: UInt64 = 0
        var bytesOut: UInt64 = 0
        var isRemoved = false
        /// The peer's wall clock, and the steady clock when it was read.
        var clock: (milliseconds: Int64, at: ContinuousClock.Instant)?
    }

    let institution: InstitutionID
    private let queues: [OutboundQueue]
    private let wakes = Role.allCases.map { _ in Signal() }
    private let state: Mutex<State>

    init(_ institution: InstitutionID, limits: PeerLinkLimits) {
        self.institution = institution
        self.queues = MessageClass.allCases.map { OutboundQueue($0, limits: limits) }
        self.state = Mutex(State(since: Self.now))
    }

    func queue(_ messageClass: MessageClass) -> OutboundQueue { self.queues[messageClass.rawValue] }

    /// Wakes the task that waits before it dials again.
    func wake(_ role: Role) -> Signal { self.wakes[role.rawValue] }

    func dialled(_ role: Role) -> Dialled? { self.state.withLock { $0.dialled[role] } }

    func connected(_ role: Role, _ dialled: Dialled) {
        self.state.withLock { $0.dialled[role] = dialled }
    }

    /// The peer takes messages; `clock`: the wall clock that it shows, in milliseconds.
    func accepted(clock: Int64?) {
        self.setConnected(true)
        // Three thousand years are far more than any clock is off by, and small enough to count with.
        guard let clock, (0..<100_000_000_000_000).contains(clock) else { return }
        self.state.withLock { $0.clock = (clock, ContinuousClock.now) }
    }

    /// The result is whether the connection was up: taken by the peer or, for bulk, not closed at once.
    func disconnected(_ role: Role) -> Bool {
        let (dialled, wasConnected) = self.state.withLock { state in
            (state.dialled.removeValue(forKey: role), state.isConnected)
        }
        guard role == .messages else {
            return dialled.map { ContinuousClock.now - $0.since > Self.settled } ?? false
        }
        self.setConnected(false)
        return wasConnected
    }

    private func setConnected(_ isConnected: Bool) {
        self.state.withLock { state in
            guard state.isConnected != isConnected else { return }
            state.isConnected = isConnected
            state.since = Self.now
        }
    }

    func count(bytesIn: Int, bytesOut: Int) {
        self.state.withLock { state in
            state.bytesIn += UInt64(bytesIn)
            state.bytesOut += UInt64(bytesOut)
        }
    }

    var status: PeerStatus {
        self.state.withLock { state in
            PeerStatus(
                institution: self.institution,
                connected: state.isConnected,
                since: state.since,
                bytesIn: state.bytesIn,
                bytesOut: state.bytesOut,
                clockAheadMilliseconds: state.clock.map { clock in
                    let passed = (ContinuousClock.now - clock.at).components
                    let now = clock.milliseconds + passed.seconds * 1000 + passed.attoseconds / 1_000_000_000_000_000
                    return now - Self.now.milliseconds
                }
            )
        }
    }

    var isRemoved: Bool { self.state.withLock { $0.isRemoved } }

    /// The peer left the directory: whatever is up is closed and nothing is dialled again.
    func remove() {
        self.state.withLock { $0.isRemoved = true }
        self.stopSending()
        for role in Role.allCases { self.dialled(role)?.channel.close(promise: nil) }
    }

    /// What is queued is still sent; the connections end after it.
    func stopSending() {
        for queue in self.queues { queue.finish() }
        for wake in self.wakes { wake.raise() }
    }

    /// Closes connections to a key that the directory no longer lists for this peer, and tries anew at once.
    func directoryChanged(_ directory: PeerDirectory) {
        for role in Role.allCases {
            if let dialled = self.dialled(role),
                directory.institution(forKeyDigest: dialled.keyDigest) != self.institution
            {
                dialled.channel.close(promise: nil)
            }
            self.wake(role).raise()
        }
    }

    static var now: Timestamp {
        Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }
}
