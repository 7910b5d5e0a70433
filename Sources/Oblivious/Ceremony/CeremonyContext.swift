package import Primitives

/// Which ceremony of which chain a message belongs to: everything proved or sealed in it is bound to that.
package struct CeremonyContext: Hashable, Sendable {
    package var chain: ChainID
    /// Counts the ceremonies of a chain from 1, the failed ones too.
    package var number: UInt32

    package init(chain: ChainID, number: UInt32) {
        self.chain = chain
        self.number = number
    }

    /// What a proof of `institution` for `use` is bound to.
    func bytes(_ use: String, _ institution: InstitutionID) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode("entente/ceremony/1")
        encoder.encode(use)
        encoder.encode(self.chain)
        encoder.encode(self.number)
        encoder.encode(institution)
        return encoder.bytes
    }
}

/// A future holder's public key for one ceremony, and the proof that it knows the secret one.
///
/// It is drawn for the ceremony and destroyed after it: dealings stay on the chain, and nobody shall open them later.
package struct HolderKey: Hashable, Sendable {
    package let element: RistrettoElement
    package let proof: KnowledgeProof

    /// `seed`: 32 bytes that are drawn for this ceremony alone.
    package init(context: CeremonyContext, holder: InstitutionID, seed: [UInt8]) {
        self.element = RistrettoElement(generatorTimes: Self.secret(seed))
        self.proof = KnowledgeProof(
            context: context.bytes("holder", holder),
            secret: Self.secret(seed),
            nonce: RistrettoScalar(seed: seed, label: "holder-nonce", index: 0)
        )
    }

    package static func secret(_ seed: [UInt8]) -> RistrettoScalar {
        RistrettoScalar(seed: seed, label: "holder", index: 0)
    }

    package func isValid(context: CeremonyContext, holder: InstitutionID) -> Bool {
        self.proof.isValid(context: context.bytes("holder", holder), element: self.element)
    }
}

extension HolderKey: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.element)
        encoder.encode(self.proof)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.element = try decoder.decode()
        self.proof = try decoder.decode()
    }
}
