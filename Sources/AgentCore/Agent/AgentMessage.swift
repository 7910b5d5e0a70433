package import Consensus
package import Ledger
package import Primitives

/// What agents say to each other in messages; objects travel by fetches.
package enum AgentMessage: Hashable, Sendable {
    /// Transactions in one message. A sender cuts by bytes first.
    package static let transactionsMax = 1024
    /// Bytes of transactions that a sender puts into one message.
    package static let transactionBytes = 256 << 10

    case consensus(ConsensusMessage)
    case transactions([Transaction])

    /// Votes must not wait behind transactions, so each kind has a stream of its own.
    package enum Channel: Hashable, Sendable {
        case consensus, transactions
    }

    package var channel: Channel {
        switch self {
        case .consensus: .consensus
        case .transactions: .transactions
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
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .consensus(try decoder.decode())
        default: self = .transactions(try decoder.decodeArray(max: Self.transactionsMax))
        }
    }
}
