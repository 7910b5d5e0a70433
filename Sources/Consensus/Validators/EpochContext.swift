package import Primitives

/// What is fixed for one epoch of one chain: enough to check every vote and certificate of the epoch.
package struct EpochContext: Hashable, Sendable {
    package let chain: ChainID
    package let epoch: Epoch
    package let validators: ValidatorSet
    /// Rotates the first leader, so that it is not the same institution in every epoch.
    private let leaderOffset: UInt64

    /// Joins what is fixed; `boundary` is the hash of the block before the epoch: for the first, of the genesis block.
    package init(chain: ChainID, epoch: Epoch, validators: ValidatorSet, boundary: Digest) {
        self.chain = chain
        self.epoch = epoch
        self.validators = validators
        self.leaderOffset = boundary.prefix64 % UInt64(validators.count)
    }

    /// The leader of `view`: the members take turns in order.
    package func leader(of view: View) -> UInt16 {
        let count = UInt64(self.validators.count)
        return UInt16((view.value &- 1) % count + self.leaderOffset) % UInt16(count)
    }

    /// Whether `signature` is the vote of validator `signer` for `body` in this epoch.
    package func isValid(
        _ signature: Signature,
        of signer: UInt16,
        over body: VoteBody,
        checker: SignatureChecker
    ) -> Bool {
        guard Int(signer) < self.validators.count, body.epoch == self.epoch else { return false }
        let key = self.validators.members[Int(signer)].key
        return checker.isValid(signature, by: key, over: body.signedBytes(chain: self.chain))
    }
}
