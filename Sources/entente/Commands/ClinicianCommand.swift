import AgentAPI
import ArgumentParser
import Foundation
import Primitives
import Vault

struct ClinicianCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clinician",
        abstract: "Credentials of clinicians.",
        subcommands: [Add.self]
    )

    struct Add: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Make a key for a clinician and a credential signed by this institution."
        )

        @OptionGroup var options: GlobalOptions

        @Option(name: .long, help: "The clinician's identifier inside the institution, or @FILE.")
        var id: String

        @Option(name: .long, help: "The clinician's name, or @FILE: what stands here is in the process list.")
        var name: String

        @Option(name: .long, help: "The department, or @FILE.")
        var department: String

        @Option(name: .long, help: "What the clinician does, by which a grant may choose readers.")
        var role = ""

        @Flag(name: .long, help: "May open records in an emergency without a grant, under review.")
        var breakGlass = false

        @Flag(name: .long, help: "May review what others opened in an emergency.")
        var review = false

        @Option(name: .long, help: "Days until the credential expires.")
        var days: UInt32 = 365

        @Option(name: .shortAndLong, help: "Where to write the credential file.")
        var output: String

        func execute() async throws {
            var request = Entente_Api_V1_AddClinicianRequest()
            request.clinician = try ArgumentText.read(self.id, what: "the identifier")
            request.name = try ArgumentText.read(self.name, what: "the name")
            request.department = try ArgumentText.read(self.department, what: "the department")
            request.role = self.role
            try PrivateFile.checkWritable(self.output)
            let key = try PersonKey.create(self.output)
            request.breakGlass = self.breakGlass
            request.review = self.review
            request.publicKey = key.publicKey
            request.validDays = self.days
            let reply: Entente_Api_V1_AddClinicianReply
            do {
                reply = try await self.options.call { [request] in try await $0.addClinician(request) }
                try PrivateFile.write(reply.credential, to: CredentialFile.certificatePath(self.output))
            } catch {
                // A key without a credential is of no use to anybody.
                unlink(self.output)
                throw error
            }
            Answer(
                ["clinician": request.clinician, "file": self.output, "expires": Times.format(reply.expiresAt)],
                text: """
                    Credential of \(request.clinician), valid until \(Times.format(reply.expiresAt))
                    Key: \(self.output)
                    Certificate: \(CredentialFile.certificatePath(self.output))
                    """
            ).print(asJSON: self.options.json)
        }
    }
}
