import ArgumentParser
import Foundation

/// The program: agent, and the commands that talk to it.
@main
struct Entente: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entente",
        abstract: "Share examination results between institutions, sealed, granted and provable.",
        discussion: """
            Global options (--home DIR, --json) may stand before or after the command.

            Exit status: 0 ok, 1 internal, 2 usage, 3 not found, 4 denied, 5 revoked or expired, 6 stale or offline,
            7 integrity failure, 8 quarantined input, 9 not ready.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(name: "Setting up", subcommands: [InitCommand.self, GenesisCommand.self, JoinCommand.self]),
            CommandGroup(
                name: "Running",
                subcommands: [
                    AgentCommand.self, StatusCommand.self, DoctorCommand.self, CertificateCommand.self,
                    PseudonymsCommand.self,
                ]
            ),
            CommandGroup(
                name: "Importing",
                subcommands: [ImportCommand.self, QuarantineCommand.self, MappingCommand.self]
            ),
            CommandGroup(
                name: "Granting",
                subcommands: [
                    PatientCommand.self, GrantCommand.self, NarrowCommand.self, RevokeCommand.self,
                    GrantsCommand.self, DelegationCommand.self, MandatesCommand.self, LifeEventCommand.self,
                    ObjectionCommand.self, GroupCommand.self, ReferralCommand.self, DiscoveryCommand.self,
                    AccessLogCommand.self, EraseCommand.self,
                ]
            ),
            CommandGroup(
                name: "In an emergency",
                subcommands: [BreakGlassCommand.self, ReviewCommand.self, NoticesCommand.self]
            ),
            CommandGroup(name: "Who is who", subcommands: [IdentityCommand.self]),
            CommandGroup(
                name: "Recognising",
                subcommands: [
                    MatchCommand.self, MatchesCommand.self, AdoptCommand.self, RefuseCommand.self, CiteCommand.self,
                    UndoCommand.self, CloseCommand.self, VoidCommand.self, PricesCommand.self, StatisticsCommand.self,
                ]
            ),
            CommandGroup(
                name: "Checking",
                subcommands: [AnomaliesCommand.self, AuditCommand.self, PolicyCommand.self]
            ),
            CommandGroup(
                name: "Reading",
                subcommands: [
                    ClinicianCommand.self, FindCommand.self, WhyCommand.self, ExplainCommand.self, FetchCommand.self,
                    VerifyCommand.self,
                ]
            ),
        ]
    )

    static func main() async {
        // A reader that went away ends the program by its exit status, not by a signal in the middle of a write.
        signal(SIGPIPE, SIG_IGN)
        // Keys and plaintext must not reach a core file, and nothing this program makes is for others.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // A machine that pipes core files to a program ignores that limit: then no memory is in them.
        if let filter = fopen("/proc/self/coredump_filter", "w") {
            fputs("0", filter)
            fclose(filter)
        }
        // Swift's own crash report prints the memory that registers point to, onto the log.
        for crash in [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGQUIT] { signal(crash, SIG_DFL) }
        umask(0o077)
        await self.main(self.reordered(Array(CommandLine.arguments.dropFirst())))
    }

    /// Exit status 2 for wrong usage, as the house's rule has it; the library's own is 64.
    private static func main(_ arguments: [String]) async {
        do {
            var command = try self.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let status = self.exitCode(for: error)
            guard status == .validationFailure else { self.exit(withError: error) }
            if arguments.contains("--json") {
                let detail = ["code": "usage.arguments", "message": self.message(for: error), "hint": "See --help."]
                Terminal.writeError(Answer.line(["error": detail]))
            } else {
                Terminal.writeError(self.fullMessage(for: error))
            }
            Foundation.exit(CommandFailure.Status.usage.rawValue)
        }
    }

    /// Moves global options that stand before the command behind it, where the parser expects them.
    static func reordered(_ arguments: [String]) -> [String] {
        var leading: [String] = []
        var rest = arguments[...]
        while let first = rest.first {
            if first == "--json" || first.hasPrefix("--home=") {
                leading.append(first)
                rest = rest.dropFirst()
            } else if first == "--home", rest.count > 1 {
                leading += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else {
                break
            }
        }
        guard !rest.isEmpty else { return arguments }
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return Array(rest[..<end]) + leading + Array(rest[end...])
    }
}
