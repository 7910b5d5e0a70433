package import Primitives

/// The name of one reminder: a group of items that a doctor ordered and that others have already examined.
package struct MatchID: Hashable, Comparable, Sendable, CanonicalCodable {
    package static let saltBytes = 32

    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    /// `H("recognition/match/1" ‖ institution ‖ salt(32) ‖ key)`: the same call gives the same id.
    ///
    /// The salt is a secret of the institution's home, so that nobody tests guesses of visit or order numbers against it.
    package init(institution: InstitutionID, salt: [UInt8], idempotencyKey: [UInt8]) {
        precondition(salt.count == Self.saltBytes, "the salt is 32 bytes")
        let bytes = Array("recognition/match/1".utf8) + institution.canonicalBytes + salt + idempotencyKey
        self.digest = Digest(hashing: bytes)
    }

    package static func < (left: MatchID, right: MatchID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// A department of an institution, as others see it: always the same one, and not which.
///
/// Who can find a patient's records could learn from a department in the clear that the patient was in psychiatry.
package struct DepartmentKey: Hashable, Comparable, Sendable {
    package static let byteCount = 16
    package static let saltBytes = 32

    package let bytes: [UInt8]

    /// The first 16 bytes of `H("recognition/department/1" ‖ salt(32) ‖ id)`; the salt is a secret of the institution.
    package init(department id: String, salt: [UInt8]) {
        precondition(salt.count == Self.saltBytes, "the salt is 32 bytes")
        let digest = Digest(hashing: Array("recognition/department/1".utf8) + salt + Array(id.utf8))
        self.bytes = Array(digest.bytes.prefix(Self.byteCount))
    }

    package var text: String { Hex.encode(self.bytes) }

    package static func < (left: DepartmentKey, right: DepartmentKey) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension DepartmentKey: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.bytes = try decoder.decode(fixed: Self.byteCount)
    }
}

/// The classes in which savings are reported.
///
/// Numbers and names are part of the protocol and never reused.
package enum ItemClass: UInt8, CaseIterable, Sendable, Comparable, CanonicalCodable {
    case digitalRadiography = 1
    case magneticResonance = 2
    case computedTomography = 3
    case laboratory = 4
    case other = 5

    package var text: String {
        switch self {
        case .digitalRadiography: "DR"
        case .magneticResonance: "MR"
        case .computedTomography: "CT"
        case .laboratory: "lab"
        case .other: "other"
        }
    }

    package static func < (left: ItemClass, right: ItemClass) -> Bool { left.rawValue < right.rawValue }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let itemClass = ItemClass(rawValue: try decoder.decode()) else { throw .invalid }
        self = itemClass
    }
}

/// What the rules said of one item of a match; the verdict itself is named by its digest.
package enum ItemEligibility: UInt8, CaseIterable, Sendable, CanonicalCodable {
    case mustRecognise = 0
    case mayRecognise = 1
    case manualReview = 2
    case notEligible = 3

    package var name: String {
        switch self {
        case .mustRecognise: "must"
        case .mayRecognise: "may"
        case .manualReview: "review"
        case .notEligible: "not"
        }
    }

    /// Whether the item counts below the line of the share of eligible results that were recognised.
    package var isEligible: Bool { self == .mustRecognise || self == .mayRecognise }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let eligibility = ItemEligibility(rawValue: try decoder.decode()) else { throw .invalid }
        self = eligibility
    }
}

/// Why a source declares one of its records void.
package enum VoidReason: UInt8, CaseIterable, Sendable, CanonicalCodable {
    case wrongPatient = 1
    case wrongSpecimen = 2
    case wrongResult = 3
    case withdrawnByAuthor = 4
    case other = 5

    package var name: String {
        switch self {
        case .wrongPatient: "wrong-patient"
        case .wrongSpecimen: "wrong-specimen"
        case .wrongResult: "wrong-result"
        case .withdrawnByAuthor: "withdrawn"
        case .other: "other"
        }
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let reason = VoidReason(rawValue: try decoder.decode()) else { throw .invalid }
        self = reason
    }
}
