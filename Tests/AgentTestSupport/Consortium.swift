package import Foundation
package import TestSupport

/// Hospitals on loopback with homes in a temporary folder.
package final class Consortium {
    package let folder: TemporaryFolder
    package let names: [String]
    package private(set) var agents: [String: AgentProcess] = [:]
    /// Where others reach each of them.
    package private(set) var ports: [String: UInt16] = [:]

    /// Makes homes, founds a chain and, unless told otherwise, starts every agent.
    ///
    /// `prepare`: called before there are homes.
    ///
    /// `verifiers`: those of `names` who do not vote.
    ///
    /// `policy`: lines of the chain's parameters.
    package init(
        _ names: [String],
        starting: Bool = true,
        verifiers: Set<String> = [],
        policy: [String] = [],
        prepare: (Consortium) throws -> Void = { _ in }
    ) throws {
        self.folder = try TemporaryFolder()
        self.names = names
        try prepare(self)
        for name in names {
            // Port 0 cannot stand in a card: others must know the port before the agent first runs.
            let port = try Loopback.freePort()
            self.ports[name] = port
            let address = "127.0.0.1:\(port)"
            let role = verifiers.contains(name) ? "verifier" : "validator"
            try self.succeed(
                name,
                ["init", "--id", name, "--name", name.uppercased(), "--listen", address, "--role", role]
            )
        }
        let cards = names.map { self.home($0).appending(path: "card").path }
        try Data(policy.joined(separator: "\n").utf8).write(to: self.file("policy"))
        try Self.expect(
            0,
            Program.run(["genesis"] + cards + ["--output", self.path("genesis"), "--policy", self.path("policy")])
        )
        for name in names { try self.succeed(name, ["join", self.path("genesis")]) }
        guard starting else { return }
        for name in names { try self.start(name) }
        for name in names { try self.awaitShare(name) }
    }

    /// Returns when the agent of `name` has its share of the pseudonym key.
    package func awaitShare(_ name: String, generation: Int = 1) throws {
        try self.eventually(name, ["status"]) { result in
            let key = result.json["pseudonymKey"]
            return key["hasShare"].bool && key["generation"].int >= generation
        }
    }

    package func home(_ name: String) -> URL { self.folder.file(name) }
    package func file(_ name: String) -> URL { self.folder.file(name) }
    package func path(_ name: String) -> String { self.folder.file(name).path }

    // MARK: Agents

    package func start(_ name: String, arguments: [String] = [], environment: [String: String] = [:]) throws {
        self.agents[name] = try AgentProcess(home: self.home(name), arguments: arguments, environment: environment)
    }

    package func stop(_ name: String) { self.agents.removeValue(forKey: name)?.stop() }
    package func kill(_ name: String, signal: Int32 = SIGKILL) { self.agents.removeValue(forKey: name)?.kill(signal) }
    package func log(_ name: String) -> String { self.agents[name]?.logText ?? "" }

    // MARK: Commands

    /// Runs a command against the home of `name`.
    package func command(_ name: String, _ arguments: [String], input: String = "") throws -> Program.Result {
        try Program.run(["--home", self.home(name).path] + arguments, input: input)
    }

    /// Starts a command against the home of `name`.
    package func background(_ name: String, _ arguments: [String], input: String = "") throws -> Program.Running {
        try Program.Running(["--home", self.home(name).path] + arguments, input: input)
    }

    /// Runs a command that must end with `status`.
    @discardableResult
    package func expect(
        _ status: Int32,
        _ name: String,
        _ arguments: [String],
        input: String = ""
    ) throws -> Program.Result {
        try Self.expect(status, self.command(name, arguments, input: input))
    }

    @discardableResult
    package func succeed(_ name: String, _ arguments: [String], input: String = "") throws -> Program.Result {
        try self.expect(0, name, arguments, input: input)
    }

    @discardableResult
    package static func expect(_ status: Int32, _ result: Program.Result) throws -> Program.Result {
        guard result.status == status else {
            throw Program.Unexpected(
                text: "exit status \(result.status), expected \(status)\n\(result.output)\n\(result.errors)"
            )
        }
        return result
    }

    /// Repeats a command until `condition` holds for how it ended.
    ///
    /// Each try is a whole process; the number of tries bounds the wait.
    @discardableResult
    package func eventually(
        _ name: String,
        _ arguments: [String],
        input: String = "",
        tries: Int = 400,
        _ condition: (Program.Result) throws -> Bool
    ) throws -> Program.Result {
        var last = Program.Result(status: -1, output: "", errors: "")
        for _ in 0..<tries {
            last = try self.command(name, arguments + ["--json"], input: input)
            if try condition(last) { return last }
        }
        throw Program.Unexpected(
            text: "never became true: \(name) \(arguments)\n\(last.status)\n\(last.output)\n\(last.errors)"
        )
    }
}
