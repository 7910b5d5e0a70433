import Foundation
import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("A home's keys open only for their owner")
struct KeysTests {
    private let folder: TemporaryFolder
    private var home: String { self.folder.url.path }
    private let passphrase = Array("correct horse".utf8)

    init() throws { self.folder = try TemporaryFolder() }

    private func create(_ passphrase: [UInt8]? = nil) throws -> HomeKeys {
        try HomeKeys.create(home: self.home, institution: Fixtures.institution(), passphrase: passphrase, cost: 10)
    }

    private func code(_ body: () throws -> Void) -> VaultError.Code? {
        do { try body() } catch { return (error as? VaultError)?.code }
        return nil
    }

    private func mode(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: self.home + "/" + name)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("Keys come back as they were made, from files that only their owner reads")
    func reopened() throws {
        let made = try self.create()
        let opened = try HomeKeys.open(home: self.home, passphrase: nil)
        #expect(opened.institution == made.institution)
        #expect(opened.verifyingKey == made.verifyingKey)
        #expect(opened.encryptionKey == made.encryptionKey)
        #expect(opened.encryptionKey.count == InstitutionCard.encryptionKeyBytes)
        #expect(opened.transportKeyDigest == made.transportKeyDigest)
        #expect(made.verifyingKey.isValid(opened.sign([1, 2]), over: [1, 2]))
        #expect(try self.mode("keys") == 0o600)
        #expect(try self.mode("master.key") == 0o600)
        #expect(try HomeKeys.needsPassphrase(home: self.home) == false)
    }

    @Test("A home's keys are never overwritten")
    func createdOnce() throws {
        _ = try self.create()
        #expect(self.code { _ = try self.create() } == .homeExists)
    }

    @Test("A home without keys says so")
    func missing() {
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .homeMissing)
        #expect(self.code { _ = try HomeLock(home: self.home + "/nowhere") } == .homeMissing)
    }

    @Test("A passphrase is needed, and the right one")
    func passphraseProtected() throws {
        let made = try self.create(self.passphrase)
        #expect(try HomeKeys.needsPassphrase(home: self.home) == true)
        #expect(!FileManager.default.fileExists(atPath: self.home + "/master.key"))
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .passphraseNeeded)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: [1]) } == .wrongPassphrase)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: []) } == .wrongPassphrase)
        #expect(try HomeKeys.open(home: self.home, passphrase: self.passphrase).verifyingKey == made.verifyingKey)
    }

    @Test("A changed passphrase opens, the old one does not, and local secrets stay readable")
    func changedPassphrase() throws {
        let made = try self.create()
        let new = Array("another".utf8)
        try made.changePassphrase(from: nil, to: new, cost: 10)
        #expect(!FileManager.default.fileExists(atPath: self.home + "/master.key"))
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: self.passphrase) } == .wrongPassphrase)
        let opened = try HomeKeys.open(home: self.home, passphrase: new)
        #expect(opened.verifyingKey == made.verifyingKey)
        #expect(self.code { try made.changePassphrase(from: [1], to: new, cost: 10) } == .wrongPassphrase)
        try opened.changePassphrase(from: new, to: nil)
        #expect(try HomeKeys.open(home: self.home, passphrase: nil).verifyingKey == made.verifyingKey)
    }

    @Test(
        "Secrets that others can reach are refused",
        arguments: ["keys", "master.key"],
        [0o640, 0o604, 0o620, 0o660]
    )
    func exposed(name: String, mode: Int) throws {
        _ = try self.create()
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self.home + "/" + name)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .keyFileExposed)
    }

    @Test("A master key that is gone, short or another's is refused")
    func masterKey() throws {
        _ = try self.create()
        let url = self.folder.file("master.key")
        let good = try Data(contentsOf: url)
        try Data(good.dropLast()).write(to: url)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .keyFileDamaged)
        try Data(repeating: 1, count: 32).write(to: url)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .wrongPassphrase)
        try FileManager.default.removeItem(at: url)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .wrongPassphrase)
    }

    @Test("A key file that asks for too much memory is refused")
    func costBound() throws {
        _ = try self.create(self.passphrase)
        let url = self.folder.file("keys")
        for cost in [0, 9, 21, 63, 255] as [UInt8] {
            var bytes = try Data(contentsOf: url)
            bytes[8 + 1 + 32] = cost
            try bytes.write(to: url)
            #expect(
                self.code { _ = try HomeKeys.open(home: self.home, passphrase: self.passphrase) } == .keyFileDamaged
            )
        }
    }

    @Test("A flipped bit in any byte of the key file is refused")
    func damaged() throws {
        _ = try self.create()
        let url = self.folder.file("keys")
        let good = try Data(contentsOf: url)
        for index in good.indices {
            var bytes = good
            bytes[index] ^= 1 << UInt8(index % 8)
            try bytes.write(to: url)
            #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } != nil)
        }
        try (good + [0]).write(to: url)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .wrongPassphrase)
        try Data().write(to: url)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .keyFileDamaged)
        try Data(repeating: 0, count: 100_000).write(to: url)
        #expect(self.code { _ = try HomeKeys.open(home: self.home, passphrase: nil) } == .keyFileDamaged)
    }

    @Test("A home is opened by one agent at a time")
    func locked() throws {
        _ = try self.create()
        var first: Vault? = try Vault.open(home: self.home, passphrase: nil, limits: Fixtures.limits)
        #expect(self.code { _ = try Vault.open(home: self.home, passphrase: nil) } == .homeInUse)
        #expect(first != nil)
        first = nil
        _ = try Vault.open(home: self.home, passphrase: nil, limits: Fixtures.limits)
    }

    @Test("The transport key is handed out as PEM, rotates, and former ones stay until they are forgotten")
    func transportKey() throws {
        let keys = try self.create()
        let first = keys.transportKeyDigest
        let pem = keys.transportKey
        #expect(pem.hasPrefix("-----BEGIN PRIVATE KEY-----"))
        try keys.rotateTransportKey(passphrase: nil)
        #expect(keys.transportKeyDigest != first)
        #expect(keys.formerTransportKeyDigests == [first])
        #expect(keys.transportKey(withDigest: first) == pem)
        let opened = try HomeKeys.open(home: self.home, passphrase: nil)
        #expect(opened.transportKeyDigest == keys.transportKeyDigest)
        #expect(opened.formerTransportKeyDigests == [first])
        try opened.forgetFormerTransportKeys(passphrase: nil)
        #expect(opened.formerTransportKeyDigests.isEmpty)
        #expect(opened.transportKey(withDigest: first) == nil)
        for _ in 0..<6 { try opened.rotateTransportKey(passphrase: nil) }
        #expect(opened.formerTransportKeyDigests.count == 3)
    }

    @Test("A credential is signed for its chain")
    func credential() throws {
        let keys = try self.create()
        let clinician = try PersonalKey.create(self.home + "/clinician.key")
        let credential = keys.makeCredential(
            clinician: "d-17",
            name: "A. Name",
            department: "Radiology",
            key: clinician.verifyingKey,
            issuedAt: Timestamp(milliseconds: 1),
            expiresAt: Timestamp(milliseconds: 2),
            chain: Fixtures.chain
        )
        let message = SignedBytes.make(
            chain: Fixtures.chain,
            use: .credential,
            epoch: Epoch(0),
            body: credential.signedBody
        )
        #expect(keys.verifyingKey.isValid(credential.signature, over: message))
        #expect(try ClinicianCredential(canonicalBytes: credential.canonicalBytes) == credential)
    }

    @Test("A personal key signs, is never overwritten, and is refused when exposed or damaged")
    func personalKey() throws {
        let path = self.home + "/patient.key"
        let key = try PersonalKey.create(path)
        let loaded = try PersonalKey.load(path)
        #expect(key.verifyingKey.isValid(loaded.sign([5]), over: [5]))
        #expect(try self.mode("patient.key") == 0o600)
        #expect(self.code { _ = try PersonalKey.create(path) } == .homeExists)
        #expect(self.code { _ = try PersonalKey.load(path + "2") } == .notFound)
        let good = try Data(contentsOf: URL(fileURLWithPath: path))
        for index in good.indices {
            var bytes = good
            bytes[index] ^= 1 << UInt8(index % 8)
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(self.code { _ = try PersonalKey.load(path) } == .keyFileDamaged)
        }
        try good.write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(self.code { _ = try PersonalKey.load(path) } == .keyFileExposed)
    }

    @Test("No description tells a secret")
    func descriptions() throws {
        let keys = try self.create()
        let key = try PersonalKey.create(self.home + "/patient.key")
        #expect("\(keys)" == "keys of hospital-a")
        #expect("\(key)" == "personal key")
    }
}
