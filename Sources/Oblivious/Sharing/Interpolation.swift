/// Lagrange interpolation at zero over the scalars.
package enum Interpolation {
    /// The weight of each index: a polynomial of lower degree than there are indexes has at zero the weighted sum of
    /// its values there.
    ///
    /// Returns `nil` if there is none, one is 0 or two are equal.
    package static func weights(_ indexes: [UInt16]) -> [RistrettoScalar]? {
        guard !indexes.isEmpty, !indexes.contains(0), Set(indexes).count == indexes.count else { return nil }
        let points = indexes.map { RistrettoScalar($0) }
        var weights: [RistrettoScalar] = []
        for point in points {
            var numerator = RistrettoScalar.one
            var denominator = RistrettoScalar.one
            for other in points where other != point {
                numerator = numerator * other
                denominator = denominator * (other - point)
            }
            guard let inverse = denominator.inverse else { return nil }
            weights.append(numerator * inverse)
        }
        return weights
    }

    /// The value at zero of the polynomial through these points.
    package static func secret(_ shares: [(index: UInt16, value: RistrettoScalar)]) -> RistrettoScalar? {
        Self.weights(shares.map(\.index)).map { weights in
            zip(weights, shares).reduce(.zero) { $0 + $1.0 * $1.1.value }
        }
    }
}
