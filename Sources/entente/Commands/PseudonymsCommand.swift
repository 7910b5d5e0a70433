import AgentAPI
import ArgumentParser
import Foundation

struct PseudonymsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pseudonyms",
        abstract: "Look after the shared key under which patients' pseudonyms are formed.",
        subcommands: [Reshare.self]
    )

    struct Reshare: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "reshare",
            abstract: "Move the key to new shares: after a member came or went, and once a year.",
            discussion: """
                Every pseudonym stays as it is. The agents do the rest by themselves; entente status shows how far they
                are. Old shares are destroyed.
                """
        )

        @OptionGroup var options: GlobalOptions

        func execute() async throws {
            let reply = try await self.options.call {
                try await $0.resharePseudonyms(Entente_Api_V1_ResharePseudonymsRequest())
            }
            Answer(["height": reply.height], text: "The key moves to new shares, begun in block \(reply.height).")
                .print(asJSON: self.options.json)
        }
    }
}
