package import Primitives

/// What a commitment batch binds for one exam.
package struct ExamLeaf: Hashable, Sendable {
    /// The sealed record.
    package var record: ContentAddress
    /// Size of the sealed record's body in bytes.
    package var sealedBytes: UInt32
    /// Salted commitment to the plaintext: see ``RecordContent/commitment(suite:salt:canonicalContent:)``.
    package var commitment: Digest
    package var locatorDigest: Digest
    /// The record of the version that this one replaces.
    package var supersedes: ContentAddress?

    package init(
        record: ContentAddress,
        sealedBytes: UInt32,
        commitment: Digest,
        locatorDigest: Digest,
        supersedes: ContentAddress?
    ) {
        self.record = record
        self.sealedBytes = sealedBytes
        self.commitment = commitment
        self.locatorDigest = locatorDigest
        self.supersedes = supersedes
    }

    /// The leaf of the batch's Merkle tree.
    package var leafHash: Digest { MerkleTree.leafHash(use: "exam/1", self.canonicalBytes) }
}

extension ExamLeaf: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.record)
        encoder.encode(self.sealedBytes)
        encoder.encode(self.commitment)
        encoder.encode(self.locatorDigest)
        encoder.encode(self.supersedes)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.record = try decoder.decode()
        self.sealedBytes = try decoder.decode()
        self.commitment = try decoder.decode()
        self.locatorDigest = try decoder.decode()
        self.supersedes = try decoder.decodeOptional()
    }
}

/// The list of one commitment batch, replicated to every agent as the body of an object of kind `manifest`.
package struct Manifest: Hashable, Sendable {
    package static let entriesMax = 4096

    /// One committed exam: what the batch binds and how it is found.
    package struct Entry: Hashable, Sendable, CanonicalCodable {
        package var leaf: ExamLeaf
        package var locator: LocatorEntry

        package init(leaf: ExamLeaf, locator: LocatorEntry) {
            self.leaf = leaf
            self.locator = locator
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.leaf)
            encoder.encode(self.locator)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.leaf = try decoder.decode()
            self.locator = try decoder.decode()
        }
    }

    package var institution: InstitutionID
    package var batch: UInt64
    package var entries: [Entry]
    /// Entries by which a person is found under another identifier: each seals the pseudonym used in `entries`.
    package var aliases: [LocatorEntry]

    package init(institution: InstitutionID, batch: UInt64, entries: [Entry], aliases: [LocatorEntry]) {
        self.institution = institution
        self.batch = batch
        self.entries = entries
        self.aliases = aliases
    }

    /// Root of the Merkle tree over the entries' leaves: what the chain commits to.
    package var root: Digest { MerkleTree.root(self.entries.map(\.leaf.leafHash)) }
}

extension Manifest: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt8(1))
        encoder.encode(self.institution)
        encoder.encode(self.batch)
        encoder.encode(self.entries)
        encoder.encode(self.aliases)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.institution = try decoder.decode()
        self.batch = try decoder.decode()
        self.entries = try decoder.decodeArray(max: Self.entriesMax)
        self.aliases = try decoder.decodeArray(max: Self.entriesMax)
        // The leaf commits to its locator entry; a manifest in which they differ is a lie of its maker.
        guard self.entries.allSatisfy({ $0.leaf.locatorDigest == $0.locator.digest }) else { throw .invalid }
    }
}
