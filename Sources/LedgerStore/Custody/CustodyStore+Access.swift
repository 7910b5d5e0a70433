internal import GRDB
package import Primitives

// What the chain says about who may be found and who may speak for whom, and what this agent must know of it by patient:
// the state itself can only be asked by key.
extension CustodyStore {
    /// What a noted value is.
    package enum AccessNoteKind: Int64, Sendable {
        case discovery = 1
        case delegation = 2
        case emergency = 3
        case lifeEvent = 4
        case erasure = 5
        /// What this institution has to do for an erasure, and whether it has: its own, not the chain's.
        case erasurePlan = 6
        case identity = 7
    }

    static let accessSchema = """
        CREATE TABLE access_notes (
            kind INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key))
            STRICT, WITHOUT ROWID;
        """

    /// Notes a value that the chain holds under `key`; it replaces an older one.
    package func note(_ kind: AccessNoteKind, key: Digest, value: [UInt8]) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run(
                "INSERT OR REPLACE INTO access_notes (kind, key, value) VALUES (?, ?, ?)",
                [kind.rawValue, key.column, value.column]
            )
        }
    }

    package func accessNote(_ kind: AccessNoteKind, key: Digest) throws(LedgerStoreError) -> [UInt8]? {
        try self.file.read { db in
            try db.first(
                "SELECT value FROM access_notes WHERE kind = ? AND key = ?",
                [kind.rawValue, key.column]
            ) { try $0.bytes(0) }
        }
    }

    /// All values of a kind, ordered by key.
    package func accessNotes(_ kind: AccessNoteKind) throws(LedgerStoreError) -> [[UInt8]] {
        try self.file.read { db in
            try db.all("SELECT value FROM access_notes WHERE kind = ? ORDER BY key", [kind.rawValue]) {
                try $0.bytes(0)
            }
        }
    }
}
