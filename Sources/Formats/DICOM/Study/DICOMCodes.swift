import Records

/// Names of bodies that issue identifiers.
package enum DICOMIssuer {
    /// Begins the system of an identifier whose issuer has a local name only.
    ///
    /// Two institutions may use the same name, so that such a system tells persons apart within one institution only.
    package static let localPrefix = "urn:dicom:issuer:"
}

extension DICOMDataSet {
    /// The first item of a code sequence (PS3.3 section 8.8) as a coding; `nil` if there is none.
    func coding(_ tag: DICOMTag) throws(DICOMFault) -> Coding? { try self.items(tag).first?.asCoding() }

    /// All items of a code sequence.
    func codings(_ tag: DICOMTag) throws(DICOMFault) -> [Coding] {
        var codings: [Coding] = []
        for item in try self.items(tag) { if let coding = try item.asCoding() { codings.append(coding) } }
        return codings
    }

    /// This item as a coding; `nil` for an item without any element.
    private func asCoding() throws(DICOMFault) -> Coding? {
        guard !self.elements.isEmpty else { return nil }
        let meaning = try self.string(.codeMeaning)
        if let urn = try self.string(.urnCodeValue) { return Coding(system: nil, code: urn, display: meaning) }
        let short = try self.string(.codeValue)
        let long = short == nil ? try self.string(.longCodeValue) : nil
        guard let code = short ?? long else {
            // A meaning without a code still says something to a reader; nothing at all does not.
            guard meaning != nil else { throw self.fault(.badCode, .codeValue) }
            return Coding(system: nil, code: nil, display: meaning)
        }
        guard let scheme = try self.string(.codingSchemeDesignator) else {
            throw self.fault(.badCode, .codingSchemeDesignator)
        }
        return Coding(system: Self.systems[scheme] ?? scheme, code: code, display: meaning)
    }

    /// RFC 3986 section 3.1; also keeps short names of systems, which are no URIs, from being claimed by a file.
    private static func hasScheme(_ text: String) -> Bool {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), colon != text.startIndex else { return false }
        return text.utf8[..<colon].allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    static var dicomOntology: String { "http://dicom.nema.org/resources/ontology/DCM" }

    /// Coding schemes that have a URI in FHIR (PS3.16 section 8); others keep their designator.
    private static let systems: [String: String] = [
        "DCM": Self.dicomOntology,
        "SCT": "http://snomed.info/sct",
        "LN": "http://loinc.org",
        "UCUM": "http://unitsofmeasure.org",
        "I10": "http://hl7.org/fhir/sid/icd-10",
        "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
        "RADLEX": "http://radlex.org",
    ]

    /// A namespace from a local name and a universal identifier (PS3.3 table 10-17), as a URI.
    ///
    /// A local name means something within its institution only, and its URI says so.
    func namespace(local: DICOMTag) throws(DICOMFault) -> String? {
        if let id = try self.string(.universalEntityID) {
            switch try self.string(.universalEntityIDType) {
            case "ISO" where Self.isUID(id): return "urn:oid:\(id)"
            case "UUID": return "urn:uuid:\(id.lowercased())"
            case "URI" where Self.hasScheme(id): return id
            case "DNS", "EUI64", "X400", "X500": return DICOMIssuer.localPrefix + id
            default: break
            }
        }
        return try self.string(local).map { DICOMIssuer.localPrefix + $0 }
    }
}
