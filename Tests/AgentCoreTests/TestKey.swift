import Crypto
import Primitives

/// A key pair that depends on its name only.
struct TestKey {
    let privateKey: Curve25519.Signing.PrivateKey
    let verifying: VerifyingKey

    init(_ name: String) {
        do {
            self.privateKey = try Curve25519.Signing.PrivateKey(
                rawRepresentation: Primitives.Digest(hashing: Array("test key \(name)".utf8)).bytes
            )
        } catch {
            preconditionFailure("32 bytes are a key")
        }
        guard let verifying = VerifyingKey(Array(self.privateKey.publicKey.rawRepresentation)) else {
            preconditionFailure("a derived key is not of small order")
        }
        self.verifying = verifying
    }

    func sign(_ message: [UInt8]) -> Signature {
        guard let bytes = try? self.privateKey.signature(for: message), let signature = Signature(Array(bytes)) else {
            preconditionFailure("Ed25519 signs everything")
        }
        return signature
    }
}

extension TestKey {
    /// Stands for a signature that is still to be made.
    static let blank = TestKey("blank").sign([])
}
