package import Primitives

/// A patient's word, or an institution's with evidence, that somebody else may grant and revoke for the patient.
///
/// Within a scope and a period, and not handed on: a delegate's key makes no further delegate.
package struct Delegation: Hashable, Sendable {
    /// Who appointed the delegate.
    package enum Principal: Hashable, Sendable {
        case patient(VerifyingKey)
        /// An institution that saw who may speak for the patient.
        case witness(InstitutionID)
    }

    /// In what capacity the delegate speaks.
    package enum Capacity: UInt8, Hashable, CaseIterable, Sendable {
        case proxy = 1
        case guardian = 2
        case statutory = 3

        package var name: String {
            switch self {
            case .proxy: "proxy"
            case .guardian: "guardian"
            case .statutory: "statutory"
            }
        }

        package init?(name: some StringProtocol) {
            guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = found
        }
    }

    package var handle: PatientHandle
    /// Of the patient's enrolment, if the patient appoints; the delegate's grants use it as well.
    package var salt: [UInt8]
    package var bucket: UInt8
    package var principal: Principal
    /// The delegate's key, which an institution enrolled for that person.
    package var delegate: VerifyingKey
    package var capacity: Capacity
    /// Of the scope that the delegate's grants may not exceed; under ``salt``.
    package var scopeCommitment: Digest
    package var sealedScope: [UInt8]
    package var notBefore: Timestamp
    package var notAfter: Timestamp
    /// Of the mandate, birth certificate or court order.
    package var evidence: Digest
    package var nonce: UInt64

    package init(
        handle: PatientHandle,
        salt: [UInt8],
        bucket: UInt8,
        principal: Principal,
        delegate: VerifyingKey,
        capacity: Capacity,
        scopeCommitment: Digest,
        sealedScope: [UInt8],
        notBefore: Timestamp,
        notAfter: Timestamp,
        evidence: Digest,
        nonce: UInt64
    ) {
        self.handle = handle
        self.salt = salt
        self.bucket = bucket
        self.principal = principal
        self.delegate = delegate
        self.capacity = capacity
        self.scopeCommitment = scopeCommitment
        self.sealedScope = sealedScope
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.evidence = evidence
        self.nonce = nonce
    }

    package var id: DelegationID {
        DelegationID(Digest(hashing: Array("entente/delegation/1\0".utf8) + self.canonicalBytes))
    }
}

extension Delegation.Principal: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .patient(let key):
            encoder.encode(variant: 0)
            encoder.encode(key)
        case .witness(let institution):
            encoder.encode(variant: 1)
            encoder.encode(institution)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .patient(try decoder.decode())
        default: self = .witness(try decoder.decode())
        }
    }
}

extension Delegation.Capacity: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let capacity = Self(rawValue: try decoder.decode()) else { throw .invalid }
        self = capacity
    }
}

extension Delegation: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.handle)
        encoder.encode(fixed: self.salt)
        encoder.encode(self.bucket)
        encoder.encode(self.principal)
        encoder.encode(self.delegate)
        encoder.encode(self.capacity)
        encoder.encode(self.scopeCommitment)
        encoder.encode(bytes: self.sealedScope)
        encoder.encode(self.notBefore)
        encoder.encode(self.notAfter)
        encoder.encode(self.evidence)
        encoder.encode(self.nonce)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.handle = try decoder.decode()
        self.salt = try decoder.decode(fixed: AccessGrant.saltBytes)
        self.bucket = try decoder.decode()
        self.principal = try decoder.decode()
        self.delegate = try decoder.decode()
        self.capacity = try decoder.decode()
        self.scopeCommitment = try decoder.decode()
        self.sealedScope = try decoder.decodeBytes(max: AccessGrant.sealedScopeBytes)
        self.notBefore = try decoder.decode()
        self.notAfter = try decoder.decode()
        self.evidence = try decoder.decode()
        self.nonce = try decoder.decode()
    }
}
