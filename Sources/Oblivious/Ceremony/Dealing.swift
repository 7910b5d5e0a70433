package import Primitives

/// What one dealer gives to all holders: commitments to its polynomial, and each holder's share sealed to that holder's
/// key of the ceremony.
///
/// Whoever reads it can check the commitments and proofs; only the holder sees whether its share is right, and can prove
/// it if not (``Complaint``).
package struct Dealing: Hashable, Sendable {
    /// More holders make a ceremony slow and a request no safer.
    package static let holdersMax = 32

    package let commitments: PublicPolynomial
    /// The dealer's public key for this dealing.
    package let sealingKey: RistrettoElement
    /// One for each holder in the order of their indexes: the share, hidden by a pad that dealer and holder can form.
    package let sealedShares: [Digest]
    /// That the dealer knows what it shares, so that it did not build it from what others deal.
    package let constantProof: KnowledgeProof
    /// That the dealer knows the secret sealing key: a copied key would turn a complaint into a leak of another's share.
    package let sealingProof: KnowledgeProof

    /// Shares `constant`, which is not zero, among `holders` (their keys; the first has index 1), with a seed of 32 bytes
    /// that is drawn for this dealing alone.
    package init(
        context: CeremonyContext,
        dealer: InstitutionID,
        constant: RistrettoScalar,
        threshold: Int,
        holders: [RistrettoElement],
        seed: [UInt8]
    ) {
        precondition(holders.count <= Self.holdersMax && (1...max(1, holders.count)).contains(threshold), "bounds")
        let polynomial = SecretPolynomial(constant: constant, threshold: threshold, seed: seed)
        let sealingSecret = RistrettoScalar(seed: seed, label: "sealing", index: 0)
        let sealingKey = RistrettoElement(generatorTimes: sealingSecret)
        self.commitments = polynomial.commitments
        self.sealingKey = sealingKey
        self.sealedShares = holders.enumerated().map { position, key in
            let index = UInt16(position + 1)
            return Self.pad(
                polynomial.share(index).bytes,
                SharePad(context: context, dealer: dealer, index: index, sealingKey: sealingKey, holderKey: key)
                    .bytes(shared: sealingSecret * key)
            )
        }
        self.constantProof = KnowledgeProof(
            context: context.bytes("constant", dealer),
            secret: constant,
            nonce: RistrettoScalar(seed: seed, label: "constant-nonce", index: 0)
        )
        self.sealingProof = KnowledgeProof(
            context: context.bytes("sealing", dealer),
            secret: sealingSecret,
            nonce: RistrettoScalar(seed: seed, label: "sealing-nonce", index: 0)
        )
    }

    /// A dealing from its parts, right or wrong.
    package init(
        commitments: PublicPolynomial,
        sealingKey: RistrettoElement,
        sealedShares: [Digest],
        constantProof: KnowledgeProof,
        sealingProof: KnowledgeProof
    ) {
        self.commitments = commitments
        self.sealingKey = sealingKey
        self.sealedShares = sealedShares
        self.constantProof = constantProof
        self.sealingProof = sealingProof
    }

    /// Whether everything that everybody can check is right.
    package func isValid(context: CeremonyContext, dealer: InstitutionID, threshold: Int, holderCount: Int) -> Bool {
        self.commitments.coefficients.count == threshold && self.sealedShares.count == holderCount
            && self.constantProof.isValid(
                context: context.bytes("constant", dealer),
                element: self.commitments.constant
            )
            && self.sealingProof.isValid(context: context.bytes("sealing", dealer), element: self.sealingKey)
    }

    /// The share of the holder at `index`; `nil` if it is not the one that the commitments promise.
    package func share(
        context: CeremonyContext,
        dealer: InstitutionID,
        index: UInt16,
        holderSecret: RistrettoScalar
    ) -> RistrettoScalar? {
        self.share(
            context: context,
            dealer: dealer,
            index: index,
            holderKey: RistrettoElement(generatorTimes: holderSecret),
            shared: holderSecret * self.sealingKey
        )
    }

    /// The same for whoever was shown the element that dealer and holder share.
    func share(
        context: CeremonyContext,
        dealer: InstitutionID,
        index: UInt16,
        holderKey: RistrettoElement,
        shared: RistrettoElement
    ) -> RistrettoScalar? {
        guard index > 0, Int(index) <= self.sealedShares.count else { return nil }
        let pad = SharePad(
            context: context,
            dealer: dealer,
            index: index,
            sealingKey: self.sealingKey,
            holderKey: holderKey
        )
        let bytes = Self.pad(self.sealedShares[Int(index) - 1].bytes, pad.bytes(shared: shared)).bytes
        guard let share = RistrettoScalar(bytes), self.commitments.isShare(share, at: index) else { return nil }
        return share
    }

    private static func pad(_ bytes: [UInt8], _ pad: [UInt8]) -> Digest {
        guard let padded = Digest(zip(bytes, pad).map { $0 ^ $1 }) else { preconditionFailure("32 bytes and 32 bytes") }
        return padded
    }
}

extension Dealing: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.commitments.coefficients)
        encoder.encode(self.sealingKey)
        encoder.encode(self.sealedShares)
        encoder.encode(self.constantProof)
        encoder.encode(self.sealingProof)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let coefficients = try decoder.decodeArray(of: RistrettoElement.self, max: Self.holdersMax)
        guard !coefficients.isEmpty else { throw .invalid }
        self.commitments = PublicPolynomial(coefficients: coefficients)
        self.sealingKey = try decoder.decode()
        self.sealedShares = try decoder.decodeArray(max: Self.holdersMax)
        self.constantProof = try decoder.decode()
        self.sealingProof = try decoder.decode()
    }
}

/// What hides one share: used once, for the share of one holder by one dealer in one ceremony.
struct SharePad {
    var context: CeremonyContext
    var dealer: InstitutionID
    var index: UInt16
    var sealingKey: RistrettoElement
    var holderKey: RistrettoElement

    /// 32 bytes, from the element that only dealer and holder can form.
    func bytes(shared: RistrettoElement) -> [UInt8] {
        var encoder = CanonicalEncoder(reservingCapacity: 256)
        encoder.encode(fixed: self.context.bytes("share", self.dealer))
        encoder.encode(self.index)
        encoder.encode(fixed: self.sealingKey.bytes)
        encoder.encode(fixed: self.holderKey.bytes)
        encoder.encode(fixed: shared.bytes)
        return Array(SHA512.hash(encoder.bytes).prefix(RistrettoScalar.byteCount))
    }
}
