import Foundation
import Primitives
import Records
import Vault

/// The signing key of a patient or clinician, in a file that only its owner reads.
struct PersonKey: Sendable {
    private let key: PersonalKey

    static func create(_ path: String) throws -> PersonKey { PersonKey(key: try PersonalKey.create(path)) }

    static func load(_ path: String) throws(CommandFailure) -> PersonKey {
        do throws(VaultError) {
            return PersonKey(key: try PersonalKey.load(path))
        } catch {
            throw CommandFailure(any: error)
        }
    }

    static func loadOrCreate(_ path: String) throws -> PersonKey {
        FileManager.default.fileExists(atPath: path) ? try self.load(path) : try self.create(path)
    }

    var publicKey: Data { Data(self.key.verifyingKey.bytes) }

    func sign(_ message: Data) -> Data { Data(self.key.sign(Array(message)).bytes) }
}

/// A clinician's key and, beside it, what the institution says about its holder.
struct CredentialFile {
    let credentialBytes: Data
    private let key: PersonKey

    var publicKey: Data { self.key.publicKey }

    static func certificatePath(_ path: String) -> String { path + ".cert" }

    init(path: String) throws(CommandFailure) {
        self.key = try PersonKey.load(path)
        self.credentialBytes = try PrivateFile.read(
            Self.certificatePath(path),
            bytesMax: 4096,
            what: "the credential's certificate"
        )
    }

    func sign(_ message: Data) -> Data { self.key.sign(message) }
}

/// The passphrase that protects a home's keys.
enum Passphrase {
    private static let variable = "ENTENTE_PASSPHRASE_FILE"
    private static let bytesMax = 1024

    /// For a new home: twice from a terminal, or from the file that the environment names.
    static func new() throws(CommandFailure) -> [UInt8] {
        if let bytes = try self.fromFile() { return bytes }
        guard Terminal.isInputTerminal, let first = Terminal.readHidden(prompt: "Passphrase: "), !first.isEmpty,
            first == Terminal.readHidden(prompt: "Again: ")
        else {
            throw .usage(
                "passphrase",
                "no passphrase, or two different ones",
                hint: "Type it at a terminal, or name a file in \(Self.variable)."
            )
        }
        return Array(first.utf8)
    }

    /// For an existing home: `nil` where the keys need none.
    static func forOpening(_ home: String) throws -> [UInt8]? {
        guard try HomeKeys.needsPassphrase(home: home) == true else { return nil }
        if let bytes = try self.fromFile() { return bytes }
        guard Terminal.isInputTerminal, let text = Terminal.readHidden(prompt: "Passphrase: ") else {
            throw CommandFailure(
                "home.passphrase-needed",
                "the keys of this home are protected by a passphrase",
                hint: "Name a file with it in \(Self.variable).",
                status: .notReady
            )
        }
        return Array(text.utf8)
    }

    private static func fromFile() throws(CommandFailure) -> [UInt8]? {
        guard let path = ProcessInfo.processInfo.environment[Self.variable], !path.isEmpty else { return nil }
        let bytes = try PrivateFile.read(path, bytesMax: Self.bytesMax, what: "the passphrase file")
        return Array(bytes.prefix { $0 != UInt8(ascii: "\n") })
    }
}
