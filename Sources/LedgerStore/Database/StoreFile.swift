internal import GRDB
internal import Glibc

/// One SQLite file in WAL mode: one writing connection and a few reading ones.
///
/// Two rules of GRDB shape every store built on this:
/// - One `DatabasePool` per file for as long as the agent lives. A second one would be another process to SQLite: busy
///   errors, and a WAL that never shrinks. Stores are copied freely, since copies share the pool.
/// - The caller owns transaction boundaries: one call of ``write(_:)`` is one transaction, two calls may be split by a
///   crash. What belongs together is therefore one method of a store.
///
/// Rows are read through ``Row`` accessors that throw `corrupt`: GRDB's own typed ones trap on a damaged value.
struct StoreFile: Sendable {
    /// How much a committed transaction survives.
    enum Durability: Int64, Sendable {
        /// A power cut may undo the last commits, but never breaks the file.
        case rebuildable = 1
        /// A commit that returned is on disk.
        case neverLost = 2
    }

    /// The file's name without its folder, for messages.
    let name: String
    private let pool: DatabasePool

    /// Opens or creates the file and brings its schema up to date.
    ///
    /// `checkpointPages` is how far the log grows, in pages of 4 KiB, before it is moved into the file. A short log makes
    /// short pauses; a long one writes the pages of indexes with random keys once for many commits.
    init(
        path: String,
        durability: Durability,
        cacheKiB: Int,
        checkpointPages: Int,
        migrations: [(name: String, sql: String)]
    ) throws(LedgerStoreError) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        self.name = name
        do {
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA cache_size = -\(cacheKiB)")
                try db.execute(sql: "PRAGMA wal_autocheckpoint = \(checkpointPages)")
                try db.execute(sql: "PRAGMA cell_size_check = ON")
            }
            Self.createPrivate(path)
            let pool = try DatabasePool(path: path, configuration: configuration)
            // After opening: switching to WAL sets NORMAL whatever was set before.
            try pool.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA synchronous = \(durability.rawValue)")
                guard try Int64.fetchOne(db, sql: "PRAGMA synchronous") == durability.rawValue else {
                    throw LedgerStoreError(.internalFailure, "\(name) does not keep its durability setting")
                }
            }
            var migrator = DatabaseMigrator()
            for migration in migrations {
                migrator.registerMigration(migration.name) { db in try db.execute(sql: migration.sql) }
            }
            if try pool.read(migrator.hasBeenSuperseded) {
                throw LedgerStoreError(.schemaTooNew, "a newer release wrote \(name); install that release")
            }
            try migrator.migrate(pool)
            self.pool = pool
        } catch {
            throw LedgerStoreError(error, file: name)
        }
    }

    /// Creates a missing file for this user only; SQLite gives its log the same permissions.
    ///
    /// What fails here fails again when SQLite opens the file, with its code.
    private static func createPrivate(_ path: String) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Runs `body` on a consistent snapshot.
    ///
    /// `body` must not call a store of the same file: GRDB traps.
    func read<Value>(_ body: (Database) throws -> Value) throws(LedgerStoreError) -> Value {
        do {
            return try self.pool.read(body)
        } catch {
            throw LedgerStoreError(error, file: self.name)
        }
    }

    /// Reads what an import asks for between its writes: many rows, all over the file.
    ///
    /// Waits for writers, and they for it. A reading connection would begin with an empty cache after each commit.
    func readWarm<Value>(_ body: (Database) throws -> Value) throws(LedgerStoreError) -> Value {
        do {
            return try self.pool.writeWithoutTransaction(body)
        } catch {
            throw LedgerStoreError(error, file: self.name)
        }
    }

    /// Runs `body` as one transaction: all of it or, if it throws, nothing.
    func write<Value>(_ body: (Database) throws -> Value) throws(LedgerStoreError) -> Value {
        do {
            return try self.pool.write(body)
        } catch {
            throw LedgerStoreError(error, file: self.name)
        }
    }

    /// Syncs the log and moves it into the file: every commit until now survives a power cut.
    ///
    /// - Throws: `busy` when a reader holds on to an older snapshot for too long; then nothing was promised.
    func checkpoint() throws(LedgerStoreError) {
        do {
            _ = try self.pool.writeWithoutTransaction { try $0.checkpoint(.full) }
        } catch {
            throw LedgerStoreError(error, file: self.name)
        }
    }

    /// `PRAGMA synchronous` of the writing connection: 1 is NORMAL, 2 is FULL.
    func synchronousLevel() throws(LedgerStoreError) -> Int64 {
        do {
            return try self.pool.writeWithoutTransaction { try Int64.fetchOne($0, sql: "PRAGMA synchronous") ?? 0 }
        } catch {
            throw LedgerStoreError(error, file: self.name)
        }
    }

    /// Reads every page; a full check also compares every index with its table, which takes several times as long.
    ///
    /// - Throws: ``LedgerStoreError`` with code `corrupt` when something does not fit.
    func check(full: Bool) throws(LedgerStoreError) {
        let sql = full ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)"
        let verdict = try self.read { db in try String.fetchOne(db, sql: sql) }
        guard verdict == "ok" else {
            throw LedgerStoreError(.corrupt, "\(self.name) is damaged; restore it from a copy")
        }
    }

    /// Moves the log into the file and closes every connection.
    ///
    /// Nothing may be in flight.
    func close() throws(LedgerStoreError) {
        do {
            // GRDB keeps the log's file; emptied, a stopped home is half as large. Readers that are in the way do no harm.
            _ = try? self.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            try self.pool.close()
        } catch {
            throw LedgerStoreError(error, file: self.name)
        }
    }
}
