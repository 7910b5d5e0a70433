/// A value in another unit.
package struct ConvertedValue: Hashable, Sendable {
    /// Decimal number; its digits are all that the source supports.
    package let text: String
    /// Power of ten of the last digit that counts: 1 where `160` stands for 16 tens.
    package let step: Int
    /// Whether nothing was rounded.
    package let isExact: Bool
}

/// Turns values of one unit into values of another, exactly, with one rounding at the end.
///
/// How many digits: the source's last digit stands for an amount in the new unit, its step. The result's step is the
/// largest power of ten that is not above it. So the result has the significant digits of the source, or one more where
/// fewer would make two different source values equal; a factor that is a power of ten changes no digit.
///
/// Rounding: to the nearest, halves to the even digit (GB/T 8170-2008, ISO 80000-1:2022 annex B rule A).
///
/// A conversion keeps the order of values: `<` and `>` before them stay true.
package struct UnitConversion: Hashable, Sendable {
    private let factor: Ratio
    private let offset: Ratio

    /// The way from one unit to another.
    ///
    /// `molarMass` leads from mass to amount of substance and back, where exactly one mole in the numerator of the one
    /// stands for one mass in the numerator of the other.
    package init(from source: UCUMUnit, to target: UCUMUnit, molarMass: MolarMass? = nil) throws(UnitRefusal) {
        try Self.checkMeaning(source, target)
        var factor = source.factor * (target.factor.inverse ?? .one)
        if source.dimension != target.dimension {
            factor = factor * (try Self.molarFactor(source.dimension, target.dimension, molarMass))
        }
        var offset = Ratio.zero
        switch (source.scale, target.scale) {
        case (.ratio, .ratio), (.logarithmic, .logarithmic): break
        case (.logarithmic, _), (_, .logarithmic): throw .logarithmic
        default:
            let inverse = target.factor.inverse ?? .one
            offset = Self.offset(source.scale) * inverse + -(Self.offset(target.scale) * inverse)
        }
        self.factor = factor
        self.offset = offset
    }

    private static func offset(_ scale: UCUMUnit.Scale) -> Ratio {
        if case .interval(let offset) = scale { offset } else { .zero }
    }

    /// Refuses what UCUM's algebra allows and medicine does not.
    private static func checkMeaning(_ source: UCUMUnit, _ target: UCUMUnit) throws(UnitRefusal) {
        if source.isAnnotatedLogarithm || target.isAnnotatedLogarithm {
            guard source == target else { throw .logarithmic }
        }
        let annotations = (source.annotations, target.annotations)
        if !annotations.0.isEmpty, !annotations.1.isEmpty, annotations.0 != annotations.1 { throw .annotationsDiffer }
        if source.isBareAnnotation != target.isBareAnnotation {
            // An INR of 1 is not 100 %.
            let other = source.isBareAnnotation ? target : source
            guard other.dimension == .none, other.factor == .one else { throw .annotationsDiffer }
        }
        // Glycated haemoglobin of 48 mmol/mol is 6.5 %, not 4.8 %.
        if source.dimension == target.dimension, source.isAmountFraction != target.isAmountFraction {
            throw .amountFraction
        }
    }

    private static func molarFactor(
        _ source: UnitDimension,
        _ target: UnitDimension,
        _ molarMass: MolarMass?
    ) throws(UnitRefusal) -> Ratio {
        let (amount, mass) = ("mol", "g")
        let isToMass = source[amount] == 1 && target[amount] == 0
        guard isToMass || (source[amount] == 0 && target[amount] == 1) else { throw .notCommensurable }
        let step = UnitDimension(base: mass).multiplied(by: UnitDimension(base: amount), exponent: -1)
        guard source.multiplied(by: step, exponent: isToMass ? 1 : -1) == target else { throw .notCommensurable }
        guard let molarMass else { throw .molarMassMissing }
        return isToMass ? molarMass.grams : molarMass.grams.inverse ?? .one
    }

    /// Whether values stay as they are written.
    package var isIdentity: Bool { self.factor == .one && self.offset.isZero }

    /// Converts one value.
    package func convert(_ value: String) throws(UnitRefusal) -> ConvertedValue {
        guard let number = DecimalNumber(value) else { throw .badNumber }
        if self.isIdentity { return ConvertedValue(text: value, step: number.exponent, isExact: true) }
        let exact = number.ratio * self.factor + self.offset
        guard let step = (self.factor * .powerOfTen(number.exponent)).powerOfTenBelow else { throw .badNumber }
        let (magnitude, isExact) = (exact * .powerOfTen(-step)).roundedMagnitude
        let rounded = DecimalNumber(isNegative: exact.isNegative, digits: magnitude, exponent: step)
        return ConvertedValue(text: rounded.text, step: step, isExact: isExact)
    }
}
