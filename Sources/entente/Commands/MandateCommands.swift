import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation
import Primitives

struct MandatesCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "mandates",
        abstract: "Who may speak for a patient, what institutions declared about it, and what guardians disagree about."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions

    func execute() async throws {
        var request = Entente_Api_V1_MandatesRequest()
        request.patient = try self.patient.read()
        let reply = try await self.options.call { [request] in try await $0.mandates(request) }
        Answer(
            [
                "mandates": reply.mandates.map(self.json), "events": reply.events.map(self.json),
                "objections": reply.objections.map(self.json),
            ],
            text: self.text(reply)
        ).print(asJSON: self.options.json)
    }

    private func json(_ line: Entente_Api_V1_MandateLine) -> [String: Any] {
        [
            "delegation": line.delegation.hex, "capacity": line.capacity, "principal": line.principal,
            "delegate": line.delegate.hex, "from": Times.format(line.notBefore), "until": Times.format(line.notAfter),
            "speaks": line.speaks,
        ]
    }

    private func json(_ line: Entente_Api_V1_LifeEventLine) -> [String: Any] {
        [
            "event": line.event.hex, "kind": line.kind, "institution": line.institution,
            "time": Times.format(line.time), "height": line.height, "withdrawn": line.withdrawn,
        ]
    }

    private func json(_ line: Entente_Api_V1_ObjectionLine) -> [String: Any] {
        [
            "grant": line.grant.hex, "delegation": line.delegation.hex, "state": line.state, "height": line.height,
        ]
    }

    private func text(_ reply: Entente_Api_V1_MandatesReply) -> String {
        var parts: [String] = []
        if reply.mandates.isEmpty { parts.append("Nobody else speaks for the patient.") }
        if !reply.mandates.isEmpty {
            var table = TextTable(["Capacity", "Appointed by", "From", "Until", "Speaks", "Delegation"])
            for line in reply.mandates {
                table.add([
                    line.capacity, line.principal, Times.format(line.notBefore), Times.format(line.notAfter),
                    line.speaks ? "yes" : "no", line.delegation.hex,
                ])
            }
            parts.append(table.text)
        }
        if !reply.events.isEmpty {
            var table = TextTable(["Declared", "Event", "Institution", "State", "Declaration"])
            for line in reply.events {
                table.add([
                    Times.format(line.time), line.kind, line.institution, line.withdrawn ? "withdrawn" : "stands",
                    line.event.hex,
                ])
            }
            parts.append(table.text)
        }
        if !reply.objections.isEmpty {
            var table = TextTable(["Objection", "Grant", "By delegation"])
            for line in reply.objections {
                let state = line.state == "open" ? Terminal.red("open: needs review") : line.state
                table.add([state, line.grant.hex, line.delegation.hex])
            }
            parts.append(table.text)
        }
        return parts.joined(separator: "\n\n")
    }
}

struct LifeEventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "life-event",
        abstract: "Declare what decides who may speak for a patient: death, incapacity, recovery, custody.",
        subcommands: [Declare.self, Withdraw.self]
    )

    struct Declare: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "declare",
            abstract: "Say that this institution saw the papers of such an event."
        )

        enum Kind: String, ExpressibleByArgument { case death, incapacity, recovery, custody }

        @OptionGroup var options: GlobalOptions
        @OptionGroup var patient: PatientOptions

        @Argument(help: "death, incapacity, recovery or custody.")
        var kind: Kind

        @Option(name: .long, help: "A file with the papers, such as a scanned certificate or court order.")
        var evidence: String

        func execute() async throws {
            var request = Entente_Api_V1_DeclareLifeEventRequest()
            request.kind = self.kind.rawValue
            let evidence = try PrivateFile.read(self.evidence, bytesMax: 256 << 20, what: "the papers")
            request.evidence = Data(Digest(hashing: evidence).bytes)
            request.patient = try self.patient.read()
            let reply = try await self.options.call { [request] in try await $0.declareLifeEvent(request) }
            Answer(
                ["event": reply.event.hex, "height": reply.height],
                text: "Declaration \(reply.event.hex)\nfinal in block \(reply.height)"
            ).print(asJSON: self.options.json)
        }
    }

    struct Withdraw: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "withdraw",
            abstract: "Take back a declaration that was an error."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The declaration, as mandates prints it.")
        var event: String

        func execute() async throws {
            var request = Entente_Api_V1_WithdrawLifeEventRequest()
            request.event = try Lists.digest(self.event, "declaration", "Copy it from mandates.")
            let reply = try await self.options.call { [request] in try await $0.withdrawLifeEvent(request) }
            Answer(
                ["event": self.event, "height": reply.height],
                text: "Declaration withdrawn in block \(reply.height)"
            ).print(asJSON: self.options.json)
        }
    }
}

struct ObjectionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "objection",
        abstract: "Guardians of one child who disagree: the grant rests until it is decided.",
        subcommands: [Create.self, Decide.self]
    )

    struct Create: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Object, as a guardian, to what another guardian granted."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The other guardian's grant, as grants prints it.")
        var grant: String

        @Option(name: .long, help: "The objecting guardian's delegation.")
        var delegation: String

        @Option(name: .long, help: "The objecting guardian's key file.")
        var key: String

        func execute() async throws {
            let key = try PersonKey.load(self.key)
            var request = Entente_Api_V1_PrepareObjectionRequest()
            request.grant = try Lists.digest(self.grant, "grant", "Copy it from grants.")
            request.delegation = try Lists.digest(self.delegation, "delegation", "Copy it from mandates.")
            request.guardianKey = key.publicKey
            let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
                try await $0.prepareObjection(request)
            } check: { [request] call, _ in
                try SigningCheck.objection(call, request)
            }
            Answer(
                ["grant": self.grant, "height": reply.height],
                text: "Objection final in block \(reply.height)"
            ).print(asJSON: self.options.json)
        }
    }

    struct Decide: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "decide",
            abstract: "Decide, as an institution that appointed one of the guardians."
        )

        enum Outcome: String, ExpressibleByArgument { case upheld, dismissed }

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The grant.")
        var grant: String

        @Option(name: .long, help: "The objecting guardian's delegation.")
        var delegation: String

        @Option(name: .long, help: "upheld or dismissed.")
        var outcome: Outcome

        func execute() async throws {
            var request = Entente_Api_V1_DecideObjectionRequest()
            request.grant = try Lists.digest(self.grant, "grant", "Copy it from mandates.")
            request.delegation = try Lists.digest(self.delegation, "delegation", "Copy it from mandates.")
            request.outcome = self.outcome.rawValue
            let reply = try await self.options.call { [request] in try await $0.decideObjection(request) }
            Answer(
                ["grant": self.grant, "outcome": self.outcome.rawValue, "height": reply.height],
                text: "Decided in block \(reply.height): \(self.outcome.rawValue)"
            ).print(asJSON: self.options.json)
        }
    }
}
