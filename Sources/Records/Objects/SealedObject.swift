package import Primitives

/// What an object of the store holds.
package enum ObjectKind: UInt8, Sendable, CanonicalCodable {
    /// An exam's ciphertext.
    case record = 1
    /// The list of one commitment batch: leaves and locator entries.
    case manifest = 2
    /// Keys wrapped for one grant.
    case keyEnvelopePage = 3
    /// The list of one batch of fetch receipts.
    case receiptManifest = 4
    /// The list of one batch of recognition facts.
    case factManifest = 5

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let kind = ObjectKind(rawValue: try decoder.decode()) else { throw .invalid }
        self = kind
    }
}

/// The part of an object that is never encrypted and is covered by its address.
package struct ObjectHeader: Hashable, Sendable {
    package static let currentVersion: UInt8 = 1

    package var suite: SuiteID
    package var kind: ObjectKind
    /// The institution that made the object.
    package var origin: InstitutionID
    /// Dense number of the object among those of its origin, from 0: "what do you have" is a few intervals.
    package var sequence: UInt64
    /// For a record, `HKDF-Expand(data key, "kc/1")`: the same ciphertext never opens under two keys.
    ///
    /// Zero otherwise.
    package var keyCommitment: Digest

    package init(suite: SuiteID, kind: ObjectKind, origin: InstitutionID, sequence: UInt64, keyCommitment: Digest) {
        self.suite = suite
        self.kind = kind
        self.origin = origin
        self.sequence = sequence
        self.keyCommitment = keyCommitment
    }
}

extension ObjectHeader: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(Self.currentVersion)
        encoder.encode(self.suite)
        encoder.encode(self.kind)
        encoder.encode(self.origin)
        encoder.encode(self.sequence)
        encoder.encode(self.keyCommitment)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == Self.currentVersion else { throw .invalid }
        self.suite = try decoder.decode()
        self.kind = try decoder.decode()
        self.origin = try decoder.decode()
        self.sequence = try decoder.decode()
        self.keyCommitment = try decoder.decode()
    }
}

/// A header and the bytes it describes: what the store keeps and what agents copy from each other.
package struct SealedObject: Hashable, Sendable {
    /// Largest body: an exam with embedded PDF pages fits; anything larger belongs in an imaging archive.
    package static let bodyBytesMax = 32 << 20
    private static let prefix = Array("entente/obj/1\0".utf8)

    package let header: ObjectHeader
    package let body: [UInt8]
    /// `H("entente/obj/1\0" ‖ header ‖ body)`.
    package let address: ContentAddress

    package init(header: ObjectHeader, body: [UInt8]) {
        self.header = header
        self.body = body
        var hasher = DigestHasher()
        hasher.update(Self.prefix)
        hasher.update(header.canonicalBytes)
        hasher.update(body)
        self.address = ContentAddress(hasher.finalize())
    }
}

extension SealedObject: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.header)
        encoder.encode(bytes: self.body)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let header: ObjectHeader = try decoder.decode()
        self.init(header: header, body: try decoder.decodeBytes(max: Self.bodyBytesMax))
    }
}
