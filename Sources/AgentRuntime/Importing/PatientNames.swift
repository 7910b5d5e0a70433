internal import Formats
package import Primitives
package import Records

/// The identifiers under which a patient of an input is listed: the strongest first, under which the exams are listed,
/// then the others, under which the person is found as well.
package enum PatientNames {
    /// Beyond a card, a passport, a driver's licence and two hospital numbers, more names only grow the index.
    static let namesMax = 5

    /// - Returns: Nothing if no identifier can name the person.
    package static func identifiers(
        of patient: PatientDemographics,
        institution: InstitutionID
    ) -> [PatientIdentifier] {
        var found: [(rank: Int, identifier: PatientIdentifier)] = []
        for identifier in patient.identifiers {
            let system = Self.system(of: identifier, institution)
            guard let read = try? PatientIdentifier(system: system, value: identifier.value.composedIdentifier) else {
                continue
            }
            found.append((Self.rank(read, type: identifier.type), read))
        }
        if let id = patient.sourceID,
            let read = try? PatientIdentifier(system: "MRN@\(institution)", value: id.composedIdentifier)
        {
            found.append((9, read))
        }
        var seen: Set<PatientIdentifier> = []
        return found.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element.identifier).filter { seen.insert($0).inserted }.prefix(Self.namesMax).map { $0 }
    }

    /// An identifier without a system, or with one that has a local name only, is a number of this institution.
    private static func system(of identifier: SourceIdentifier, _ institution: InstitutionID) -> String {
        guard let system = identifier.system else { return "MRN@\(institution)" }
        // Two hospitals may use the same local name for different numbers.
        for prefix in [DICOMIssuer.localPrefix, HL7v2Namespace.localPrefix] where system.hasPrefix(prefix) {
            return "MRN@\(institution)/\(system.dropFirst(prefix.count))"
        }
        return system
    }

    /// Lower is stronger.
    ///
    /// A number of one hospital names a person only there; a national one everywhere.
    private static func rank(_ identifier: PatientIdentifier, type: CodedConcept?) -> Int {
        switch identifier.system {
        case PatientIdentifier.residentIdentityCard: return 0
        case PatientIdentifier.passport: return 1
        case "http://hl7.org/fhir/sid/us-ssn", "urn:oid:2.16.840.1.113883.4.1": return 2
        default: break
        }
        // HL7 v2 table 0203.
        switch type?.codings.compactMap(\.code).first {
        case "NI", "SS", "NNCHN": return 3
        case "PPN", "DL", "HC", "JHN": return 4
        case "MR", "PI", "MRT": return 7
        default: return 6
        }
    }
}
