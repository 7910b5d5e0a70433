package import Primitives

/// What an institution says about one of its clinicians and the key that clinician signs with.
package struct ClinicianCredential: Hashable, Sendable {
    package static let textBytesMax = 64

    package var institution: InstitutionID
    /// The clinician's identifier inside the institution.
    package var clinician: String
    package var name: String
    package var department: String
    package var key: VerifyingKey
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp
    /// By the institution, over ``signedBody`` with use `credential`.
    package var signature: Signature

    package init(
        institution: InstitutionID,
        clinician: String,
        name: String,
        department: String,
        key: VerifyingKey,
        issuedAt: Timestamp,
        expiresAt: Timestamp,
        signature: Signature
    ) {
        self.institution = institution
        self.clinician = clinician
        self.name = name
        self.department = department
        self.key = key
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.signature = signature
    }

    /// The digest by which receipts name the credential.
    package var id: Digest { Digest(hashing: Array("credential/1".utf8) + self.signedBody) }

    /// Everything but the signature.
    package var signedBody: [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(UInt8(1))
        encoder.encode(self.institution)
        encoder.encode(self.clinician)
        encoder.encode(self.name)
        encoder.encode(self.department)
        encoder.encode(self.key)
        encoder.encode(self.issuedAt)
        encoder.encode(self.expiresAt)
        return encoder.bytes
    }
}

extension ClinicianCredential: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: self.signedBody)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.institution = try decoder.decode()
        self.clinician = try decoder.decodeString(max: Self.textBytesMax)
        self.name = try decoder.decodeString(max: Self.textBytesMax)
        self.department = try decoder.decodeString(max: Self.textBytesMax)
        self.key = try decoder.decode()
        self.issuedAt = try decoder.decode()
        self.expiresAt = try decoder.decode()
        self.signature = try decoder.decode()
    }
}
