package import Primitives

/// A proof that one secret scalar leads from the generator to a public key and from each element of a list to its
/// counterpart in a second list (DLEQ, RFC 9497 2.2): one proof for a whole batch.
package struct EqualityProof: Hashable, Sendable {
    /// A challenge and a response.
    package static let byteCount = 2 * RistrettoScalar.byteCount
    /// What two bytes can count, as the RFC numbers the pairs of a batch.
    package static let pairsMax = 1 << 16

    package let challenge: RistrettoScalar
    package let response: RistrettoScalar

    /// Proves with `nonce`, a scalar that is drawn for this proof alone and kept secret.
    ///
    /// There are as many `inputs` as `outputs`, 1 to ``pairsMax``, and each output is `secret` times its input.
    package init(
        context: [UInt8],
        secret: RistrettoScalar,
        publicKey: RistrettoElement,
        inputs: [RistrettoElement],
        outputs: [RistrettoElement],
        nonce: RistrettoScalar
    ) {
        precondition(inputs.count == outputs.count && (1...Self.pairsMax).contains(inputs.count), "pairs of elements")
        let weights = Self.weights(context, publicKey, inputs, outputs)
        let input = Self.sum(weights, inputs)
        // The outputs are multiples of the inputs, and so are their sums: one product in place of many.
        let output = secret * input
        self.challenge = Self.challenge(
            context: context,
            publicKey: publicKey,
            input: input,
            output: output,
            commitments: (RistrettoElement(generatorTimes: nonce), nonce * input)
        )
        self.response = nonce - self.challenge * secret
    }

    /// Whether the prover knew one scalar that leads to `publicKey` and from every input to its output.
    package func isValid(
        context: [UInt8],
        publicKey: RistrettoElement,
        inputs: [RistrettoElement],
        outputs: [RistrettoElement]
    ) -> Bool {
        guard inputs.count == outputs.count, (1...Self.pairsMax).contains(inputs.count) else { return false }
        let weights = Self.weights(context, publicKey, inputs, outputs)
        let input = Self.sum(weights, inputs)
        let output = Self.sum(weights, outputs)
        let expected = Self.challenge(
            context: context,
            publicKey: publicKey,
            input: input,
            output: output,
            commitments: (
                RistrettoElement(generatorTimes: self.response) + self.challenge * publicKey,
                self.response * input + self.challenge * output
            )
        )
        return expected == self.challenge
    }

    /// `ComputeComposites`: weights that nobody can know before the lists are fixed.
    private static func weights(
        _ context: [UInt8],
        _ publicKey: RistrettoElement,
        _ inputs: [RistrettoElement],
        _ outputs: [RistrettoElement]
    ) -> [RistrettoScalar] {
        let seed = SHA512.hash(
            Framed.bytes(publicKey.bytes) + Framed.bytes(Array("Seed-".utf8) + context)
        )
        let tag = Array("HashToScalar-".utf8) + context
        return zip(inputs, outputs).enumerated().map { index, pair in
            var transcript = Framed.bytes(seed)
            transcript += Framed.number(index)
            transcript += Framed.bytes(pair.0.bytes)
            transcript += Framed.bytes(pair.1.bytes)
            transcript += Array("Composite".utf8)
            return HashToGroup.scalar(transcript, tag: tag)
        }
    }

    private static func sum(_ weights: [RistrettoScalar], _ elements: [RistrettoElement]) -> RistrettoElement {
        zip(weights, elements).reduce(.identity) { $0 + $1.0 * $1.1 }
    }

    private static func challenge(
        context: [UInt8],
        publicKey: RistrettoElement,
        input: RistrettoElement,
        output: RistrettoElement,
        commitments: (RistrettoElement, RistrettoElement)
    ) -> RistrettoScalar {
        var transcript: [UInt8] = []
        for element in [publicKey, input, output, commitments.0, commitments.1] {
            transcript += Framed.bytes(element.bytes)
        }
        transcript += Array("Challenge".utf8)
        return HashToGroup.scalar(transcript, tag: Array("HashToScalar-".utf8) + context)
    }
}

extension EqualityProof: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.challenge)
        encoder.encode(self.response)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.challenge = try decoder.decode()
        self.response = try decoder.decode()
    }
}

/// The framing of RFC 9497: two-byte big-endian lengths and numbers.
enum Framed {
    static func number(_ value: Int) -> [UInt8] {
        precondition((0..<1 << 16).contains(value), "a framed number has two bytes")
        return [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
    }

    static func bytes(_ bytes: [UInt8]) -> [UInt8] { Self.number(bytes.count) + bytes }
}
