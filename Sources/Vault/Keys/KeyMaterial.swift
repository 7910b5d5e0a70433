internal import Crypto
internal import Primitives

/// Everything secret that a home keeps, as it stands inside the sealed key file.
struct KeyMaterial: Sendable {
    /// An institution rotates one transport key at a time; more old ones than this have been forgotten, not kept.
    static let transportKeysMax = 4

    var institution: InstitutionID
    var signingKey: Curve25519.Signing.PrivateKey
    var encryptionKey: XWingMLKEM768X25519.PrivateKey
    /// The one in use first, then older ones that peers may still expect.
    var transportKeys: [P256.Signing.PrivateKey]
    /// Everything local is derived from it: database secrets, deduplication tags, the root of the data key pages.
    var localSecret: SymmetricKey

    static func generate(institution: InstitutionID) throws(VaultError) -> KeyMaterial {
        do {
            return KeyMaterial(
                institution: institution,
                signingKey: Curve25519.Signing.PrivateKey(),
                encryptionKey: try XWingMLKEM768X25519.PrivateKey(),
                transportKeys: [P256.Signing.PrivateKey()],
                localSecret: SymmetricKey.make()
            )
        } catch {
            throw VaultError(.unsupported, "the system cannot generate keys", cause: error)
        }
    }

    /// Canonical bytes: `version1 ‖ institution ‖ Ed25519 seed32 ‖ X-Wing seed32 ‖ {P-256 scalar32} ‖ local secret32`.
    var bytes: [UInt8] {
        var encoder = CanonicalEncoder(reservingCapacity: 256)
        encoder.encode(UInt8(1))
        encoder.encode(self.institution)
        encoder.encode(fixed: Array(self.signingKey.rawRepresentation))
        encoder.encode(fixed: Array(self.encryptionKey.seedRepresentation))
        encoder.encode(length: self.transportKeys.count)
        for key in self.transportKeys { encoder.encode(fixed: Array(key.rawRepresentation)) }
        encoder.encode(fixed: self.localSecret.bytes)
        return encoder.bytes
    }
}

extension KeyMaterial {
    /// Returns `nil` unless the bytes are such material.
    init?(_ bytes: [UInt8]) {
        var decoder = CanonicalDecoder(bytes)
        do {
            guard try decoder.decode(UInt8.self) == 1 else { return nil }
            self.institution = try decoder.decode()
            let signingSeed = try decoder.decode(fixed: 32)
            self.signingKey = try Curve25519.Signing.PrivateKey(rawRepresentation: signingSeed)
            let encryptionSeed = try decoder.decode(fixed: 32)
            self.encryptionKey = try XWingMLKEM768X25519.PrivateKey(
                seedRepresentation: encryptionSeed,
                publicKey: nil
            )
            let count = try decoder.decodeLength(max: Self.transportKeysMax)
            guard count > 0 else { return nil }
            self.transportKeys = []
            for _ in 0..<count {
                let scalar = try decoder.decode(fixed: 32)
                self.transportKeys.append(try P256.Signing.PrivateKey(rawRepresentation: scalar))
            }
            self.localSecret = SymmetricKey(data: try decoder.decode(fixed: 32))
            try decoder.finish()
        } catch { return nil }
    }
}
