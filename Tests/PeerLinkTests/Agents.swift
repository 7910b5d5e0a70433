import Logging
import PeerLink
import Primitives
import ServiceLifecycle
import Synchronization
import Testing

import enum Crypto.P256

/// Thrown when a test does not come to its end.
struct TimedOut: Error {}

/// Runs `body`, and fails it if it takes longer than any machine needs.
func limited<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: .seconds(60))
            throw TimedOut()
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw TimedOut() }
        return value
    }
}

/// Gives way until `condition` holds; the caller is ``limited(_:)``.
func until(_ condition: () -> Bool) async throws {
    while !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}

/// Something that happened, for those who wait for it.
final class Event: Sendable {
    private let state = Mutex((happened: false, waiters: [CheckedContinuation<Void, Never>]()))

    var happened: Bool { self.state.withLock { $0.happened } }

    func happen() {
        let waiters = self.state.withLock { state in
            state.happened = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let happened = self.state.withLock { state in
                if !state.happened { state.waiters.append(continuation) }
                return state.happened
            }
            if happened { continuation.resume() }
        }
    }
}

/// Log lines as they were written.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { self.lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let text = "\(event.message) \(event.metadata ?? [:])"
            self.lines.lines.withLock { $0.append(text) }
        }
    }
}

/// A transport key with its certificate.
struct Credentials: Sendable {
    let key = P256.Signing.PrivateKey()
    let certificate: [UInt8]

    init(_ institution: InstitutionID) throws {
        self.certificate = try TransportCertificate.make(
            key: self.key,
            institution: institution,
            notBefore: Timestamp(milliseconds: 1_700_000_000_000),
            notAfter: Timestamp(milliseconds: 1_900_000_000_000)
        )
    }

    var identity: TransportIdentity {
        get throws { try TransportIdentity(certificateDER: self.certificate, key: self.key) }
    }

    var digest: Digest { TransportCertificate.keyDigest(self.key.publicKey) }
}

/// One institution's link in a test.
struct TestAgent: Sendable {
    let id: InstitutionID
    let credentials: Credentials
    let source: TransportIdentitySource
    let directory = PeerDirectory()
    let link: PeerLink
    let log = LogLines()

    init(
        _ name: String,
        credentials: Credentials? = nil,
        address: PeerAddress = PeerAddress(host: "127.0.0.1", port: 0),
        limits: PeerLinkLimits = PeerLinkLimits(),
        serve: @escaping FetchHandler = { _, _, _ in throw FetchRefusal.notFound }
    ) throws {
        self.id = try institution(name)
        self.credentials = try credentials ?? Credentials(self.id)
        self.source = try TransportIdentitySource(try self.credentials.identity)
        self.link = PeerLink(
            configuration: PeerLink.Configuration(institution: self.id, address: address, limits: limits),
            identity: self.source,
            directory: self.directory,
            logger: self.log.logger,
            serve: serve
        )
    }

    func entry(address: PeerAddress? = nil, keys: Set<Digest>? = nil) async throws -> PeerEntry {
        let own = try await self.link.listeningAddress
        return PeerEntry(
            institution: self.id,
            keyDigests: keys ?? [self.credentials.digest],
            addresses: [address ?? own]
        )
    }

    func isConnected(to other: TestAgent) -> Bool {
        self.link.peers.contains { $0.institution == other.id && $0.connected }
    }

    /// The next `count` messages.
    func receive(_ count: Int) async throws -> [InboundFrame] {
        var frames: [InboundFrame] = []
        for await frame in self.link.frames {
            frames.append(frame)
            if frames.count == count { return frames }
        }
        throw CancellationError()
    }

    /// The next messages have these bytes.
    func expect(_ bytes: [[UInt8]], location: SourceLocation = #_sourceLocation) async throws {
        let received = try await self.receive(bytes.count).map(\.bytes)
        #expect(received == bytes, sourceLocation: location)
    }

    func expectFetch(
        _ request: [UInt8],
        from peer: TestAgent,
        _ frames: [[UInt8]],
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let fetched = try await fetchAll(request, from: peer, by: self)
        #expect(fetched == frames, sourceLocation: location)
    }
}

struct NoInstitution: Error {}

func institution(_ name: String) throws -> InstitutionID {
    guard let id = InstitutionID(name) else { throw NoInstitution() }
    return id
}

/// Runs the agents' links while `body` runs.
func running(_ agents: [TestAgent], _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await limited {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for agent in agents { group.addTask { try await agent.link.run() } }
            defer { group.cancelAll() }
            try await body()
        }
    }
}

/// Runs the agents' links, all listed in each other's directories, while `body` runs.
func connected(_ agents: [TestAgent], _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await running(agents) {
        var entries: [PeerEntry] = []
        for agent in agents { entries.append(try await agent.entry()) }
        for agent in agents { agent.directory.update(entries) }
        try await body()
    }
}

/// A fetch that may begin before the connection is up.
func fetchAll(_ request: [UInt8], from peer: TestAgent, by agent: TestAgent) async throws -> [[UInt8]] {
    while true {
        do {
            return try await agent.link.fetch(request, from: peer.id) { frames in
                var all: [[UInt8]] = []
                for try await frame in frames { all.append(frame) }
                return all
            }
        } catch let error as PeerLinkError where error.code == .notConnected {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
