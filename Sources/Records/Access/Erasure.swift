package import Primitives

/// The digest that names an erasure.
package struct ErasureID: Hashable, Comparable, Sendable, CanonicalCodable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    package static func < (left: ErasureID, right: ErasureID) -> Bool { left.digest < right.digest }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.digest) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(try decoder.decode())
    }
}

/// A wish that the keys of some records of one institution be destroyed everywhere.
///
/// It asks and decides nothing: the institution accepts or refuses it (`Documentation/Protocol/Erasure.md`).
package struct Erasure: Hashable, Sendable {
    /// Who asks.
    package enum Requester: Hashable, Sendable {
        case patient(VerifyingKey)
        /// The source itself, with the digest of the patient's request on paper.
        case source(evidence: Digest)
    }

    /// As many as a transaction can write down one by one.
    package static let recordsMax = 12

    /// The institution that made the records.
    package var source: InstitutionID
    /// Ascending, each once.
    package var records: [ContentAddress]
    package var requester: Requester
    package var nonce: UInt64

    package init(source: InstitutionID, records: [ContentAddress], requester: Requester, nonce: UInt64) {
        self.source = source
        self.records = Set(records).sorted()
        self.requester = requester
        self.nonce = nonce
    }

    package var id: ErasureID {
        ErasureID(Digest(hashing: Array("entente/erasure/1\0".utf8) + self.canonicalBytes))
    }

    /// What a proof of destruction repeats: `H("entente/erasure-list/1\0" ‖ source ‖ list of records)`.
    package var listDigest: Digest {
        var encoder = CanonicalEncoder()
        encoder.encode(self.source)
        encoder.encode(self.records)
        return Digest(hashing: Array("entente/erasure-list/1\0".utf8) + encoder.bytes)
    }
}

extension Erasure.Requester: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .patient(let key):
            encoder.encode(variant: 0)
            encoder.encode(key)
        case .source(let evidence):
            encoder.encode(variant: 1)
            encoder.encode(evidence)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .patient(try decoder.decode())
        default: self = .source(evidence: try decoder.decode())
        }
    }
}

extension Erasure: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.source)
        encoder.encode(self.records)
        encoder.encode(self.requester)
        encoder.encode(self.nonce)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.source = try decoder.decode()
        self.records = try decoder.decodeArray(max: Self.recordsMax)
        guard zip(self.records, self.records.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .invalid }
        self.requester = try decoder.decode()
        self.nonce = try decoder.decode()
    }
}

/// Why an institution does not erase.
package enum ErasureRefusal: UInt8, Hashable, CaseIterable, Sendable, CanonicalCodable {
    /// The law has records kept for longer; until when is said with it.
    case retention = 1
    /// A court, an authority or a dispute has them kept.
    case legalHold = 2
    /// Whoever asks is not the patient of these records.
    case notThePatient = 3
    /// The institution has no such record.
    case unknownRecord = 4

    package var name: String {
        switch self {
        case .retention: "retention"
        case .legalHold: "legal-hold"
        case .notThePatient: "not-the-patient"
        case .unknownRecord: "unknown-record"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let reason = ErasureRefusal(rawValue: try decoder.decode()) else { throw .invalid }
        self = reason
    }
}
