package import Primitives

/// Permission for institutions to read a patient's exams within a scope and a period (FHIR Consent).
///
/// Never overwritten: its end is recorded beside it.
package struct AccessGrant: Hashable, Sendable {
    package static let saltBytes = 16
    package static let granteesMax = 64
    package static let groupsMax = 8
    /// Nonce (12), padded scope and tag (16).
    package static let sealedScopeBytes = 12 + GrantScope.paddedBytes + 16
    /// Ten years.
    ///
    /// A longer period is an error of entry.
    package static let periodMillisecondsMax: Int64 = 10 * 366 * 24 * 3600 * 1000

    /// Who speaks for the patient.
    package enum Grantor: Hashable, Sendable {
        /// The patient's own key, enrolled on chain by an institution that checked the identity.
        case patient(VerifyingKey)
        /// An institution that holds the patient's consent, with the digest of its evidence.
        case witness(InstitutionID, evidence: Digest)
        /// Somebody whom the patient, or an institution that saw who may speak for the patient, made a delegate.
        case delegate(VerifyingKey, DelegationID)
        /// Nobody: an emergency access of this institution.
        case emergency(InstitutionID)
    }

    package var handle: PatientHandle
    /// Salt of the handle, the scope's key and its commitment.
    ///
    /// A patient's key always uses its enrolment's salt.
    package var salt: [UInt8]
    /// Distinguishes grants that are otherwise alike.
    package var nonce: UInt64
    package var bucket: UInt8
    /// Institutions whose exams are covered, sorted; empty means all.
    package var custodians: [InstitutionID]
    /// Institutions that may read, sorted; at least one of them or of the groups.
    package var grantees: [InstitutionID]
    /// Groups whose members may read, as long as they are members; sorted.
    package var groups: [GroupID]
    package var scopeCommitment: Digest
    package var sealedScope: [UInt8]
    package var notBefore: Timestamp
    /// First instant at which the grant no longer holds.
    package var notAfter: Timestamp
    package var grantor: Grantor

    package init(
        handle: PatientHandle,
        salt: [UInt8],
        nonce: UInt64,
        bucket: UInt8,
        custodians: [InstitutionID],
        grantees: [InstitutionID],
        groups: [GroupID] = [],
        scopeCommitment: Digest,
        sealedScope: [UInt8],
        notBefore: Timestamp,
        notAfter: Timestamp,
        grantor: Grantor
    ) {
        self.handle = handle
        self.salt = salt
        self.nonce = nonce
        self.bucket = bucket
        self.custodians = Array(Set(custodians)).sorted()
        self.grantees = Array(Set(grantees)).sorted()
        self.groups = Array(Set(groups)).sorted()
        self.scopeCommitment = scopeCommitment
        self.sealedScope = sealedScope
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.grantor = grantor
    }

    package var id: GrantID { GrantID(Digest(hashing: Array("entente/grant/1\0".utf8) + self.canonicalBytes)) }
}

extension AccessGrant.Grantor: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .patient(let key):
            encoder.encode(variant: 0)
            encoder.encode(key)
        case .witness(let institution, let evidence):
            encoder.encode(variant: 1)
            encoder.encode(institution)
            encoder.encode(evidence)
        case .delegate(let key, let delegation):
            encoder.encode(variant: 2)
            encoder.encode(key)
            encoder.encode(delegation)
        case .emergency(let institution):
            encoder.encode(variant: 3)
            encoder.encode(institution)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 4) {
        case 0: self = .patient(try decoder.decode())
        case 1: self = .witness(try decoder.decode(), evidence: try decoder.decode())
        case 2: self = .delegate(try decoder.decode(), try decoder.decode())
        default: self = .emergency(try decoder.decode())
        }
    }
}

extension AccessGrant: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.handle)
        encoder.encode(fixed: self.salt)
        encoder.encode(self.nonce)
        encoder.encode(self.bucket)
        encoder.encode(self.custodians)
        encoder.encode(self.grantees)
        encoder.encode(self.groups)
        encoder.encode(self.scopeCommitment)
        encoder.encode(bytes: self.sealedScope)
        encoder.encode(self.notBefore)
        encoder.encode(self.notAfter)
        encoder.encode(self.grantor)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.handle = try decoder.decode()
        self.salt = try decoder.decode(fixed: Self.saltBytes)
        self.nonce = try decoder.decode()
        self.bucket = try decoder.decode()
        self.custodians = try decoder.decodeArray(max: Self.granteesMax)
        self.grantees = try decoder.decodeArray(max: Self.granteesMax)
        self.groups = try decoder.decodeArray(max: Self.groupsMax)
        self.scopeCommitment = try decoder.decode()
        self.sealedScope = try decoder.decodeBytes(max: Self.sealedScopeBytes)
        self.notBefore = try decoder.decode()
        self.notAfter = try decoder.decode()
        self.grantor = try decoder.decode()
        guard zip(self.custodians, self.custodians.dropFirst()).allSatisfy(<),
            zip(self.grantees, self.grantees.dropFirst()).allSatisfy(<),
            zip(self.groups, self.groups.dropFirst()).allSatisfy(<)
        else { throw .notCanonical }
    }
}
