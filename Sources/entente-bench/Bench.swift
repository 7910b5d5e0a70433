import ArgumentParser
import Foundation

/// Measures what the figures in Documentation/Performance.md say.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entente-bench",
        abstract: "Measure Entente on this machine, with real agents on loopback.",
        discussion: """
            Prints one JSON object per figure, or a table on a terminal. Agents are processes of the program entente that
            stands beside this one; their homes are in a temporary folder that is removed at the end.
            """,
        version: "0.1.0",
        subcommands: [
            GenerateCommand.self, ImportBench.self, FinalityBench.self, FindBench.self, EvidenceBench.self,
            IdleBench.self, RevocationBench.self, VerdictBench.self, ObliviousBench.self, GrantsBench.self,
        ]
    )
}
