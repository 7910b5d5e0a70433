internal import GRDB
package import Primitives
internal import Records

// What exams are checked against, what was found wrong about them, and the reports that say so on the chain.
extension CustodyStore {
    static let anomaliesSchema = """
        ALTER TABLE exams ADD COLUMN traces BLOB;
        CREATE TABLE trace_names (
            tag_prefix INTEGER NOT NULL, exam INTEGER NOT NULL, PRIMARY KEY (tag_prefix, exam)) STRICT, WITHOUT ROWID;

        CREATE TABLE anomalies (
            no INTEGER PRIMARY KEY AUTOINCREMENT, anomaly BLOB NOT NULL, sealed BLOB NOT NULL, report INTEGER,
            position INTEGER) STRICT;
        CREATE INDEX anomalies_waiting ON anomalies (no) WHERE report IS NULL;
        CREATE INDEX anomalies_report ON anomalies (report, position) WHERE report IS NOT NULL;
        CREATE TABLE anomaly_reports (
            number INTEGER PRIMARY KEY, transaction_id BLOB NOT NULL, bytes BLOB NOT NULL, height INTEGER) STRICT;
        CREATE INDEX anomaly_reports_open ON anomaly_reports (number) WHERE height IS NULL;
        """

    // MARK: Traces

    /// What these exams left, and those that left something under one of these tags: of each tag the newest, at most
    /// `limit`.
    ///
    /// The newest first. A few may have met no tag: only its first eight bytes are looked up.
    package func traces(
        tags: [Digest],
        exams: [ExamNumber],
        limit: Int
    ) throws(LedgerStoreError) -> [StoredTraces] {
        try self.file.readWarm { db in
            var met: [Int64: [Int64]] = [:]
            try KeyList.forEach(tags.map(\.prefixColumn)) { keys in
                try db.forEach(
                    "SELECT tag_prefix, exam FROM trace_names WHERE tag_prefix IN (\(KeyList.placeholders))",
                    StatementArguments(keys)
                ) { row in
                    met[try row.int64(0), default: []].append(try row.int64(1))
                    return true
                }
            }
            var numbers = Set(exams.map(\.value))
            for found in met.values { numbers.formUnion(found.sorted(by: >).prefix(limit)) }
            return try numbers.sorted(by: >).compactMap { number in
                try db.first(
                    """
                    SELECT exams.no, exams.traces, exams.source, exams.record, patients.tag FROM exams
                    JOIN patients ON patients.no = exams.patient
                    WHERE exams.no = ? AND exams.traces IS NOT NULL
                    """,
                    [number]
                ) { row in
                    StoredTraces(
                        exam: ExamNumber(try row.int64(0)),
                        sealed: try row.bytes(1),
                        source: try row.digest(2),
                        record: try row.address(3),
                        patientTag: try row.digest(4)
                    )
                }
            }
        }
    }

    static func insert(_ traces: NewTraces, exam: Int64, _ db: Database) throws {
        for tag in traces.tags {
            try db.run(
                "INSERT OR IGNORE INTO trace_names (tag_prefix, exam) VALUES (?, ?)",
                [tag.prefixColumn, exam]
            )
        }
    }

    static func insert(_ anomalies: [NewAnomaly], _ db: Database) throws {
        for found in anomalies {
            try db.run(
                "INSERT INTO anomalies (anomaly, sealed) VALUES (?, ?)",
                [found.anomaly.canonicalBytes.column, found.sealed.column]
            )
        }
    }

    // MARK: Anomalies

    /// Stores anomalies that no batch gave rise to, each unless one of its kind names the same records.
    ///
    /// Only the newest `among` anomalies are looked at.
    ///
    /// Returns whether any was new.
    @discardableResult
    package func note(_ anomalies: [NewAnomaly], among: Int = 256) throws(LedgerStoreError) -> Bool {
        try self.file.write { db in
            let known = try db.all("SELECT anomaly FROM anomalies ORDER BY no DESC LIMIT ?", [Int64(among)]) {
                try Anomaly(canonicalBytes: try $0.bytes(0))
            }
            let fresh = anomalies.filter { new in
                !known.contains { $0.kind == new.anomaly.kind && $0.records == new.anomaly.records }
            }
            try Self.insert(fresh, db)
            return !fresh.isEmpty
        }
    }

    /// Anomalies that no report carries yet, oldest first.
    package func waitingAnomalies(limit: Int) throws(LedgerStoreError) -> [StoredAnomaly] {
        try self.file.read { db in
            try db.all(
                Self.selectAnomalies + "WHERE report IS NULL ORDER BY no LIMIT ?",
                [Int64(limit)],
                Self.anomaly
            )
        }
    }

    /// The anomalies of a report, in its order.
    package func anomalies(report: UInt64) throws(LedgerStoreError) -> [StoredAnomaly] {
        try self.file.read { db in
            try db.all(
                Self.selectAnomalies + "WHERE report IS NOT NULL AND report = ? ORDER BY position",
                [Int64(clamping: report)],
                Self.anomaly
            )
        }
    }

    private static let selectAnomalies = "SELECT no, anomaly, sealed, report, position FROM anomalies "

    private static func anomaly(_ row: Row) throws -> StoredAnomaly {
        var place: StoredAnomaly.Place?
        if let report = try row.int64IfPresent(3) {
            place = StoredAnomaly.Place(report: UInt64(bitPattern: report), index: try row.uint32(4))
        }
        return StoredAnomaly(
            number: try row.int64(0),
            anomaly: try Anomaly(canonicalBytes: try row.bytes(1)),
            sealed: try row.bytes(2),
            place: place
        )
    }

    // MARK: Reports

    /// Makes a report durable with its transaction: `anomalies` are what it carries, in order.
    ///
    /// All of it or nothing.
    ///
    /// - Throws: `conflict` if an anomaly is in another report or the number is taken.
    package func prepare(_ report: StoredAnomalyReport, anomalies: [Int64]) throws(LedgerStoreError) {
        try self.file.write { db in
            try Self.insert(report, db)
            for (index, number) in anomalies.enumerated() {
                try db.run(
                    "UPDATE anomalies SET report = ?, position = ? WHERE no = ? AND report IS NULL",
                    [report.number.column, Int64(index), number]
                )
                guard db.changesCount == 1 else {
                    throw LedgerStoreError(.conflict, "an anomaly is carried by another report")
                }
            }
        }
    }

    private static func insert(_ report: StoredAnomalyReport, _ db: Database) throws {
        guard report.number <= UInt64(Int64.max) else {
            throw LedgerStoreError(.outOfRange, "a report's number is larger than the file takes")
        }
        try db.run(
            "INSERT INTO anomaly_reports (number, transaction_id, bytes) VALUES (?, ?, ?)",
            [report.number.column, report.transactionID.column, report.transaction.column]
        )
    }

    /// The oldest report that is not final.
    package func openAnomalyReport() throws(LedgerStoreError) -> StoredAnomalyReport? {
        try self.file.read { db in
            try db.first(
                "SELECT number, transaction_id, bytes FROM anomaly_reports WHERE height IS NULL ORDER BY number LIMIT 1"
            ) { row in
                StoredAnomalyReport(
                    number: try row.uint64(0),
                    transactionID: try row.digest(1),
                    transaction: try row.bytes(2)
                )
            }
        }
    }

    /// Puts another transaction, under the same number or another, in the place of a report that is not final.
    ///
    /// - Throws: `notFound` if there is no such report.
    package func replaceAnomalyReport(
        _ number: UInt64,
        with report: StoredAnomalyReport
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run(
                "DELETE FROM anomaly_reports WHERE number = ? AND height IS NULL",
                [Int64(clamping: number)]
            )
            guard db.changesCount == 1 else {
                throw LedgerStoreError(.notFound, "there is no such report that is not final")
            }
            try Self.insert(report, db)
            try db.run(
                "UPDATE anomalies SET report = ? WHERE report IS NOT NULL AND report = ?",
                [report.number.column, Int64(clamping: number)]
            )
        }
    }

    /// Notes that a report is in a final block.
    ///
    /// - Throws: `notFound` if there is no such report.
    package func markAnomalyReportFinal(_ number: UInt64, height: Height) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run(
                "UPDATE anomaly_reports SET height = ? WHERE number = ?",
                [height.column, Int64(clamping: number)]
            )
            guard db.changesCount == 1 else { throw LedgerStoreError(.notFound, "there is no such report") }
        }
    }
}
