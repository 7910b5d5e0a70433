package import Primitives

/// What an agent does on its chain.
package enum InstitutionRole: UInt8, Sendable, CanonicalCodable {
    /// Votes on blocks.
    case validator = 1
    /// Follows and checks everything without voting.
    case verifier = 2

    package var name: String { self == .validator ? "validator" : "verifier" }

    package init?(name: String) {
        switch name {
        case "validator": self = .validator
        case "verifier": self = .verifier
        default: return nil
        }
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let role = InstitutionRole(rawValue: try decoder.decode()) else { throw .invalid }
        self = role
    }
}

/// An institution's public card: what others need to know to found a chain with it.
package struct InstitutionCard: Hashable, Sendable {
    /// HPKE X-Wing public key (draft-connolly-cfrg-xwing-kem): ML-KEM-768 (1184) and X25519 (32).
    package static let encryptionKeyBytes = 1216
    package static let nameBytesMax = 128
    package static let addressBytesMax = 128
    package static let areaBytesMax = 12
    package static let levelBytesMax = 4

    package var id: InstitutionID
    package var name: String
    /// Hospital level, such as `3A`.
    package var level: String
    /// GB/T 2260 area code, such as `330100`; empty when unknown.
    package var area: String
    package var role: InstitutionRole
    /// `HOST:PORT` where other agents reach this one.
    package var address: String
    /// Signs transactions and votes.
    package var signingKey: VerifyingKey
    /// Keys are sealed to it.
    package var encryptionKey: [UInt8]
    /// SHA-256 of the transport certificate's SubjectPublicKeyInfo (DER).
    package var transportKeyDigest: Digest

    package init(
        id: InstitutionID,
        name: String,
        level: String,
        area: String,
        role: InstitutionRole,
        address: String,
        signingKey: VerifyingKey,
        encryptionKey: [UInt8],
        transportKeyDigest: Digest
    ) {
        self.id = id
        self.name = name
        self.level = level
        self.area = area
        self.role = role
        self.address = address
        self.signingKey = signingKey
        self.encryptionKey = encryptionKey
        self.transportKeyDigest = transportKeyDigest
    }
}

extension InstitutionCard: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.id)
        encoder.encode(self.name)
        encoder.encode(self.level)
        encoder.encode(self.area)
        encoder.encode(self.role)
        encoder.encode(self.address)
        encoder.encode(self.signingKey)
        encoder.encode(fixed: self.encryptionKey)
        encoder.encode(self.transportKeyDigest)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.id = try decoder.decode()
        self.name = try decoder.decodeString(max: Self.nameBytesMax)
        self.level = try decoder.decodeString(max: Self.levelBytesMax)
        self.area = try decoder.decodeString(max: Self.areaBytesMax)
        self.role = try decoder.decode()
        self.address = try decoder.decodeString(max: Self.addressBytesMax)
        self.signingKey = try decoder.decode()
        self.encryptionKey = try decoder.decode(fixed: Self.encryptionKeyBytes)
        self.transportKeyDigest = try decoder.decode()
    }
}

/// A card with its owner's signature, as `init` writes it to a file.
package struct CardFile: Hashable, Sendable, CanonicalCodable {
    private static let magic = Array("ENTCARD1".utf8)
    /// A card on file is at most 2 KiB.
    package static let bytesMax = 2048

    package var card: InstitutionCard
    /// By the card's signing key over ``signedBytes``: whoever hands the card on cannot change it.
    package var signature: Signature

    package init(card: InstitutionCard, signature: Signature) {
        self.card = card
        self.signature = signature
    }

    /// There is no chain yet, so the card is signed under the zero chain.
    package static func signedBytes(_ card: InstitutionCard) -> [UInt8] {
        SignedBytes.make(chain: ChainID(.zero), use: .hello, epoch: Epoch(0), body: card.canonicalBytes)
    }

    package var isSignatureValid: Bool {
        self.card.signingKey.isValid(self.signature, over: Self.signedBytes(self.card))
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: Self.magic)
        encoder.encode(self.card)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw .invalid }
        self.card = try decoder.decode()
        self.signature = try decoder.decode()
    }
}
