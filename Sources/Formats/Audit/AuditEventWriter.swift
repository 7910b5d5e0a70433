import Primitives

/// Writes entries as FHIR R4 AuditEvents after the patterns of IHE BALP 1.1, one a line.
///
/// Deterministic: an entry gives the same bytes at every time and place, its id included.
package struct AuditEventWriter: Sendable {
    private static let profiles = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
    private static let dicom = "http://dicom.nema.org/resources/ontology/DCM"
    private static let eventType = "http://terminology.hl7.org/CodeSystem/audit-event-type"
    private static let lifecycle = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
    private static let interaction = "http://hl7.org/fhir/restful-interaction"
    private static let entityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
    private static let objectRole = "http://terminology.hl7.org/CodeSystem/object-role"
    private static let reasons = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    private static let authorization = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"

    private let institution: String
    private let patient: String?

    /// `institution`: who accounts; `patient`: an identifier to name the patient by, or `nil` to leave it out.
    package init(institution: String, patient: String?) {
        self.institution = institution
        self.patient = patient
    }

    /// One AuditEvent, without a line break at its end.
    package func line(_ entry: AuditEntry) -> String {
        let members = self.members(entry)
        let id = Digest(hashing: Array(("audit-event/1" + AuditJSON.object(members).line).utf8))
        return AuditJSON.object(
            [("resourceType", .text("AuditEvent")), ("id", .text(Self.hex(id)))] + members
        ).line
    }

    private func members(_ entry: AuditEntry) -> [(String, AuditJSON)] {
        switch entry.kind {
        case .read(let reader, let record): self.read(entry, reader, record)
        case .disclosed(let reader, let record, let grant): self.disclosed(entry, reader, record, grant)
        case .received(let reader, let record, let custodian, let grant):
            self.received(entry, reader, record, custodian, grant)
        case .permitted(let reader, let grant): self.permitted(entry, reader, grant)
        case .revoked(let grant, let by): self.revoked(entry, grant, by)
        case .emergency(let id, let institution, let reason): self.emergency(entry, id, institution, reason)
        }
    }

    private func read(_ entry: AuditEntry, _ reader: AuditEntry.Reader, _ record: Digest) -> [(String, AuditJSON)] {
        self.event(
            entry,
            "PatientRead",
            Self.coding(Self.eventType, "rest", "Restful Operation"),
            [Self.coding(Self.interaction, "read", "read")],
            "R",
            [
                self.machine("110152", "Destination Role ID", self.institution),
                self.machine("110153", "Source Role ID", self.institution), self.user(reader, entry.purpose),
            ],
            [self.subject, Self.data(record, role: "4", "Domain Resource")]
        )
    }

    private func disclosed(
        _ entry: AuditEntry,
        _ reader: AuditEntry.Reader,
        _ record: Digest,
        _ grant: Digest?
    ) -> [(String, AuditJSON)] {
        self.event(
            entry,
            "PrivacyDisclosure.Source",
            Self.coding(Self.dicom, "110106", "Export"),
            [Self.coding(Self.lifecycle, "disclose", "Disclose Record Lifecycle Event")],
            "R",
            [
                self.machine("110153", "Source Role ID", self.institution),
                self.machine("110152", "Destination Role ID", reader.institution), self.user(reader, entry.purpose),
            ],
            [self.subject, Self.data(record, role: "3", "Report")] + Self.consents(grant)
        )
    }

    private func received(
        _ entry: AuditEntry,
        _ reader: AuditEntry.Reader,
        _ record: Digest,
        _ custodian: String,
        _ grant: Digest?
    ) -> [(String, AuditJSON)] {
        self.event(
            entry,
            "PrivacyDisclosure.Recipient",
            Self.coding(Self.dicom, "110107", "Import"),
            [Self.coding(Self.lifecycle, "disclose", "Disclose Record Lifecycle Event")],
            "C",
            [
                self.machine("110153", "Source Role ID", custodian),
                self.machine("110152", "Destination Role ID", self.institution), self.user(reader, entry.purpose),
            ],
            [self.subject, Self.data(record, role: "3", "Report")] + Self.consents(grant)
        )
    }

    private func permitted(_ entry: AuditEntry, _ reader: AuditEntry.Reader, _ grant: Digest) -> [(String, AuditJSON)] {
        self.event(
            entry,
            "AuthZconsent",
            Self.coding(Self.dicom, "110113", "Security Alert"),
            [Self.coding(Self.authorization, "AuthZ-Consent", "Authorization Decision using Roles and Consent")],
            "E",
            [
                self.machine("110150", "Application", self.institution), self.user(reader, entry.purpose),
                Self.party(
                    Self.coding(
                        "http://terminology.hl7.org/CodeSystem/v3-RoleClass",
                        "PROV",
                        "healthcare provider"
                    ),
                    reader.institution
                ),
                Self.party(
                    Self.coding(
                        "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
                        "authserver",
                        "authorization server"
                    ),
                    self.institution
                ),
            ],
            [self.subject] + Self.consents(grant)
        )
    }

    private func revoked(_ entry: AuditEntry, _ grant: Digest, _ by: String) -> [(String, AuditJSON)] {
        self.event(
            entry,
            "PatientUpdate",
            Self.coding(Self.eventType, "rest", "Restful Operation"),
            [Self.coding(Self.interaction, "update", "update")],
            "U",
            [
                self.machine("110153", "Source Role ID", by, requestor: true),
                self.machine("110152", "Destination Role ID", self.institution),
            ],
            [self.subject, Self.data(grant, role: "4", "Domain Resource", system: "urn:entente:grant")]
        )
    }

    private func emergency(
        _ entry: AuditEntry,
        _ id: Digest,
        _ institution: String,
        _ reason: String
    ) -> [(String, AuditJSON)] {
        // BALP has no pattern for it; DICOM has the code.
        self.event(
            entry,
            nil,
            Self.coding(Self.dicom, "110113", "Security Alert"),
            [Self.coding(Self.dicom, "110127", "Emergency Override Started")],
            "E",
            [
                Self.party(
                    Self.coding(
                        "http://terminology.hl7.org/CodeSystem/v3-RoleClass",
                        "PROV",
                        "healthcare provider"
                    ),
                    institution,
                    requestor: true
                )
            ],
            [self.subject] + Self.consents(id, system: "urn:entente:emergency"),
            description: reason
        )
    }

    /// What every pattern has, in the order of the resource's elements.
    private func event(
        _ entry: AuditEntry,
        _ profile: String?,
        _ type: AuditJSON,
        _ subtypes: [AuditJSON],
        _ action: String,
        _ agents: [AuditJSON],
        _ entities: [AuditJSON],
        description: String? = nil
    ) -> [(String, AuditJSON)] {
        var members: [(String, AuditJSON)] = []
        if let profile { members.append(("meta", .object([("profile", .list([.text(Self.profiles + profile)]))]))) }
        members += [
            ("type", type), ("subtype", .list(subtypes)), ("action", .text(action)),
            ("recorded", .text(Self.instant(entry.time))), ("outcome", .text("0")),
        ]
        if let description { members.append(("outcomeDesc", .text(description))) }
        if let purpose = entry.purpose {
            members.append(("purposeOfEvent", .list([Self.concept(Self.coding(Self.reasons, purpose, nil))])))
        }
        members += [
            ("agent", .list(agents)),
            (
                "source",
                .object([
                    ("site", .text(self.institution)), ("observer", Self.institution(self.institution)),
                    (
                        "type",
                        .list([
                            Self.coding(
                                "http://terminology.hl7.org/CodeSystem/security-source-type",
                                "4",
                                "Application Server"
                            )
                        ])
                    ),
                ])
            ), ("entity", .list(entities)),
        ]
        return members
    }

    // MARK: Parts

    private func machine(_ code: String, _ display: String, _ id: String, requestor: Bool = false) -> AuditJSON {
        .object([
            ("type", Self.concept(Self.coding(Self.dicom, code, display))), ("who", Self.institution(id)),
            ("requestor", .flag(requestor)),
            ("network", .object([("address", .text("urn:entente:institution:" + id)), ("type", .text("5"))])),
        ])
    }

    private func user(_ reader: AuditEntry.Reader, _ purpose: String?) -> AuditJSON {
        let who = Self.identifier("urn:entente:clinician:" + reader.institution, reader.clinician)
        var members: [(String, AuditJSON)] = [
            (
                "type",
                Self.concept(
                    Self.coding(
                        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                        "IRCP",
                        "information recipient"
                    )
                )
            ), ("who", .object([("identifier", who), ("display", .text(reader.department))])),
            ("name", .text(reader.name)), ("requestor", .flag(true)),
        ]
        if let purpose {
            members.append(("purposeOfUse", .list([Self.concept(Self.coding(Self.reasons, purpose, nil))])))
        }
        return .object(members)
    }

    private static func party(_ type: AuditJSON, _ id: String, requestor: Bool = false) -> AuditJSON {
        .object([
            ("type", self.concept(type)), ("who", self.institution(id)), ("requestor", .flag(requestor)),
        ])
    }

    private var subject: AuditJSON {
        // Named only by the one who named the patient: a digest of an identifier could be guessed.
        let what: [(String, AuditJSON)] =
            self.patient.map { [("identifier", .object([("value", .text($0))]))] }
            ?? [("display", .text("the patient whom this export was asked for"))]
        return .object([
            ("what", .object([("type", .text("Patient"))] + what)),
            ("type", Self.coding(Self.entityType, "1", "Person")),
            ("role", Self.coding(Self.objectRole, "1", "Patient")),
        ])
    }

    private static func data(
        _ id: Digest,
        role: String,
        _ display: String,
        system: String = "urn:entente:record"
    ) -> AuditJSON {
        .object([
            ("what", .object([("identifier", self.identifier(system, self.hex(id)))])),
            ("type", self.coding(self.entityType, "2", "System Object")),
            ("role", self.coding(self.objectRole, role, display)),
        ])
    }

    private static func consents(_ grant: Digest?, system: String = "urn:entente:grant") -> [AuditJSON] {
        guard let grant else { return [] }
        return [
            .object([
                (
                    "what",
                    .object([("type", .text("Consent")), ("identifier", self.identifier(system, self.hex(grant)))])
                ), ("type", self.coding("http://hl7.org/fhir/resource-types", "Consent", "Consent")),
            ])
        ]
    }

    private static func institution(_ id: String) -> AuditJSON {
        .object([("identifier", self.identifier("urn:entente:institution", id)), ("display", .text(id))])
    }

    private static func identifier(_ system: String, _ value: String) -> AuditJSON {
        .object([("system", .text(system)), ("value", .text(value))])
    }

    private static func concept(_ coding: AuditJSON) -> AuditJSON { .object([("coding", .list([coding]))]) }

    private static func coding(_ system: String, _ code: String, _ display: String?) -> AuditJSON {
        .object(
            [("system", .text(system)), ("code", .text(code))] + (display.map { [("display", .text($0))] } ?? [])
        )
    }

    private static func hex(_ digest: Digest) -> String {
        digest.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A FHIR instant in UTC, with milliseconds; years of more than four digits do not come up.
    static func instant(_ time: Timestamp) -> String {
        let day = time.milliseconds.quotientDown(86_400_000)
        let rest = time.milliseconds - day * 86_400_000
        // Days to civil date, after Howard Hinnant's algorithm with eras of 400 years.
        let shifted = day + 719_468
        let era = shifted.quotientDown(146_097)
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let civilDay = dayOfYear - (153 * month + 2) / 5 + 1
        let civilMonth = month < 10 ? month + 3 : month - 9
        let civilYear = year + era * 400 + (civilMonth <= 2 ? 1 : 0)
        func padded(_ value: Int64, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let date = "\(padded(civilYear, 4))-\(padded(civilMonth, 2))-\(padded(civilDay, 2))"
        let clock = "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2))"
        return "\(date)T\(clock).\(padded(rest % 1000, 3))Z"
    }
}

extension Int64 {
    fileprivate func quotientDown(_ divisor: Int64) -> Int64 {
        self / divisor - (self % divisor < 0 ? 1 : 0)
    }
}
