package import Primitives

/// What an institution says about one of its clinicians and the key that clinician signs with.
package struct ClinicianCredential: Hashable, Sendable {
    package static let textBytesMax = 64

    /// What the institution lets the clinician do beyond reading under grants.
    package struct Rights: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// May open records in an emergency without a grant, under review.
        package static let breakGlass = Rights(rawValue: 1)
        /// May review what others opened in an emergency.
        package static let review = Rights(rawValue: 2)

        package static let all: Rights = [.breakGlass, .review]
    }

    package var institution: InstitutionID
    /// The clinician's identifier inside the institution.
    package var clinician: String
    package var name: String
    package var department: String
    /// What the clinician does there, by which a grant may choose readers; may be empty.
    package var role: String
    /// What else the institution lets the clinician do.
    package var rights: Rights
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
        role: String = "",
        rights: Rights = [],
        key: VerifyingKey,
        issuedAt: Timestamp,
        expiresAt: Timestamp,
        signature: Signature
    ) {
        self.institution = institution
        self.clinician = clinician
        self.name = name
        self.department = department
        self.role = role
        self.rights = rights
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
        encoder.encode(UInt8(2))
        encoder.encode(self.institution)
        encoder.encode(self.clinician)
        encoder.encode(self.name)
        encoder.encode(self.department)
        encoder.encode(self.role)
        encoder.encode(self.rights.rawValue)
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
        guard try decoder.decode(UInt8.self) == 2 else { throw .invalid }
        self.institution = try decoder.decode()
        self.clinician = try decoder.decodeString(max: Self.textBytesMax)
        self.name = try decoder.decodeString(max: Self.textBytesMax)
        self.department = try decoder.decodeString(max: Self.textBytesMax)
        self.role = try decoder.decodeString(max: Self.textBytesMax)
        self.rights = Rights(rawValue: try decoder.decode())
        guard Rights.all.contains(self.rights) else { throw .invalid }
        self.key = try decoder.decode()
        self.issuedAt = try decoder.decode()
        self.expiresAt = try decoder.decode()
        self.signature = try decoder.decode()
    }
}
