import AgentAPI
import ArgumentParser
import Foundation

/// Options that every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(name: .long, help: "The agent's home. Default: $ENTENTE_HOME, else ~/.local/share/entente.")
    var home: String?

    @Flag(name: .long, help: "Print one JSON object (JSON lines for streams).")
    var json = false

    var homeURL: URL {
        if let home = self.home { return URL(fileURLWithPath: home) }
        if let home = ProcessInfo.processInfo.environment["ENTENTE_HOME"], !home.isEmpty {
            return URL(fileURLWithPath: home)
        }
        return FileManager.default.homeDirectoryForCurrentUser.appending(path: ".local/share/entente")
    }
}

/// A command that reports its failures in the house's form.
protocol EntenteCommand: AsyncParsableCommand {
    var options: GlobalOptions { get }
    func execute() async throws
}

extension EntenteCommand {
    mutating func run() async throws {
        do {
            try await self.execute()
        } catch let exit as ExitCode {
            throw exit
        } catch {
            let failure = CommandFailure(any: error)
            if self.options.json {
                let detail = ["code": failure.code, "message": failure.message, "hint": failure.hint]
                Terminal.writeError(Answer.line(["error": detail]))
            } else {
                Terminal.writeError("error[\(failure.code)]: \(Terminal.harmless(failure.message))")
                if !failure.hint.isEmpty { Terminal.writeError("hint: \(Terminal.harmless(failure.hint))") }
            }
            throw ExitCode(failure.status.rawValue)
        }
    }
}

/// A patient, never by name on the command line.
struct PatientOptions: ParsableArguments {
    @Option(name: .long, help: "Use - to read SYSTEM:VALUE from standard input or to be asked.")
    var patient: String

    @Flag(name: .long, help: "Allow the identifier on the command line. For synthetic data only.")
    var insecureArguments = false

    func read() throws(CommandFailure) -> String {
        try PatientInput.read(self.patient, allowsLiteral: self.insecureArguments)
    }
}
