import AgentAPI
import ArgumentParser
import Foundation
import Primitives
import Records

extension PolicyCommand {
    struct Sign: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign",
            abstract: "Make canonical bytes of a pack in a YAML file and sign them as its author, offline.",
            discussion: "A pack with an error is not signed: see policy lint."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The YAML file.")
        var file: String

        @Option(name: .long, help: "The author's key file; made if there is none.")
        var key: String

        @Option(name: .long, help: "Where the signed pack goes; its name ends in .pack.")
        var output: String

        mutating func validate() throws {
            guard self.output.hasSuffix(".pack") else { throw ValidationError("--output ends in .pack") }
        }

        func execute() async throws {
            let pack = try PolicyPackFile.read(self.file)
            guard pack.isSound else {
                throw CommandFailure(
                    "policy.unsound",
                    "the policy pack has an error",
                    hint: "See entente policy lint.",
                    status: .quarantined
                )
            }
            try PrivateFile.checkWritable(self.output)
            let key = try PersonKey.loadOrCreate(self.key)
            let bytes = pack.canonicalBytes
            guard let author = VerifyingKey(Array(key.publicKey)),
                let signature = Signature(Array(key.sign(Data(SignedPolicy.signedBytes(bytes)))))
            else { throw CommandFailure.usage("key", "the file holds no key", hint: "Choose another file.") }
            let signed = SignedPolicy(author: author, signature: signature, pack: bytes)
            try PrivateFile.write(Data(signed.canonicalBytes), to: self.output)
            Answer(
                ["policyHash": pack.hash.hex, "author": key.publicKey.hex, "bytes": bytes.count],
                text: "hash    \(pack.hash.hex)\nauthor  \(key.publicKey.hex)"
            ).print(asJSON: self.options.json)
        }
    }

    struct Publish: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "publish",
            abstract: "Propose a pack to the members, as this institution.",
            discussion: "It takes effect when enough members have approved it. Run again, it goes on where it stopped."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "A signed pack (.pack), or a YAML file.")
        var file: String

        @Option(name: .long, help: "Only if this author signed it: a key of 64 hexadecimal digits.")
        var author: String?

        func execute() async throws {
            let (pack, signer) = try PolicyPackFile.signed(self.file)
            if let author = self.author {
                let wanted = try Lists.digest(author, "key", "The author prints it with policy sign.")
                guard let signer, signer.bytes == Array(wanted) else {
                    throw CommandFailure(
                        "policy.other-author",
                        "the policy pack is not signed by this author",
                        hint: "Ask the author for the pack again.",
                        status: .integrity
                    )
                }
            }
            var request = Entente_Api_V1_ProposePolicyRequest()
            request.pack = Data(pack.canonicalBytes)
            let reply = try await self.options.call { [request] in try await $0.proposePolicy(request) }
            PolicyLines.answer(reply).print(asJSON: self.options.json)
        }
    }

    struct Approve: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Approve a proposed pack, as this institution.",
            discussion: "Read it first: entente policy show --proposal PROPOSAL."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The proposal, as list prints it.")
        var proposal: String

        func execute() async throws {
            var request = Entente_Api_V1_ApprovePolicyRequest()
            request.proposal = try Lists.digest(self.proposal, "proposal", "Copy it from policy list.")
            let reply = try await self.options.call { [request] in try await $0.approvePolicy(request) }
            PolicyLines.answer(reply).print(asJSON: self.options.json)
        }
    }

    struct List: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "The packs of the chain: those adopted, and those that wait for approval."
        )

        @OptionGroup var options: GlobalOptions

        func execute() async throws {
            let reply = try await self.options.call { try await $0.listPolicies(.init()) }
            Answer(
                ["policies": reply.policies.map(PolicyLines.json), "quorum": Int(reply.quorum)],
                text: PolicyLines.table(reply)
            ).print(asJSON: self.options.json)
        }
    }
}

/// Policy packs of the chain as they are printed.
enum PolicyLines {
    static func answer(_ reply: Entente_Api_V1_PolicyReply) -> Answer {
        let line = reply.policy
        var object = self.json(line)
        object["height"] = reply.height
        return Answer(
            object,
            text: """
                proposal   \(line.proposal.hex)
                pack       \(line.digest.hex)
                state      \(self.state(line))
                final in block \(reply.height)
                """
        )
    }

    static func json(_ line: Entente_Api_V1_PolicyLine) -> [String: Any] {
        var object: [String: Any] = [
            "proposal": line.proposal.hex, "policyHash": line.digest.hex, "version": line.version,
            "institution": line.institution, "state": line.state, "approvals": Int(line.approvals),
            "quorum": Int(line.quorum), "bytes": Int(line.bytes), "approvedHere": line.approvedHere,
            "effectiveFrom": self.time(line.effectiveFrom),
        ]
        if line.adoptedTime != 0 {
            object["adopted"] = self.time(line.adoptedTime)
            object["adoptedHeight"] = line.adoptedHeight
        }
        return object
    }

    static func table(_ reply: Entente_Api_V1_ListPoliciesReply) -> String {
        guard !reply.policies.isEmpty else { return "No policy pack has been proposed." }
        var table = TextTable(["Version", "State", "Effective from", "Proposed by", "Here", "Pack", "Proposal"])
        for line in reply.policies {
            table.add([
                String(line.version), self.state(line), self.time(line.effectiveFrom), line.institution,
                line.approvedHere ? "approved" : "-", line.digest.hex, line.proposal.hex,
            ])
        }
        return table.text
    }

    private static func state(_ line: Entente_Api_V1_PolicyLine) -> String {
        switch line.state {
        case "waiting": "\(line.approvals) of \(line.quorum) approve"
        case "incomplete": "not all of it is published"
        default: line.state
        }
    }

    /// Times of a proposal may be any; the calendar ends with the year 9999.
    private static func time(_ milliseconds: Int64) -> String {
        Times.format(min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_000))
    }
}
