/// How the dealings of one ceremony add up to a shared key: the same on the chain and at each holder.
package enum KeySharing {
    /// The sum of a new key's dealings.
    case new
    /// The weighted sum of re-shared shares: the key stays, every share changes.
    ///
    /// The numbers are the dealers' indexes under the key as it was, in the order of their dealings.
    case reshared([UInt16])

    /// The weight of each dealing; `nil` if the dealers' indexes do not go together.
    package func weights(count: Int) -> [RistrettoScalar]? {
        switch self {
        case .new: count > 0 ? [RistrettoScalar](repeating: .one, count: count) : nil
        case .reshared(let indexes): indexes.count == count ? Interpolation.weights(indexes) : nil
        }
    }

    /// Commitments to the shared polynomial: its constant is the public key.
    package func polynomial(_ dealings: [Dealing]) -> PublicPolynomial? {
        guard let weights = self.weights(count: dealings.count) else { return nil }
        return PublicPolynomial.sum(zip(weights, dealings).map { ($0, $1.commitments) })
    }

    /// A holder's share of the key from its shares of the dealings.
    package func share(_ shares: [RistrettoScalar]) -> RistrettoScalar? {
        guard let weights = self.weights(count: shares.count) else { return nil }
        return zip(weights, shares).reduce(.zero) { $0 + $1.0 * $1.1 }
    }
}
