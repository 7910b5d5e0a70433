/// Why a unit is not read, or a value not converted.
package enum UnitRefusal: String, FormatRefusalCode, Error {
    // The expression.
    case empty = "unit.empty"
    case tooLong = "unit.too-long"
    case tooLarge = "unit.too-large"
    case tooDeep = "unit.too-deep"
    case syntax = "unit.syntax"
    case unknown = "unit.unknown"
    case badAnnotation = "unit.bad-annotation"
    case badExponent = "unit.bad-exponent"
    case zeroFactor = "unit.zero-factor"
    case specialInProduct = "unit.special-in-product"
    case ambiguous = "unit.ambiguous"
    // The conversion.
    case badNumber = "unit.bad-number"
    case notCommensurable = "unit.not-commensurable"
    case logarithmic = "unit.logarithmic"
    case annotationsDiffer = "unit.annotations-differ"
    case amountFraction = "unit.amount-fraction"
    case molarMassMissing = "unit.molar-mass-missing"

    package var message: String {
        switch self {
        case .empty: "There is no unit."
        case .tooLong: "The unit is longer than any unit is."
        case .tooLarge: "The unit's factor is larger or smaller than any quantity needs."
        case .tooDeep: "The unit's parentheses are nested too deeply."
        case .syntax: "The unit is not written by the grammar of UCUM."
        case .unknown: "The unit, or a part of it, is not in the table of units."
        case .badAnnotation:
            "The unit's annotation is not closed, or holds a brace, a space or a character outside ASCII."
        case .badExponent: "The unit's exponent is not a whole number from -99 to 99."
        case .zeroFactor: "The unit has the factor zero."
        case .specialInProduct: "A unit with a zero point of its own, or a logarithmic one, is part of a product."
        case .ambiguous: "The unit is written in a way that has more than one meaning in use."
        case .badNumber: "The value is not a decimal number, or has too many digits."
        case .notCommensurable: "The two units measure different things."
        case .logarithmic: "A logarithmic unit is converted only into multiples of itself."
        case .annotationsDiffer: "The two units are annotated as amounts of different things."
        case .amountFraction:
            "A ratio of amounts of substance is not a plain fraction: the two may be scales of their own."
        case .molarMassMissing: "Mass and amount of substance are converted only by the substance's molar mass."
        }
    }
}
