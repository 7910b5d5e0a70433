package import Primitives

/// A holder's proof that a dealer sealed a wrong share to it.
///
/// It shows the element that the two share, so that everybody can open that one sealed share and compare it with the
/// commitments. A dealer cannot be accused falsely, and a share that is shown was not a share of the polynomial.
package struct Complaint: Hashable, Sendable {
    package let shared: RistrettoElement
    /// That one secret leads to the holder's key and from the sealing key to `shared`.
    package let proof: EqualityProof

    /// `seed`: 32 bytes that are drawn for this complaint alone.
    package init(
        context: CeremonyContext,
        dealer: InstitutionID,
        holder: InstitutionID,
        sealingKey: RistrettoElement,
        holderSecret: RistrettoScalar,
        seed: [UInt8]
    ) {
        self.shared = holderSecret * sealingKey
        self.proof = EqualityProof(
            context: Self.context(context, dealer: dealer, holder: holder),
            secret: holderSecret,
            publicKey: RistrettoElement(generatorTimes: holderSecret),
            inputs: [sealingKey],
            outputs: [self.shared],
            nonce: RistrettoScalar(seed: seed, label: "complaint-nonce", index: 0)
        )
    }

    /// Whether the dealing gave a wrong share to the holder at `index`.
    package func isJustified(
        context: CeremonyContext,
        dealer: InstitutionID,
        dealing: Dealing,
        holder: InstitutionID,
        index: UInt16,
        holderKey: RistrettoElement
    ) -> Bool {
        let isHonest = self.proof.isValid(
            context: Self.context(context, dealer: dealer, holder: holder),
            publicKey: holderKey,
            inputs: [dealing.sealingKey],
            outputs: [self.shared]
        )
        guard isHonest else { return false }
        return dealing.share(
            context: context,
            dealer: dealer,
            index: index,
            holderKey: holderKey,
            shared: self.shared
        ) == nil
    }

    /// Hashed, so that it fits the tags of hash functions.
    private static func context(_ context: CeremonyContext, dealer: InstitutionID, holder: InstitutionID) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(fixed: context.bytes("complaint", dealer))
        encoder.encode(holder)
        return Array("entente/complaint/1".utf8) + Digest(hashing: encoder.bytes).bytes
    }
}

extension Complaint: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.shared)
        encoder.encode(self.proof)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.shared = try decoder.decode()
        self.proof = try decoder.decode()
    }
}
