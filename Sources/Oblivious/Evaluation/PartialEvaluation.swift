package import Primitives

/// One evaluator's answer to a batch: its key share times each element, and the proof of that.
package struct PartialEvaluation: Hashable, Sendable {
    /// A message of 1,000 elements stays below 33 KiB.
    package static let elementsMax = 1000

    package var elements: [RistrettoElement]
    package var proof: EqualityProof

    package init(elements: [RistrettoElement], proof: EqualityProof) {
        self.elements = elements
        self.proof = proof
    }

    /// Whether the holder of the share behind `shareKey` made it for exactly these blinded elements.
    package func isValid(_ blinded: [RistrettoElement], shareKey: RistrettoElement) -> Bool {
        self.elements.count == blinded.count && !self.elements.contains(where: \.isIdentity)
            && self.proof.isValid(
                context: ObliviousFunction.verifiable.context,
                publicKey: shareKey,
                inputs: blinded,
                outputs: self.elements
            )
    }

    /// What the whole key would have given: the answers of exactly as many holders as the threshold, or more, weighted.
    ///
    /// Each answer must have been found valid before. Returns `nil` unless the indexes are different and above 0 and
    /// all answers have the same length.
    package static func combine(_ parts: [(index: UInt16, elements: [RistrettoElement])]) -> [RistrettoElement]? {
        guard let first = parts.first, parts.allSatisfy({ $0.elements.count == first.elements.count }),
            let weights = Interpolation.weights(parts.map(\.index))
        else { return nil }
        return first.elements.indices.map { position in
            zip(weights, parts).reduce(.identity) { $0 + $1.0 * $1.1.elements[position] }
        }
    }
}

extension PartialEvaluation: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.elements)
        encoder.encode(self.proof)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.elements = try decoder.decodeArray(max: Self.elementsMax)
        self.proof = try decoder.decode()
    }
}
