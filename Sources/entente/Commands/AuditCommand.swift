import AgentAPI
import ArgumentParser
import Formats
import Foundation
import Primitives

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Account for readings, permissions and emergencies.",
        subcommands: [Export.self, Account.self]
    )

    struct Export: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write what this institution has to account for about a patient, one FHIR AuditEvent a line.",
            discussion: """
                As source: who read its records elsewhere. As recipient: what it read, and on what permission. Oldest first; the \
                same state gives the same bytes.
                """
        )

        enum Format: String, ExpressibleByArgument { case fhir }

        @OptionGroup var options: GlobalOptions
        @OptionGroup var patient: PatientOptions

        @Option(name: .long, help: "fhir: FHIR R4 AuditEvent after IHE BALP, NDJSON.")
        var format = Format.fhir

        @Option(name: .long, help: "Only what happened at or after this time.")
        var from: String?

        @Option(name: .long, help: "Only what happened before this time.")
        var until: String?

        @Flag(
            name: .long,
            help: "Put the identifier that was given into each event. Without it no event names the patient."
        )
        var namePatient = false

        func execute() async throws {
            let from = try self.from.map { try Times.parse($0, option: "--from") } ?? .min
            let until = try self.until.map { try Times.parse($0, option: "--until") } ?? .max
            let patient = try self.patient.read()
            var (logRequest, grantsRequest) = (Entente_Api_V1_AccessLogRequest(), Entente_Api_V1_ListGrantsRequest())
            var noticesRequest = Entente_Api_V1_NoticesRequest()
            logRequest.patient = patient
            grantsRequest.patient = patient
            noticesRequest.patient = patient
            let (own, entries) = try await self.options.call { [logRequest, grantsRequest, noticesRequest] client in
                let own = try await client.status(Entente_Api_V1_StatusRequest()).institution
                let reads = try await client.accessLog(logRequest).reads
                let grants = try await client.listGrants(grantsRequest).grants
                let notices = try await client.notices(noticesRequest).notices
                return (own, Self.entries(own, reads, grants, notices))
            }
            let writer = AuditEventWriter(institution: own, patient: self.namePatient ? patient : nil)
            let lines = entries.filter { from <= $0.time.milliseconds && $0.time.milliseconds < until }
                .map { (time: $0.time, line: writer.line($0)) }
            for line in lines.sorted(by: { ($0.time, $0.line) < ($1.time, $1.line) }) { Terminal.write(line.line) }
        }

        private static func entries(
            _ own: String,
            _ reads: [Entente_Api_V1_Read],
            _ grants: [Entente_Api_V1_Grant],
            _ notices: [Entente_Api_V1_Notice]
        ) -> [AuditEntry] {
            var entries: [AuditEntry] = []
            for read in reads {
                guard let record = Digest(Array(read.record)) else { continue }
                entries += AuditEntry.entries(
                    at: own,
                    reader: AuditEntry.Reader(
                        institution: read.institution,
                        clinician: read.clinician,
                        name: read.clinicianName,
                        department: read.department
                    ),
                    record: record,
                    custodian: read.custodian,
                    grant: Digest(Array(read.grant)),
                    time: Timestamp(milliseconds: read.time),
                    purpose: read.purpose
                )
            }
            for grant in grants where grant.revokedHeight != 0 {
                guard let id = Digest(Array(grant.id)) else { continue }
                let time = Timestamp(milliseconds: grant.revokedAt)
                entries.append(AuditEntry(.revoked(grant: id, by: grant.grantor), time: time, purpose: grant.purpose))
            }
            for notice in notices {
                guard let id = Digest(Array(notice.emergency)) else { continue }
                let kind = AuditEntry.Kind.emergency(id, institution: notice.institution, reason: notice.reason)
                entries.append(AuditEntry(kind, time: Timestamp(milliseconds: notice.time), purpose: "BTG"))
            }
            return entries
        }
    }
}
