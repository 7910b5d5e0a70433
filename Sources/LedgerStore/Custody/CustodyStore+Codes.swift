internal import GRDB
internal import Primitives

// The versions of the code map, and the codes that somebody has to look at.
extension CustodyStore {
    static let codesSchema = """
        CREATE TABLE code_versions (
            no INTEGER PRIMARY KEY, version TEXT NOT NULL UNIQUE, digest BLOB NOT NULL, author TEXT NOT NULL,
            time INTEGER NOT NULL, kind INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
        CREATE TRIGGER code_versions_kept BEFORE DELETE ON code_versions
            BEGIN SELECT RAISE(ABORT, 'versions are kept'); END;
        CREATE TRIGGER code_versions_fixed BEFORE UPDATE ON code_versions
            BEGIN SELECT RAISE(ABORT, 'versions are fixed'); END;

        CREATE TABLE reviewed_codes (
            source TEXT NOT NULL, system TEXT NOT NULL, code TEXT NOT NULL, specimen TEXT NOT NULL,
            name TEXT NOT NULL, unit TEXT NOT NULL, reason INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (source, system, code, specimen, name, unit, reason)) STRICT, WITHOUT ROWID;
        """

    private static let othersMark = "reviewed-codes-others"

    // MARK: Versions

    /// Every version of the code map, the first first.
    package func codeVersions() throws(LedgerStoreError) -> [CodeVersion] {
        try self.file.read { db in
            try db.all("SELECT no, version, digest, author, time, kind, bytes FROM code_versions ORDER BY no") { row in
                guard let kind = CodeVersion.Kind(rawValue: try row.int64(5)) else { throw Row.damaged }
                return CodeVersion(
                    number: try row.int64(0),
                    version: try row.text(1),
                    digest: try row.digest(2),
                    author: try row.text(3),
                    time: Timestamp(milliseconds: try row.int64(4)),
                    kind: kind,
                    bytes: try row.bytes(6)
                )
            }
        }
    }

    /// Makes a version durable, which must be the next one.
    ///
    /// - Throws: `conflict` if its number or its name is taken, or a number before it is free.
    package func append(_ version: CodeVersion) throws(LedgerStoreError) {
        try self.file.write { db in
            let last = try db.first("SELECT coalesce(max(no), 0) FROM code_versions") { try $0.int64(0) } ?? 0
            let isTaken = try db.first("SELECT 1 FROM code_versions WHERE version = ?", [version.version]) { _ in true }
            guard version.number == last + 1, isTaken == nil else {
                throw LedgerStoreError(.conflict, "the code map was changed by somebody else at the same time")
            }
            try db.run(
                """
                INSERT INTO code_versions (no, version, digest, author, time, kind, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    version.number, version.version, version.digest.column, version.author,
                    version.time.milliseconds, version.kind.rawValue, version.bytes.column,
                ]
            )
        }
    }

    // MARK: Codes to look at

    /// The codes, the most frequent first, and how many results had a code that is not listed.
    package func reviewedCodes() throws(LedgerStoreError) -> (
        codes: [(code: ReviewedCode, count: Int64)], others: Int64
    ) {
        try self.file.read { db in
            let codes = try db.all(
                """
                SELECT source, system, code, specimen, name, unit, reason, count FROM reviewed_codes
                ORDER BY count DESC, source, system, code, specimen, name, unit, reason
                """
            ) { row in
                guard let reason = ReviewedCode.Reason(rawValue: try row.int64(6)) else { throw Row.damaged }
                func text(_ index: Int) throws -> String? {
                    let text = try row.text(index)
                    return text.isEmpty ? nil : text
                }
                let code = ReviewedCode(
                    source: try row.text(0),
                    system: try text(1),
                    code: try row.text(2),
                    specimen: try text(3),
                    name: try text(4),
                    unit: try text(5),
                    reason: reason
                )
                return (code: code, count: try row.int64(7))
            }
            let others = try db.first("SELECT value FROM marks WHERE name = ?", [Self.othersMark]) { try $0.int64(0) }
            return (codes, others ?? 0)
        }
    }

    /// Counts the codes of a batch, inside its transaction.
    static func add(_ codes: ReviewedCodes, _ db: Database) throws {
        var others = codes.others
        guard others > 0 || !codes.counts.isEmpty else { return }
        var rows = try db.first("SELECT count(*) FROM reviewed_codes") { try $0.int64(0) } ?? 0
        for (code, count) in codes.counts {
            let key: StatementArguments = [
                code.source, code.system ?? "", code.code, code.specimen ?? "", code.name ?? "", code.unit ?? "",
                code.reason.rawValue,
            ]
            try db.run(
                """
                UPDATE reviewed_codes SET count = count + ?
                WHERE source = ? AND system = ? AND code = ? AND specimen = ? AND name = ? AND unit = ? AND reason = ?
                """,
                [count] + key
            )
            if db.changesCount == 1 { continue }
            guard rows < ReviewedCodes.codesMax else {
                others += count
                continue
            }
            try db.run(
                """
                INSERT INTO reviewed_codes (source, system, code, specimen, name, unit, reason, count)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                key + [count]
            )
            rows += 1
        }
        guard others > 0 else { return }
        try db.run(
            "INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            [Self.othersMark, others]
        )
    }
}
