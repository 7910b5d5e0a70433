/// An exact fraction in lowest terms.
package struct Ratio: Hashable, Sendable {
    package let isNegative: Bool
    package let numerator: Natural
    /// Not zero.
    package let denominator: Natural

    package static let zero = Ratio(.zero)
    package static let one = Ratio(.one)

    /// A whole number.
    package init(_ value: Natural, isNegative: Bool = false) {
        self.numerator = value
        self.denominator = .one
        self.isNegative = isNegative && !value.isZero
    }

    /// Returns `nil` if the denominator is zero.
    package init?(_ numerator: Natural, over denominator: Natural, isNegative: Bool = false) {
        guard !denominator.isZero else { return nil }
        let divisor = numerator.greatestCommonDivisor(with: denominator)
        self.numerator = divisor == .one ? numerator : numerator.divided(by: divisor).quotient
        self.denominator = divisor == .one ? denominator : denominator.divided(by: divisor).quotient
        self.isNegative = isNegative && !numerator.isZero
    }

    /// 10 to the power of any `exponent`.
    package static func powerOfTen(_ exponent: Int) -> Ratio {
        let power = Natural.powerOfTen(abs(exponent))
        return exponent < 0 ? Ratio(reduced: .one, over: power, isNegative: false) : Ratio(power)
    }

    private init(reduced numerator: Natural, over denominator: Natural, isNegative: Bool) {
        self.numerator = numerator
        self.denominator = denominator
        self.isNegative = isNegative
    }

    package var isZero: Bool { self.numerator.isZero }
    /// Bits of the larger of the two parts.
    package var bitCount: Int { max(self.numerator.bitCount, self.denominator.bitCount) }

    /// `nil` for zero.
    package var inverse: Ratio? {
        guard !self.isZero else { return nil }
        return Ratio(reduced: self.denominator, over: self.numerator, isNegative: self.isNegative)
    }

    package static func * (left: Ratio, right: Ratio) -> Ratio {
        let isNegative = left.isNegative != right.isNegative
        // Factors cancel across; whole numbers and powers, which is what units are made of, need no search for them.
        if left.denominator == .one, right.denominator == .one {
            return Ratio(left.numerator * right.numerator, isNegative: isNegative)
        }
        // Neither denominator is zero, and so their product is not.
        return Ratio(
            left.numerator * right.numerator,
            over: left.denominator * right.denominator,
            isNegative: isNegative
        )
            ?? .zero
    }

    /// The ratio to a power of 1 or more; what is in lowest terms stays so.
    func power(_ exponent: Int, bitsMax: Int) -> Ratio? {
        var (numerator, denominator) = (Natural.one, Natural.one)
        for _ in 0..<exponent {
            numerator = numerator * self.numerator
            denominator = denominator * self.denominator
            guard max(numerator.bitCount, denominator.bitCount) <= bitsMax else { return nil }
        }
        let isNegative = self.isNegative && !exponent.isMultiple(of: 2)
        return Ratio(reduced: numerator, over: denominator, isNegative: isNegative)
    }

    package static func + (left: Ratio, right: Ratio) -> Ratio {
        let denominator = left.denominator * right.denominator
        let (first, second) = (left.numerator * right.denominator, right.numerator * left.denominator)
        if left.isNegative == right.isNegative {
            return Ratio(first + second, over: denominator, isNegative: left.isNegative) ?? .zero
        }
        let isNegative = first < second ? right.isNegative : left.isNegative
        return Ratio(first.distance(to: second), over: denominator, isNegative: isNegative) ?? .zero
    }

    package static prefix func - (value: Ratio) -> Ratio {
        Ratio(reduced: value.numerator, over: value.denominator, isNegative: !value.isNegative && !value.isZero)
    }

    /// The largest power of ten that is not above this ratio; `nil` unless it is above zero.
    package var powerOfTenBelow: Int? {
        guard !self.isZero, !self.isNegative else { return nil }
        var power = self.numerator.decimalText.utf8.count - self.denominator.decimalText.utf8.count
        if !self.isAtLeast(powerOfTen: power) { power -= 1 }
        return power
    }

    private func isAtLeast(powerOfTen power: Int) -> Bool {
        power < 0
            ? self.numerator * .powerOfTen(-power) >= self.denominator
            : self.numerator >= self.denominator * .powerOfTen(power)
    }

    /// The nearest whole number of this ratio's size without its sign, and whether that is exact.
    ///
    /// Halves go to the even number (GB/T 8170-2008 3.2, ISO 80000-1:2022 annex B, rule A).
    package var roundedMagnitude: (value: Natural, isExact: Bool) {
        let (quotient, remainder) = self.numerator.divided(by: self.denominator)
        let twice = remainder + remainder
        if twice > self.denominator || (twice == self.denominator && quotient.isOdd) {
            return (quotient + .one, false)
        }
        return (quotient, remainder.isZero)
    }
}
