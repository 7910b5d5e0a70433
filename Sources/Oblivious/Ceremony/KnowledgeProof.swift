package import Primitives

/// A proof that whoever made it knows the secret scalar behind an element (Schnorr, made non-interactive by hashing).
///
/// It is bound to a context, so that nobody can pass off another's proof as their own.
package struct KnowledgeProof: Hashable, Sendable {
    private static let tag = Array("entente/knowledge/1".utf8)

    package let challenge: RistrettoScalar
    package let response: RistrettoScalar

    /// Proves with `nonce`, a scalar that is drawn for this proof alone and kept secret.
    package init(context: [UInt8], secret: RistrettoScalar, nonce: RistrettoScalar) {
        let element = RistrettoElement(generatorTimes: secret)
        self.challenge = Self.challenge(context, element, RistrettoElement(generatorTimes: nonce))
        self.response = nonce - self.challenge * secret
    }

    package func isValid(context: [UInt8], element: RistrettoElement) -> Bool {
        let commitment = RistrettoElement(generatorTimes: self.response) + self.challenge * element
        return Self.challenge(context, element, commitment) == self.challenge
    }

    private static func challenge(
        _ context: [UInt8],
        _ element: RistrettoElement,
        _ commitment: RistrettoElement
    ) -> RistrettoScalar {
        HashToGroup.scalar(Framed.bytes(context) + element.bytes + commitment.bytes, tag: Self.tag)
    }
}

extension KnowledgeProof: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.challenge)
        encoder.encode(self.response)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.challenge = try decoder.decode()
        self.response = try decoder.decode()
    }
}
