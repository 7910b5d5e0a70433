package import Consensus
package import Ledger
package import Primitives
package import Records

/// What agents say to each other in messages; objects travel by fetches.
package enum AgentMessage: Hashable, Sendable {
    /// Transactions in one message.
    ///
    /// A sender cuts by bytes first.
    package static let transactionsMax = 1024
    /// Bytes of transactions that a sender puts into one message.
    package static let transactionBytes = 256 << 10

    /// Grants in one message.
    package static let grantsMax = 256

    case consensus(ConsensusMessage)
    case transactions([Transaction])
    /// The sender has published envelope pages for these grants, which the receiver may fetch. A hint: whoever misses
    /// it asks again when it connects.
    case pagesPublished([GrantID])

    /// Votes must not wait behind transactions, so each kind has a stream of its own.
    package enum Channel: Hashable, Sendable {
        case consensus, transactions
    }

    package var channel: Channel {
        switch self {
        case .consensus: .consensus
        case .transactions, .pagesPublished: .transactions
        }
    }
}

extension AgentMessage: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .consensus(let message):
            encoder.encode(variant: 0)
            encoder.encode(message)
        case .transactions(let transactions):
            encoder.encode(variant: 1)
            encoder.encode(transactions)
        case .pagesPublished(let grants):
            encoder.encode(variant: 2)
            encoder.encode(grants)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 3) {
        case 0: self = .consensus(try decoder.decode())
        case 1: self = .transactions(try decoder.decodeArray(max: Self.transactionsMax))
        default: self = .pagesPublished(try decoder.decodeArray(max: Self.grantsMax))
        }
    }
}
