internal import Foundation
package import Primitives
internal import SwiftASN1
internal import X509

package import enum Crypto.P256

/// Makes the self-signed certificate under which an agent speaks TLS.
///
/// Nothing in it is trusted but its key: peers compare the digest of the SubjectPublicKeyInfo with the chain's registry.
/// The key is P-256, since every TLS 1.3 implementation must support it (RFC 8446 section 9.1) and Ed25519 need not be.
package enum TransportCertificate {
    /// Returns the certificate in DER.
    package static func make(
        key: P256.Signing.PrivateKey,
        institution: InstitutionID,
        notBefore: Timestamp,
        notAfter: Timestamp
    ) throws(PeerLinkError) -> [UInt8] {
        do {
            let name = try DistinguishedName { CommonName(institution.text) }
            let privateKey = Certificate.PrivateKey(key)
            let certificate = try Certificate(
                version: .v3,
                serialNumber: Certificate.SerialNumber(),
                publicKey: privateKey.publicKey,
                notValidBefore: Self.date(notBefore),
                notValidAfter: Self.date(notAfter),
                issuer: name,
                subject: name,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth, .clientAuth])
                },
                issuerPrivateKey: privateKey
            )
            var serializer = DER.Serializer()
            try serializer.serialize(certificate)
            return serializer.serializedBytes
        } catch {
            throw PeerLinkError(
                code: .identityInvalid,
                message: "the transport certificate cannot be made; check its period",
                cause: error
            )
        }
    }

    /// SHA-256 of a key's SubjectPublicKeyInfo: what the chain's registry lists.
    package static func keyDigest(_ key: P256.Signing.PublicKey) -> Digest { Digest(hashing: key.derRepresentation) }

    private static func date(_ time: Timestamp) -> Date {
        Date(timeIntervalSince1970: Double(time.milliseconds / 1000))
    }
}
