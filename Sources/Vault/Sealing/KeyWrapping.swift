internal import Crypto
internal import Foundation
import Primitives
internal import Records

/// A 32-byte key for one institution: HPKE in base mode (RFC 9180) with KEM X-Wing (0x647a), HKDF-SHA256 and
/// AES-256-GCM.
///
/// `encapsulation1120 ‖ ciphertext32 ‖ tag16`.
enum KeyWrapping {
    static let byteCount = 1120 + 48
    private static let suite = HPKE.Ciphersuite.XWingMLKEM768X25519_SHA256_AES_GCM_256
    private static let encapsulationBytes = 1120

    static func wrap(_ key: [UInt8], to encryptionKey: [UInt8], info: [UInt8]) throws(VaultError) -> [UInt8] {
        precondition(key.count == 32, "keys are 32 bytes")
        do {
            let recipient = try XWingMLKEM768X25519.PublicKey(rawRepresentation: encryptionKey)
            var sender = try HPKE.Sender(recipientKey: recipient, ciphersuite: Self.suite, info: Data(info))
            return Array(sender.encapsulatedKey) + Array(try sender.seal(key))
        } catch {
            throw VaultError(.sealBroken, "an institution's encryption key is not a valid X-Wing key", cause: error)
        }
    }

    /// Returns `nil` unless the bytes were wrapped to this key with this info.
    static func unwrap(
        _ wrapped: [UInt8],
        with key: XWingMLKEM768X25519.PrivateKey,
        info: [UInt8]
    ) -> [UInt8]? {
        guard wrapped.count == Self.byteCount,
            var recipient = try? HPKE.Recipient(
                privateKey: key,
                ciphersuite: Self.suite,
                info: Data(info),
                encapsulatedKey: Data(wrapped.prefix(Self.encapsulationBytes))
            ),
            let plain = try? recipient.open(wrapped.suffix(48)), plain.count == 32
        else { return nil }
        return Array(plain)
    }

    /// Binds a grant-set key to its place: another chain, grant, custodian, page or recipient needs another info.
    static func grantInfo(
        chain: ChainID,
        grant: GrantID,
        custodian: InstitutionID,
        page: UInt32,
        recipient: InstitutionID
    ) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode("entente/grant-key/1")
        encoder.encode(SuiteID.international)
        encoder.encode(chain)
        encoder.encode(grant)
        encoder.encode(custodian)
        encoder.encode(page)
        encoder.encode(recipient)
        return encoder.bytes
    }
}
