package import Primitives

/// Why somebody reads (HL7 v3 PurposeOfUse).
package enum PurposeOfUse: UInt8, CaseIterable, Sendable, CanonicalCodable {
    case treatment = 1
    case payment = 2
    case research = 3
    case publicHealth = 4

    package var code: String {
        switch self {
        case .treatment: "TREAT"
        case .payment: "HPAYMT"
        case .research: "HRESCH"
        case .publicHealth: "PUBHLTH"
        }
    }

    package init?(code: some StringProtocol) {
        guard let purpose = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = purpose
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let purpose = PurposeOfUse(rawValue: try decoder.decode()) else { throw .invalid }
        self = purpose
    }
}

/// Which exams a grant covers and how they may be used.
///
/// Stands on chain sealed, so that members outside the grant do not learn what kind of result is being shared.
package struct GrantScope: Hashable, Sendable {
    package static let itemsMax = 8
    package static let itemBytesMax = 48
    /// Plain size, zero-padded before sealing.
    package static let paddedBytes = 484
    /// A week: longer than that an agent without contact must not honour what may have been revoked.
    package static let leaseSecondsMax: UInt32 = 7 * 24 * 3600
    package static let leaseSecondsDefault: UInt32 = 24 * 3600

    /// Sorted; empty means every kind.
    package var kinds: [ExamKind]
    /// Item codes, sorted; empty means every item.
    package var items: [String]
    /// Covers exams performed at or after this time.
    package var examsFrom: Timestamp?
    /// Covers exams performed before this time.
    package var examsUntil: Timestamp?
    package var purpose: PurposeOfUse
    /// How long after its last contact with the chain an agent may still honour the grant.
    package var leaseSeconds: UInt32

    package init(
        kinds: [ExamKind] = [],
        items: [String] = [],
        examsFrom: Timestamp? = nil,
        examsUntil: Timestamp? = nil,
        purpose: PurposeOfUse = .treatment,
        leaseSeconds: UInt32 = GrantScope.leaseSecondsDefault
    ) {
        self.kinds = Array(Set(kinds)).sorted { $0.number < $1.number }
        self.items = Array(Set(items)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.examsFrom = examsFrom
        self.examsUntil = examsUntil
        self.purpose = purpose
        self.leaseSeconds = leaseSeconds
    }

    /// Whether an exam is covered.
    ///
    /// An exam without a time is covered only by a grant without a time range.
    package func covers(kind: ExamKind, itemCode: String, examTime: Timestamp?) -> Bool {
        guard self.kinds.isEmpty || self.kinds.contains(kind) else { return false }
        guard self.items.isEmpty || self.items.contains(itemCode) else { return false }
        if let from = self.examsFrom { guard let examTime, examTime >= from else { return false } }
        if let until = self.examsUntil { guard let examTime, examTime < until else { return false } }
        return true
    }

    /// `H("grant-scope/1" ‖ salt ‖ scope)`.
    package func commitment(salt: [UInt8]) -> Digest {
        Digest(hashing: Array("grant-scope/1".utf8) + salt + self.canonicalBytes)
    }
}

extension GrantScope: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.kinds)
        encoder.encode(self.items)
        encoder.encode(self.examsFrom)
        encoder.encode(self.examsUntil)
        encoder.encode(self.purpose)
        encoder.encode(self.leaseSeconds)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let kinds: [ExamKind] = try decoder.decodeArray(max: ExamKind.allCases.count)
        let items = try decoder.decodeStrings(max: Self.itemsMax, lengthMax: Self.itemBytesMax)
        self.init(
            kinds: kinds,
            items: items,
            examsFrom: try decoder.decodeOptional(),
            examsUntil: try decoder.decodeOptional(),
            purpose: try decoder.decode(),
            leaseSeconds: try decoder.decode()
        )
        guard self.kinds == kinds, self.items == items else { throw .notCanonical }
        guard (1...Self.leaseSecondsMax).contains(self.leaseSeconds) else { throw .invalid }
    }
}

/// Permission for institutions to read a patient's exams within a scope and a period (FHIR Consent).
///
/// Never overwritten: its end is recorded beside it.
package struct AccessGrant: Hashable, Sendable {
    package static let saltBytes = 16
    package static let granteesMax = 64
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
    /// Institutions that may read, sorted, at least one.
    package var grantees: [InstitutionID]
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
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .patient(try decoder.decode())
        default: self = .witness(try decoder.decode(), evidence: try decoder.decode())
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
        self.scopeCommitment = try decoder.decode()
        self.sealedScope = try decoder.decodeBytes(max: Self.sealedScopeBytes)
        self.notBefore = try decoder.decode()
        self.notAfter = try decoder.decode()
        self.grantor = try decoder.decode()
        guard zip(self.custodians, self.custodians.dropFirst()).allSatisfy(<),
            zip(self.grantees, self.grantees.dropFirst()).allSatisfy(<)
        else { throw .notCanonical }
    }
}

/// The digest that names a grant.
package struct GrantID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: GrantID, right: GrantID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}
