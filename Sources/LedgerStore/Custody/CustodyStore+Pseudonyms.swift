internal import GRDB
package import Primitives
internal import Records

/// A pseudonym that was evaluated once: the sealed result, under a tag that only this home can make of the identifier.
package struct CachedPseudonym: Hashable, Sendable {
    package var tag: Digest
    package var sealed: [UInt8]

    package init(tag: Digest, sealed: [UInt8]) {
        self.tag = tag
        self.sealed = sealed
    }
}

/// How many evaluations this institution served to another on one day.
package struct ServedCount: Hashable, Sendable {
    package var requester: InstitutionID
    package var day: UInt32
    package var total: UInt64

    package init(requester: InstitutionID, day: UInt32, total: UInt64) {
        self.requester = requester
        self.day = day
        self.total = total
    }
}

// The cache of evaluated pseudonyms, and the counts of what was evaluated for others.
extension CustodyStore {
    static let pseudonymsSchema = """
        CREATE TABLE pseudonyms (tag BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE served (
            requester TEXT NOT NULL, day INTEGER NOT NULL, total INTEGER NOT NULL, reported INTEGER NOT NULL,
            PRIMARY KEY (requester, day)) STRICT, WITHOUT ROWID;
        """

    /// The sealed pseudonyms of these tags, `nil` where none is kept.
    package func cachedPseudonyms(tags: [Digest]) throws(LedgerStoreError) -> [[UInt8]?] {
        try self.file.read { db in
            try tags.map { tag in
                try db.first("SELECT sealed FROM pseudonyms WHERE tag = ?", [tag.bytes.column]) { try $0.bytes(0) }
            }
        }
    }

    package func cache(_ pseudonyms: [CachedPseudonym]) throws(LedgerStoreError) {
        guard !pseudonyms.isEmpty else { return }
        try self.file.write { db in
            for pseudonym in pseudonyms {
                try db.run(
                    "INSERT OR REPLACE INTO pseudonyms (tag, sealed) VALUES (?, ?)",
                    [pseudonym.tag.bytes.column, pseudonym.sealed.column]
                )
            }
        }
    }

    /// Counts evaluations for an institution, unless that makes more than `quota` on that day.
    ///
    /// On disk when it returns: what is served is counted, whatever happens then. Counts of days before the last are
    /// forgotten.
    package func countServed(
        _ requester: InstitutionID,
        day: UInt32,
        count: UInt64,
        quota: UInt64
    ) throws(LedgerStoreError) -> Bool {
        try self.file.write { db in
            let before =
                try db.first("SELECT total FROM served WHERE requester = ? AND day = ?", [requester.text, Int64(day)]) {
                    try $0.uint64(0)
                } ?? 0
            guard before + count <= quota else { return false }
            try db.run(
                """
                INSERT INTO served (requester, day, total, reported) VALUES (?, ?, ?, 0)
                ON CONFLICT DO UPDATE SET total = excluded.total
                """,
                [requester.text, Int64(day), (before + count).column]
            )
            try db.run("DELETE FROM served WHERE day < ?", [Int64(day) - 2])
            return true
        }
    }

    /// Counts of `day` and the one before that the chain does not know yet, by requester, one for each: the older first.
    package func unreportedServed(day: UInt32, limit: Int) throws(LedgerStoreError) -> [ServedCount] {
        try self.file.read { db in
            let all = try db.all(
                """
                SELECT requester, day, total FROM served WHERE reported < total AND day BETWEEN ? AND ?
                ORDER BY requester, day
                """,
                [Int64(day) - 1, Int64(day)]
            ) { row -> ServedCount? in
                guard let requester = InstitutionID(try row.text(0)) else { return nil }
                return ServedCount(requester: requester, day: UInt32(try row.int64(1)), total: try row.uint64(2))
            }
            var seen: Set<InstitutionID> = []
            return Array(all.compactMap { $0 }.filter { seen.insert($0.requester).inserted }.prefix(limit))
        }
    }

    /// Marks counts as known to the chain.
    package func markReported(_ counts: [ServedCount]) throws(LedgerStoreError) {
        try self.file.write { db in
            for count in counts {
                try db.run(
                    "UPDATE served SET reported = max(reported, ?) WHERE requester = ? AND day = ?",
                    [count.total.column, count.requester.text, Int64(count.day)]
                )
            }
        }
    }
}
