package import Primitives

/// The 16-byte search token of a locator entry, alias or receipt.
///
/// Without the pseudonym tags cannot be linked.
package struct LocatorTag: Hashable, Comparable, Sendable {
    package static let byteCount = 16

    package let bytes: [UInt8]

    /// The first 16 bytes of `digest`.
    package init(_ digest: Digest) { self.bytes = Array(digest.bytes.prefix(Self.byteCount)) }

    /// Returns `nil` unless there are 16 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The first eight bytes, big-endian: the key of the local index.
    package var prefix64: UInt64 { self.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    package static func < (left: LocatorTag, right: LocatorTag) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension LocatorTag: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(fixed: self.bytes) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.bytes = try decoder.decode(fixed: Self.byteCount)
    }
}

/// The encrypted line by which a patient's record is found: every agent holds it, only who can form the pseudonym can
/// find and read it, and it never opens the record.
package struct LocatorEntry: Hashable, Sendable {
    /// Nonce (12), ciphertext (``LocatorSummary/byteCount``) and tag (16): one size, so that sizes say nothing.
    package static let sealedByteCount = 320

    package let tag: LocatorTag
    package let sealed: [UInt8]

    package init(tag: LocatorTag, sealed: [UInt8]) {
        precondition(sealed.count == Self.sealedByteCount, "an entry is sealed at one size")
        self.tag = tag
        self.sealed = sealed
    }

    /// What the leaf of the exam commits to.
    package var digest: Digest { Digest(hashing: Array("locator-entry/1".utf8) + self.canonicalBytes) }
}

extension LocatorEntry: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.tag)
        encoder.encode(fixed: self.sealed)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.tag = try decoder.decode()
        self.sealed = try decoder.decode(fixed: Self.sealedByteCount)
    }
}
