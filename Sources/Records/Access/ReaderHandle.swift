package import Primitives

/// The salted name of a role or of a person, by which a grant says who may read at an institution.
///
/// Salted with the grant's salt: two grants to one clinician cannot be linked by it.
package struct ReaderHandle: Hashable, Comparable, Sendable {
    package static let byteCount = 16

    package let bytes: [UInt8]

    /// Everybody at the institutions whose credential names this role.
    package init(role: String, salt: [UInt8]) {
        var encoder = CanonicalEncoder()
        encoder.encode("reader-role/1")
        encoder.encode(fixed: salt)
        encoder.encode(role)
        self.bytes = Array(Digest(hashing: encoder.bytes).bytes.prefix(Self.byteCount))
    }

    /// One clinician of one institution.
    package init(clinician: String, at institution: InstitutionID, salt: [UInt8]) {
        var encoder = CanonicalEncoder()
        encoder.encode("reader-person/1")
        encoder.encode(fixed: salt)
        encoder.encode(institution)
        encoder.encode(clinician)
        self.bytes = Array(Digest(hashing: encoder.bytes).bytes.prefix(Self.byteCount))
    }

    package static func < (left: ReaderHandle, right: ReaderHandle) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension ReaderHandle: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.bytes = try decoder.decode(fixed: Self.byteCount)
    }
}
