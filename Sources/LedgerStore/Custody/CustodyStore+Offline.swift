internal import GRDB
package import Primitives
internal import Records

/// An entry of the local chain of emergency uses, and whether the ledger has it.
package struct StoredOfflineEntry: Hashable, Sendable {
    /// What became of it.
    package enum State: Int64, Sendable {
        case waiting = 1
        case reconciled = 2
        /// The ledger takes it never.
        case refused = 3
    }

    /// ``OfflineEntry/digest``.
    package var digest: Digest
    package var number: UInt64
    /// Canonical bytes of the entry.
    package var bytes: [UInt8]
    package var state: State

    package init(digest: Digest, number: UInt64, bytes: [UInt8], state: State = .waiting) {
        self.digest = digest
        self.number = number
        self.bytes = bytes
        self.state = state
    }
}

/// A receipt to be written together with the entry that says that a record is opened.
package struct NewReceipt: Sendable {
    /// Sealed under a key of this home.
    package var sealed: [UInt8]
    package var leafHash: Digest
    package var patient: PatientChange
    /// What the reading is besides, such as the look at a match; those that are there already stay as they are.
    package var facts: [NewFact]

    package init(sealed: [UInt8], leafHash: Digest, patient: PatientChange, facts: [NewFact] = []) {
        self.sealed = sealed
        self.leafHash = leafHash
        self.patient = patient
        self.facts = facts
    }
}

// The second copy of the local chain: the first is `emergency.log`. By digest, since a chain that was copied back may hold
// two entries under one number.
extension CustodyStore {
    static let offlineSchema = """
        CREATE TABLE offline_entries (
            digest BLOB PRIMARY KEY, number INTEGER NOT NULL, bytes BLOB NOT NULL, state INTEGER NOT NULL)
            STRICT, WITHOUT ROWID;
        CREATE INDEX offline_entries_waiting ON offline_entries (number, digest) WHERE state = 1;
        """

    /// Adds entries that are not there yet, and a receipt with them: all of it or nothing.
    package func append(
        _ entries: [StoredOfflineEntry],
        receipt: NewReceipt? = nil
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            for entry in entries {
                guard entry.number <= UInt64(Int64.max) else {
                    throw LedgerStoreError(.outOfRange, "an entry's number is larger than the file takes")
                }
                try db.run(
                    "INSERT OR IGNORE INTO offline_entries (digest, number, bytes, state) VALUES (?, ?, ?, ?)",
                    [entry.digest.column, entry.number.column, entry.bytes.column, entry.state.rawValue]
                )
            }
            if let receipt {
                _ = try Self.insert(receipt, db)
            }
        }
    }

    /// All entries, ordered by number.
    package func offlineEntries() throws(LedgerStoreError) -> [StoredOfflineEntry] {
        try self.file.read { db in
            try db.all(Self.selectOffline + "ORDER BY number, digest", [], Self.offlineEntry)
        }
    }

    /// The first entry that the ledger does not have.
    package func waitingOfflineEntry() throws(LedgerStoreError) -> StoredOfflineEntry? {
        try self.file.read { db in
            try db.first(Self.selectOffline + "WHERE state = 1 ORDER BY number, digest LIMIT 1", [], Self.offlineEntry)
        }
    }

    package func waitingOfflineCount() throws(LedgerStoreError) -> UInt64 {
        try self.file.read { db in
            try db.first("SELECT count(*) FROM offline_entries WHERE state = 1") { try $0.uint64(0) } ?? 0
        }
    }

    /// - Throws: `notFound` if there is no such entry.
    package func mark(_ entry: Digest, _ state: StoredOfflineEntry.State) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("UPDATE offline_entries SET state = ? WHERE digest = ?", [state.rawValue, entry.column])
            guard db.changesCount == 1 else { throw LedgerStoreError(.notFound, "there is no such entry") }
        }
    }

    private static let selectOffline = "SELECT digest, number, bytes, state FROM offline_entries "

    private static func offlineEntry(_ row: Row) throws -> StoredOfflineEntry {
        guard let state = StoredOfflineEntry.State(rawValue: try row.int64(3)) else { throw Row.damaged }
        return StoredOfflineEntry(
            digest: try row.digest(0),
            number: try row.uint64(1),
            bytes: try row.bytes(2),
            state: state
        )
    }
}
