package import Primitives

/// All that an institution has to account for in a period, for somebody with the chain's genesis file alone: every block of
/// the period, every reading that the institution anchored in it, and the grants that the readings name
/// (`Documentation/Protocol/Account.md`).
///
/// Parts that other layers define are kept as their canonical bytes. Every bit of the file is covered by a hash or a
/// signature that ends at the genesis file.
package struct Account: Hashable, Sendable {
    package static let magic = Array("ENTACCT1".utf8)
    /// Sixty thousand readings, or twice as many small blocks.
    package static let bytesMax = 64 << 20
    package static let blocksMax = 1 << 17
    package static let batchesMax = 1 << 16
    package static let grantsMax = 1 << 16
    /// No grant names more.
    fileprivate static let groupsMax = 8
    /// No block has more transactions.
    fileprivate static let transactionsMax = 16_384
    fileprivate static let transactionBytesMax = 2 << 20
    fileprivate static let receiptBytesMax = 256

    /// A block with all that it holds.
    package struct Block: Hashable, Sendable {
        package var header: BlockHeader
        /// Canonical bytes of its transactions, in order.
        package var transactions: [[UInt8]]
        /// Canonical bytes of what the chain says of each.
        package var receipts: [[UInt8]]

        package init(header: BlockHeader, transactions: [[UInt8]], receipts: [[UInt8]]) {
            self.header = header
            self.transactions = transactions
            self.receipts = receipts
        }
    }

    /// A grant that a reading names, or an emergency access.
    package struct Grant: Hashable, Sendable {
        /// Canonical bytes of its value in the state.
        package var state: [UInt8]
        package var proof: SparseMerkleProof
        /// The groups as whose member the institution read, if no grantee by name.
        package var groups: [EvidenceFile.Support]

        package init(state: [UInt8], proof: SparseMerkleProof, groups: [EvidenceFile.Support]) {
            self.state = state
            self.proof = proof
            self.groups = groups
        }
    }

    package var chain: ChainID
    package var institution: InstitutionID
    /// The period: from, until before.
    package var from: Timestamp
    package var until: Timestamp
    /// The final block under which everything is proved.
    package var header: BlockHeader
    /// Canonical bytes of its finalization.
    package var finalization: [UInt8]
    /// Path of the last of ``blocks`` in the history under ``header``; empty if it is that block itself.
    package var history: [Digest]
    /// Without a gap: from the last one before the period to the first one behind it, as far as there are.
    package var blocks: [Block]
    /// The receipts of each batch that the institution anchored in ``blocks``, in the order of the chain.
    package var readings: [[FetchReceipt]]
    /// Those that the readings name, in the order of their first naming.
    package var grants: [Grant]
    package init(
        chain: ChainID,
        institution: InstitutionID,
        from: Timestamp,
        until: Timestamp,
        header: BlockHeader,
        finalization: [UInt8],
        history: [Digest],
        blocks: [Block],
        readings: [[FetchReceipt]],
        grants: [Grant]
    ) {
        self.chain = chain
        self.institution = institution
        self.from = from
        self.until = until
        self.header = header
        self.finalization = finalization
        self.history = history
        self.blocks = blocks
        self.readings = readings
        self.grants = grants
    }
}

extension Account: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(fixed: Self.magic)
        encoder.encode(self.chain)
        encoder.encode(self.institution)
        encoder.encode(self.from)
        encoder.encode(self.until)
        encoder.encode(self.header)
        encoder.encode(bytes: self.finalization)
        encoder.encode(self.history)
        encoder.encode(self.blocks)
        encoder.encode(length: self.readings.count)
        for batch in self.readings { encoder.encode(batch) }
        encoder.encode(self.grants)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard decoder.remaining <= Self.bytesMax else { throw .overLimit }
        guard try decoder.decode(fixed: Self.magic.count) == Self.magic else { throw .invalid }
        self.chain = try decoder.decode()
        self.institution = try decoder.decode()
        self.from = try decoder.decode()
        self.until = try decoder.decode()
        self.header = try decoder.decode()
        self.finalization = try decoder.decodeBytes(max: EvidenceFile.finalizationBytesMax)
        self.history = try decoder.decodeArray(max: EvidenceFile.historyPathMax)
        self.blocks = try decoder.decodeArray(max: Self.blocksMax)
        self.readings = []
        for _ in 0..<(try decoder.decodeLength(max: Self.batchesMax)) {
            self.readings.append(try decoder.decodeArray(max: ReceiptManifest.entriesMax))
        }
        self.grants = try decoder.decodeArray(max: Self.grantsMax)
    }
}

extension Account.Block: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.header)
        for list in [self.transactions, self.receipts] {
            encoder.encode(length: list.count)
            for bytes in list { encoder.encode(bytes: bytes) }
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.header = try decoder.decode()
        self.transactions = []
        self.receipts = []
        for _ in 0..<(try decoder.decodeLength(max: Account.transactionsMax)) {
            self.transactions.append(try decoder.decodeBytes(max: Account.transactionBytesMax))
        }
        for _ in 0..<(try decoder.decodeLength(max: Account.transactionsMax)) {
            self.receipts.append(try decoder.decodeBytes(max: Account.receiptBytesMax))
        }
    }
}

extension Account.Grant: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(bytes: self.state)
        encoder.encode(self.proof)
        encoder.encode(self.groups)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.state = try decoder.decodeBytes(max: EvidenceFile.grantBytesMax)
        self.proof = try decoder.decode()
        self.groups = try decoder.decodeArray(max: Account.groupsMax)
    }
}

/// An account with the signature of its institution, that this is all.
package struct AccountFile: Hashable, Sendable {
    package var account: Account
    package var signature: Signature

    package init(_ account: Account, sign: ([UInt8]) -> Signature) {
        self.account = account
        self.signature = sign(Self.signedBytes(account))
    }

    /// What the institution signs: the digest of the account, with use `account`.
    package var signedBytes: [UInt8] { Self.signedBytes(self.account) }

    private static func signedBytes(_ account: Account) -> [UInt8] {
        let digest = Digest(hashing: account.canonicalBytes)
        return SignedBytes.make(chain: account.chain, use: .account, epoch: Epoch(0), body: digest.bytes)
    }
}

extension AccountFile: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.account)
        encoder.encode(self.signature)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.account = try decoder.decode()
        self.signature = try decoder.decode()
    }
}
