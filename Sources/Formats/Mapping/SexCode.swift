package import Records

/// Reads how sources write a person's administrative sex.
package enum SexCode {
    /// GB/T 2261.1-2003 (and ISO/IEC 5218 for 0, 1, 2 and 9), HL7 v2 table 0001, HL7 v3, FHIR, and words.
    private static let table: [String: PatientDemographics.Sex] = [
        "0": .unknown, "1": .male, "2": .female, "5": .other, "6": .other, "9": .unknown,
        "m": .male, "f": .female, "o": .other, "a": .other, "u": .unknown, "un": .other, "n": .unknown,
        "male": .male, "female": .female, "other": .other, "unknown": .unknown,
        "男": .male, "女": .female, "男性": .male, "女性": .female, "其他": .other, "未知": .unknown, "未说明": .unknown,
        "未知的性别": .unknown, "未说明的性别": .unknown, "不详": .unknown,
    ]

    /// Returns `nil` for a text that is none of the forms: it is refused or left out, never guessed.
    package static func read(_ text: String) -> PatientDemographics.Sex? {
        guard text.utf8.count <= 32 else { return nil }
        return self.table[UnitSpelling.lowercased(UnitFolding.fold(text))]
    }
}
