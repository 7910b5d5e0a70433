/// What a unit measures: powers of base units, without their sizes.
///
/// The base units are those of UCUM (`m s g rad K C cd`), every arbitrary or logarithmic unit (UCUM 4.3: commensurable
/// with nothing else), and a few that UCUM gives as numbers and that must not be taken for one another: see
/// ``UCUMTable/countedApart``.
package struct UnitDimension: Hashable, Sendable {
    /// A base unit with its exponent, which is not 0.
    package struct Power: Hashable, Sendable {
        package let base: String
        package let exponent: Int
    }

    /// In the order of the bases' bytes.
    package private(set) var powers: [Power]

    package static let none = UnitDimension(powers: [])

    private init(powers: [Power]) { self.powers = powers }

    package init(base: String) { self.powers = [Power(base: base, exponent: 1)] }

    package subscript(base: String) -> Int { self.powers.first { $0.base == base }?.exponent ?? 0 }

    /// The product of this and `other` to the power of `exponent`.
    package func multiplied(by other: UnitDimension, exponent: Int = 1) -> UnitDimension {
        guard exponent != 0, !other.powers.isEmpty else { return self }
        var powers: [Power] = []
        powers.reserveCapacity(self.powers.count + other.powers.count)
        var (left, right) = (self.powers[...], other.powers[...])
        while let first = left.first ?? right.first {
            let a = left.first?.base
            let b = right.first?.base
            var sum = 0
            var base = first.base
            if let a, b.map({ Self.precedes(a, $0) || a == $0 }) ?? true {
                base = a
                sum += left.removeFirst().exponent
            }
            if let b, a.map({ Self.precedes(b, $0) || b == $0 }) ?? true {
                base = b
                sum += right.removeFirst().exponent * exponent
            }
            if sum != 0 { powers.append(Power(base: base, exponent: sum)) }
        }
        return UnitDimension(powers: powers)
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// As a product of base units, `1` for none.
    package var text: String {
        guard !self.powers.isEmpty else { return "1" }
        return self.powers.map { $0.base + ($0.exponent == 1 ? "" : String($0.exponent)) }.joined(separator: ".")
    }
}
