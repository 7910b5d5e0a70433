/// The refusals of one format or one part of the import, each with its code as raw value.
///
/// The codes are stable: scripts and the quarantine's readers depend on them.
package protocol FormatRefusalCode: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
    /// One sentence for people; it names elements, never their content.
    var message: String { get }
}

extension FormatRefusalCode {
    package var code: String { self.rawValue }
}

/// Why a piece of input is not imported.
package struct FormatRefusal: Error, Hashable, Sendable {
    /// Stable and dotted, such as `fhir.bad-date`.
    package let code: String
    /// One sentence for people; it names elements, never their content.
    package let message: String

    package init(_ refusal: some FormatRefusalCode) {
        self.code = refusal.code
        self.message = refusal.message
    }
}

/// Why an exam cannot be filed under a patient, whatever its format.
package enum SubjectRefusal: String, FormatRefusalCode {
    case missing = "subject.missing"
    case notAPatient = "subject.not-patient"
    case unresolved = "subject.unresolved"
    case unidentified = "subject.unidentified"

    package var message: String {
        switch self {
        case .missing: "The result does not say whose it is."
        case .notAPatient: "The result is not a patient's."
        case .unresolved: "The patient that the result names is not in the input."
        case .unidentified: "The patient has neither an identifier nor an id."
        }
    }
}
