import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation
import Primitives

struct IdentityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "identity",
        abstract: "Link identities of one person, end links, and see what has to be looked at afterwards.",
        subcommands: [Link.self, Unlink.self, List.self, Fixups.self, Review.self, Confirm.self, Temporary.self]
    )

    /// What the institution saw and keeps; only its digest leaves this program.
    struct EvidenceOption: ParsableArguments {
        @Option(name: .long, help: "A file with what was seen, such as scanned papers; the institution keeps it.")
        var evidence: String

        func digest() throws -> Data {
            let bytes = try PrivateFile.read(self.evidence, bytesMax: 256 << 20, what: "the evidence")
            return Data(Digest(hashing: bytes).bytes)
        }
    }

    struct Link: EntenteCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that two identities are of one person, or of a mother and her newborn.",
            discussion: """
                Reads two lines from standard input, SYSTEM:VALUE each: the first stays, or is the mother; the second is the
                other one, is merged into it, was temporary, or is the newborn.
                """
        )

        @OptionGroup var options: GlobalOptions
        @OptionGroup var evidence: EvidenceOption

        @Option(name: .long, help: "same, merge, temporary or newborn.")
        var kind = "same"

        @Option(name: .long, help: "A patient's key that signs as well.")
        var key: String?

        @Flag(name: .long, help: "Link although what is known of the two contradicts it; the link says so.")
        var despiteContradiction = false

        func execute() async throws {
            var request = Entente_Api_V1_PrepareIdentityLinkRequest()
            request.kind = self.kind
            request.first = try PatientInput.read("-", allowsLiteral: false)
            request.second = try PatientInput.read("-", allowsLiteral: false)
            request.evidence = try self.evidence.digest()
            request.overridden = self.despiteContradiction
            let key = try self.key.map { path throws(CommandFailure) in try PersonKey.load(path) }
            request.patientKey = key?.publicKey ?? Data()
            let asked = request
            let reply = try await self.options.prepareSignSubmit(key: key) {
                try await $0.prepareIdentityLink(asked)
            } check: { call, key in
                try SigningCheck.link(call, key: key, asked)
            }
            Answer(
                ["link": reply.subject.hex, "height": reply.height],
                text: "Link \(reply.subject.hex)\nfinal in block \(reply.height)."
            ).print(asJSON: self.options.json)
        }
    }

    struct Unlink: EntenteCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a link; see identity fixups for what came about through it."
        )

        @OptionGroup var options: GlobalOptions
        @OptionGroup var evidence: EvidenceOption

        @Argument(help: "The link, as identity list prints it.")
        var link: String

        @Option(name: .long, help: "mistaken, own-number, patient-wish or other.")
        var reason: String

        @Option(name: .long, help: "Use - to read one of the two from standard input; for links of others.")
        var patient: String?

        @Option(name: .long, help: "A patient's key that ends it in the institution's place.")
        var key: String?

        func execute() async throws {
            var request = Entente_Api_V1_PrepareIdentityUnlinkRequest()
            request.link = try Lists.digest(self.link, "link", "Copy it from identity list.")
            request.reason = self.reason
            request.evidence = try self.evidence.digest()
            request.patient = try IdentityCommand.patient(self.patient)
            let key = try self.key.map { path throws(CommandFailure) in try PersonKey.load(path) }
            request.patientKey = key?.publicKey ?? Data()
            let asked = request
            let reply = try await self.options.prepareSignSubmit(key: key) {
                try await $0.prepareIdentityUnlink(asked)
            } check: { call, key in
                try SigningCheck.unlink(call, key: key, asked)
            }
            Answer(
                ["link": reply.subject.hex, "height": reply.height],
                text: "Ended in block \(reply.height). Now: entente identity fixups \(reply.subject.hex)"
            ).print(asJSON: self.options.json)
        }
    }

    struct List: EntenteCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the links about a patient, or those that this institution made or knows a side of."
        )

        @OptionGroup var options: GlobalOptions

        @Option(name: .long, help: "Use - to read SYSTEM:VALUE from standard input.")
        var patient: String?

        func execute() async throws {
            var request = Entente_Api_V1_IdentityLinksRequest()
            request.patient = try IdentityCommand.patient(self.patient)
            let reply = try await self.options.call { [request] in try await $0.identityLinks(request) }
            var table = TextTable(["Time", "Kind", "Author", "State", "Level", "Link"])
            for link in reply.links {
                table.add([
                    Times.format(link.time), link.kind, link.author, link.state,
                    link.known ? link.level + (link.overridden ? " (overridden)" : "") : "-", link.link.hex,
                ])
            }
            Answer(
                ["links": reply.links.map(self.json)],
                text: reply.links.isEmpty ? "No links." : table.text
            ).print(asJSON: self.options.json)
        }

        private func json(_ link: Entente_Api_V1_IdentityLink) -> [String: Any] {
            var object: [String: Any] = [
                "link": link.link.hex, "kind": link.kind, "author": link.author,
                "patientSigned": link.patientSigned, "evidence": link.evidence.hex, "time": Times.format(link.time),
                "height": link.height, "state": link.state, "known": link.known,
            ]
            if link.until != 0 { object["until"] = Times.format(link.until) }
            if link.state == "ended" {
                object["endedTime"] = Times.format(link.endedTime)
                object["reason"] = link.reason
            }
            if link.known {
                object["level"] = link.level
                object["score"] = link.score
                object["reasons"] = link.reasons
                object["overridden"] = link.overridden
            }
            return object
        }
    }

    struct Fixups: EntenteCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what was read and granted through a link while it stood."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The link, as identity list prints it.")
        var link: String

        @Option(name: .long, help: "Use - to read one of the two from standard input; for links of others.")
        var patient: String?

        func execute() async throws {
            var request = Entente_Api_V1_IdentityFixupsRequest()
            request.link = try Lists.digest(self.link, "link", "Copy it from identity list.")
            request.patient = try IdentityCommand.patient(self.patient)
            let reply = try await self.options.call { [request] in try await $0.identityFixups(request) }
            var table = TextTable(["Time", "What", "Institution", "Record", "Grant"])
            for fixup in reply.fixups {
                table.add([
                    Times.format(fixup.time), fixup.kind, fixup.institution,
                    fixup.record.isEmpty ? "-" : fixup.record.hex, fixup.grant.hex,
                ])
            }
            Answer(
                [
                    "fixups": reply.fixups.map { fixup in
                        var object: [String: Any] = [
                            "kind": fixup.kind, "institution": fixup.institution, "grant": fixup.grant.hex,
                            "time": Times.format(fixup.time),
                        ]
                        if !fixup.record.isEmpty { object["record"] = fixup.record.hex }
                        return object
                    }
                ],
                text: reply.fixups.isEmpty ? "Nothing came about through the link." : table.text
            ).print(asJSON: self.options.json)
        }
    }

    struct Review: EntenteCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the exams and patients about whose identity somebody has to decide."
        )

        @OptionGroup var options: GlobalOptions

        func execute() async throws {
            let reply = try await self.options.call { try await $0.identityCases() }
            var table = TextTable(["Case", "Time", "Kind", "Patients", "Reasons", "Record"])
            for item in reply.cases {
                table.add([
                    String(item.number), Times.format(item.time), item.kind,
                    item.identifiers.map(Terminal.harmless).joined(separator: " / "),
                    item.reasons.joined(separator: ", "), item.record.isEmpty ? "-" : item.record.hex,
                ])
            }
            Answer(
                [
                    "cases": reply.cases.map { item in
                        var object: [String: Any] = [
                            "case": item.number, "kind": item.kind, "reasons": item.reasons, "score": item.score,
                            "time": Times.format(item.time), "identifiers": item.identifiers,
                        ]
                        if !item.record.isEmpty { object["record"] = item.record.hex }
                        return object
                    }
                ],
                text: reply.cases.isEmpty ? "Nothing waits for a decision." : table.text
            ).print(asJSON: self.options.json)
        }
    }

    struct Confirm: EntenteCommand {
        static let configuration = CommandConfiguration(
            abstract: "Decide a case: with --same the exam is the patient's, and is shared from now on."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The case, as identity review prints it.")
        var number: Int64

        @Flag(help: "What was found out.")
        var decision: Decision

        enum Decision: String, EnumerableFlag {
            case same, different
        }

        func execute() async throws {
            var request = Entente_Api_V1_DecideIdentityRequest()
            request.number = self.number
            request.same = self.decision == .same
            let reply = try await self.options.call { [request] in try await $0.decideIdentity(request) }
            Answer(["decided": reply.decided], text: "Decided: \(reply.decided)").print(asJSON: self.options.json)
        }
    }

    struct Temporary: EntenteCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an identifier for an unidentified patient, or a newborn without a number."
        )

        @OptionGroup var options: GlobalOptions

        func execute() async throws {
            let reply = try await self.options.call { try await $0.temporaryIdentity() }
            Answer(["identifier": reply.identifier], text: reply.identifier).print(asJSON: self.options.json)
        }
    }

    private static func patient(_ option: String?) throws(CommandFailure) -> String {
        guard let option else { return "" }
        return try PatientInput.read(option, allowsLiteral: false)
    }
}
