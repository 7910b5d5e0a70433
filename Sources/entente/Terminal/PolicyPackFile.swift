import Formats
import Primitives
import Records

/// A policy pack in a file: as people write it, or as it is signed.
enum PolicyPackFile {
    /// Texts take more room than canonical bytes.
    private static let textBytesMax = 2 * PolicyPack.bytesMax

    static func text(_ path: String) throws -> YAMLText {
        try YAMLText(path, bytesMax: self.textBytesMax, name: "policy")
    }

    static let notCanonical = CommandFailure(
        "policy.not-canonical",
        "the file does not hold the canonical bytes of a policy pack",
        status: .quarantined
    )

    static func read(_ path: String) throws -> PolicyPack { try self.signed(path).pack }

    /// A pack, and whose signature its file bears.
    static func signed(_ path: String) throws -> (pack: PolicyPack, author: VerifyingKey?) {
        if path.hasSuffix(".pack") {
            let bytes = Array(
                try PrivateFile.read(
                    path,
                    bytesMax: PolicyPack.bytesMax + SignedPolicy.overheadBytes,
                    what: "the policy"
                )
            )
            if SignedPolicy.isOne(bytes) {
                guard let file = try? SignedPolicy(canonicalBytes: bytes),
                    let pack = try? PolicyPack(canonicalBytes: file.pack)
                else { throw self.notCanonical }
                guard file.isSignatureValid else {
                    throw CommandFailure(
                        "policy.bad-signature",
                        "the author's signature does not fit the policy pack",
                        hint: "Have the author sign it again, and ask for the author's key in another way.",
                        status: .integrity
                    )
                }
                return (pack, file.author)
            }
            guard let pack = try? PolicyPack(canonicalBytes: bytes) else { throw self.notCanonical }
            return (pack, nil)
        }
        return (try self.author(path), nil)
    }

    /// The form that people write.
    private static func author(_ path: String) throws -> PolicyPack {
        let text = try self.text(path)
        do throws(PolicyFault) {
            return try PolicyPack(author: text.node)
        } catch {
            throw CommandFailure(
                error.refusal.code,
                "\(error.refusal.message) \(text.place(error.path))",
                hint: "Documentation/Protocol/Recognition.md says what a pack holds.",
                status: .quarantined
            )
        }
    }
}
