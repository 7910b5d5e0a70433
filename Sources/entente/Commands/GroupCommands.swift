import AgentAPI
import ArgumentParser
import Foundation

struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Groups of institutions to which patients may grant, such as a medical consortium.",
        subcommands: [Create.self, Change.self, Show.self]
    )

    struct Create: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a group whose list this institution keeps."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "Its name: small letters, digits and hyphens.")
        var group: String

        func execute() async throws {
            var request = Entente_Api_V1_ChangeGroupRequest()
            request.group = self.group
            request.creates = true
            let reply = try await self.options.call { [request] in try await $0.changeGroup(request) }
            Answer(["group": self.group, "height": reply.height], text: "Group made in block \(reply.height)")
                .print(asJSON: self.options.json)
        }
    }

    struct Change: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "change",
            abstract: "Add institutions to a group, or take them off; an institution may take itself off."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The group.")
        var group: String

        @Option(name: .long, parsing: .upToNextOption, help: "Institutions to add.")
        var add: [String] = []

        @Option(name: .long, parsing: .upToNextOption, help: "Institutions to take off.")
        var remove: [String] = []

        func execute() async throws {
            var request = Entente_Api_V1_ChangeGroupRequest()
            request.group = self.group
            request.added = Lists.split(self.add)
            request.removed = Lists.split(self.remove)
            let reply = try await self.options.call { [request] in try await $0.changeGroup(request) }
            Answer(["group": self.group, "height": reply.height], text: "Group changed in block \(reply.height)")
                .print(asJSON: self.options.json)
        }
    }

    struct Show: EntenteCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Who is in a group.")

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The group.")
        var group: String

        func execute() async throws {
            var request = Entente_Api_V1_ShowGroupRequest()
            request.group = self.group
            let reply = try await self.options.call { [request] in try await $0.showGroup(request) }
            Answer(
                ["group": reply.group, "keeper": reply.keeper, "members": reply.members],
                text: "\(reply.group), kept by \(reply.keeper): \(reply.members.joined(separator: ", "))"
            ).print(asJSON: self.options.json)
        }
    }
}

struct ReferralCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "referral",
        abstract: "Referrals to other institutions, with whose closing grants may end.",
        subcommands: [Open.self, Close.self]
    )

    struct Open: EntenteCommand {
        static let configuration = CommandConfiguration(commandName: "open", abstract: "Open a referral.")

        @OptionGroup var options: GlobalOptions

        @Option(name: .long, help: "The institution to which the patient is sent.")
        var to: String

        func execute() async throws {
            var request = Entente_Api_V1_OpenReferralRequest()
            request.to = self.to
            let reply = try await self.options.call { [request] in try await $0.openReferral(request) }
            Answer(
                ["referral": reply.referral.hex, "height": reply.height],
                text: "Referral \(reply.referral.hex)\nopen from block \(reply.height) on"
            ).print(asJSON: self.options.json)
        }
    }

    struct Close: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "close",
            abstract: "Close a referral, and with it every grant that is bound to it."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The referral, as referral open printed it.")
        var referral: String

        func execute() async throws {
            var request = Entente_Api_V1_CloseReferralRequest()
            request.referral = try Lists.digest(self.referral, "referral", "Copy it from referral open.")
            let reply = try await self.options.call { [request] in try await $0.closeReferral(request) }
            Answer(
                ["referral": self.referral, "height": reply.height],
                text: "Referral closed in block \(reply.height)"
            ).print(asJSON: self.options.json)
        }
    }
}

struct ExplainCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say which grant allows a clinician to open a record, or the first rule that refuses it."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "The record, as find prints it.")
    var record: String

    @Option(name: .long, help: "Purpose of use: TREAT, HPAYMT, HRESCH or PUBHLTH.")
    var purpose = "TREAT"

    @Option(name: .customLong("as"), help: "The clinician's credential file.")
    var credential: String

    func execute() async throws {
        var request = Entente_Api_V1_ExplainRequest()
        request.record = try Lists.digest(self.record, "record", "Copy it from find.")
        request.purpose = self.purpose
        request.credential = try CredentialFile(path: self.credential).credentialBytes
        let reply = try await self.options.call { [request] in try await $0.explain(request) }
        var object: [String: Any] = [
            "answer": reply.answer, "code": reply.code, "text": reply.text, "height": reply.height,
            "hidden": reply.hidden,
        ]
        if !reply.rule.isEmpty { object["rule"] = reply.rule }
        if !reply.grant.isEmpty { object["grant"] = reply.grant.hex }
        if reply.usesMax != 0 {
            object["uses"] = reply.uses
            object["usesMax"] = reply.usesMax
        }
        Answer(object, text: self.text(reply)).print(asJSON: self.options.json)
    }

    private func text(_ reply: Entente_Api_V1_ExplainReply) -> String {
        var lines = ["\(reply.text) [\(reply.code)]"]
        if !reply.rule.isEmpty { lines.append("First rule that refuses: \(reply.rule)") }
        if !reply.grant.isEmpty {
            lines.append((reply.answer == "granted" ? "Grant: " : "Nearest grant: ") + reply.grant.hex)
        }
        if !reply.hidden.isEmpty { lines.append("Not shown: " + reply.hidden.joined(separator: ", ")) }
        if reply.usesMax != 0 { lines.append("Openings: \(reply.uses) of \(reply.usesMax)") }
        if !reply.hint.isEmpty { lines.append(reply.hint) }
        lines.append("Judged as of block \(reply.height).")
        return lines.joined(separator: "\n")
    }
}
