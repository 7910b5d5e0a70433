package import Primitives

/// A final block as it is kept: the header as a value, everything else as the canonical bytes of its own module.
package struct StoredBlock: Hashable, Sendable {
    package var header: BlockHeader
    /// The transactions.
    package var body: [UInt8]
    /// Why the parent could be extended: what `header.justificationHash` is the digest of.
    package var justification: [UInt8]
    /// One for each transaction, in order.
    package var receipts: [[UInt8]]
    /// The finalization of this very block; most blocks are final by one of their descendants.
    package var certificate: [UInt8]?

    package init(
        header: BlockHeader,
        body: [UInt8],
        justification: [UInt8],
        receipts: [[UInt8]],
        certificate: [UInt8]? = nil
    ) {
        self.header = header
        self.body = body
        self.justification = justification
        self.receipts = receipts
        self.certificate = certificate
    }
}

/// Where a transaction stands.
package struct TransactionPlace: Hashable, Sendable {
    package var id: Digest
    package var height: Height
    package var index: UInt32

    package init(id: Digest, height: Height, index: UInt32) {
        self.id = id
        self.height = height
        self.index = index
    }
}

/// The newest block of the stored chain.
package struct ChainTip: Hashable, Sendable {
    package var header: BlockHeader
    /// Its finalization; `nil` only for the genesis block.
    package var certificate: [UInt8]?

    package var height: Height { self.header.height }
}
