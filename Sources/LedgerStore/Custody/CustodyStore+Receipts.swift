internal import GRDB
package import Primitives

// Fetch receipts: durable before plaintext is handed out, then committed in batches.
extension CustodyStore {
    /// Makes a receipt durable and reserves the index of its search token.
    ///
    /// Only when this returns may the record's plaintext leave the agent. The receipt comes sealed under a key of this
    /// home, with its ``FetchReceipt/leafHash``; the person read about becomes known here if need be. `facts` are what
    /// the reading is besides, such as the look at a match; those that are there already stay as they are.
    ///
    /// - Throws: `conflict` if the receipt is there already.
    @discardableResult
    package func append(
        receipt sealed: [UInt8],
        leafHash: Digest,
        patient: PatientChange,
        facts: [NewFact] = []
    ) throws(LedgerStoreError) -> StoredReceipt {
        try self.file.write { db in
            try Self.insert(NewReceipt(sealed: sealed, leafHash: leafHash, patient: patient, facts: facts), db)
        }
    }

    static func insert(_ receipt: NewReceipt, _ db: Database) throws -> StoredReceipt {
        let number = try Self.save(receipt.patient, db)
        let next = try db.only(
            "UPDATE patients SET next_receipt = next_receipt + 1 WHERE no = ? RETURNING next_receipt",
            [number.value]
        ) { try $0.uint64(0) }
        guard let next, next > 0 else { throw Row.damaged }
        try db.run(
            "INSERT INTO receipts (patient, receipt_index, leaf, sealed) VALUES (?, ?, ?, coalesce(?, x''))",
            [number.value, (next - 1).column, receipt.leafHash.column, receipt.sealed.column]
        )
        let receiptNumber = db.lastInsertedRowID
        for fact in receipt.facts { _ = try Self.insert(fact, db) }
        return StoredReceipt(
            number: receiptNumber,
            patient: number,
            index: next - 1,
            leafHash: receipt.leafHash,
            sealed: receipt.sealed
        )
    }

    /// Receipts that no batch commits yet, oldest first.
    package func waitingReceipts(limit: Int) throws(LedgerStoreError) -> [StoredReceipt] {
        try self.file.read { db in
            try db.all(Self.selectReceipts + "WHERE batch IS NULL ORDER BY no LIMIT ?", [Int64(limit)], Self.receipt)
        }
    }

    /// This institution's receipts about a person, oldest first.
    package func receipts(patient: PatientNumber) throws(LedgerStoreError) -> [StoredReceipt] {
        try self.file.read { db in
            try db.all(Self.selectReceipts + "WHERE patient = ? ORDER BY no", [patient.value], Self.receipt)
        }
    }

    /// Those with larger numbers, oldest first.
    package func receipts(after number: Int64, limit: Int) throws(LedgerStoreError) -> [StoredReceipt] {
        try self.file.read { db in
            try db.all(
                Self.selectReceipts + "WHERE no > ? ORDER BY no LIMIT ?",
                [number, Int64(limit)],
                Self.receipt
            )
        }
    }

    /// The number of the newest receipt; 0 before the first.
    package func newestReceipt() throws(LedgerStoreError) -> Int64 {
        try self.file.read { db in
            try db.first("SELECT coalesce(max(no), 0) FROM receipts") { try $0.int64(0) } ?? 0
        }
    }

    /// Those of several batches, in the order of batches and leaves.
    package func receipts(batches: ClosedRange<UInt64>) throws(LedgerStoreError) -> [StoredReceipt] {
        try self.file.read { db in
            try db.all(
                Self.selectReceipts + "WHERE batch BETWEEN ? AND ? ORDER BY batch, position",
                [batches.lowerBound.column, batches.upperBound.column],
                Self.receipt
            )
        }
    }

    package func receipt(leafHash: Digest) throws(LedgerStoreError) -> StoredReceipt? {
        try self.file.read { db in
            try db.first(Self.selectReceipts + "WHERE leaf = ?", [leafHash.column], Self.receipt)
        }
    }

    /// Makes a receipt batch durable with its transaction: `receipts` are its leaves, in order.
    ///
    /// All of it or nothing.
    ///
    /// - Throws: `conflict` if the batch's number is taken or a receipt is in another batch.
    package func prepare(
        _ commitment: BatchCommitment,
        receipts: [Int64]
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            try Self.insert(commitment, kind: .receipts, count: receipts.count, firstExam: nil, db)
            for (index, number) in receipts.enumerated() {
                try db.run(
                    "UPDATE receipts SET batch = ?, position = ? WHERE no = ? AND batch IS NULL",
                    [commitment.number.column, Int64(index), number]
                )
                guard db.changesCount == 1 else {
                    throw LedgerStoreError(.conflict, "a receipt is committed by another batch")
                }
            }
        }
    }

    private static let selectReceipts =
        "SELECT no, patient, receipt_index, leaf, sealed, batch, position FROM receipts "

    private static func receipt(_ row: Row) throws -> StoredReceipt {
        var place: StoredReceipt.Place?
        if let batch = try row.int64IfPresent(5) {
            place = StoredReceipt.Place(batch: UInt64(bitPattern: batch), index: try row.uint32(6))
        }
        return StoredReceipt(
            number: try row.int64(0),
            patient: PatientNumber(try row.int64(1)),
            index: try row.uint64(2),
            leafHash: try row.digest(3),
            sealed: try row.bytes(4),
            place: place
        )
    }
}
