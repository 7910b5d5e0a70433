internal import Crypto
internal import Foundation
package import Primitives

/// The signing key of a patient or a clinician in a file of its own, readable by its owner only:
/// `"ENTPKEY1" ‖ Ed25519 seed32 ‖ public key32`.
package struct PersonalKey: Sendable, CustomStringConvertible {
    private static let magic = Array("ENTPKEY1".utf8)
    private static let byteCount = 72

    private let key: Curve25519.Signing.PrivateKey
    package let verifyingKey: VerifyingKey

    private init?(_ key: Curve25519.Signing.PrivateKey) {
        guard let verifyingKey = VerifyingKey(Array(key.publicKey.rawRepresentation)) else { return nil }
        self.key = key
        self.verifyingKey = verifyingKey
    }

    package var description: String { "personal key" }

    /// Makes a key and its file.
    ///
    /// - Throws: `homeExists` if there is such a file: a key is never overwritten.
    package static func create(
        _ path: String,
        files: any FileSystem = PosixFileSystem()
    ) throws(VaultError) -> PersonalKey {
        let exists = try whileDoing("looking for a key file") { () throws(FileError) in
            try files.permissions(of: path) != nil
        }
        guard !exists else { throw VaultError(.homeExists, "\(path) exists already: keys are never overwritten") }
        let seed = Curve25519.Signing.PrivateKey()
        guard let key = PersonalKey(seed) else { preconditionFailure("a fresh key is a valid point") }
        let bytes = Self.magic + Array(seed.rawRepresentation) + key.verifyingKey.bytes
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try whileDoing("writing a key file") { () throws(FileError) in
            try files.replaceFile(path, in: folder.isEmpty ? "/" : folder, with: bytes)
        }
        return key
    }

    /// Reads a key file.
    ///
    /// - Throws: `notFound`, `keyFileExposed` or `keyFileDamaged`.
    package static func load(
        _ path: String,
        files: any FileSystem = PosixFileSystem()
    ) throws(VaultError) -> PersonalKey {
        let (permissions, bytes) = try whileDoing("reading a key file") { () throws(FileError) in
            (try files.permissions(of: path), try files.readFile(path, max: Self.byteCount))
        }
        guard let permissions else { throw VaultError(.notFound, "there is no key file at \(path)") }
        guard permissions & 0o077 == 0 else {
            throw VaultError(.keyFileExposed, "others can reach \(path): run chmod 600 on it and consider a new key")
        }
        guard let bytes, bytes.count == Self.byteCount, bytes.starts(with: Self.magic),
            let seed = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes[8..<40]),
            let key = PersonalKey(seed), key.verifyingKey.bytes == Array(bytes[40...])
        else { throw VaultError(.keyFileDamaged, "\(path) is not an intact key file") }
        return key
    }

    package func sign(_ message: [UInt8]) -> Signature {
        guard let bytes = try? self.key.signature(for: message), let signature = Signature(Array(bytes)) else {
            preconditionFailure("an Ed25519 key signs any message")
        }
        return signature
    }
}
