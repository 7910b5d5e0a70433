import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation
import Primitives

struct PatientCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patient",
        abstract: "Keys of patients.",
        subcommands: [Enroll.self]
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

    @Option(name: .long, parsing: .upToNextOption, help: "Institutions that may read.")
    var to: [String]

    @Option(name: .long, parsing: .upToNextOption, help: "Only exams of these institutions. Default: all.")
    var custodians: [String] = []

    @Option(name: .long, help: "Kinds of exams: lab, imaging, pathology, function, vital-signs, other. Default: all.")
    var kinds: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Item codes. Default: all.")
    var items: [String] = []

    @Option(name: .long, help: "Purpose of use: TREAT, HPAYMT, HRESCH or PUBHLTH.")
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
        request.grantees = self.to.flatMap { $0.split(separator: ",").map(String.init) }
        request.custodians = self.custodians.flatMap { $0.split(separator: ",").map(String.init) }
        request.kinds = self.kinds?.split(separator: ",").map(String.init) ?? []
        request.items = self.items.flatMap { $0.split(separator: ",").map(String.init) }
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
        case .key(let patientKey):
            key = patientKey
            request.patientKey = patientKey.publicKey
        case .witness(let evidence):
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
        guard let grant = Data(hex: self.grant), grant.count == 32 else {
            throw CommandFailure.usage("grant", "a grant is 64 hexadecimal digits", hint: "Copy it from grants.")
        }
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

struct GrantsCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "grants",
        abstract: "List what a patient has granted."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions

    func execute() async throws {
        var request = Entente_Api_V1_ListGrantsRequest()
        request.patient = try self.patient.read()
        let reply = try await self.options.call { [request] in try await $0.listGrants(request) }
        Answer(["grants": reply.grants.map(self.json)], text: self.text(reply.grants)).print(asJSON: self.options.json)
    }

    private func json(_ grant: Entente_Api_V1_Grant) -> [String: Any] {
        var object: [String: Any] = [
            "grant": grant.id.hex, "to": grant.grantees, "custodians": grant.custodians, "kinds": grant.kinds,
            "items": grant.items, "purpose": grant.purpose, "from": Times.format(grant.notBefore),
            "until": Times.format(grant.notAfter), "leaseSeconds": grant.leaseSeconds, "state": grant.state,
            "height": grant.createdHeight, "grantor": grant.grantor, "selfWitnessed": grant.selfWitnessed,
        ]
        if grant.revokedHeight != 0 {
            object["revokedHeight"] = grant.revokedHeight
            object["revokedAt"] = Times.format(grant.revokedAt)
        }
        return object
    }

    private func text(_ grants: [Entente_Api_V1_Grant]) -> String {
        guard !grants.isEmpty else { return "No grants." }
        var table = TextTable(["State", "To", "Kinds", "Purpose", "Until", "By", "Grant"])
        for grant in grants {
            table.add([
                grant.state, grant.grantees.joined(separator: ","),
                grant.kinds.isEmpty ? "all" : grant.kinds.joined(separator: ","), grant.purpose,
                Times.format(grant.notAfter), grant.grantor + (grant.selfWitnessed ? " (grantee itself)" : ""),
                grant.id.hex,
            ])
        }
        return table.text
    }
}

struct AccessLogCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "access-log",
        abstract: "Show who read a patient's records, when and why."
    )

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions

    func execute() async throws {
        var request = Entente_Api_V1_AccessLogRequest()
        request.patient = try self.patient.read()
        let reply = try await self.options.call { [request] in try await $0.accessLog(request) }
        let reads = reply.reads.map { read in
            [
                "record": read.record.hex, "institution": read.institution, "clinician": read.clinician,
                "name": read.clinicianName, "department": read.department, "purpose": read.purpose,
                "time": Times.format(read.time), "grant": read.grant.hex, "height": read.checkedHeight,
                "custodian": read.custodian, "anchored": read.anchored,
            ] as [String: Any]
        }
        Answer(["reads": reads], text: self.text(reply.reads)).print(asJSON: self.options.json)
    }

    private func text(_ reads: [Entente_Api_V1_Read]) -> String {
        guard !reads.isEmpty else { return "Nobody has read anything." }
        var table = TextTable([
            "Time", "Institution", "Who", "Department", "Purpose", "Record of", "Record", "On chain",
        ])
        for read in reads {
            table.add([
                Times.format(read.time), read.institution, "\(read.clinicianName) (\(read.clinician))", read.department,
                read.purpose, read.custodian, String(read.record.hex.prefix(16)), read.anchored ? "yes" : "not yet",
            ])
        }
        return table.text
    }
}
