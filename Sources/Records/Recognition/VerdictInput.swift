package import Primitives

/// All that a verdict was made from: whoever has it and the pack makes the same verdict again, to the byte.
///
/// It holds results, so that it is kept as carefully as a record.
package struct VerdictInput: Hashable, Sendable {
    private static let magic = Array("ENTVERD1".utf8)
    /// An order, 256 exams with all that they may carry, and 512 entries of access stay below it.
    package static let bytesMax = 4 << 20

    /// ``PolicyPack/hash``.
    package var policy: Digest
    package var order: OrderContext
    package var candidates: [Candidate]
    package var access: RecognitionAccess

    package init(policy: Digest, order: OrderContext, candidates: [Candidate], access: RecognitionAccess) {
        self.policy = policy
        self.order = order
        self.candidates = candidates
        self.access = access
    }
}

extension VerdictInput: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: Self.magic)
        encoder.encode(self.policy)
        encoder.encode(self.order)
        encoder.encode(self.candidates)
        encoder.encode(self.access)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard decoder.remaining <= Self.bytesMax else { throw .overLimit }
        guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw .invalid }
        self.policy = try decoder.decode()
        self.order = try decoder.decode()
        self.candidates = try decoder.decodeArray(max: Verdict.candidatesMax)
        self.access = try decoder.decode()
    }
}
