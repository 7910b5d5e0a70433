import Foundation
import GRDB

/// Remembers where resources stand that have to be joined, on disk: bulk exports keep reports, results and patients in
/// separate files of any size and in any order.
///
/// Only names and places are kept; the resources stay in their files. The database belongs to one run and is neither
/// synced nor journalled: an import that is killed starts again.
final class JoinSpool {
    struct Entry {
        /// Number of the resource in the order in which the input was read, from 1.
        var sequence: Int64
        /// `Type/id`, if it has an id.
        var key: String?
        var file: Int
        var offset: Int64
        var length: Int
        var line: Int
        /// Whether it can be an exam by itself.
        var isExam: Bool
        /// Whether what it names as part of its exam is then no exam itself, whatever becomes of it.
        var isReport: Bool
        /// Keys of the resources that become part of its exam.
        var leads: [String]
    }

    /// Rows a transaction: enough to make a commit cheap, little enough to hold.
    private static let batchMax = 4096
    /// More resources of one name than this are not versions but nonsense.
    private static let versionsMax = 8

    private let url: URL
    private let database: DatabaseQueue
    private var pending: [Entry] = []
    private(set) var count: Int64 = 0
    /// Whether any observation groups others.
    private var hasGroups = false

    /// Creates the database at `url`, in place of one that a killed run left there.
    init(at url: URL) throws {
        try? FileManager.default.removeItem(at: url)
        self.url = url
        var configuration = Configuration()
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
                    PRAGMA cache_size = -65536; PRAGMA temp_store = FILE;
                    """
            )
        }
        self.database = try DatabaseQueue(path: url.path, configuration: configuration)
        try self.database.write { database in
            // `lead` holds for a key whether a report (1) or only an observation (0) leads to it.
            try database.execute(
                sql: """
                    CREATE TABLE entry (sequence INTEGER PRIMARY KEY, key TEXT, file INTEGER NOT NULL,
                        offset INTEGER NOT NULL, length INTEGER NOT NULL, line INTEGER NOT NULL, isExam INTEGER NOT NULL,
                        isReport INTEGER NOT NULL);
                    CREATE TABLE lead (key TEXT NOT NULL, byReport INTEGER NOT NULL);
                    CREATE TABLE used (sequence INTEGER PRIMARY KEY);
                    """
            )
        }
    }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    func append(_ entry: Entry) throws {
        self.count += 1
        if !entry.isReport, !entry.leads.isEmpty { self.hasGroups = true }
        var entry = entry
        entry.sequence = self.count
        self.pending.append(entry)
        if self.pending.count >= Self.batchMax { try self.flush() }
    }

    private func flush() throws {
        let pending = self.pending
        self.pending.removeAll(keepingCapacity: true)
        try self.database.write { database in
            let insertEntry = try database.cachedStatement(sql: "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            let insertLead = try database.cachedStatement(sql: "INSERT INTO lead VALUES (?, ?)")
            for entry in pending {
                try insertEntry.execute(arguments: [
                    entry.sequence, entry.key, entry.file, entry.offset, entry.length, entry.line, entry.isExam,
                    entry.isReport,
                ])
                for key in entry.leads where key != entry.key {
                    try insertLead.execute(arguments: [key, entry.isReport])
                }
            }
        }
    }

    /// Gives every exam of the spool in the order of the input, those that begin in a ring after all others.
    ///
    /// Exams are chosen as in a Bundle: reports; what no report leads to and no observation groups; and of observations
    /// that group each other in a ring, the first. `visit` gets an exam and a function that looks up the entries of a
    /// name and notes that they belong to an exam.
    func forEachExam(_ visit: (Entry, Lookup) throws -> Void) throws {
        try self.flush()
        try self.database.write { database in
            // Sorted once, when all rows are there: an index kept while inserting would be written all over the disk.
            try database.execute(
                sql: """
                    CREATE INDEX entryByKey ON entry (key) WHERE key IS NOT NULL;
                    CREATE INDEX leadByKey ON lead (key, byReport);
                    """
            )
        }
        for isRing in self.hasGroups ? [false, true] : [false] {
            var after: Int64 = 0
            while true {
                // In batches, so that no cursor is open while rows of `used` are written.
                let batch = try self.database.read { try Self.exams($0, after: after, isRing: isRing) }
                guard let last = batch.last else { break }
                after = last.sequence
                try self.database.write { database in
                    let lookup = Lookup(database: database, hasGroups: self.hasGroups)
                    for entry in batch {
                        if isRing, try lookup.isUsed(entry) { continue }
                        try lookup.use(entry)
                        try visit(entry, lookup)
                    }
                }
            }
        }
    }

    private static func exams(_ database: Database, after: Int64, isRing: Bool) throws -> [Entry] {
        let byReport = "EXISTS (SELECT 1 FROM lead WHERE lead.key = entry.key AND byReport = 1)"
        let byObservation = "EXISTS (SELECT 1 FROM lead WHERE lead.key = entry.key AND byReport = 0)"
        let unclaimed = "isReport OR NOT \(byReport)"
        let condition =
            isRing
            ? "NOT isReport AND NOT \(byReport) AND \(byObservation)"
            : "(\(unclaimed)) AND (isReport OR NOT \(byObservation))"
        let statement = try database.cachedStatement(
            sql: """
                SELECT sequence, key, file, offset, length, line, isReport FROM entry
                WHERE sequence > ? AND isExam AND \(condition) ORDER BY sequence LIMIT 256
                """
        )
        return try Row.fetchAll(statement, arguments: [after]).map { row in
            Entry(
                sequence: row[0],
                key: row[1],
                file: row[2],
                offset: row[3],
                length: row[4],
                line: row[5],
                isExam: true,
                isReport: row[6],
                leads: []
            )
        }
    }

    /// Finds entries by name while the exams are walked through.
    struct Lookup {
        fileprivate let database: Database
        fileprivate let hasGroups: Bool

        /// The entries named `key`, in the order of the input.
        func entries(_ key: String) throws -> [Entry] {
            let statement = try self.database.cachedStatement(
                sql: """
                    SELECT sequence, file, offset, length, line, isExam, isReport FROM entry WHERE key = ?
                    ORDER BY sequence LIMIT \(JoinSpool.versionsMax)
                    """
            )
            return try Row.fetchAll(statement, arguments: [key]).map { row in
                Entry(
                    sequence: row[0],
                    key: key,
                    file: row[1],
                    offset: row[2],
                    length: row[3],
                    line: row[4],
                    isExam: row[5],
                    isReport: row[6],
                    leads: []
                )
            }
        }

        /// Notes that an observation that others group belongs to an exam.
        func use(_ entry: Entry) throws {
            guard self.hasGroups, entry.isExam, !entry.isReport, let key = entry.key else { return }
            let grouped = try self.database.cachedStatement(sql: "SELECT 1 FROM lead WHERE key = ? AND byReport = 0")
            guard try Int.fetchOne(grouped, arguments: [key]) != nil else { return }
            try self.database.cachedStatement(sql: "INSERT OR IGNORE INTO used VALUES (?)")
                .execute(arguments: [entry.sequence])
        }

        fileprivate func isUsed(_ entry: Entry) throws -> Bool {
            let statement = try self.database.cachedStatement(sql: "SELECT 1 FROM used WHERE sequence = ?")
            return try Int.fetchOne(statement, arguments: [entry.sequence]) != nil
        }
    }
}
