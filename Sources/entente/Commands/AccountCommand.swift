import AgentAPI
import ArgumentParser
import Foundation
import Synchronization

extension AuditCommand {
    struct Account: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "account",
            abstract: "Write one file with all that this institution has to account for in a period.",
            discussion: """
                For a regulator, who checks it with entente verify and the chain's genesis file alone. It holds every block of \
                the period, every reading that this institution anchored in it with clinician, record, purpose and permission, \
                and no patient's name or identifier.
                """
        )

        @OptionGroup var options: GlobalOptions

        @Option(name: .long, help: "Begin of the period.")
        var from: String

        @Option(name: .long, help: "End of the period. Default: now.")
        var until: String?

        @Option(name: .long, help: "The file to write.")
        var output: String

        func execute() async throws {
            var request = Entente_Api_V1_AccountRequest()
            request.from = try Times.parse(self.from, option: "--from")
            request.until =
                try self.until.map { try Times.parse($0, option: "--until") }
                ?? Int64(Date().timeIntervalSince1970 * 1000) + 1
            try PrivateFile.checkWritable(self.output)
            let bytes = try await self.options.call { [request] client in
                let parts = Mutex(Data())
                try await client.account(request) { part in parts.withLock { $0 += part.bytes } }
                return parts.withLock { $0 }
            }
            try PrivateFile.write(bytes, to: self.output)
            Answer(
                ["account": self.output, "bytes": bytes.count],
                text: "Account written. It names clinicians: hand it only to who may know. "
                    + "Check it: entente verify FILE --genesis GENESIS"
            ).print(asJSON: self.options.json)
        }
    }
}
