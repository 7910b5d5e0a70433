package import Primitives

/// What an institution declares about a patient's life that decides who may speak for the patient.
package struct LifeEvent: Hashable, Sendable {
    /// What happened.
    package enum Kind: UInt8, Hashable, CaseIterable, Sendable {
        /// Everybody's mandate ends; what the patient granted stays until it ends by itself.
        case death = 1
        /// The patient cannot decide: statutory delegates speak from now on.
        case incapacity = 2
        /// The patient can decide again: statutory delegates do not speak any more.
        case recovery = 3
        /// Others have custody of the child: who was a guardian before is none any more.
        case custody = 4

        package var name: String {
            switch self {
            case .death: "death"
            case .incapacity: "incapacity"
            case .recovery: "recovery"
            case .custody: "custody"
            }
        }

        package init?(name: some StringProtocol) {
            guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
            self = found
        }
    }

    package var handle: PatientHandle
    package var salt: [UInt8]
    package var bucket: UInt8
    package var kind: Kind
    /// Who saw the papers.
    package var institution: InstitutionID
    /// Of the certificate, finding or order.
    package var evidence: Digest
    package var nonce: UInt64

    package init(
        handle: PatientHandle,
        salt: [UInt8],
        bucket: UInt8,
        kind: Kind,
        institution: InstitutionID,
        evidence: Digest,
        nonce: UInt64
    ) {
        self.handle = handle
        self.salt = salt
        self.bucket = bucket
        self.kind = kind
        self.institution = institution
        self.evidence = evidence
        self.nonce = nonce
    }

    package var id: LifeEventID {
        LifeEventID(Digest(hashing: Array("entente/life-event/1\0".utf8) + self.canonicalBytes))
    }
}

extension LifeEvent.Kind: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let kind = Self(rawValue: try decoder.decode()) else { throw .invalid }
        self = kind
    }
}

extension LifeEvent: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.handle)
        encoder.encode(fixed: self.salt)
        encoder.encode(self.bucket)
        encoder.encode(self.kind)
        encoder.encode(self.institution)
        encoder.encode(self.evidence)
        encoder.encode(self.nonce)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.handle = try decoder.decode()
        self.salt = try decoder.decode(fixed: AccessGrant.saltBytes)
        self.bucket = try decoder.decode()
        self.kind = try decoder.decode()
        self.institution = try decoder.decode()
        self.evidence = try decoder.decode()
        self.nonce = try decoder.decode()
    }
}
