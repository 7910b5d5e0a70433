import Foundation
import TestSupport

/// Hospitals on loopback with homes in a temporary folder.
final class Consortium {
    let folder: TemporaryFolder
    let names: [String]
    private(set) var agents: [String: AgentProcess] = [:]
    private let insecure = "--insecure-arguments"

    /// Makes homes, founds a chain and, unless told otherwise, starts every agent.
    init(_ names: [String], starting: Bool = true) throws {
        self.folder = try TemporaryFolder()
        self.names = names
        for name in names {
            // Port 0 cannot stand in a card: others must know the port before the agent first runs.
            let port = try Self.freePort()
            try self.expect(
                0,
                self.command(
                    name,
                    ["init", "--id", name, "--name", name.uppercased(), "--listen", "127.0.0.1:\(port)"]
                )
            )
        }
        let cards = names.map { self.home($0).appending(path: "card").path }
        try self.expect(0, Program.run(["genesis"] + cards + ["--output", self.genesis.path]))
        for name in names { try self.expect(0, self.command(name, ["join", self.genesis.path])) }
        if starting { for name in names { try self.start(name) } }
    }

    var genesis: URL { self.folder.file("genesis") }
    func home(_ name: String) -> URL { self.folder.file(name) }
    func file(_ name: String) -> URL { self.folder.file(name) }

    func start(_ name: String, environment: [String: String] = [:]) throws {
        self.agents[name] = try AgentProcess(home: self.home(name), environment: environment)
    }

    func stop(_ name: String) { self.agents.removeValue(forKey: name)?.stop() }
    func kill(_ name: String) { self.agents.removeValue(forKey: name)?.kill() }

    /// Runs a command against the home of `name`.
    func command(_ name: String, _ arguments: [String], input: String = "") throws -> Program.Result {
        try Program.run(["--home", self.home(name).path] + arguments, input: input)
    }

    @discardableResult
    func succeed(_ name: String, _ arguments: [String], input: String = "") throws -> Program.Result {
        try self.expect(0, self.command(name, arguments, input: input))
    }

    @discardableResult
    func expect(_ status: Int32, _ result: Program.Result) throws -> Program.Result {
        guard result.status == status else {
            throw Program.Unexpected(
                text: "exit status \(result.status), expected \(status)\n\(result.output)\n\(result.errors)"
            )
        }
        return result
    }

    /// Repeats a command until `condition` holds for its JSON object.
    ///
    /// Each try is a whole process; the number of tries bounds the wait.
    @discardableResult
    func eventually(
        _ name: String,
        _ arguments: [String],
        input: String = "",
        tries: Int = 400,
        _ condition: ([String: Any]) -> Bool
    ) throws -> [String: Any] {
        var last = Program.Result(status: -1, output: "", errors: "")
        for _ in 0..<tries {
            last = try self.command(name, arguments + ["--json"], input: input)
            if last.status == 0, let object = try? last.object(), condition(object) { return object }
        }
        throw Program.Unexpected(text: "never became true: \(arguments)\n\(last.output)\n\(last.errors)")
    }

    private static func freePort() throws -> UInt16 {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && getsockname(socket, generic, &length) == 0
            }
        }
        guard bound else { throw Program.Unexpected(text: "no free port") }
        return UInt16(bigEndian: address.sin_port)
    }
}
