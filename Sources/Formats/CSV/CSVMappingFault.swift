/// Why a mapping is not one.
package enum CSVMappingRefusal: String, FormatRefusalCode {
    case syntax = "csv.mapping-syntax"
    case version = "csv.mapping-version"
    case unknownKey = "csv.mapping-unknown-key"
    case duplicateKey = "csv.mapping-duplicate-key"
    case missingKey = "csv.mapping-missing-key"
    case wrongKind = "csv.mapping-wrong-kind"
    case badValue = "csv.mapping-bad-value"
    case tooLarge = "csv.mapping-too-large"

    package var message: String {
        switch self {
        case .syntax: "The text of the mapping cannot be read."
        case .version: "The mapping does not begin with the version of the form that this release reads."
        case .unknownKey: "The mapping has a key that means nothing here."
        case .duplicateKey: "A key occurs twice."
        case .missingKey: "The mapping lacks a key that it must have."
        case .wrongKind: "A text, a list or a map stands where another of them must."
        case .badValue: "A text is none of those that may stand here."
        case .tooLarge: "The mapping is larger than the importer takes."
        }
    }
}

/// What is wrong with a mapping, and where.
package struct CSVMappingFault: Error, Hashable, Sendable {
    package var refusal: CSVMappingRefusal
    /// Keys from the outermost in, such as `patient.identifiers[0].column`.
    package var path: String

    package init(_ refusal: CSVMappingRefusal, _ path: String) {
        self.refusal = refusal
        self.path = path
    }
}
