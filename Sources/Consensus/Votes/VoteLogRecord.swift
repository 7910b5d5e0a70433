package import Primitives

/// One record of the vote log: a vote, with what must never be lost while the vote may count.
///
/// A record is written whole or not at all. The votes of all records together are everything that this validator may
/// ever have said.
package enum VoteLogRecord: Hashable, Sendable {
    /// With the block, so that whatever is notarized can be fetched from those who notarized it.
    case notarize(Vote, Block)
    /// With the certificate by which the view was entered (`nil` in the epoch's first view).
    ///
    /// A view that was voted in was entered by f + 1 honest validators, so no crash can lose the last proof that the
    /// view before it has ended.
    case nullify(Vote, entry: Certificate?)
    /// With the NC: who finalizes cannot nullify, so it must be able to show the others that the view has ended.
    case finalize(Vote, notarization: Certificate)

    package var vote: Vote {
        switch self {
        case .notarize(let vote, _), .nullify(let vote, _), .finalize(let vote, _): vote
        }
    }

    /// Records at or below the view of a durable final block may be dropped from the log.
    package var view: View { self.vote.body.view }
}

/// A record whose vote is still to be signed.
package enum VoteLogDraft: Hashable, Sendable {
    case notarize(VoteBody, Block)
    case nullify(VoteBody, entry: Certificate?)
    case finalize(VoteBody, notarization: Certificate)

    /// What the holder of the private key signs: `body.signedBytes(chain:)`.
    package var body: VoteBody {
        switch self {
        case .notarize(let body, _), .nullify(let body, _), .finalize(let body, _): body
        }
    }

    package func signed(by signer: UInt16, _ signature: Signature) -> VoteLogRecord {
        let vote = Vote(body: self.body, signer: signer, signature: signature)
        return switch self {
        case .notarize(_, let block): .notarize(vote, block)
        case .nullify(_, let entry): .nullify(vote, entry: entry)
        case .finalize(_, let notarization): .finalize(vote, notarization: notarization)
        }
    }
}

extension VoteLogRecord: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .notarize(let vote, let block):
            encoder.encode(variant: 0)
            encoder.encode(vote)
            encoder.encode(block)
        case .nullify(let vote, let entry):
            encoder.encode(variant: 1)
            encoder.encode(vote)
            encoder.encode(entry)
        case .finalize(let vote, let notarization):
            encoder.encode(variant: 2)
            encoder.encode(vote)
            encoder.encode(notarization)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let variant = try decoder.decodeVariant(count: 3)
        let vote: Vote = try decoder.decode()
        switch (variant, vote.body.kind) {
        case (0, .notarize):
            let block: Block = try decoder.decode()
            guard block.hash == vote.body.hash, block.header.view == vote.body.view else { throw .invalid }
            self = .notarize(vote, block)
        case (1, .nullify):
            self = .nullify(vote, entry: try decoder.decodeOptional())
        case (2, .finalize):
            let notarization: Certificate = try decoder.decode()
            guard notarization.kind == .notarize, notarization.view == vote.body.view,
                notarization.hash == vote.body.hash
            else { throw .invalid }
            self = .finalize(vote, notarization: notarization)
        default:
            throw .invalid
        }
    }
}
