package import Primitives

/// Transactions that wait for a block, in the order of their arrival.
///
/// Bounded: a peer that floods fills its own share.
package struct Mempool: Sendable {
    /// About 80 s of work at 100 transactions a second.
    package static let countMax = 8192
    package static let bytesMax = 16 << 20
    /// What one signer may occupy of either.
    package static let signerShare = 4

    private struct Entry {
        var transaction: Transaction
        var arrival: UInt64
    }

    private struct Usage {
        var count = 0
        var bytes = 0
    }

    private var entries: [TransactionID: Entry] = [:]
    /// Ascending; ids that are gone are skipped and swept up from time to time.
    private var order: [(arrival: UInt64, id: TransactionID)] = []
    private var usage: [Signer: Usage] = [:]
    private var arrivals: UInt64 = 0
    private var earliestExpiry: Height?
    package private(set) var byteCount = 0

    package init() {}

    package var count: Int { self.entries.count }
    package var isEmpty: Bool { self.entries.isEmpty }

    package func contains(_ id: TransactionID) -> Bool { self.entries[id] != nil }

    package func transaction(_ id: TransactionID) -> Transaction? { self.entries[id]?.transaction }

    /// The transactions in the order of their arrival.
    package var transactions: some Sequence<Transaction> {
        self.order.lazy.compactMap { self.entry($0)?.transaction }
    }

    /// Takes a transaction that was found admissible, or says why there is no room for it.
    package mutating func insert(_ transaction: Transaction) -> TransactionRefusal? {
        guard self.entries[transaction.id] == nil else { return TransactionRefusal(.alreadyPending) }
        let size = transaction.bytes.count
        guard self.entries.count < Self.countMax, self.byteCount + size <= Self.bytesMax else {
            return TransactionRefusal(.poolFull)
        }
        // Every signer pays: otherwise co-signing would be a way around the share.
        for signer in transaction.body.signers {
            let used = self.usage[signer] ?? Usage()
            guard used.count < Self.countMax / Self.signerShare, used.bytes + size <= Self.bytesMax / Self.signerShare
            else { return TransactionRefusal(.signerShareFull) }
        }
        self.entries[transaction.id] = Entry(transaction: transaction, arrival: self.arrivals)
        self.order.append((self.arrivals, transaction.id))
        self.arrivals += 1
        self.byteCount += size
        for signer in transaction.body.signers {
            self.usage[signer, default: Usage()].count += 1
            self.usage[signer, default: Usage()].bytes += size
        }
        self.earliestExpiry = min(self.earliestExpiry ?? transaction.body.validUntil, transaction.body.validUntil)
        return nil
    }

    /// Forgets what a final block at `height` contains and what can no longer stand in a later one.
    ///
    /// - Returns: The ids that expired, in the order of their arrival.
    package mutating func blockCommitted(_ ids: some Sequence<TransactionID>, height: Height) -> [TransactionID] {
        for id in ids { self.remove(id) }
        var expired: [TransactionID] = []
        if let earliest = self.earliestExpiry, earliest <= height {
            self.earliestExpiry = nil
            for place in self.order {
                guard let entry = self.entry(place) else { continue }
                let validUntil = entry.transaction.body.validUntil
                if validUntil <= height {
                    expired.append(place.id)
                } else {
                    self.earliestExpiry = min(self.earliestExpiry ?? validUntil, validUntil)
                }
            }
            for id in expired { self.remove(id) }
        }
        if self.order.count > 2 * self.entries.count + 64 {
            self.order = self.order.filter { self.entry($0) != nil }
        }
        return expired
    }

    private func entry(_ place: (arrival: UInt64, id: TransactionID)) -> Entry? {
        guard let entry = self.entries[place.id], entry.arrival == place.arrival else { return nil }
        return entry
    }

    private mutating func remove(_ id: TransactionID) {
        guard let entry = self.entries.removeValue(forKey: id) else { return }
        let size = entry.transaction.bytes.count
        self.byteCount -= size
        for signer in entry.transaction.body.signers {
            guard var used = self.usage[signer] else { continue }
            used.count -= 1
            used.bytes -= size
            self.usage[signer] = used.count == 0 ? nil : used
        }
    }
}
