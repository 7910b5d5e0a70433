package import Primitives
package import Records

/// A patient's key, and the salted name of the person whom an institution saw it belongs to.
package struct Enrolment: Hashable, Sendable {
    package static let saltBytes = AccessGrant.saltBytes

    package var key: VerifyingKey
    /// Who checked the person's identity.
    package var institution: InstitutionID
    package var handle: PatientHandle
    package var salt: [UInt8]
    package var bucket: UInt8

    package init(key: VerifyingKey, institution: InstitutionID, handle: PatientHandle, salt: [UInt8], bucket: UInt8) {
        precondition(salt.count == Self.saltBytes, "the salt is 16 bytes")
        self.key = key
        self.institution = institution
        self.handle = handle
        self.salt = salt
        self.bucket = bucket
    }
}

extension Enrolment: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.key)
        encoder.encode(self.institution)
        encoder.encode(self.handle)
        encoder.encode(fixed: self.salt)
        encoder.encode(self.bucket)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.key = try decoder.decode()
        self.institution = try decoder.decode()
        self.handle = try decoder.decode()
        self.salt = try decoder.decode(fixed: Self.saltBytes)
        self.bucket = try decoder.decode()
    }
}
