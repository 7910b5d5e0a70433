package import Primitives

/// The state of an erasure under a final block: what somebody with the genesis file alone needs to see who has signed that
/// it destroyed which keys, and who has not (`Documentation/Protocol/Erasure.md`).
package struct DestructionProof: Hashable, Sendable {
    package static let magic = Array("ENTERAS1".utf8)
    /// A state of 16 KiB, its path and a finalization, with room.
    package static let bytesMax = 64 << 10
    package static let stateBytesMax = 16 << 10

    package var chain: ChainID
    /// Canonical bytes of the erasure's value in the state.
    package var state: [UInt8]
    package var proof: SparseMerkleProof
    package var header: BlockHeader
    /// Canonical bytes of the header's finalization.
    package var finalization: [UInt8]

    package init(
        chain: ChainID,
        state: [UInt8],
        proof: SparseMerkleProof,
        header: BlockHeader,
        finalization: [UInt8]
    ) {
        self.chain = chain
        self.state = state
        self.proof = proof
        self.header = header
        self.finalization = finalization
    }
}

extension DestructionProof: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: Self.magic)
        encoder.encode(self.chain)
        encoder.encode(bytes: self.state)
        encoder.encode(self.proof)
        encoder.encode(self.header)
        encoder.encode(bytes: self.finalization)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard decoder.remaining <= Self.bytesMax else { throw .overLimit }
        guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw .invalid }
        self.chain = try decoder.decode()
        self.state = try decoder.decodeBytes(max: Self.stateBytesMax)
        self.proof = try decoder.decode()
        self.header = try decoder.decode()
        self.finalization = try decoder.decodeBytes(max: EvidenceFile.finalizationBytesMax)
    }
}
