package import Primitives

/// Proof that a quorum cast the same vote: a notarization (NC), nullification (UC) or finalization (FC).
package struct Certificate: Hashable, Sendable {
    /// The statement that every signer made.
    package let body: VoteBody
    /// Bit i is set if validator i signed.
    package let signers: UInt64
    /// One signature for each set bit, lowest bit first.
    package let signatures: [Signature]

    package init(body: VoteBody, signers: UInt64, signatures: [Signature]) {
        precondition(signers.nonzeroBitCount == signatures.count, "a certificate has one signature for each signer")
        self.body = body
        self.signers = signers
        self.signatures = signatures
    }

    package var kind: VoteKind { self.body.kind }
    package var view: View { self.body.view }
    package var hash: Digest? { self.body.hash }

    /// Indices of the signers, ascending.
    package var signerIndices: [UInt16] { (0..<UInt16(64)).filter { self.signers >> UInt64($0) & 1 == 1 } }

    package func isSigned(by index: UInt16) -> Bool { index < 64 && self.signers >> UInt64(index) & 1 == 1 }

    /// Whether at least a quorum of the epoch's validators signed, and every signature holds.
    package func isValid(in context: EpochContext, checker: SignatureChecker) -> Bool {
        let count = context.validators.count
        guard self.body.epoch == context.epoch, self.signatures.count >= context.validators.quorum,
            64 - self.signers.leadingZeroBitCount <= count
        else { return false }
        let message = self.body.signedBytes(chain: context.chain)
        return zip(self.signerIndices, self.signatures).allSatisfy { signer, signature in
            checker.isValid(signature, by: context.validators.members[Int(signer)].key, over: message)
        }
    }
}

extension Certificate: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.body)
        encoder.encode(self.signers)
        encoder.encode(self.signatures)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.body = try decoder.decode()
        self.signers = try decoder.decode()
        self.signatures = try decoder.decodeArray(max: ValidatorSet.countMax)
        guard self.signers.nonzeroBitCount == self.signatures.count else { throw .invalid }
    }
}

/// Why a block may extend its parent in its view: the parent is notarized, and every view between them is nullified.
///
/// The header commits to these bytes, and whoever notarized the block keeps them: were two branches ever finalized,
/// the stored justifications would name at least f + 1 validators that signed contradictory statements.
package struct Justification: Hashable, Sendable {
    /// Views without a block in a row that one justification can cover.
    ///
    /// A quorum that fails for so long waits for days at the longest delay; a bound is needed because the bytes come
    /// from peers.
    package static let nullificationsMax = 4096

    /// NC or FC of the parent; `nil` if the parent is the epoch's genesis.
    package let parent: Certificate?
    /// UC of every view after the parent's and before the block's, ascending.
    package let nullifications: [Certificate]

    package init(parent: Certificate?, nullifications: [Certificate]) {
        self.parent = parent
        self.nullifications = nullifications
    }

    package var hash: Digest { Digest(hashing: self.canonicalBytes) }

    /// The certificate of the view before the block's, which is what lets a validator enter the block's view.
    package var entry: Certificate? { self.nullifications.last ?? self.parent }

    /// Whether the certificates are of the kinds, views and block that the header names; signatures are not looked at.
    package func fits(_ header: BlockHeader) -> Bool {
        guard header.parentView < header.view, self.hash == header.justificationHash,
            UInt64(self.nullifications.count) == header.view.value - header.parentView.value - 1
        else { return false }
        if let parent = self.parent {
            guard parent.kind != .nullify, parent.view > View(0), parent.view == header.parentView,
                parent.hash == header.parentHash
            else { return false }
        } else if header.parentView != View(0) {
            return false
        }
        return self.nullifications.enumerated().allSatisfy { offset, certificate in
            certificate.kind == .nullify && certificate.view.value == header.parentView.value + 1 + UInt64(offset)
        }
    }
}

extension Justification: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.parent)
        encoder.encode(self.nullifications)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.parent = try decoder.decodeOptional()
        self.nullifications = try decoder.decodeArray(max: Self.nullificationsMax)
    }
}
