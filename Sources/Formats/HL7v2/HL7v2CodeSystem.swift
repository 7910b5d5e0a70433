/// URIs of the code systems that HL7 table 0396 names, as the v2-to-FHIR guide gives them.
enum HL7v2CodeSystem {
    static let ucum = "http://unitsofmeasure.org"
    static let loinc = "http://loinc.org"
    static let interpretation = "http://terminology.hl7.org/CodeSystem/v2-0078"
    static let resultStatus = "http://terminology.hl7.org/CodeSystem/v2-0085"
    static let documentType = "http://terminology.hl7.org/CodeSystem/v2-0270"
    static let identifierType = "http://terminology.hl7.org/CodeSystem/v2-0203"

    /// The URI of a name in a field; a name that is not known, such as `L` or `99LAB`, is kept as it is written.
    static func uri(_ name: String) -> String {
        if let known = Self.names[name] { return known }
        if name.hasPrefix("HL7"), let table = Self.table(name.dropFirst(3)) { return table }
        // OIDs, such as 2.16.840.1.113883.6.1.
        if name.utf8.count > 3, name.utf8.contains(UInt8(ascii: ".")),
            name.utf8.allSatisfy({ JSONReader.isDigit($0) || $0 == UInt8(ascii: ".") })
        {
            return Self.oids[name] ?? "urn:oid:\(name)"
        }
        return name
    }

    /// `HL70078` and `HL7nnnn`.
    private static func table(_ digits: Substring) -> String? {
        guard digits.utf8.count == 4, digits.utf8.allSatisfy({ JSONReader.isDigit($0) }) else { return nil }
        return "http://terminology.hl7.org/CodeSystem/v2-\(digits)"
    }

    private static let names: [String: String] = [
        "LN": loinc, "LOINC": loinc,
        "UCUM": ucum, "SCT": "http://snomed.info/sct", "SNOMED-CT": "http://snomed.info/sct",
        "SNM": "http://terminology.hl7.org/CodeSystem/SNM", "ISO+": "http://terminology.hl7.org/CodeSystem/ISOplus",
        "ANS+": "http://terminology.hl7.org/CodeSystem/ANSplus",
        "I9": "http://hl7.org/fhir/sid/icd-9-cm", "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
        "I10": "http://hl7.org/fhir/sid/icd-10", "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
        "C4": "http://www.ama-assn.org/go/cpt", "CPT": "http://www.ama-assn.org/go/cpt",
        "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm", "NDC": "http://hl7.org/fhir/sid/ndc",
        "CVX": "http://hl7.org/fhir/sid/cvx", "MVX": "http://hl7.org/fhir/sid/mvx",
        "CDCREC": "urn:oid:2.16.840.1.113883.6.238", "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    ]

    private static let oids: [String: String] = [
        "2.16.840.1.113883.6.1": loinc, "2.16.840.1.113883.6.8": ucum,
        "2.16.840.1.113883.6.96": "http://snomed.info/sct",
        "2.16.840.1.113883.6.3": "http://hl7.org/fhir/sid/icd-10",
        "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
        "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
    ]
}

/// Names of namespaces that mean something only where they were given.
package enum HL7v2Namespace {
    /// Begins the system of an identifier whose assigner has a local name and no universal one.
    ///
    /// After it follow the sending facility, a slash and the local name. Two hospitals may use the same names, so a
    /// caller adds the institution before it compares such systems across institutions.
    package static let localPrefix = "urn:hl7v2:local:"

    /// The URI of a universal ID of the type that HL7 table 0301 names; `nil` without a universal ID.
    static func universal(_ id: String?, type: String?) -> String? {
        guard let id else { return nil }
        let isOID = id.utf8.allSatisfy { JSONReader.isDigit($0) || $0 == UInt8(ascii: ".") }
        switch type?.uppercased() {
        case "ISO": return "urn:oid:\(id)"
        case nil where isOID && id.utf8.contains(UInt8(ascii: ".")): return "urn:oid:\(id)"
        case "UUID", "GUID": return "urn:uuid:\(id.lowercased())"
        case "URI", "URL": return id
        case nil, "L", "M", "N": return nil  // Local by their own word.
        case let type?: return "urn:hl7v2:\(type.lowercased()):\(id)"
        }
    }
}
