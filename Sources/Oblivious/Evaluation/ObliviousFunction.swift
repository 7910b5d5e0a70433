/// OPRF(ristretto255, SHA-512) of RFC 9497 in its modes OPRF and VOPRF: a keyed function of which the evaluator learns
/// neither input nor result, and the requester nothing but the result.
///
/// Random scalars come in as values.
package struct ObliviousFunction: Hashable, Sendable {
    package static let outputByteCount = 64
    /// What two bytes can count.
    package static let inputBytesMax = (1 << 16) - 1
    /// The mode of this system: evaluators prove that they used their key.
    package static let verifiable = ObliviousFunction(mode: .verifiable)

    /// As numbered by the RFC.
    package enum Mode: UInt8, Sendable {
        case plain = 0
        case verifiable = 1
    }

    /// `"OPRFV1-" ‖ mode ‖ "-ristretto255-SHA512"`.
    package let context: [UInt8]

    package init(mode: Mode) {
        self.context = Array("OPRFV1-".utf8) + [mode.rawValue] + Array("-ristretto255-SHA512".utf8)
    }

    /// `DeriveKeyPair`; returns `nil` where 256 attempts give zero, which no seed is known to do.
    package func deriveKey(seed: [UInt8], info: [UInt8]) -> RistrettoScalar? {
        precondition(seed.count == RistrettoScalar.byteCount, "a seed has 32 bytes")
        let input = seed + Framed.bytes(info)
        let tag = Array("DeriveKeyPair".utf8) + self.context
        for counter in UInt8.min ... .max {
            let scalar = HashToGroup.scalar(input + [counter], tag: tag)
            if !scalar.isZero { return scalar }
        }
        return nil
    }

    /// `Blind`; returns `nil` for an input that maps to the identity or a blind of zero: with random blinds that is
    /// never met.
    package func blind(_ input: [UInt8], with blind: RistrettoScalar) -> RistrettoElement? {
        precondition(input.count <= Self.inputBytesMax, "an input's length has two bytes")
        let element = HashToGroup.element(input, tag: Array("HashToGroup-".utf8) + self.context)
        let blinded = blind * element
        return blinded.isIdentity ? nil : blinded
    }

    /// `Finalize` without the check of the proof; returns `nil` for a blind of zero.
    package func finalize(_ input: [UInt8], blind: RistrettoScalar, evaluated: RistrettoElement) -> [UInt8]? {
        guard let inverse = blind.inverse else { return nil }
        return Self.output(input, inverse * evaluated)
    }

    /// `Evaluate` (RFC 9497 3.3.1): the function itself, for whoever holds the whole secret; `nil` for an input that maps
    /// to the identity.
    package func evaluate(_ input: [UInt8], secret: RistrettoScalar) -> [UInt8]? {
        precondition(input.count <= Self.inputBytesMax, "an input's length has two bytes")
        let element = HashToGroup.element(input, tag: Array("HashToGroup-".utf8) + self.context)
        guard !element.isIdentity else { return nil }
        return Self.output(input, secret * element)
    }

    private static func output(_ input: [UInt8], _ evaluated: RistrettoElement) -> [UInt8] {
        SHA512.hash(Framed.bytes(input) + Framed.bytes(evaluated.bytes) + Array("Finalize".utf8))
    }

    /// `BlindEvaluate` of a batch, with one proof under the evaluator's public key.
    ///
    /// `blinded`: 1 to ``EqualityProof/pairsMax`` elements, none of them the identity.
    package func evaluate(
        _ blinded: [RistrettoElement],
        secret: RistrettoScalar,
        publicKey: RistrettoElement,
        nonce: RistrettoScalar
    ) -> PartialEvaluation {
        let elements = blinded.map { secret * $0 }
        let proof = EqualityProof(
            context: self.context,
            secret: secret,
            publicKey: publicKey,
            inputs: blinded,
            outputs: elements,
            nonce: nonce
        )
        return PartialEvaluation(elements: elements, proof: proof)
    }
}
