/// The part of a block that is hashed, voted on and handed to verifiers (`Documentation/Protocol/CanonicalBytes.md`).
///
/// 417 bytes in BCS. The order of the fields is the order of the bytes.
package struct BlockHeader: Hashable, Sendable {
    package static let currentVersion: UInt16 = 1

    package var version: UInt16
    package var suite: SuiteID
    package var chain: ChainID
    package var epoch: Epoch
    package var view: View
    package var height: Height
    /// The proposer's clock, after the parent's time and at most 5 s ahead of a quorum of clocks.
    package var time: Timestamp
    /// Index of the proposer in the epoch's validator set.
    package var proposer: UInt16
    package var parentView: View
    package var parentHash: Digest
    /// Digest of the justification's encoding: why this parent may be extended in this view.
    package var justificationHash: Digest
    package var transactionCount: UInt32
    package var transactionRoot: Digest
    package var receiptRoot: Digest
    /// State after this block.
    package var stateRoot: Digest
    /// Number of ancestors, equal to the height.
    package var historySize: UInt64
    /// Merkle root over the hashes of the ancestors, heights 0 ..< height, as `blk/1` leaves.
    package var historyRoot: Digest
    package var validatorsHash: Digest
    /// Zero unless the block is an epoch's boundary.
    package var nextValidatorsHash: Digest
    package var parametersHash: Digest
    /// Zero when the block vouches for no snapshot.
    package var snapshotHeight: Height
    package var snapshotRoot: Digest

    package init(
        version: UInt16 = BlockHeader.currentVersion,
        suite: SuiteID,
        chain: ChainID,
        epoch: Epoch,
        view: View,
        height: Height,
        time: Timestamp,
        proposer: UInt16,
        parentView: View,
        parentHash: Digest,
        justificationHash: Digest,
        transactionCount: UInt32,
        transactionRoot: Digest,
        receiptRoot: Digest,
        stateRoot: Digest,
        historySize: UInt64,
        historyRoot: Digest,
        validatorsHash: Digest,
        nextValidatorsHash: Digest = .zero,
        parametersHash: Digest,
        snapshotHeight: Height = Height(0),
        snapshotRoot: Digest = .zero
    ) {
        self.version = version
        self.suite = suite
        self.chain = chain
        self.epoch = epoch
        self.view = view
        self.height = height
        self.time = time
        self.proposer = proposer
        self.parentView = parentView
        self.parentHash = parentHash
        self.justificationHash = justificationHash
        self.transactionCount = transactionCount
        self.transactionRoot = transactionRoot
        self.receiptRoot = receiptRoot
        self.stateRoot = stateRoot
        self.historySize = historySize
        self.historyRoot = historyRoot
        self.validatorsHash = validatorsHash
        self.nextValidatorsHash = nextValidatorsHash
        self.parametersHash = parametersHash
        self.snapshotHeight = snapshotHeight
        self.snapshotRoot = snapshotRoot
    }

    /// `H("entente/blk\0" ‖ header)`.
    package var hash: Digest { Digest(hashing: Array("entente/blk\0".utf8) + self.canonicalBytes) }
}

extension BlockHeader: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.version)
        encoder.encode(self.suite)
        encoder.encode(self.chain)
        encoder.encode(self.epoch)
        encoder.encode(self.view)
        encoder.encode(self.height)
        encoder.encode(self.time)
        encoder.encode(self.proposer)
        encoder.encode(self.parentView)
        encoder.encode(self.parentHash)
        encoder.encode(self.justificationHash)
        encoder.encode(self.transactionCount)
        encoder.encode(self.transactionRoot)
        encoder.encode(self.receiptRoot)
        encoder.encode(self.stateRoot)
        encoder.encode(self.historySize)
        encoder.encode(self.historyRoot)
        encoder.encode(self.validatorsHash)
        encoder.encode(self.nextValidatorsHash)
        encoder.encode(self.parametersHash)
        encoder.encode(self.snapshotHeight)
        encoder.encode(self.snapshotRoot)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.version = try decoder.decode()
        self.suite = try decoder.decode()
        self.chain = try decoder.decode()
        self.epoch = try decoder.decode()
        self.view = try decoder.decode()
        self.height = try decoder.decode()
        self.time = try decoder.decode()
        self.proposer = try decoder.decode()
        self.parentView = try decoder.decode()
        self.parentHash = try decoder.decode()
        self.justificationHash = try decoder.decode()
        self.transactionCount = try decoder.decode()
        self.transactionRoot = try decoder.decode()
        self.receiptRoot = try decoder.decode()
        self.stateRoot = try decoder.decode()
        self.historySize = try decoder.decode()
        self.historyRoot = try decoder.decode()
        self.validatorsHash = try decoder.decode()
        self.nextValidatorsHash = try decoder.decode()
        self.parametersHash = try decoder.decode()
        self.snapshotHeight = try decoder.decode()
        self.snapshotRoot = try decoder.decode()
        guard self.version == Self.currentVersion else { throw .invalid }
    }
}
