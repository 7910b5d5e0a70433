/// A dealer's polynomial: its value at zero is what is shared, its value at a holder's index that holder's share.
///
/// Secret as a whole; never encoded.
package struct SecretPolynomial: Sendable {
    /// Lowest first; as many as holders are needed.
    package let coefficients: [RistrettoScalar]

    /// Takes every coefficient but the first from a secret seed that is drawn for this dealing alone.
    package init(constant: RistrettoScalar, threshold: Int, seed: [UInt8]) {
        precondition(threshold >= 1 && seed.count >= 32, "a polynomial needs a threshold and a seed of 32 bytes")
        self.coefficients =
            [constant]
            + (1..<threshold).map { RistrettoScalar(seed: seed, label: "coefficient", index: UInt32($0)) }
    }

    package func share(_ index: UInt16) -> RistrettoScalar {
        precondition(index > 0, "the value at zero is the secret")
        let point = RistrettoScalar(index)
        return self.coefficients.reversed().reduce(.zero) { $0 * point + $1 }
    }

    package var commitments: PublicPolynomial {
        PublicPolynomial(coefficients: self.coefficients.map { RistrettoElement(generatorTimes: $0) })
    }
}

/// The Feldman commitments to a polynomial: what everybody may know of it, enough to check a share.
package struct PublicPolynomial: Hashable, Sendable {
    /// The generator times each coefficient.
    package let coefficients: [RistrettoElement]

    package init(coefficients: [RistrettoElement]) {
        precondition(!coefficients.isEmpty, "a polynomial has a constant")
        self.coefficients = coefficients
    }

    package var constant: RistrettoElement { self.coefficients[0] }

    /// The generator times the share at `index`; may be the identity.
    package func shareKey(_ index: UInt16) -> RistrettoElement {
        let point = RistrettoScalar(index)
        return self.coefficients.reversed().reduce(.identity) { point * $0 + $1 }
    }

    package func isShare(_ share: RistrettoScalar, at index: UInt16) -> Bool {
        RistrettoElement(generatorTimes: share) == self.shareKey(index)
    }

    /// The weighted sum of polynomials of one length; its coefficients may be the identity.
    package static func sum(_ parts: [(weight: RistrettoScalar, polynomial: PublicPolynomial)]) -> PublicPolynomial {
        let count = parts.map(\.polynomial.coefficients.count).max() ?? 0
        precondition(
            count > 0 && parts.allSatisfy { $0.polynomial.coefficients.count == count },
            "polynomials of one length are summed"
        )
        return PublicPolynomial(
            coefficients: (0..<count).map { position in
                parts.reduce(.identity) { $0 + $1.weight * $1.polynomial.coefficients[position] }
            }
        )
    }
}
