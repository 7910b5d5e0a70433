import Formats
import Foundation
import Primitives
import Testing

@Suite("Audit events after IHE BALP")
struct AuditEventTests {
    private static let reader = AuditEntry.Reader(
        institution: "b",
        clinician: "lin",
        name: "林医生 \"L\"",
        department: "呼吸内科\n"
    )
    private static let record = Digest(hashing: [1])
    private static let grant = Digest(hashing: [2])
    private static let time = Timestamp(milliseconds: 1_791_418_500_123)

    private static func entries(at own: String, custodian: String = "a", purpose: String = "TREAT") -> [AuditEntry] {
        AuditEntry.entries(
            at: own,
            reader: self.reader,
            record: self.record,
            custodian: custodian,
            grant: custodian == "b" ? nil : self.grant,
            time: self.time,
            purpose: purpose
        )
    }

    private static var all: [(own: String, profile: String?, entry: AuditEntry)] {
        [
            ("a", "PrivacyDisclosure.Source", self.entries(at: "a")[0]),
            ("b", "PrivacyDisclosure.Recipient", self.entries(at: "b")[0]),
            ("b", "AuthZconsent", self.entries(at: "b")[1]),
            ("b", "PatientRead", self.entries(at: "b", custodian: "b")[0]),
            (
                "a", "PatientUpdate",
                AuditEntry(.revoked(grant: self.grant, by: "patient"), time: self.time, purpose: "TREAT")
            ),
            (
                "a", nil,
                AuditEntry(
                    .emergency(self.grant, institution: "b", reason: "unconscious"),
                    time: self.time,
                    purpose: "BTG"
                )
            ),
        ]
    }

    private static func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    private static func text(_ value: Any?) throws -> String {
        let value = try #require(value)
        return String(decoding: try JSONSerialization.data(withJSONObject: value, options: .sortedKeys), as: UTF8.self)
    }

    private static func codes(_ value: Any?) -> [String] {
        if let list = value as? [Any] { return list.flatMap { self.codes($0) } }
        guard let object = value as? [String: Any] else { return [] }
        if let coding = object["coding"] { return self.codes(coding) }
        return ["\(object["system"] as? String ?? "")#\(object["code"] as? String ?? "")"]
    }

    private static let dicom = "http://dicom.nema.org/resources/ontology/DCM#"
    private static let terminology = "http://terminology.hl7.org/CodeSystem/"

    /// What each pattern fixes: type, one of the subtypes, action, the types of agents with who and whether a network is
    /// needed, and which agent must be the observer.
    private static let patterns:
        [String: (type: String, subtype: String, action: String, agents: [String], own: String)] = [
            "PrivacyDisclosure.Source": (
                dicom + "110106", terminology + "iso-21089-lifecycle#disclose", "R",
                [dicom + "110153", dicom + "110152"],
                dicom + "110153"
            ),
            "PrivacyDisclosure.Recipient": (
                dicom + "110107", terminology + "iso-21089-lifecycle#disclose", "C",
                [dicom + "110153", dicom + "110152"],
                dicom + "110152"
            ),
            "PatientRead": (
                terminology + "audit-event-type#rest", "http://hl7.org/fhir/restful-interaction#read", "R",
                [dicom + "110152", dicom + "110153", terminology + "v3-ParticipationType#IRCP"], dicom + "110153"
            ),
            "PatientUpdate": (
                terminology + "audit-event-type#rest", "http://hl7.org/fhir/restful-interaction#update", "U",
                [dicom + "110153", dicom + "110152"], dicom + "110152"
            ),
            "AuthZconsent": (
                dicom + "110113", "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType#AuthZ-Consent", "E",
                [
                    dicom + "110150", terminology + "v3-ParticipationType#IRCP", terminology + "v3-RoleClass#PROV",
                    terminology + "extra-security-role-type#authserver",
                ], terminology + "extra-security-role-type#authserver"
            ),
        ]

    @Test("Every event has what FHIR R4 asks of all and its pattern of it")
    func structure() throws {
        for (own, profile, entry) in Self.all {
            let event = try Self.object(AuditEventWriter(institution: own, patient: nil).line(entry))
            #expect(event["resourceType"] as? String == "AuditEvent")
            #expect((event["id"] as? String)?.count == 64)
            #expect(event["recorded"] as? String == "2026-10-08T00:15:00.123Z")
            #expect(event["outcome"] as? String == "0")
            let agents = try #require(event["agent"] as? [[String: Any]])
            #expect(!agents.isEmpty && agents.allSatisfy { $0["requestor"] is Bool && $0["who"] != nil })
            let observer = try Self.text((event["source"] as? [String: Any])?["observer"])
            let entities = try #require(event["entity"] as? [[String: Any]])
            #expect(entities.filter { Self.codes($0["type"]) == [Self.terminology + "audit-entity-type#1"] }.count == 1)
            #expect(entities.allSatisfy { $0["what"] != nil })
            guard let profile else {
                #expect(Self.codes(event["subtype"]) == [Self.dicom + "110127"])
                #expect(Self.codes(event["purposeOfEvent"]) == [Self.terminology + "v3-ActReason#BTG"])
                continue
            }
            let url = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit." + profile
            #expect((event["meta"] as? [String: Any])?["profile"] as? [String] == [url])
            let pattern = try #require(Self.patterns[profile])
            #expect(Self.codes(event["type"]) == [pattern.type])
            #expect(Self.codes(event["subtype"]).contains(pattern.subtype))
            #expect(event["action"] as? String == pattern.action)
            for type in pattern.agents {
                let agent = try #require(agents.first { Self.codes($0["type"]) == [type] }, "\(profile) \(type)")
                let isMachine = type.hasPrefix(Self.dicom)
                #expect((agent["network"] != nil) == isMachine, "\(profile) \(type)")
                // The patterns' invariant val-audit-source, where there is one.
                if type == pattern.own { #expect(try Self.text(agent["who"]) == observer, "\(profile)") }
            }
            #expect(entities.count >= 2)
            if profile == "AuthZconsent" {
                #expect(entities.count == 2, "closed: patient and consent")
                #expect(Self.codes(entities[1]["type"]) == ["http://hl7.org/fhir/resource-types#Consent"])
            }
        }
    }

    @Test("A reading is accounted for at its source and at its recipient, and by nobody else")
    func sides() {
        #expect(Self.entries(at: "a").count == 1)
        #expect(Self.entries(at: "b").count == 2)
        #expect(Self.entries(at: "c").isEmpty)
        #expect(Self.entries(at: "a", custodian: "b").isEmpty)
    }

    @Test("The same entry gives the same line, another one another id, and no line names the patient unasked")
    func determinism() throws {
        var ids: Set<String> = []
        for (own, _, entry) in Self.all {
            let writer = AuditEventWriter(institution: own, patient: nil)
            let line = writer.line(entry)
            #expect(line == writer.line(entry))
            #expect(!line.contains("\n") && !line.contains("999999"))
            ids.insert(try #require(try Self.object(line)["id"] as? String))
            let named = AuditEventWriter(institution: own, patient: "CN-RIC:999999195803121043").line(entry)
            #expect(named.contains("CN-RIC:999999195803121043"))
        }
        #expect(ids.count == Self.all.count)
        let text = AuditEventWriter(institution: "a", patient: nil).line(Self.entries(at: "a")[0])
        #expect(text.contains(#""name":"林医生 \"L\"""#) && text.contains(#"呼吸内科\u000a"#))
    }
}
