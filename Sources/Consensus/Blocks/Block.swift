package import Primitives

/// A header, the transactions it commits to, and the proof that it may stand where it stands.
///
/// Consensus never looks into the body: the application builds and executes it.
package struct Block: Hashable, Sendable, CanonicalCodable {
    /// Bounds what a leader can make everybody store and send: the largest block that chain parameters can allow.
    package static let bodyBytesMax = 4 << 20

    package let header: BlockHeader
    package let body: [UInt8]
    package let justification: Justification
    /// The header's hash, kept because everything is looked up by it.
    package let hash: Digest

    package init(header: BlockHeader, body: [UInt8], justification: Justification) {
        self.header = header
        self.body = body
        self.justification = justification
        self.hash = header.hash
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.header)
        encoder.encode(bytes: self.body)
        encoder.encode(self.justification)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let header: BlockHeader = try decoder.decode()
        let body = try decoder.decodeBytes(max: Self.bodyBytesMax)
        self.init(header: header, body: body, justification: try decoder.decode())
    }
}

/// A block with its leader's notarize vote, which is the leader's only signature over it: a leader that proposes twice
/// has notarized twice.
package struct Proposal: Hashable, Sendable, CanonicalCodable {
    package let block: Block
    package let signature: Signature

    package init(block: Block, signature: Signature) {
        self.block = block
        self.signature = signature
    }

    /// The leader's vote.
    ///
    /// Its signer is who the header says it is; whether that is the leader is for the reader to check.
    package var vote: Vote {
        let header = self.block.header
        let body = VoteBody.notarize(self.block.hash, view: header.view, epoch: header.epoch)
        return Vote(body: body, signer: header.proposer, signature: self.signature)
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.block)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.block = try decoder.decode()
        self.signature = try decoder.decode()
    }
}

/// The newest block known to be decided, where a machine starts and every later commit attaches.
package struct FinalPoint: Hashable, Sendable {
    package let header: BlockHeader
    package let hash: Digest
    /// The FC; `nil` if the block is the epoch's genesis.
    package let certificate: Certificate?

    package init(header: BlockHeader, certificate: Certificate?) {
        let hash = header.hash
        precondition(certificate.map { $0.kind == .finalize && $0.hash == hash } ?? true, "the FC is of this block")
        self.header = header
        self.hash = hash
        self.certificate = certificate
    }

    package var height: Height { self.header.height }

    /// The view in which the block was decided, 0 for the epoch's genesis.
    package var view: View { self.certificate?.view ?? View(0) }
}
