package import Primitives

/// A block's transactions, in the order of their execution.
package struct BlockBody: Hashable, Sendable {
    /// Above what fits into the largest block at 200 bytes a transaction.
    package static let transactionsMax = 16_384

    package var transactions: [Transaction]

    package init(transactions: [Transaction] = []) { self.transactions = transactions }

    package var transactionRoot: Digest { MerkleTree.root(self.transactions.map(\.leafHash)) }
}

extension BlockBody: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.transactions) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.transactions = try decoder.decodeArray(max: Self.transactionsMax)
    }
}
