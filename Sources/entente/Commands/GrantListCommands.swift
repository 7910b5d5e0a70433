import AgentAPI
import ArgumentParser
import Foundation

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
            "groups": grant.groups, "records": grant.records.map(\.hex), "sensitive": grant.sensitive,
            "hidden": grant.hidden, "readers": grant.readers.map(\.hex), "uses": grant.uses,
            "narrowings": grant.narrowings.map(self.json),
        ]
        if grant.usesMax != 0 { object["usesMax"] = grant.usesMax }
        if !grant.referral.isEmpty { object["referral"] = grant.referral.hex }
        if !grant.delegation.isEmpty { object["delegation"] = grant.delegation.hex }
        if grant.revokedHeight != 0 {
            object["revokedHeight"] = grant.revokedHeight
            object["revokedAt"] = Times.format(grant.revokedAt)
        }
        return object
    }

    private func json(_ narrowing: Entente_Api_V1_Narrowing) -> [String: Any] {
        var object: [String: Any] = [
            "height": narrowing.height, "withoutInstitutions": narrowing.withoutGrantees,
            "withoutCustodians": narrowing.withoutCustodians, "kinds": narrowing.kinds, "items": narrowing.items,
            "hidden": narrowing.hidden,
        ]
        if narrowing.examsFrom != 0 { object["examsFrom"] = Times.format(narrowing.examsFrom) }
        if narrowing.examsUntil != 0 { object["examsUntil"] = Times.format(narrowing.examsUntil) }
        return object
    }

    private func text(_ grants: [Entente_Api_V1_Grant]) -> String {
        guard !grants.isEmpty else { return "No grants." }
        var table = TextTable(["State", "To", "Kinds", "Purpose", "Until", "By", "Grant"])
        for grant in grants {
            table.add([
                grant.state + (grant.narrowings.isEmpty ? "" : " (narrowed)"),
                (grant.grantees + grant.groups.map { "group " + $0 }).joined(separator: ","),
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

    enum Language: String, ExpressibleByArgument { case en, zh }

    @OptionGroup var options: GlobalOptions
    @OptionGroup var patient: PatientOptions

    @Flag(name: .long, help: "In sentences for the patient.")
    var plain = false

    @Option(name: .long, help: "Of the sentences: en or zh.")
    var language = Language.en

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
        let words = PlainReadings(language: self.language == .zh ? .zh : .en)
        Answer(["reads": reads], text: self.plain ? words.text(reply.reads) : self.text(reply.reads))
            .print(asJSON: self.options.json)
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
