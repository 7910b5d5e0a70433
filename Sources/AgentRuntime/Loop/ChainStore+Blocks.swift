package import AgentCore
package import Consensus
import Ledger
package import LedgerStore
package import Primitives

extension ChainStore {
    /// Stores blocks that became final together.
    package func commit(_ range: CommittedRange) throws(LedgerStoreError) {
        var blocks: [StoredBlock] = []
        var changes: [Digest: [UInt8]?] = [:]
        var places: [TransactionPlace] = []
        for (block, executed) in range.blocks {
            blocks.append(
                StoredBlock(
                    header: block.header,
                    body: block.body,
                    justification: block.justification.canonicalBytes,
                    receipts: executed.receipts.map(\.canonicalBytes),
                    certificate: block.hash == range.certificate.hash ? range.certificate.canonicalBytes : nil
                )
            )
            for change in executed.changes { changes.updateValue(change.value, forKey: change.key) }
            for (index, receipt) in executed.receipts.enumerated() {
                places.append(
                    TransactionPlace(
                        id: receipt.transaction.digest,
                        height: executed.header.height,
                        index: UInt32(index)
                    )
                )
            }
        }
        try self.commit(
            blocks,
            stateChanges: changes.map { (key: $0.key, value: $0.value) }.sorted { $0.key < $1.key },
            transactions: places
        )
    }

    /// Whole commits from `height` on: at least one, and more while they fit into `bytesMax`.
    package func range(from height: Height, bytesMax: Int) throws(LedgerStoreError) -> BlockRange? {
        var blocks: [Block] = []
        var certificate: Certificate?
        var complete = 0
        var next = height
        while blocks.count < BlockRange.blocksMax {
            let stored = try self.blocks(from: next, maxBytes: bytesMax)
            guard let last = stored.last else { break }
            for block in stored {
                guard let value = Block(stored: block) else { return nil }
                blocks.append(value)
                if let bytes = block.certificate, let read = try? Certificate(canonicalBytes: bytes) {
                    certificate = read
                    complete = blocks.count
                }
            }
            // The first commit may be longer than the limit; it is sent whole.
            if complete > 0 { break }
            next = last.header.height.next
        }
        guard let certificate, complete > 0 else { return nil }
        return BlockRange(blocks: Array(blocks.prefix(complete)), certificate: certificate)
    }
}

extension Block {
    /// The block as it was stored; `nil` if the bytes are not one.
    package init?(stored: StoredBlock) {
        guard let justification = try? Justification(canonicalBytes: stored.justification) else { return nil }
        self.init(header: stored.header, body: stored.body, justification: justification)
    }
}

extension VoteLog.Record {
    package init(_ record: VoteLogRecord) {
        let body = record.vote.body
        self.init(epoch: body.epoch, kind: body.kind.rawValue, view: body.view, payload: record.canonicalBytes)
    }
}
