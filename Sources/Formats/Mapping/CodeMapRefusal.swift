/// Why a code map is not accepted.
package enum CodeMapRefusal: String, FormatRefusalCode {
    case badShape = "map.bad-shape"
    case unknownKey = "map.unknown-key"
    case duplicateKey = "map.duplicate-key"
    case missing = "map.missing"
    case badText = "map.bad-text"
    case notComposed = "map.not-composed"
    case badDate = "map.bad-date"
    case badCode = "map.bad-code"
    case badUnit = "map.bad-unit"
    case badMolarMass = "map.bad-molar-mass"
    case duplicateItem = "map.duplicate-item"
    case duplicateEntry = "map.duplicate-entry"
    case unknownItem = "map.unknown-item"
    case tooLarge = "map.too-large"

    package var message: String {
        switch self {
        case .badShape: "An element has the wrong shape: map, list or plain value."
        case .unknownKey: "A key is none that a code map has here."
        case .duplicateKey: "A key occurs twice in one map."
        case .missing: "A required key is missing."
        case .badText: "A text is empty, too long, begins or ends with a space, or holds control characters."
        case .notComposed: "A text has characters that are not composed (Unicode form C)."
        case .badDate: "The date does not exist or is not written YYYY-MM-DD."
        case .badCode: "The code has not the form of its code system, or its check digit is wrong."
        case .badUnit: "The unit is not an expression of UCUM."
        case .badMolarMass: "The molar mass is no number above zero, or the unit has neither mass nor amount in it."
        case .duplicateItem: "The catalogue has the code twice."
        case .duplicateEntry: "The same local code is mapped twice."
        case .unknownItem: "The catalogue has no item with the code that a local code is mapped to."
        case .tooLarge: "The map has more items or entries than one may have."
        }
    }
}

/// What is wrong with a code map, and where.
package struct CodeMapFault: Error, Hashable, Sendable {
    package let refusal: CodeMapRefusal
    /// Keys and positions from the top, such as `items[3].unit`; positions count from 0.
    package let path: String

    init(_ refusal: CodeMapRefusal, at path: String) {
        self.refusal = refusal
        self.path = path
    }
}
