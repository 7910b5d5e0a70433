/// A code system, whatever name a source gives it: URI, OID, or the name of HL7 v2 table 0396.
package enum CodeSystem: Hashable, Sendable {
    /// One that is known here, by its URI in FHIR.
    case standard(uri: String)
    /// A system of the source's own (`L`, `99xxx` of HL7 table 0396), by its name.
    case local(String)
    /// One that is not known here, as the source names it; an OID as `urn:oid:`.
    case other(String)

    package static let loinc = "http://loinc.org"
    package static let snomed = "http://snomed.info/sct"
    package static let icd10 = "http://hl7.org/fhir/sid/icd-10"
    package static let ucum = "http://unitsofmeasure.org"

    /// URI, OIDs and v2 names, each column separated by spaces and its items by commas; `-` for none.
    private static let table = """
        http://loinc.org 2.16.840.1.113883.6.1 LN
        http://snomed.info/sct 2.16.840.1.113883.6.96 SCT
        http://unitsofmeasure.org 2.16.840.1.113883.6.8 UCUM
        http://hl7.org/fhir/sid/icd-10 2.16.840.1.113883.6.3 I10
        http://hl7.org/fhir/sid/icd-10-cm 2.16.840.1.113883.6.90 I10C
        http://hl7.org/fhir/sid/icd-9-cm 2.16.840.1.113883.6.103,2.16.840.1.113883.6.104 I9C,I9CDX,I9CP
        http://www.nlm.nih.gov/research/umls/rxnorm 2.16.840.1.113883.6.88 RXNORM
        http://www.ama-assn.org/go/cpt 2.16.840.1.113883.6.12 C4,CPTM
        http://hl7.org/fhir/sid/cvx 2.16.840.1.113883.12.292 CVX
        http://hl7.org/fhir/sid/ndc 2.16.840.1.113883.6.69 NDC
        http://www.whocc.no/atc 2.16.840.1.113883.6.73 ATC
        http://dicom.nema.org/resources/ontology/DCM 1.2.840.10008.2.16.4 DCM
        http://hl7.org/fhir/sid/us-ssn 2.16.840.1.113883.4.1 -
        http://hl7.org/fhir/sid/us-npi 2.16.840.1.113883.4.6 NPI
        urn:iso:std:iso:3166 2.16.840.1.113883.5.1002 ISO3166_1
        http://terminology.hl7.org/CodeSystem/v3-ActClass 2.16.840.1.113883.5.6 -
        http://terminology.hl7.org/CodeSystem/v3-ActCode 2.16.840.1.113883.5.4 -
        http://terminology.hl7.org/CodeSystem/v3-ActStatus 2.16.840.1.113883.5.14 -
        http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender 2.16.840.1.113883.5.1 -
        http://terminology.hl7.org/CodeSystem/v3-Confidentiality 2.16.840.1.113883.5.25 -
        http://terminology.hl7.org/CodeSystem/v3-NullFlavor 2.16.840.1.113883.5.1008 -
        http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation 2.16.840.1.113883.5.83 -
        http://terminology.hl7.org/CodeSystem/v3-RoleCode 2.16.840.1.113883.5.111 -
        """

    private static let uris: [String: String] = {
        var uris: [String: String] = [:]
        for line in Self.table.split(separator: "\n") {
            let columns = line.split(separator: " ").map(String.init)
            uris[columns[0]] = columns[0]
            for name in columns[1].split(separator: ",") + columns[2].split(separator: ",") where name != "-" {
                uris[String(name)] = columns[0]
            }
        }
        return uris
    }()

    /// Where HL7 keeps the URIs of its own systems and of those that have none.
    private static let standardRoots = ["http://terminology.hl7.org/CodeSystem/", "http://hl7.org/fhir/sid/"]

    /// HL7 v2 tables have OIDs under this one (`HL7nnnn` in table 0396).
    private static let v2Tables = "2.16.840.1.113883.12."

    /// Recognises a system by any of its names; letters of v2 names may be small.
    package init(recognising text: String) {
        var name = text[...]
        if name.utf8.starts(with: "urn:oid:".utf8) { name = name.dropFirst(8) }
        while name.last == "/" { name.removeLast() }
        let capitals = String(
            decoding: name.utf8.map { (0x61...0x7a).contains($0) ? $0 - 0x20 : $0 },
            as: UTF8.self
        )
        if let uri = Self.uris[String(name)] ?? Self.uris[capitals] {
            self = .standard(uri: uri)
        } else if let table = Self.v2Table(String(name), capitals) {
            self = .standard(uri: "http://terminology.hl7.org/CodeSystem/v2-" + table)
        } else if Self.standardRoots.contains(where: { name.utf8.starts(with: $0.utf8) }) {
            self = .standard(uri: String(name))
        } else if capitals == "L" || (capitals.utf8.starts(with: "99".utf8) && capitals.utf8.count <= 20) {
            self = .local(capitals)
        } else {
            self = .other(Self.isOID(name) ? "urn:oid:" + name : text)
        }
    }

    private static func isOID(_ name: Substring) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, (UInt8(ascii: "0")...UInt8(ascii: "2")).contains(first), name.contains(".")
        else {
            return false
        }
        return bytes.allSatisfy { JSONReader.isDigit($0) || $0 == UInt8(ascii: ".") }
    }

    /// Four digits of an HL7 table.
    private static func v2Table(_ name: String, _ capitals: String) -> String? {
        var digits: Substring
        if capitals.utf8.starts(with: "HL7".utf8) {
            digits = capitals.dropFirst(3)
            guard digits.utf8.count == 4 else { return nil }
        } else if name.utf8.starts(with: Self.v2Tables.utf8) {
            digits = name.dropFirst(Self.v2Tables.utf8.count)
        } else {
            return nil
        }
        guard (1...4).contains(digits.utf8.count), digits.utf8.allSatisfy(JSONReader.isDigit) else { return nil }
        return String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }

    /// URI of a known system, else the system's own name.
    package var name: String {
        switch self {
        case .standard(let name), .local(let name), .other(let name): name
        }
    }

    package var isStandard: Bool {
        if case .standard = self { true } else { false }
    }
}
