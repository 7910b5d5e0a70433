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

    static func read(_ path: String) throws -> PolicyPack {
        if path.hasSuffix(".pack") {
            let bytes = try PrivateFile.read(path, bytesMax: PolicyPack.bytesMax, what: "the policy")
            guard let pack = try? PolicyPack(canonicalBytes: Array(bytes)) else {
                throw CommandFailure(
                    "policy.not-canonical",
                    "the file does not hold the canonical bytes of a policy pack",
                    status: .quarantined
                )
            }
            return pack
        }
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
