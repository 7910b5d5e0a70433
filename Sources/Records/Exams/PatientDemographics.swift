/// Who a patient is according to the source of an exam.
package struct PatientDemographics: Hashable, Sendable {
    /// The id that the source gives the patient; it means nothing outside that source.
    package var sourceID: String?
    package var identifiers: [SourceIdentifier]
    /// The official name where there are several.
    package var name: PersonName?
    package var sex: Sex?
    package var birthDate: ClinicalTime?

    package init(
        sourceID: String? = nil,
        identifiers: [SourceIdentifier],
        name: PersonName? = nil,
        sex: Sex? = nil,
        birthDate: ClinicalTime? = nil
    ) {
        self.sourceID = sourceID
        self.identifiers = identifiers
        self.name = name
        self.sex = sex
        self.birthDate = birthDate
    }

    /// Administrative sex (FHIR R4 AdministrativeGender).
    package enum Sex: String, Hashable, Sendable {
        case male, female, other, unknown
    }
}

/// A person's name in the parts that the source gives.
package struct PersonName: Hashable, Sendable {
    /// The whole name as the source writes it.
    package var text: String?
    package var family: String?
    package var given: [String]

    package init(text: String?, family: String?, given: [String]) {
        self.text = text
        self.family = family
        self.given = given
    }

    /// The whole name: the source's own text, else family name, then given names.
    ///
    /// Chinese names are written without a space, and their given names are rarely given apart; a source that cares
    /// about the order sends the text.
    package var label: String? {
        if let text = self.text { return text }
        let parts = (self.family.map { [$0] } ?? []) + self.given
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }
}
