package import Primitives

/// What an agent knows, told every few seconds also while nothing happens.
package struct Status: Hashable, Sendable, CanonicalCodable {
    package let epoch: Epoch
    package let view: View
    package let finalView: View
    /// A claim: nobody moves on account of it, but a peer that is ahead answers with proof.
    package let finalHeight: Height
    package let finalHash: Digest
    /// Set while the sender listens after a start.
    ///
    /// Peers then show it the votes of its own that they hold, so that it notices a lost vote log before it contradicts
    /// it.
    package let isListening: Bool

    package init(
        epoch: Epoch,
        view: View,
        finalView: View,
        finalHeight: Height,
        finalHash: Digest,
        isListening: Bool
    ) {
        self.epoch = epoch
        self.view = view
        self.finalView = finalView
        self.finalHeight = finalHeight
        self.finalHash = finalHash
        self.isListening = isListening
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.epoch)
        encoder.encode(self.view)
        encoder.encode(self.finalView)
        encoder.encode(self.finalHeight)
        encoder.encode(self.finalHash)
        encoder.encode(self.isListening)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.epoch = try decoder.decode()
        self.view = try decoder.decode()
        self.finalView = try decoder.decode()
        self.finalHeight = try decoder.decode()
        self.finalHash = try decoder.decode()
        self.isListening = try decoder.decode()
    }
}

/// Committed blocks in height order, the last of them finalized by the certificate.
package struct BlockRange: Hashable, Sendable, CanonicalCodable {
    package static let blocksMax = 4096

    package let blocks: [Block]
    package let certificate: Certificate

    package init(blocks: [Block], certificate: Certificate) {
        self.blocks = blocks
        self.certificate = certificate
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.blocks)
        encoder.encode(self.certificate)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.blocks = try decoder.decodeArray(max: Self.blocksMax)
        self.certificate = try decoder.decode()
    }
}

/// What agents say to each other about consensus, over channels that already name the peer and the chain.
package enum ConsensusMessage: Hashable, Sendable {
    /// The longest message that is read: a range of blocks, which is cut at ``rangeBytesMax`` unless one decision
    /// alone is longer.
    package static let byteCountMax = 16 << 20
    /// How many bytes of blocks one range answer is asked for.
    package static let rangeBytesMax = 4 << 20
    /// Certificates in one answer.
    package static let certificatesMax = 64

    /// A leader's block.
    case proposal(Proposal)
    case vote(Vote)
    case certificate(Certificate)
    /// Asks for a block above the last decided one, or any older one.
    case getBlock(Digest)
    case block(Block)
    /// Asks for whatever certificates are known for the views `from ... through`.
    case getCertificates(epoch: Epoch, from: View, through: View)
    case certificates([Certificate])
    /// Asks for decided blocks from a height on.
    case getRange(from: Height, bytesMax: UInt32)
    case range(BlockRange)
    case status(Status)
}

extension ConsensusMessage: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .proposal(let proposal):
            encoder.encode(variant: 0)
            encoder.encode(proposal)
        case .vote(let vote):
            encoder.encode(variant: 1)
            encoder.encode(vote)
        case .certificate(let certificate):
            encoder.encode(variant: 2)
            encoder.encode(certificate)
        case .getBlock(let hash):
            encoder.encode(variant: 3)
            encoder.encode(hash)
        case .block(let block):
            encoder.encode(variant: 4)
            encoder.encode(block)
        case .getCertificates(let epoch, let from, let through):
            encoder.encode(variant: 5)
            encoder.encode(epoch)
            encoder.encode(from)
            encoder.encode(through)
        case .certificates(let certificates):
            encoder.encode(variant: 6)
            encoder.encode(certificates)
        case .getRange(let from, let bytesMax):
            encoder.encode(variant: 7)
            encoder.encode(from)
            encoder.encode(bytesMax)
        case .range(let range):
            encoder.encode(variant: 8)
            encoder.encode(range)
        case .status(let status):
            encoder.encode(variant: 9)
            encoder.encode(status)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard decoder.remaining <= Self.byteCountMax else { throw .overLimit }
        switch try decoder.decodeVariant(count: 10) {
        case 0: self = .proposal(try decoder.decode())
        case 1: self = .vote(try decoder.decode())
        case 2: self = .certificate(try decoder.decode())
        case 3: self = .getBlock(try decoder.decode())
        case 4: self = .block(try decoder.decode())
        case 5:
            let epoch: Epoch = try decoder.decode()
            let from: View = try decoder.decode()
            self = .getCertificates(epoch: epoch, from: from, through: try decoder.decode())
        case 6: self = .certificates(try decoder.decodeArray(max: Self.certificatesMax))
        case 7:
            let from: Height = try decoder.decode()
            self = .getRange(from: from, bytesMax: try decoder.decode())
        case 8: self = .range(try decoder.decode())
        default: self = .status(try decoder.decode())
        }
    }
}
