internal import GRDB

/// What this institution alone knows and must never lose: `HOME/custody.sqlite`.
///
/// Every call that changes something is one transaction and is on disk when it returns (`synchronous = FULL`).
/// Everything that could name a person or open a record arrives sealed or keyed; the file holds no such bytes.
package struct CustodyStore: Sendable {
    let file: StoreFile

    /// Opens or creates the file at `path`.
    package init(path: String) throws(LedgerStoreError) {
        self.file = try StoreFile(
            path: path,
            durability: .neverLost,
            cacheKiB: 24 << 10,
            checkpointPages: 8_192,
            migrations: [
                ("custody-1", Self.schema), ("custody-anomalies", Self.anomaliesSchema),
                ("custody-studies", Self.studiesSchema),
                ("custody-codes", Self.codesSchema), ("custody-quarantine-line", Self.quarantineLineSchema),
                ("custody-pseudonyms", Self.pseudonymsSchema),
                ("custody-access", Self.accessSchema), ("custody-offline", Self.offlineSchema),
                ("custody-facts", Self.factsSchema),
                ("custody-identity", Self.identitySchema),
            ]
        )
    }

    private static let schema = """
        CREATE TABLE patients (
            no INTEGER PRIMARY KEY, tag BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL, bucket INTEGER NOT NULL,
            next_locator INTEGER NOT NULL, next_alias INTEGER NOT NULL, next_receipt INTEGER NOT NULL) STRICT;
        CREATE INDEX patients_bucket ON patients (bucket);

        CREATE TABLE exams (
            no INTEGER PRIMARY KEY, source_prefix INTEGER NOT NULL, record_prefix INTEGER NOT NULL,
            source BLOB NOT NULL, content BLOB NOT NULL, record BLOB NOT NULL, patient INTEGER NOT NULL,
            kind INTEGER NOT NULL, item TEXT NOT NULL, exam_time INTEGER, batch INTEGER NOT NULL,
            position INTEGER NOT NULL, superseded_by INTEGER) STRICT;
        CREATE INDEX exams_source ON exams (source_prefix);
        CREATE INDEX exams_record ON exams (record_prefix);
        CREATE INDEX exams_patient ON exams (patient);

        CREATE TABLE batches (
            kind INTEGER NOT NULL, number INTEGER NOT NULL, root BLOB NOT NULL, entries INTEGER NOT NULL,
            manifest BLOB NOT NULL, transaction_id BLOB NOT NULL, state INTEGER NOT NULL, height INTEGER,
            first_exam INTEGER, PRIMARY KEY (kind, number)) STRICT, WITHOUT ROWID;
        CREATE INDEX batches_open ON batches (kind, number) WHERE state < 3;
        CREATE TABLE outgoing (no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;

        CREATE TABLE jobs (
            no INTEGER PRIMARY KEY AUTOINCREMENT, inputs BLOB NOT NULL, progress BLOB NOT NULL,
            state INTEGER NOT NULL, started_at INTEGER NOT NULL) STRICT;
        CREATE TABLE quarantine (
            no INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL, file TEXT NOT NULL,
            position INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, sealed BLOB NOT NULL,
            time INTEGER NOT NULL, state INTEGER NOT NULL, digest BLOB NOT NULL,
            UNIQUE (job, file, position, code, digest)) STRICT;

        CREATE TABLE grants (
            no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, is_custodian INTEGER NOT NULL,
            is_grantee INTEGER NOT NULL, patient INTEGER, not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,
            revoked INTEGER NOT NULL, sealed BLOB, next_page INTEGER NOT NULL) STRICT;
        CREATE INDEX grants_patient ON grants (patient) WHERE patient IS NOT NULL;
        CREATE TABLE wrapped (grant_no INTEGER NOT NULL, exam INTEGER NOT NULL, PRIMARY KEY (grant_no, exam))
            STRICT, WITHOUT ROWID;
        CREATE TABLE pages (
            no INTEGER PRIMARY KEY, grant_no INTEGER NOT NULL, custodian TEXT NOT NULL, page INTEGER NOT NULL,
            object BLOB NOT NULL, UNIQUE (grant_no, custodian, page)) STRICT;
        CREATE TABLE page_entries (
            no INTEGER PRIMARY KEY, record_prefix INTEGER NOT NULL, record BLOB NOT NULL, page_no INTEGER NOT NULL,
            position INTEGER NOT NULL) STRICT;
        CREATE INDEX page_entries_record ON page_entries (record_prefix);

        CREATE TABLE notes (
            record BLOB NOT NULL, institution TEXT NOT NULL, sealed BLOB NOT NULL, time INTEGER NOT NULL,
            PRIMARY KEY (record, institution)) STRICT, WITHOUT ROWID;
        CREATE INDEX notes_time ON notes (time);

        CREATE TABLE receipts (
            no INTEGER PRIMARY KEY AUTOINCREMENT, patient INTEGER NOT NULL, receipt_index INTEGER NOT NULL,
            leaf BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL, batch INTEGER, position INTEGER) STRICT;
        CREATE INDEX receipts_waiting ON receipts (no) WHERE batch IS NULL;
        CREATE INDEX receipts_patient ON receipts (patient);

        CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// How many rows of what.
    package struct Counts: Hashable, Sendable {
        package var patients: UInt64
        package var exams: UInt64
        package var openQuarantine: UInt64
        package var waitingReceipts: UInt64
        package var waitingFacts: UInt64
        package var outgoing: UInt64
    }

    package func counts() throws(LedgerStoreError) -> Counts {
        try self.file.read { db in
            func count(_ sql: String) throws -> UInt64 { try db.first(sql) { try $0.uint64(0) } ?? 0 }
            return Counts(
                // Rows of these two are never deleted, so the largest number is their count.
                patients: try count("SELECT coalesce(max(no), 0) FROM patients"),
                exams: try count("SELECT coalesce(max(no), 0) FROM exams"),
                openQuarantine: try count("SELECT count(*) FROM quarantine WHERE state = 1"),
                waitingReceipts: try count("SELECT count(*) FROM receipts WHERE batch IS NULL"),
                waitingFacts: try count("SELECT count(*) FROM facts WHERE batch IS NULL"),
                outgoing: try count("SELECT count(*) FROM outgoing")
            )
        }
    }

    /// `PRAGMA synchronous` of the writing connection, for `doctor`: 2 means that a commit is on disk.
    package func synchronousLevel() throws(LedgerStoreError) -> Int64 { try self.file.synchronousLevel() }

    /// Reads the whole file for damage; a full check also compares the indexes with their tables.
    package func check(full: Bool = true) throws(LedgerStoreError) { try self.file.check(full: full) }

    package func close() throws(LedgerStoreError) { try self.file.close() }
}
