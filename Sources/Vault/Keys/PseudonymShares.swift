internal import Crypto
package import Oblivious
package import Primitives
internal import Synchronization

/// This institution's secrets of the shared pseudonym key: its share, and what it drew for a ceremony that goes on.
///
/// They are in `HOME/vault/pseudonyms`, sealed, and never leave this type: it evaluates, deals and complains itself. What it
/// drew for a ceremony is durable before anything made from it is handed out, so that a restart in between deals the
/// same, and is destroyed when the ceremony is over.
package final class PseudonymShares: Sendable {
    private static let magic = Array("EPSH".utf8)
    private static let seedBytes = 32
    /// One share and one ceremony.
    private static let bytesMax = 4096

    /// What was drawn for one ceremony.
    private struct Ceremony: Sendable, CanonicalCodable {
        var number: UInt32
        var holderSeed: [UInt8]
        var dealingSeed: [UInt8]

        init(number: UInt32) {
            self.number = number
            self.holderSeed = RandomBytes.system(PseudonymShares.seedBytes)
            self.dealingSeed = RandomBytes.system(PseudonymShares.seedBytes)
        }

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.number)
            encoder.encode(fixed: self.holderSeed)
            encoder.encode(fixed: self.dealingSeed)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.number = try decoder.decode()
            self.holderSeed = try decoder.decode(fixed: PseudonymShares.seedBytes)
            self.dealingSeed = try decoder.decode(fixed: PseudonymShares.seedBytes)
        }
    }

    private struct Share: Sendable, CanonicalCodable {
        var generation: UInt32
        var scalar: RistrettoScalar

        init(generation: UInt32, scalar: RistrettoScalar) {
            self.generation = generation
            self.scalar = scalar
        }

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.generation)
            encoder.encode(self.scalar)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.generation = try decoder.decode()
            self.scalar = try decoder.decode()
        }
    }

    private struct Secrets: Sendable, CanonicalCodable {
        var share: Share?
        var ceremony: Ceremony?

        init() {}

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.share)
            encoder.encode(self.ceremony)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.share = try decoder.decodeOptional()
            self.ceremony = try decoder.decodeOptional()
        }
    }

    private let path: String
    private let folder: String
    private let key: SymmetricKey
    private let institution: InstitutionID
    private let files: any FileSystem
    private let secrets: Mutex<Secrets>

    init(
        folder: String,
        key: SymmetricKey,
        institution: InstitutionID,
        files: any FileSystem
    ) throws(VaultError) {
        let path = folder + "/pseudonyms"
        self.folder = folder
        self.path = path
        self.key = key
        self.institution = institution
        self.files = files
        let bytes = try whileDoing("reading vault/pseudonyms") { () throws(FileError) in
            try files.readFile(path, max: Self.bytesMax)
        }
        guard let bytes else {
            self.secrets = Mutex(Secrets())
            return
        }
        guard bytes.starts(with: Self.magic),
            let plain = Seal.open(bytes.dropFirst(Self.magic.count), key: key, associated: Self.magic),
            let secrets = try? Secrets(canonicalBytes: plain)
        else {
            throw VaultError(.damaged, "vault/pseudonyms is damaged: restore it from a backup, or share the key anew")
        }
        self.secrets = Mutex(secrets)
    }

    /// The generation of the key of which this home has a share; `nil` without one.
    package var generation: UInt32? { self.secrets.withLock { $0.share?.generation } }

    /// Whether this home took part in a ceremony and has not yet forgotten what it drew for it.
    package func takesPart(in number: UInt32) -> Bool { self.secrets.withLock { $0.ceremony?.number == number } }

    /// This institution's key for a ceremony.
    ///
    /// The same as often as it is asked for; drawn and made durable the first time.
    package func join(_ context: CeremonyContext) throws(VaultError) -> HolderKey {
        let ceremony = try self.secrets.withLock { secrets throws(VaultError) in
            if let known = secrets.ceremony, known.number == context.number { return known }
            let drawn = Ceremony(number: context.number)
            var changed = secrets
            changed.ceremony = drawn
            try self.save(changed)
            secrets = changed
            return drawn
        }
        return HolderKey(context: context, holder: self.institution, seed: ceremony.holderSeed)
    }

    /// This institution's dealing: of a fresh constant for a chain's first key, else of its share of `generation`.
    ///
    /// `nil` if it has no such share. The same as often as it is asked for. A holder that leaves deals without having
    /// joined.
    package func deal(
        _ context: CeremonyContext,
        sharing generation: UInt32?,
        threshold: Int,
        holders: [RistrettoElement]
    ) throws(VaultError) -> Dealing? {
        _ = try self.join(context)
        let (share, ceremony) = self.secrets.withLock { ($0.share, $0.ceremony) }
        guard let seed = ceremony?.dealingSeed else { return nil }
        let constant: RistrettoScalar
        if let generation {
            guard let share, share.generation == generation else { return nil }
            constant = share.scalar
        } else {
            constant = RistrettoScalar(seed: seed, label: "constant", index: 0)
        }
        return Dealing(
            context: context,
            dealer: self.institution,
            constant: constant,
            threshold: threshold,
            holders: holders,
            seed: seed
        )
    }

    /// The proof that `dealing` gives this institution, the holder at `index`, a wrong share; `nil` if it is right.
    ///
    /// - Throws: `keyMissing` if this home did not take part in the ceremony.
    package func complaint(
        _ context: CeremonyContext,
        about dealing: Dealing,
        by dealer: InstitutionID,
        index: UInt16
    ) throws(VaultError) -> Complaint? {
        let secret = HolderKey.secret(try self.holderSeed(context.number))
        let share = dealing.share(context: context, dealer: dealer, index: index, holderSecret: secret)
        guard share == nil else { return nil }
        return Complaint(
            context: context,
            dealer: dealer,
            holder: self.institution,
            sealingKey: dealing.sealingKey,
            holderSecret: secret,
            seed: RandomBytes.system(Self.seedBytes)
        )
    }

    /// Takes over the share that a finished ceremony gave, and destroys the one before and all that was drawn for it.
    ///
    /// Returns whether the share is the one that `shareKey` promises; if not, everything stays as it was.
    package func adopt(
        _ context: CeremonyContext,
        generation: UInt32,
        dealings: [(dealer: InstitutionID, dealing: Dealing)],
        sharing: KeySharing,
        index: UInt16,
        shareKey: RistrettoElement
    ) throws(VaultError) -> Bool {
        let secret = HolderKey.secret(try self.holderSeed(context.number))
        var parts: [RistrettoScalar] = []
        for (dealer, dealing) in dealings {
            guard
                let part = dealing.share(context: context, dealer: dealer, index: index, holderSecret: secret)
            else { return false }
            parts.append(part)
        }
        guard let share = sharing.share(parts), RistrettoElement(generatorTimes: share) == shareKey else {
            return false
        }
        try self.change {
            $0.share = Share(generation: generation, scalar: share)
            $0.ceremony = nil
        }
        return true
    }

    /// Destroys the share of a holder that is none any more, and what it drew for its last ceremony.
    package func leave() throws(VaultError) { try self.change { $0 = Secrets() } }

    /// Evaluates a batch with the share of `generation`, whose public half is `shareKey`.
    ///
    /// Takes about 130 microseconds an element. `nil` without such a share.
    package func evaluate(
        _ blinded: [RistrettoElement],
        generation: UInt32,
        shareKey: RistrettoElement
    ) -> PartialEvaluation? {
        guard let share = self.secrets.withLock({ $0.share }), share.generation == generation else { return nil }
        return ObliviousFunction.verifiable.evaluate(
            blinded,
            secret: share.scalar,
            publicKey: shareKey,
            nonce: RistrettoScalar(uniform: RandomBytes.system(RistrettoScalar.uniformByteCount))
        )
    }

    /// The same for this institution itself, which needs no proof.
    package func evaluateOwn(_ blinded: [RistrettoElement], generation: UInt32) -> [RistrettoElement]? {
        guard let share = self.secrets.withLock({ $0.share }), share.generation == generation else { return nil }
        return blinded.map { share.scalar * $0 }
    }

    /// The function's output where one holder is enough: its share is the secret, and nobody has to be kept from learning
    /// the input.
    package func evaluateAlone(_ input: [UInt8], generation: UInt32) -> [UInt8]? {
        guard let share = self.secrets.withLock({ $0.share }), share.generation == generation else { return nil }
        return ObliviousFunction.verifiable.evaluate(input, secret: share.scalar)
    }

    private func holderSeed(_ number: UInt32) throws(VaultError) -> [UInt8] {
        guard let ceremony = self.secrets.withLock({ $0.ceremony }), ceremony.number == number else {
            throw VaultError(.keyMissing, "this home has no key of the pseudonym ceremony: share the key anew")
        }
        return ceremony.holderSeed
    }

    private func change(_ change: (inout Secrets) -> Void) throws(VaultError) {
        try self.secrets.withLock { secrets throws(VaultError) in
            var changed = secrets
            change(&changed)
            try self.save(changed)
            secrets = changed
        }
    }

    private func save(_ secrets: Secrets) throws(VaultError) {
        let bytes = Self.magic + Seal.close(secrets.canonicalBytes, key: self.key, associated: Self.magic)
        try whileDoing("writing vault/pseudonyms") { () throws(FileError) in
            try self.files.replaceFile(self.path, in: self.folder, with: bytes)
        }
    }
}

/// Random scalars that blind a batch of inputs, all from one draw.
package struct BlindSource: Sendable {
    private let seed: [UInt8]

    package init() { self.seed = RandomBytes.system(32) }

    package func blind(_ index: Int) -> RistrettoScalar {
        RistrettoScalar(seed: self.seed, label: "blind", index: UInt32(index))
    }
}
