/// A unit of UCUM as an exact multiple of base units.
///
/// Two units are equal if they are the same amount of the same thing; how they are written does not count.
package struct UCUMUnit: Sendable {
    /// How values in the unit stand to values in base units.
    package enum Scale: Hashable, Sendable {
        /// Value times factor.
        case ratio
        /// Value times factor plus the offset: degrees of temperature.
        case interval(offset: Ratio)
        /// A function that is not computed here (pH, bel, neper); the factor is that of the prefix.
        case logarithmic
    }

    /// The expression as it was read.
    package let code: String
    package let dimension: UnitDimension
    /// Above zero.
    package let factor: Ratio
    package let scale: Scale
    /// Texts in braces, in their order: UCUM gives them no meaning, a reader does.
    package let annotations: [String]
    /// Nothing but annotations, as `{INR}`: a number whose meaning the annotation gives.
    package let isBareAnnotation: Bool
    /// A ratio in which amounts of substance cancel out, as `mmol/mol`.
    package let isAmountFraction: Bool

    /// Whether an annotation says that the numbers are logarithms, as LOINC's `{Log_copies}/mL` does.
    package var isAnnotatedLogarithm: Bool {
        self.annotations.contains { annotation in
            let bytes = annotation.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
            return ["log", "lg"].contains { word in
                // A letter after it makes another word: `logMAR`.
                bytes.starts(with: word.utf8)
                    && !(bytes.dropFirst(word.utf8.count).first.map { (0x61...0x7a).contains($0) } ?? false)
            }
        }
    }

    /// Whether values are numbers that are written without a unit: 1, bare annotations, and pH.
    var isNumber: Bool {
        (self.dimension == .none && self.factor == .one && !self.isAmountFraction) || self.code == "[pH]"
    }

    /// Whether the two measure the same thing, so that the one is a multiple of the other or, of temperatures, shifted.
    package func isCommensurable(with other: UCUMUnit) -> Bool { self.dimension == other.dimension }
}

extension UCUMUnit: Hashable {
    package static func == (left: UCUMUnit, right: UCUMUnit) -> Bool {
        left.dimension == right.dimension && left.factor == right.factor && left.scale == right.scale
            && left.annotations == right.annotations
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.dimension)
        hasher.combine(self.factor)
        hasher.combine(self.annotations)
    }
}

extension UCUMUnit {
    /// Longer than any unit in LOINC by far.
    package static let bytesMax = 256

    /// Reads an expression in the case-sensitive variant of UCUM.
    package init(_ code: some StringProtocol) throws(UnitRefusal) {
        self = try UCUMParser.unit(code, table: .standard)
    }
}
