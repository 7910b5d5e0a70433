package import Primitives

/// The sending of a patient from one institution to another; says nothing of whom or why.
///
/// A grant bound to it, which only those see who can open its scope, ends when it is closed.
package struct Referral: Hashable, Sendable, CanonicalCodable {
    package var from: InstitutionID
    package var to: InstitutionID
    package var nonce: UInt64

    package init(from: InstitutionID, to: InstitutionID, nonce: UInt64) {
        self.from = from
        self.to = to
        self.nonce = nonce
    }

    package var id: ReferralID {
        ReferralID(Digest(hashing: Array("entente/referral/1\0".utf8) + self.canonicalBytes))
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.from)
        encoder.encode(self.to)
        encoder.encode(self.nonce)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.from = try decoder.decode()
        self.to = try decoder.decode()
        self.nonce = try decoder.decode()
    }
}

/// Whether a patient's exams are listed at institutions that may not open them.
package struct DiscoveryChoice: Hashable, Sendable, CanonicalCodable {
    package var handle: PatientHandle
    package var salt: [UInt8]
    package var bucket: UInt8
    package var isHidden: Bool
    /// Who speaks for the patient; each speaker has one standing choice, and one that hides is enough.
    package var principal: Delegation.Principal

    package init(
        handle: PatientHandle,
        salt: [UInt8],
        bucket: UInt8,
        isHidden: Bool,
        principal: Delegation.Principal
    ) {
        self.handle = handle
        self.salt = salt
        self.bucket = bucket
        self.isHidden = isHidden
        self.principal = principal
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.handle)
        encoder.encode(fixed: self.salt)
        encoder.encode(self.bucket)
        encoder.encode(self.isHidden)
        encoder.encode(self.principal)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.handle = try decoder.decode()
        self.salt = try decoder.decode(fixed: AccessGrant.saltBytes)
        self.bucket = try decoder.decode()
        self.isHidden = try decoder.decode()
        self.principal = try decoder.decode()
    }
}
