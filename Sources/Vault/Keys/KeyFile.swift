internal import Crypto
internal import CryptoExtras
internal import Primitives

/// The file `HOME/keys`: `magic8 ‖ protection ‖ sealed key material`, everything before the seal bound to it
/// (Documentation/Protocol/VaultFiles.md).
struct KeyFile {
    /// How the key that seals the file is obtained.
    enum Protection: Hashable, Sendable {
        /// From `HOME/master.key`.
        case masterKeyFile
        /// From a passphrase, by scrypt (RFC 7914) with N = 2^cost, r = 8, p = 1.
        case passphrase(salt: [UInt8], cost: UInt8)
    }

    static let bytesMax = 4096
    static let saltBytes = 32
    static let passphraseBytesMax = 1024
    private static let magic = Array("ENTKEYS1".utf8)
    private static let scryptBlockSize = 8

    var protection: Protection
    var sealed: [UInt8]

    init(_ material: KeyMaterial, protection: Protection, key: SymmetricKey) {
        self.protection = protection
        self.sealed = Seal.close(material.bytes, key: key, associated: Self.head(protection))
    }

    var bytes: [UInt8] { Self.head(self.protection) + self.sealed }

    init(_ bytes: [UInt8]) throws(VaultError) {
        var decoder = CanonicalDecoder(bytes)
        do {
            guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw CanonicalError.invalid }
            switch try decoder.decodeVariant(count: 2) {
            case 0: self.protection = .masterKeyFile
            default:
                let salt = try decoder.decode(fixed: Self.saltBytes)
                let cost = try decoder.decode(UInt8.self)
                // Bounded: a changed file must not make the agent take a minute or ten gigabytes.
                guard HomeKeys.costs.contains(cost) else { throw CanonicalError.overLimit }
                self.protection = .passphrase(salt: salt, cost: cost)
            }
            self.sealed = try decoder.decode(fixed: decoder.remaining)
        } catch {
            throw VaultError(.keyFileDamaged, "HOME/keys is not a key file: restore it from a backup", cause: error)
        }
    }

    func open(_ key: SymmetricKey) throws(VaultError) -> KeyMaterial {
        guard let plain = Seal.open(self.sealed, key: key, associated: Self.head(self.protection)) else {
            let what = self.protection == .masterKeyFile ? "master.key" : "the passphrase"
            throw VaultError(.wrongPassphrase, "\(what) does not open HOME/keys, or one of the two is damaged")
        }
        guard let material = KeyMaterial(plain) else {
            throw VaultError(.unsupported, "HOME/keys was written by a later version")
        }
        return material
    }

    /// The key that a passphrase stands for.
    ///
    /// Takes about 0.4 s and 128 MiB at the default cost.
    static func derive(_ passphrase: [UInt8], salt: [UInt8], cost: UInt8) throws(VaultError) -> SymmetricKey {
        guard (1...Self.passphraseBytesMax).contains(passphrase.count) else {
            throw VaultError(.wrongPassphrase, "a passphrase has 1 to \(Self.passphraseBytesMax) bytes")
        }
        let rounds = 1 << Int(cost)
        do {
            return try KDF.Scrypt.deriveKey(
                from: passphrase,
                salt: salt,
                outputByteCount: 32,
                rounds: rounds,
                blockSize: Self.scryptBlockSize,
                parallelism: 1,
                maxMemory: 128 * Self.scryptBlockSize * rounds + (2 << 20)
            )
        } catch {
            throw VaultError(.unsupported, "there is not enough memory to derive the passphrase's key", cause: error)
        }
    }

    private static func head(_ protection: Protection) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(fixed: Self.magic)
        switch protection {
        case .masterKeyFile: encoder.encode(variant: 0)
        case .passphrase(let salt, let cost):
            encoder.encode(variant: 1)
            encoder.encode(fixed: salt)
            encoder.encode(cost)
        }
        return encoder.bytes
    }
}
