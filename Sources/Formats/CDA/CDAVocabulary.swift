import Records

/// Object identifiers that CDA documents name systems by.
enum CDAVocabulary {
    /// Code systems that FHIR names by another URI than their OID (FHIR R4 section 4.3), so that a code has one name
    /// whatever format brought it.
    private static let codeSystems: [String: String] = [
        "2.16.840.1.113883.6.1": "http://loinc.org",
        "2.16.840.1.113883.6.96": "http://snomed.info/sct",
        "2.16.840.1.113883.6.8": "http://unitsofmeasure.org",
        "2.16.840.1.113883.6.12": "http://www.ama-assn.org/go/cpt",
        "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
        "2.16.840.1.113883.6.3": "http://hl7.org/fhir/sid/icd-10",
        "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
        "2.16.840.1.113883.6.103": "http://hl7.org/fhir/sid/icd-9-cm",
        "2.16.840.1.113883.5.1": "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender",
        "2.16.840.1.113883.5.4": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "2.16.840.1.113883.5.25": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        "2.16.840.1.113883.5.83": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
        "2.16.840.1.113883.5.1008": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor",
        "1.2.840.10008.2.16.4": "http://dicom.nema.org/resources/ontology/DCM",
    ]

    static let ucum = "http://unitsofmeasure.org"
    static let loinc = "http://loinc.org"
    static let dicom = "http://dicom.nema.org/resources/ontology/DCM"
    static let cpt = "http://www.ama-assn.org/go/cpt"
    static let nullFlavors = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
    static let absentReasons = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
    /// 卫生信息数据元目录, the data elements of WS 363.
    static let chineseDataElements = "urn:oid:2.16.156.10011.2.2.1"
    /// 卫生信息共享文档规范编码体系, the document types of WS/T 500.
    static let chineseDocuments = "urn:oid:2.16.156.10011.2.4"

    /// The URI of a code system.
    static func system(ofCodes root: String) -> String { self.codeSystems[root] ?? self.uri(root) }

    /// A root as a URI: most are OIDs, some UUIDs.
    static func uri(_ root: String) -> String {
        if root.utf8.allSatisfy({ CDATime.isDigit($0) || $0 == UInt8(ascii: ".") }) { return "urn:oid:" + root }
        return self.isUUID(root) ? "urn:uuid:" + root.lowercased() : root
    }

    private static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.enumerated().allSatisfy { index, byte in
            [8, 13, 18, 23].contains(index)
                ? byte == UInt8(ascii: "-") : Character(UnicodeScalar(byte)).isHexDigit
        }
    }

    // MARK: China, WS/T 500-2016

    /// Resident identity card.
    static let chineseIdentityCard = "2.16.156.10011.1.3"

    /// Numbers of a report, a request or a specimen that WS/T 500 puts among the ids of the patient.
    ///
    /// They name no person, and would join all patients who ever had the same number.
    static let chineseOrderNumbers: [String: String] = [
        "2.16.156.10011.1.14": "检验标本编号",
        "2.16.156.10011.1.24": "电子申请单编号",
        "2.16.156.10011.1.32": "检查报告单编号",
        "2.16.156.10011.1.33": "检验报告单编号",
    ]

    /// Numbers that every hospital gives by itself under one OID for the whole country.
    static let chineseHospitalNumbers: [String: String] = [
        "2.16.156.10011.1.10": "就诊卡号",
        "2.16.156.10011.1.11": "门(急)诊号",
        "2.16.156.10011.1.12": "住院号",
        "2.16.156.10011.1.13": "病案号",
    ]
}
