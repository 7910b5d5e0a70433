package import Primitives

/// The list of one batch of recognition facts, replicated to every agent as the body of an object of kind
/// `factManifest`.
package struct FactManifest: Hashable, Sendable {
    package static let entriesMax = 1024

    /// A fact, and who did it, sealed by the institution for itself and whoever it must answer to.
    package struct Entry: Hashable, Sendable, CanonicalCodable {
        package var fact: RecognitionFact
        /// ``RecognitionDetail/sealedBytes`` bytes, which only the institution can open.
        package var sealedDetail: [UInt8]

        package init(fact: RecognitionFact, sealedDetail: [UInt8]) {
            precondition(sealedDetail.count == RecognitionDetail.sealedBytes, "a detail is sealed at one size")
            self.fact = fact
            self.sealedDetail = sealedDetail
        }

        /// The leaf of the batch's Merkle tree.
        package var leafHash: Digest { MerkleTree.leafHash(use: "fact/1", self.canonicalBytes) }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.fact)
            encoder.encode(fixed: self.sealedDetail)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.fact = try decoder.decode()
            self.sealedDetail = try decoder.decode(fixed: RecognitionDetail.sealedBytes)
        }
    }

    package var institution: InstitutionID
    package var batch: UInt64
    package var entries: [Entry]

    package init(institution: InstitutionID, batch: UInt64, entries: [Entry]) {
        self.institution = institution
        self.batch = batch
        self.entries = entries
    }

    /// Root of the Merkle tree over the entries: what the chain commits to.
    package var root: Digest { MerkleTree.root(self.entries.map(\.leafHash)) }
}

extension FactManifest: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt8(1))
        encoder.encode(self.institution)
        encoder.encode(self.batch)
        encoder.encode(self.entries)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard try decoder.decode(UInt8.self) == 1 else { throw .invalid }
        self.institution = try decoder.decode()
        self.batch = try decoder.decode()
        self.entries = try decoder.decodeArray(max: Self.entriesMax)
    }
}
