package import Primitives

/// Everything that somebody with the chain's genesis file alone needs to check one reading of one record
/// (`Documentation/Protocol/Evidence.md`).
///
/// Parts that other layers define are kept as their canonical bytes. Every bit of the file is covered by a hash or a
/// signature that ends at the genesis file.
package struct EvidenceFile: Hashable, Sendable {
    private static let magic = Array("ENTEVID1".utf8)
    /// A record's content and 64 KiB: four hundred times a usual proof.
    package static let bytesMax = SealedObject.bodyBytesMax + (64 << 10)
    /// A batch has at most 4096 leaves and a block 16384 transactions.
    package static let treePathMax = 16
    /// The history of 2^64 blocks.
    package static let historyPathMax = 64
    package static let transactionBytesMax = 4 << 10
    /// 64 signatures and what they say.
    package static let finalizationBytesMax = 5 << 10
    /// A grant with 64 custodians and 64 grantees, narrowed four times.
    package static let grantBytesMax = 16 << 10
    /// A group with 128 memberships.
    package static let supportBytesMax = 8 << 10
    /// A grant, its narrowings and its delegation may each be bound to a referral.
    package static let referralsMax = 6
    package static let narrowingsMax = 4

    /// The record in the clear, and what ties it to its commitment.
    package struct Record: Hashable, Sendable {
        package var suite: SuiteID
        package var salt: [UInt8]
        /// Canonical bytes of a ``RecordContent``.
        package var content: [UInt8]
        package var leaf: ExamLeaf
        /// The leaf's place in its batch.
        package var index: UInt32
        package var path: [Digest]

        package init(suite: SuiteID, salt: [UInt8], content: [UInt8], leaf: ExamLeaf, index: UInt32, path: [Digest]) {
            precondition(salt.count == RecordContent.saltBytes, "the salt is 32 bytes")
            self.suite = suite
            self.salt = salt
            self.content = content
            self.leaf = leaf
            self.index = index
            self.path = path
        }
    }

    /// The transaction that committed the batch, and its place in its block.
    package struct Commitment: Hashable, Sendable {
        /// A block below the certified one, and its path in the history.
        package struct Ancestor: Hashable, Sendable {
            package var header: BlockHeader
            package var path: [Digest]

            package init(header: BlockHeader, path: [Digest]) {
                self.header = header
                self.path = path
            }
        }

        /// Canonical bytes of the transaction.
        package var transaction: [UInt8]
        package var index: UInt32
        package var transactionPath: [Digest]
        /// Path of the receipt that says that the transaction succeeded.
        package var receiptPath: [Digest]
        /// The transaction's block; `nil` if it is the certified block itself.
        package var ancestor: Ancestor?

        package init(
            transaction: [UInt8],
            index: UInt32,
            transactionPath: [Digest],
            receiptPath: [Digest],
            ancestor: Ancestor?
        ) {
            self.transaction = transaction
            self.index = index
            self.transactionPath = transactionPath
            self.receiptPath = receiptPath
            self.ancestor = ancestor
        }
    }

    /// The grant under which the record was read.
    package struct Grant: Hashable, Sendable {
        /// Canonical bytes of the grant's value in the state.
        package var state: [UInt8]
        package var proof: SparseMerkleProof
        /// The opened scope.
        package var scope: GrantScope
        /// The opened scopes of its narrowings, in their order.
        package var narrowings: [GrantScope]
        /// The group as whose member the institution read.
        package var group: Support?
        /// The delegation under which it was granted.
        package var delegation: Support?
        /// The referrals to which it is bound.
        package var referrals: [Support]

        package init(
            state: [UInt8],
            proof: SparseMerkleProof,
            scope: GrantScope,
            narrowings: [GrantScope] = [],
            group: Support? = nil,
            delegation: Support? = nil,
            referrals: [Support] = []
        ) {
            self.state = state
            self.proof = proof
            self.scope = scope
            self.narrowings = narrowings
            self.group = group
            self.delegation = delegation
            self.referrals = referrals
        }
    }

    /// Another value of the state on which the grant leans.
    package struct Support: Hashable, Sendable {
        package var state: [UInt8]
        package var proof: SparseMerkleProof

        package init(state: [UInt8], proof: SparseMerkleProof) {
            self.state = state
            self.proof = proof
        }
    }

    package var chain: ChainID
    package var record: Record
    package var commitment: Commitment
    /// The final block under which everything is proved.
    package var header: BlockHeader
    /// Canonical bytes of its finalization.
    package var finalization: [UInt8]
    /// `nil` for the reader's own record.
    package var grant: Grant?
    package var receipt: FetchReceipt

    package init(
        chain: ChainID,
        record: Record,
        commitment: Commitment,
        header: BlockHeader,
        finalization: [UInt8],
        grant: Grant?,
        receipt: FetchReceipt
    ) {
        self.chain = chain
        self.record = record
        self.commitment = commitment
        self.header = header
        self.finalization = finalization
        self.grant = grant
        self.receipt = receipt
    }
}

extension EvidenceFile: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: Self.magic)
        encoder.encode(self.chain)
        encoder.encode(self.record)
        encoder.encode(self.commitment)
        encoder.encode(self.header)
        encoder.encode(bytes: self.finalization)
        encoder.encode(self.grant)
        encoder.encode(self.receipt)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard decoder.remaining <= Self.bytesMax else { throw .overLimit }
        guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw .invalid }
        self.chain = try decoder.decode()
        self.record = try decoder.decode()
        self.commitment = try decoder.decode()
        self.header = try decoder.decode()
        self.finalization = try decoder.decodeBytes(max: Self.finalizationBytesMax)
        self.grant = try decoder.decodeOptional()
        self.receipt = try decoder.decode()
    }
}

extension EvidenceFile.Record: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.suite)
        encoder.encode(fixed: self.salt)
        encoder.encode(bytes: self.content)
        encoder.encode(self.leaf)
        encoder.encode(self.index)
        encoder.encode(self.path)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.suite = try decoder.decode()
        self.salt = try decoder.decode(fixed: RecordContent.saltBytes)
        self.content = try decoder.decodeBytes(max: SealedObject.bodyBytesMax)
        self.leaf = try decoder.decode()
        self.index = try decoder.decode()
        self.path = try decoder.decodeArray(max: EvidenceFile.treePathMax)
    }
}

extension EvidenceFile.Commitment: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(bytes: self.transaction)
        encoder.encode(self.index)
        encoder.encode(self.transactionPath)
        encoder.encode(self.receiptPath)
        encoder.encode(self.ancestor)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.transaction = try decoder.decodeBytes(max: EvidenceFile.transactionBytesMax)
        self.index = try decoder.decode()
        self.transactionPath = try decoder.decodeArray(max: EvidenceFile.treePathMax)
        self.receiptPath = try decoder.decodeArray(max: EvidenceFile.treePathMax)
        self.ancestor = try decoder.decodeOptional()
    }
}

extension EvidenceFile.Commitment.Ancestor: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.header)
        encoder.encode(self.path)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.header = try decoder.decode()
        self.path = try decoder.decodeArray(max: EvidenceFile.historyPathMax)
    }
}

extension EvidenceFile.Grant: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(bytes: self.state)
        encoder.encode(self.proof)
        encoder.encode(self.scope)
        encoder.encode(self.narrowings)
        encoder.encode(self.group)
        encoder.encode(self.delegation)
        encoder.encode(self.referrals)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.state = try decoder.decodeBytes(max: EvidenceFile.grantBytesMax)
        self.proof = try decoder.decode()
        self.scope = try decoder.decode()
        self.narrowings = try decoder.decodeArray(max: EvidenceFile.narrowingsMax)
        self.group = try decoder.decodeOptional()
        self.delegation = try decoder.decodeOptional()
        self.referrals = try decoder.decodeArray(max: EvidenceFile.referralsMax)
    }
}

extension EvidenceFile.Support: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(bytes: self.state)
        encoder.encode(self.proof)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.state = try decoder.decodeBytes(max: EvidenceFile.supportBytesMax)
        self.proof = try decoder.decode()
    }
}
