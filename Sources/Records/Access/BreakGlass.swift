package import Primitives

/// Why somebody opens without a grant.
package enum EmergencyReason: UInt8, Hashable, CaseIterable, Sendable {
    /// The patient cannot be asked.
    case unconscious = 1
    case lifeThreatening = 2
    /// Neither the patient nor anybody who speaks for the patient can decide (Civil Code 1220).
    case nobodyCanDecide = 3
    case disaster = 4
    case other = 5

    package var name: String {
        switch self {
        case .unconscious: "unconscious"
        case .lifeThreatening: "life-threatening"
        case .nobodyCanDecide: "nobody-can-decide"
        case .disaster: "disaster"
        case .other: "other"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

extension EmergencyReason: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let reason = EmergencyReason(rawValue: try decoder.decode()) else { throw .invalid }
        self = reason
    }
}

/// Emergency access: one clinician of one institution opens a patient's exams without the patient's grant, for hours,
/// recorded before any key is released and reviewed afterwards.
///
/// It never becomes a standing consent: it ends by itself, and nothing renews it.
package struct BreakGlass: Hashable, Sendable {
    /// Four hours.
    package static let periodMillisecondsMax: Int64 = 4 * 3600 * 1000
    /// Three days: later, whoever opened opens nothing further this way until the case is reviewed.
    package static let reviewMilliseconds: Int64 = 72 * 3600 * 1000
    /// Bytes of reason and circumstances together.
    package static let statementBytesMax = 400

    /// What custodians serve: to the institution alone, for the clinician alone, under a sealed scope.
    package var grant: AccessGrant
    /// The salted name of the clinician, the same in all of the clinician's cases at the institution.
    package var user: Digest
    package var clinician: VerifyingKey
    /// A second person who agreed beforehand.
    package var approver: VerifyingKey?
    package var reason: EmergencyReason
    /// The text and circumstances, sealed for those who know the patient, as a scope is.
    package var sealedStatement: [UInt8]
    /// The narrower case that this one widens.
    package var widens: GrantID?

    package init(
        grant: AccessGrant,
        user: Digest,
        clinician: VerifyingKey,
        approver: VerifyingKey?,
        reason: EmergencyReason,
        sealedStatement: [UInt8],
        widens: GrantID?
    ) {
        self.grant = grant
        self.user = user
        self.clinician = clinician
        self.approver = approver
        self.reason = reason
        self.sealedStatement = sealedStatement
        self.widens = widens
    }

    /// The name under which an institution's cases of one clinician are counted.
    package static func user(clinician: String, at institution: InstitutionID) -> Digest {
        var encoder = CanonicalEncoder()
        encoder.encode("emergency-user/1")
        encoder.encode(institution)
        encoder.encode(clinician)
        return Digest(hashing: encoder.bytes)
    }
}

extension BreakGlass: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.grant)
        encoder.encode(self.user)
        encoder.encode(self.clinician)
        encoder.encode(self.approver)
        encoder.encode(self.reason)
        encoder.encode(bytes: self.sealedStatement)
        encoder.encode(self.widens)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.grant = try decoder.decode()
        self.user = try decoder.decode()
        self.clinician = try decoder.decode()
        self.approver = try decoder.decodeOptional()
        self.reason = try decoder.decode()
        self.sealedStatement = try decoder.decodeBytes(max: AccessGrant.sealedScopeBytes)
        self.widens = try decoder.decodeOptional()
    }
}

/// What whoever opened said, for source, patient and reviewer.
package struct EmergencyStatement: Hashable, Sendable, CanonicalCodable {
    package static let textBytesMax = 280
    package static let contextBytesMax = 100

    package var text: String
    /// Where and in what state the patient is.
    package var context: String

    package init(text: String, context: String) {
        self.text = text
        self.context = context
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.text)
        encoder.encode(self.context)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.text = try decoder.decodeString(max: Self.textBytesMax)
        self.context = try decoder.decodeString(max: Self.contextBytesMax)
    }
}
