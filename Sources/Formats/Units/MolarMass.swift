/// The mass of one mole of a substance, in grams.
///
/// It comes from the mapping of an item, never from the item's name.
package struct MolarMass: Hashable, Sendable {
    /// Proteins in laboratories stay below a hundredth of it.
    package static let gramsMax: UInt64 = 1_000_000_000
    /// Atomic weights are not known better.
    package static let digitsMax = 16

    /// Exactly as written.
    package let text: String
    let grams: Ratio

    /// Reads a decimal number of grams per mole above zero.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.digitsMax + 1, let number = DecimalNumber(text), !number.isNegative,
            !number.digits.isZero, text.utf8.allSatisfy({ JSONReader.isDigit($0) || $0 == UInt8(ascii: ".") })
        else { return nil }
        let grams = number.ratio
        guard grams.numerator <= grams.denominator * Natural(Self.gramsMax) else { return nil }
        self.text = text
        self.grams = grams
    }
}
