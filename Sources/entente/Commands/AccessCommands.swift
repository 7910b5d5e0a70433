import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation
import Primitives

/// Who signs what stands beside grants: a person's key, or this institution as witness.
struct SignerOptions: ParsableArguments {
    @Option(name: .long, help: "The key file of the patient, or of a delegate.")
    var key: String?

    @Flag(name: .long, help: "This institution signs, as the witness of the patient's consent.")
    var asWitness = false

    mutating func validate() throws {
        guard (self.key != nil) != self.asWitness else { throw ValidationError("give either --key or --as-witness") }
    }

    func read() throws(CommandFailure) -> PersonKey? {
        guard let path = self.key else { return nil }
        return try PersonKey.load(path)
    }
}

struct NarrowCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "narrow",
        abstract: "Revoke a part of a grant: institutions, kinds, items, dates or fields."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions
    @OptionGroup var signer: SignerOptions

    @Argument(help: "The grant, as grant or grants printed it.")
    var grant: String

    @Option(name: .long, parsing: .upToNextOption, help: "Institutions that may no longer read.")
    var withoutInstitutions: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Institutions whose exams may no longer be read.")
    var withoutCustodians: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Sensitive classes that are no longer covered.")
    var withoutSensitive: [String] = []

    @Option(name: .long, help: "The kinds of exams that remain. Default: all of the grant.")
    var kinds: String?

    @Option(name: .long, parsing: .upToNextOption, help: "The item codes that remain. Default: all of the grant.")
    var items: [String] = []

    @Option(name: .long, help: "Only exams performed at or after this time remain.")
    var examsFrom: String?

    @Option(name: .long, help: "Only exams performed before this time remain.")
    var examsUntil: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Item codes whose results are no longer shown.")
    var hide: [String] = []

    func execute() async throws {
        let grant = try Lists.digest(self.grant, "grant", "Copy it from grants.")
        let key = try self.signer.read()
        var request = Entente_Api_V1_PrepareNarrowingRequest()
        request.grant = grant
        request.withoutGrantees = Lists.split(self.withoutInstitutions)
        request.withoutCustodians = Lists.split(self.withoutCustodians)
        request.withoutSensitive = Lists.split(self.withoutSensitive)
        request.kinds = self.kinds.map { Lists.split([$0]) } ?? []
        request.items = Lists.split(self.items)
        request.hidden = Lists.split(self.hide)
        request.examsFrom = try self.examsFrom.map { try Times.parse($0, option: "--exams-from") } ?? 0
        request.examsUntil = try self.examsUntil.map { try Times.parse($0, option: "--exams-until") } ?? 0
        var nothing = Entente_Api_V1_PrepareNarrowingRequest()
        nothing.grant = grant
        guard request != nothing else {
            throw CommandFailure.usage(
                "narrowing",
                "nothing is taken away",
                hint: "To end the whole grant: entente revoke."
            )
        }
        request.patient = try self.patient.read()
        if let key { request.patientKey = key.publicKey } else { request.witness = true }
        let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
            try await $0.prepareNarrowing(request)
        } check: { [request] call, _ in
            try SigningCheck.narrowing(call, request)
        }
        Answer(
            ["grant": self.grant, "height": reply.height],
            text: "Grant narrowed from block \(reply.height) on"
        ).print(asJSON: self.options.json)
    }
}

struct DelegationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delegation",
        abstract: "Who may grant and revoke for a patient.",
        subcommands: [Create.self, End.self]
    )

    struct Create: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Let somebody else grant for a patient, within a scope and a period."
        )

        @OptionGroup var options: GlobalOptions
        @OptionGroup var patient: PatientOptions
        @OptionGroup var signer: SignerOptions

        @Option(name: .long, help: "The delegate's public key, 64 hexadecimal digits, as patient key prints it.")
        var delegate: String

        @Option(name: .long, help: "proxy, guardian or statutory.")
        var capacity = "proxy"

        @Option(name: .long, help: "A file with the mandate, such as a scanned form or court order.")
        var evidence: String

        @Option(name: .long, help: "Kinds of exams the delegate may grant. Default: all.")
        var kinds: String?

        @Option(name: .long, parsing: .upToNextOption, help: "Item codes the delegate may grant. Default: all.")
        var items: [String] = []

        @Option(name: .long, help: "Purpose of use: TREAT, HPAYMT, HRESCH, PUBHLTH, or BTG for emergencies.")
        var purpose = "TREAT"

        @Option(name: .long, parsing: .upToNextOption, help: "Sensitive classes the delegate may name.")
        var sensitive: [String] = []

        @Option(name: .long, parsing: .upToNextOption, help: "Item codes that stay hidden in the delegate's grants.")
        var hide: [String] = []

        @Option(name: .long, help: "The child's date of birth, YYYY-MM-DD, where a guardian is appointed.")
        var birthDate: String?

        @Option(name: .long, help: "When the delegation begins. Default: now.")
        var from: String?

        @Option(name: .long, help: "When the delegation ends. Default: 180 days after it begins.")
        var until: String?

        func execute() async throws {
            let key = try self.signer.read()
            var request = Entente_Api_V1_PrepareDelegationRequest()
            request.delegateKey = try Lists.digest(self.delegate, "key", "Print it with patient key.")
            request.capacity = self.capacity
            let evidence = try PrivateFile.read(self.evidence, bytesMax: 256 << 20, what: "the evidence of the mandate")
            request.evidence = Data(Digest(hashing: evidence).bytes)
            request.kinds = self.kinds.map { Lists.split([$0]) } ?? []
            request.items = Lists.split(self.items)
            request.birthDate = self.birthDate ?? ""
            request.purpose = self.purpose
            request.sensitive = Lists.split(self.sensitive)
            request.hidden = Lists.split(self.hide)
            request.notBefore = try self.from.map { try Times.parse($0, option: "--from") } ?? 0
            request.notAfter = try self.until.map { try Times.parse($0, option: "--until") } ?? 0
            request.patient = try self.patient.read()
            if let key { request.patientKey = key.publicKey } else { request.witness = true }
            let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
                try await $0.prepareDelegation(request)
            } check: { [request] in
                try SigningCheck.delegation($0, key: $1, request, now: Clock.now)
            }
            Answer(
                ["delegation": reply.subject.hex, "height": reply.height],
                text: "Delegation \(reply.subject.hex)\nfinal in block \(reply.height)"
            ).print(asJSON: self.options.json)
        }
    }

    struct End: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "end",
            abstract: "End a delegation, and with it everything that was granted under it."
        )

        @OptionGroup var options: GlobalOptions
        @OptionGroup var signer: SignerOptions

        @Argument(help: "The delegation, as delegation create printed it.")
        var delegation: String

        func execute() async throws {
            let key = try self.signer.read()
            var request = Entente_Api_V1_PrepareDelegationEndRequest()
            request.delegation = try Lists.digest(self.delegation, "delegation", "Copy it from delegation create.")
            if let key { request.patientKey = key.publicKey } else { request.witness = true }
            let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
                try await $0.prepareDelegationEnd(request)
            } check: { [request] call, _ in
                try SigningCheck.delegationEnd(call, request.delegation)
            }
            Answer(
                ["delegation": self.delegation, "height": reply.height],
                text: "Delegation ended in block \(reply.height)"
            ).print(asJSON: self.options.json)
        }
    }
}

struct DiscoveryCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "discovery",
        abstract: "Whether a patient's exams are listed at institutions that may not open them."
    )

    enum Choice: String, ExpressibleByArgument { case show, hide }

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions
    @OptionGroup var signer: SignerOptions

    @Argument(help: "hide or show.")
    var choice: Choice

    func execute() async throws {
        let key = try self.signer.read()
        var request = Entente_Api_V1_PrepareDiscoveryRequest()
        request.patient = try self.patient.read()
        request.hidden = self.choice == .hide
        if let key { request.patientKey = key.publicKey } else { request.witness = true }
        let isHidden = request.hidden
        let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
            try await $0.prepareDiscovery(request)
        } check: {
            try SigningCheck.discovery($0, key: $1, isHidden: isHidden)
        }
        Answer(
            ["hidden": isHidden, "height": reply.height],
            text: isHidden
                ? "From block \(reply.height) on, other institutions list only what they may open."
                : "From block \(reply.height) on, this choice hides nothing."
        ).print(asJSON: self.options.json)
    }
}
