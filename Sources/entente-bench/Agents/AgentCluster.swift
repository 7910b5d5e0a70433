import AgentAPI
import AgentRuntime
import Foundation
import Primitives
import Records

/// Hospitals on loopback, each with a real agent, in a temporary folder.
final class AgentCluster {
    let names: [String]
    let folder: URL
    private let program: URL
    private var agents: [AgentProcess] = []

    /// Makes homes, founds a chain and starts the agents.
    ///
    /// `silent` is the number of further members, which do not vote and whose agents are never started. `prepare` is
    /// called before the agents are started.
    init(_ count: Int, silent: Int = 0, prepare: (AgentCluster) throws -> Void = { _ in }) throws {
        self.names = (0..<count).map { "hospital-\($0)" }
        self.program = try Self.findProgram()
        // Short: the path of a socket has at most 107 bytes.
        self.folder = FileManager.default.temporaryDirectory
            .appending(path: "entente-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let members = self.names + (0..<silent).map { "member-\($0)" }
        let cards = try members.enumerated().map { index, name in
            try Founding.initialise(
                HomeLayout(root: self.home(name)),
                Founding.Wish(
                    id: name,
                    name: name,
                    level: "3A",
                    area: "330100",
                    role: index < count ? "validator" : "verifier",
                    address: "127.0.0.1:\(try Self.freePort())"
                ),
                passphrase: nil
            )
        }
        let genesis = try Founding.genesis(cards, parameters: ChainParameters()).canonicalBytes
        try Founding.write(genesis, to: self.genesis)
        for name in self.names { _ = try Founding.join(HomeLayout(root: self.home(name)), genesis) }
        try prepare(self)
        for name in self.names {
            self.agents.append(try AgentProcess(program: self.program, home: self.home(name)))
        }
    }

    deinit { self.remove() }

    var genesis: URL { self.folder.appending(path: "genesis") }
    var sockets: [String] { self.names.map { self.home($0).appending(path: AgentSocket.fileName).path } }
    var processes: [Int32] { self.agents.map(\.identifier) }

    func home(_ name: String) -> URL { self.folder.appending(path: name) }

    /// Stops every agent: what they hold in memory is then in their files.
    func stop() {
        for agent in self.agents { agent.stop() }
        self.agents = []
    }

    func remove() {
        self.stop()
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// Connects to every agent, waits until all see each other, and gives the clients to `body`.
    func connected<Result: Sendable>(
        _ body: @escaping @Sendable ([AgentClient]) async throws -> Result
    ) async throws -> Result {
        let peers = self.names.count - 1
        return try await Self.connected(self.sockets[...], []) { clients in
            for client in clients {
                try await Waiting.until("the agents see each other") {
                    try await client.status(Entente_Api_V1_StatusRequest()).peers.filter(\.connected).count == peers
                }
            }
            return try await body(clients)
        }
    }

    private static func connected<Result: Sendable>(
        _ sockets: ArraySlice<String>,
        _ clients: [AgentClient],
        _ body: @escaping @Sendable ([AgentClient]) async throws -> Result
    ) async throws -> Result {
        guard let socket = sockets.first else { return try await body(clients) }
        return try await AgentClient.connected(to: socket) { client in
            try await Self.connected(sockets.dropFirst(), clients + [client], body)
        }
    }

    /// The program beside this one.
    private static func findProgram() throws -> URL {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let program = own.deletingLastPathComponent().appending(path: "entente")
        guard FileManager.default.isExecutableFile(atPath: program.path) else {
            throw BenchFailure("there is no program entente beside this one: swift build -c release --product entente")
        }
        return program
    }

    private static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard isBound else { throw BenchFailure("no free port on loopback") }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// Waits for what agents do in their own time.
enum Waiting {
    private static let pause: Duration = .milliseconds(20)
    private static let patience: Double = 300

    static func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let watch = Stopwatch()
        while try await !condition() {
            guard watch.seconds < Self.patience else { throw BenchFailure("waited in vain: \(what)") }
            try await Task.sleep(for: Self.pause)
        }
    }
}
