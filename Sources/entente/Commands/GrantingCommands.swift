import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation
import Primitives

struct PatientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patient",
        abstract: "Keys of patients.",
        subcommands: [Enroll.self, Key.self]
    )

    struct Enroll: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "enroll",
            abstract: "Make a key for a patient and register its public half on the chain."
        )

        @OptionGroup var options: GlobalOptions
        @OptionGroup var patient: PatientOptions

        @Option(name: .long, help: "Where to write the patient's key. An existing key file is used as it is.")
        var key: String

        func execute() async throws {
            let patient = try self.patient.read()
            let key = try PersonKey.loadOrCreate(self.key)
            var request = Entente_Api_V1_PrepareEnrolmentRequest()
            request.patient = patient
            request.patientKey = key.publicKey
            let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
                try await $0.prepareEnrolment(request)
            } check: {
                try SigningCheck.enrolment($0, key: $1)
            }
            Answer(
                ["handle": reply.subject.hex, "height": reply.height],
                text:
                    "Patient enrolled in block \(reply.height) under the handle \(reply.subject.hex).\nThe key is in \(self.key)."
            ).print(asJSON: self.options.json)
        }
    }
}

extension PatientCommand {
    struct Key: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "key",
            abstract: "Print the public half of a key, by which its holder is made a delegate."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The key file.")
        var key: String

        func execute() async throws {
            let text = try PersonKey.load(self.key).publicKey.hex
            Answer(["key": text], text: text).print(asJSON: self.options.json)
        }
    }
}

/// Who speaks for the patient: a key, or this institution with evidence of consent.
struct GrantorOptions: ParsableArguments {
    @Option(name: .long, help: "The patient's key file.")
    var key: String?

    @Option(
        name: .long,
        help: "A file with the evidence of consent, such as a scanned form; this institution witnesses it."
    )
    var witness: String?

    mutating func validate() throws {
        guard (self.key == nil) != (self.witness == nil) else {
            throw ValidationError("give either --key or --witness")
        }
    }

    enum Grantor {
        case key(PersonKey)
        case witness(evidence: Data)
    }

    func read() throws(CommandFailure) -> Grantor {
        if let path = self.key { return .key(try PersonKey.load(path)) }
        guard let path = self.witness else { throw .usage("grantor", "give --key or --witness", hint: "See --help.") }
        let evidence = try PrivateFile.read(path, bytesMax: 256 << 20, what: "the evidence of consent")
        return .witness(evidence: Data(Digest(hashing: evidence).bytes))
    }
}

struct GrantCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Grant institutions access to a patient's exams, and wait until the chain has ordered it."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions
    @OptionGroup var grantor: GrantorOptions

    @Option(name: .long, help: "The delegation under which the holder of --key grants for the patient.")
    var delegation: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Institutions that may read.")
    var to: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Groups whose members may read, as long as they are members.")
    var toGroups: [String] = []

    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: "Only these readers there: role:ROLE or person:INSTITUTION/CLINICIAN. Default: every clinician."
    )
    var readers: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Only exams of these institutions. Default: all.")
    var custodians: [String] = []

    @Option(name: .long, help: "Kinds of exams: lab, imaging, pathology, function, vital-signs, other. Default: all.")
    var kinds: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Item codes. Default: all.")
    var items: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Only these records, as find prints them.")
    var records: [String] = []

    @Option(
        name: .long,
        parsing: .upToNextOption,
        help: "Sensitive classes to cover as well: psychiatry, sexual-health, abuse, addiction."
    )
    var sensitive: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: "Item codes whose results readers are not shown.")
    var hide: [String] = []

    @Option(name: .long, help: "How often records may be opened at each institution. Default: any number of times.")
    var uses: UInt32?

    @Option(name: .long, help: "The referral with whose closing the grant ends.")
    var referral: String?

    @Option(name: .long, help: "Purpose of use: TREAT, HPAYMT, HRESCH, PUBHLTH, or BTG for emergencies.")
    var purpose = "TREAT"

    @Option(name: .long, help: "When the grant begins. Default: now.")
    var from: String?

    @Option(name: .long, help: "When the grant ends. Default: 180 days after it begins.")
    var until: String?

    @Option(name: .long, help: "How long an agent without contact to the chain may honour it: 90s, 30m, 24h, 7d.")
    var lease = "24h"

    @Option(name: .long, help: "Only exams performed at or after this time.")
    var examsFrom: String?

    @Option(name: .long, help: "Only exams performed before this time.")
    var examsUntil: String?

    func execute() async throws {
        let grantor = try self.grantor.read()
        var request = Entente_Api_V1_PrepareGrantRequest()
        request.patient = try self.patient.read()
        request.grantees = Lists.split(self.to)
        request.groups = Lists.split(self.toGroups)
        guard !request.grantees.isEmpty || !request.groups.isEmpty else {
            throw CommandFailure.usage("grantee", "nobody is named who may read", hint: "Give --to or --to-groups.")
        }
        request.custodians = Lists.split(self.custodians)
        request.kinds = self.kinds.map { Lists.split([$0]) } ?? []
        request.items = Lists.split(self.items)
        request.records = try Lists.split(self.records).map { try Lists.digest($0, "record", "Copy it from find.") }
        request.sensitive = Lists.split(self.sensitive)
        request.readers = Lists.split(self.readers)
        request.hidden = Lists.split(self.hide)
        guard self.uses != 0 else {
            throw CommandFailure.usage("uses", "a grant that opens nothing is no grant", hint: "Give --uses 1 or more.")
        }
        request.usesMax = self.uses ?? 0
        if let referral = self.referral {
            request.referral = try Lists.digest(referral, "referral", "Copy it from referral open.")
        }
        request.purpose = self.purpose
        request.notBefore = try self.from.map { try Times.parse($0, option: "--from") } ?? 0
        request.notAfter = try self.until.map { try Times.parse($0, option: "--until") } ?? 0
        request.examsFrom = try self.examsFrom.map { try Times.parse($0, option: "--exams-from") } ?? 0
        request.examsUntil = try self.examsUntil.map { try Times.parse($0, option: "--exams-until") } ?? 0
        let lease = try Times.parseSpan(self.lease, option: "--lease")
        guard let seconds = UInt32(exactly: lease) else {
            throw CommandFailure.usage("lease", "the lease is too long", hint: "At most 7d.")
        }
        request.leaseSeconds = seconds
        let key: PersonKey?
        switch grantor {
        case .key(let personKey):
            key = personKey
            if let delegation = self.delegation {
                request.delegation = try Lists.digest(delegation, "delegation", "Copy it from delegation create.")
                request.delegateKey = personKey.publicKey
            } else {
                request.patientKey = personKey.publicKey
            }
        case .witness(let evidence):
            guard self.delegation == nil else {
                throw CommandFailure.usage("grantor", "a delegate signs with a key", hint: "Give --key, not --witness.")
            }
            key = nil
            request.witnessEvidence = evidence
        }
        let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
            try await $0.prepareGrant(request)
        } check: { [request] in
            try SigningCheck.grant($0, key: $1, request, now: Clock.now)
        }
        Answer(
            ["grant": reply.subject.hex, "height": reply.height],
            text: "Grant \(reply.subject.hex)\nfinal in block \(reply.height)"
        ).print(asJSON: self.options.json)
    }
}

struct RevokeCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a grant, and wait until the chain has ordered it."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var grantor: GrantorOptions

    @Argument(help: "The grant, as grant or grants printed it.")
    var grant: String

    func execute() async throws {
        let grant = try Lists.digest(self.grant, "grant", "Copy it from grants.")
        var request = Entente_Api_V1_PrepareRevocationRequest()
        request.grant = grant
        let key: PersonKey?
        switch try self.grantor.read() {
        case .key(let patientKey):
            key = patientKey
            request.patientKey = patientKey.publicKey
        case .witness(let evidence):
            key = nil
            request.witnessEvidence = evidence
        }
        let reply = try await self.options.prepareSignSubmit(key: key) { [request] in
            try await $0.prepareRevocation(request)
        } check: { call, _ in
            try SigningCheck.revocation(call, grant)
        }
        Answer(
            ["grant": self.grant, "height": reply.height],
            text: "Grant ended in block \(reply.height)"
        ).print(asJSON: self.options.json)
    }
}
