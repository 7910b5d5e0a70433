internal import Crypto
internal import Foundation
package import Primitives
package import Records
internal import Synchronization

/// The private keys of one home.
///
/// They live in `HOME/keys`, sealed under a master key that is in `HOME/master.key` or comes from a passphrase, and
/// never leave this target but for ``transportKey``.
package final class HomeKeys: Sendable, CustomStringConvertible {
    /// scrypt's N as a power of two: below the first no passphrase is protected, above the last no machine opens it.
    package static let costs: ClosedRange<UInt8> = 10...20
    /// 128 MiB and about 0.4 s.
    package static let costDefault: UInt8 = 17

    private let home: String
    private let files: any FileSystem
    private let material: Mutex<KeyMaterial>
    package let institution: InstitutionID
    package let verifyingKey: VerifyingKey
    /// HPKE X-Wing public key: what others seal keys to.
    package let encryptionKey: [UInt8]

    private init(_ material: KeyMaterial, home: String, files: any FileSystem) throws(VaultError) {
        guard let key = VerifyingKey(Array(material.signingKey.publicKey.rawRepresentation)) else {
            throw VaultError(.keyFileDamaged, "the signing key in HOME/keys is not a valid key")
        }
        self.home = home
        self.files = files
        self.institution = material.institution
        self.verifyingKey = key
        self.encryptionKey = Array(material.encryptionKey.publicKey.rawRepresentation)
        self.material = Mutex(material)
    }

    package var description: String { "keys of \(self.institution)" }

    // MARK: Files

    /// Whether a home has keys, and whether they need a passphrase; `nil` without keys.
    package static func needsPassphrase(
        home: String,
        files: any FileSystem = PosixFileSystem()
    ) throws(VaultError) -> Bool? {
        guard let file = try Self.load(home, files) else { return nil }
        return file.protection != .masterKeyFile
    }

    /// Makes the keys of a new home.
    ///
    /// `home` exists or its parent does. Without a passphrase the master key is kept in `HOME/master.key`. `cost` is one of
    /// ``costs``; lower than ``costDefault`` is for tests only.
    ///
    /// - Throws: `homeExists` if there are keys already.
    package static func create(
        home: String,
        institution: InstitutionID,
        passphrase: [UInt8]?,
        cost: UInt8 = HomeKeys.costDefault,
        files: any FileSystem = PosixFileSystem()
    ) throws(VaultError) -> HomeKeys {
        try whileDoing("making the home folder") { () throws(FileError) in try files.makeFolder(home) }
        guard try Self.load(home, files) == nil else {
            throw VaultError(.homeExists, "the home has keys already: they are never overwritten")
        }
        let material = try KeyMaterial.generate(institution: institution)
        let (protection, key) = try Self.protect(passphrase, cost: cost)
        if protection == .masterKeyFile { try Self.saveMasterKey(key, home, files) }
        let keys = try HomeKeys(material, home: home, files: files)
        try keys.save(KeyFile(material, protection: protection, key: key))
        return keys
    }

    /// Opens the keys of a home.
    ///
    /// - Throws: `homeMissing`, `passphraseNeeded`, `wrongPassphrase`, `keyFileExposed` or `keyFileDamaged`.
    package static func open(
        home: String,
        passphrase: [UInt8]?,
        files: any FileSystem = PosixFileSystem()
    ) throws(VaultError) -> HomeKeys {
        let file = try Self.existing(home, files)
        return try HomeKeys(try file.open(try Self.key(of: file, home, passphrase, files)), home: home, files: files)
    }

    /// Seals the keys anew under another passphrase, or under a new master key file.
    package func changePassphrase(
        from old: [UInt8]?,
        to new: [UInt8]?,
        cost: UInt8 = HomeKeys.costDefault
    ) throws(VaultError) {
        let file = try Self.existing(self.home, self.files)
        let material = try file.open(try Self.key(of: file, self.home, old, self.files))
        let (protection, key) = try Self.protect(new, cost: cost)
        if protection == .masterKeyFile {
            guard file.protection != .masterKeyFile else {
                throw VaultError(.passphraseNeeded, "the home has a master key file already: give a passphrase")
            }
            try Self.saveMasterKey(key, self.home, self.files)
        }
        try self.save(KeyFile(material, protection: protection, key: key))
        guard protection != .masterKeyFile else { return }
        try whileDoing("removing master.key") { () throws(FileError) in
            try self.files.remove(self.home + "/master.key")
            try self.files.syncFolder(self.home)
        }
    }

    private func save(_ file: KeyFile) throws(VaultError) {
        try whileDoing("writing HOME/keys") { () throws(FileError) in
            try self.files.replaceFile(self.home + "/keys", in: self.home, with: file.bytes)
        }
    }

    private static func load(_ home: String, _ files: any FileSystem) throws(VaultError) -> KeyFile? {
        let path = home + "/keys"
        guard try Self.isPrivate(path, files) else { return nil }
        let bytes = try whileDoing("reading HOME/keys") { () throws(FileError) in
            try files.readFile(path, max: KeyFile.bytesMax)
        }
        return try KeyFile(bytes ?? [])
    }

    private static func existing(_ home: String, _ files: any FileSystem) throws(VaultError) -> KeyFile {
        guard let file = try Self.load(home, files) else {
            throw VaultError(.homeMissing, "there are no keys in this home: run init first")
        }
        return file
    }

    /// Whether a file of secrets exists.
    ///
    /// One that others can reach is refused.
    private static func isPrivate(_ path: String, _ files: any FileSystem) throws(VaultError) -> Bool {
        let permissions = try whileDoing("looking at \(path)") { () throws(FileError) in
            try files.permissions(of: path)
        }
        guard let permissions else { return false }
        guard permissions & 0o077 == 0 else {
            throw VaultError(.keyFileExposed, "others can reach \(path): run chmod 600 on it and consider new keys")
        }
        return true
    }

    private static func protect(
        _ passphrase: [UInt8]?,
        cost: UInt8
    ) throws(VaultError) -> (KeyFile.Protection, SymmetricKey) {
        guard let passphrase else { return (.masterKeyFile, SymmetricKey.make()) }
        precondition(Self.costs.contains(cost), "the cost is within its bounds")
        let salt = RandomBytes.make(KeyFile.saltBytes)
        return (.passphrase(salt: salt, cost: cost), try KeyFile.derive(passphrase, salt: salt, cost: cost))
    }

    private static func saveMasterKey(
        _ key: SymmetricKey,
        _ home: String,
        _ files: any FileSystem
    ) throws(VaultError) {
        try whileDoing("writing master.key") { () throws(FileError) in
            try files.replaceFile(home + "/master.key", in: home, with: key.bytes)
        }
    }

    private static func key(
        of file: KeyFile,
        _ home: String,
        _ passphrase: [UInt8]?,
        _ files: any FileSystem
    ) throws(VaultError) -> SymmetricKey {
        switch file.protection {
        case .passphrase(let salt, let cost):
            guard let passphrase else {
                throw VaultError(.passphraseNeeded, "the keys of this home are protected by a passphrase")
            }
            return try KeyFile.derive(passphrase, salt: salt, cost: cost)
        case .masterKeyFile:
            let path = home + "/master.key"
            guard try Self.isPrivate(path, files) else {
                throw VaultError(.wrongPassphrase, "HOME/master.key is missing: restore it from where it is kept")
            }
            let bytes = try whileDoing("reading master.key") { () throws(FileError) in
                try files.readFile(path, max: 32)
            }
            guard let bytes, bytes.count == 32 else {
                throw VaultError(.keyFileDamaged, "HOME/master.key is not 32 bytes long")
            }
            return SymmetricKey(data: bytes)
        }
    }

    // MARK: Signing

    /// An Ed25519 signature by the institution.
    ///
    /// Callers build the message with ``SignedBytes``.
    package func sign(_ message: [UInt8]) -> Signature {
        let key = self.material.withLock { $0.signingKey }
        guard let bytes = try? key.signature(for: message), let signature = Signature(Array(bytes)) else {
            preconditionFailure("an Ed25519 key signs any message")
        }
        return signature
    }

    /// Signs what the institution says about a clinician, with use `credential` and epoch 0.
    package func makeCredential(
        clinician: String,
        name: String,
        department: String,
        role: String = "",
        rights: ClinicianCredential.Rights = [],
        key: VerifyingKey,
        issuedAt: Timestamp,
        expiresAt: Timestamp,
        chain: ChainID
    ) -> ClinicianCredential {
        var credential = ClinicianCredential(
            institution: self.institution,
            clinician: clinician,
            name: name,
            department: department,
            role: role,
            rights: rights,
            key: key,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            signature: self.sign([])
        )
        let body = credential.signedBody
        credential.signature = self.sign(
            SignedBytes.make(chain: chain, use: .credential, epoch: Epoch(0), body: body)
        )
        return credential
    }

    // MARK: Transport

    /// SHA-256 of the SubjectPublicKeyInfo (DER) of the transport key in use.
    package var transportKeyDigest: Primitives.Digest {
        Primitives.Digest(hashing: self.material.withLock { Array($0.transportKeys[0].publicKey.derRepresentation) })
    }

    /// The P-256 private key for TLS, as PKCS #8 in PEM: the only private key that is ever handed out, because the TLS
    /// library holds its own.
    ///
    /// Keep it in memory only.
    package var transportKey: String { self.material.withLock { $0.transportKeys[0].pemRepresentation } }

    /// Digests of the keys before the one in use, newest first.
    package var formerTransportKeyDigests: [Primitives.Digest] {
        self.material.withLock { $0.transportKeys }.dropFirst().map {
            Primitives.Digest(hashing: Array($0.publicKey.derRepresentation))
        }
    }

    /// The private key, as ``transportKey``, whose public half has this digest: until the chain knows a new key, the
    /// former one stays in use.
    package func transportKey(withDigest digest: Primitives.Digest) -> String? {
        self.material.withLock { $0.transportKeys }.first {
            Primitives.Digest(hashing: Array($0.publicKey.derRepresentation)) == digest
        }?.pemRepresentation
    }

    /// Makes a new transport key and keeps the ones before it until ``forgetFormerTransportKeys(passphrase:)``.
    package func rotateTransportKey(passphrase: [UInt8]?) throws(VaultError) {
        try self.change(passphrase) { material in
            material.transportKeys.insert(P256.Signing.PrivateKey(), at: 0)
            material.transportKeys = Array(material.transportKeys.prefix(KeyMaterial.transportKeysMax))
        }
    }

    package func forgetFormerTransportKeys(passphrase: [UInt8]?) throws(VaultError) {
        try self.change(passphrase) { $0.transportKeys = Array($0.transportKeys.prefix(1)) }
    }

    private func change(_ passphrase: [UInt8]?, _ change: (inout KeyMaterial) -> Void) throws(VaultError) {
        let file = try Self.existing(self.home, self.files)
        let key = try Self.key(of: file, self.home, passphrase, self.files)
        var material = try file.open(key)
        change(&material)
        try self.save(KeyFile(material, protection: file.protection, key: key))
        let changed = material
        self.material.withLock { $0 = changed }
    }

    // MARK: For the rest of the vault

    var encryptionPrivateKey: XWingMLKEM768X25519.PrivateKey { self.material.withLock { $0.encryptionKey } }

    /// A key for one local use.
    func localKey(_ use: String) -> SymmetricKey {
        self.material.withLock { $0.localSecret }.expand(Array("entente/local/\(use)/1".utf8))
    }
}
