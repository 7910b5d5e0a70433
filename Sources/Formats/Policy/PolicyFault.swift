/// Why a text is not a policy pack at all; what is wrong with the rules of one that is, its findings say.
package enum PolicyRefusal: String, FormatRefusalCode {
    case badShape = "policy.bad-shape"
    case unknownKey = "policy.unknown-key"
    case duplicateKey = "policy.duplicate-key"
    case missing = "policy.missing"
    case badText = "policy.bad-text"
    case notComposed = "policy.not-composed"
    case badTime = "policy.bad-time"
    case badNumber = "policy.bad-number"
    case badDecimal = "policy.bad-decimal"
    case badWord = "policy.bad-word"
    case badScope = "policy.bad-scope"
    case badAge = "policy.bad-age"

    package var message: String {
        switch self {
        case .badShape: "An element has the wrong shape: map, list or plain value."
        case .unknownKey: "A key is none that a policy pack has here."
        case .duplicateKey: "A key occurs twice in one map."
        case .missing: "A required key is missing."
        case .badText: "A text is empty, too long, begins or ends with a space, or holds control characters."
        case .notComposed: "A text has characters that are not composed (Unicode form C)."
        case .badTime: "The time does not exist or is not written YYYY-MM-DDThh:mm:ss with an offset."
        case .badNumber: "The number is no whole number from 0, or too large."
        case .badDecimal: "The number is no decimal of at most 18 digits, without exponent."
        case .badWord: "The word is none of those that may stand here."
        case .badScope: "The scope is none of national, pact:NAME, area:CODE/CODE, consortium:NAME."
        case .badAge: "The age is not written as a number with d, w, m or y, such as 28d or 14y."
        }
    }
}

/// What is wrong with the text of a policy pack, and where.
package struct PolicyFault: Error, Hashable, Sendable {
    package let refusal: PolicyRefusal
    /// Keys and positions from the top, such as `items[3].unit`; positions count from 0.
    package let path: String

    init(_ refusal: PolicyRefusal, at path: String) {
        self.refusal = refusal
        self.path = path
    }
}
