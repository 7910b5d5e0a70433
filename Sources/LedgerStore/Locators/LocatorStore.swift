internal import GRDB
package import Primitives
package import Records

/// Every manifest's lines, by search tag: `HOME/locators.sqlite`.
///
/// Commits are not synced one by one, because the file says which manifests it holds and any other is read again from
/// the vault or from a peer.
package struct LocatorStore: Sendable {
    private let file: StoreFile

    /// What a line's bytes are.
    private enum LineKind: Int64 {
        case exam = 1
        case alias = 2
        case receipt = 3
    }

    private struct Line {
        var institution: InstitutionID
        var batch: UInt64
        var index: UInt32
        var bytes: [UInt8]
    }

    /// Opens or creates the file at `path`.
    package init(path: String) throws(LedgerStoreError) {
        self.file = try StoreFile(
            path: path,
            durability: .rebuildable,
            cacheKiB: 32 << 10,
            checkpointPages: 32_768,
            migrations: [("locators-1", Self.schema)]
        )
    }

    // Tags and record addresses are indexed by eight of their bytes: half the size of whole ones, and in practice as
    // selective. A line's bytes hold the rest.
    private static let schema = """
        CREATE TABLE institutions (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE manifests (
            kind INTEGER NOT NULL, institution INTEGER NOT NULL, batch INTEGER NOT NULL, address BLOB NOT NULL,
            entries INTEGER NOT NULL, PRIMARY KEY (kind, institution, batch)) STRICT, WITHOUT ROWID;
        CREATE TABLE lines (
            no INTEGER PRIMARY KEY, kind INTEGER NOT NULL, tag INTEGER NOT NULL, record INTEGER,
            institution INTEGER NOT NULL, batch INTEGER NOT NULL, position INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
        CREATE INDEX lines_tag ON lines (tag);
        CREATE INDEX lines_record ON lines (record) WHERE record IS NOT NULL;
        """

    // MARK: Writing

    /// Indexes a manifest whose root has been checked against the chain.
    ///
    /// - Returns: `false` if it is indexed already.
    /// - Throws: `conflict` if another manifest is indexed under its number.
    @discardableResult
    package func add(_ manifest: Manifest, address: ContentAddress) throws(LedgerStoreError) -> Bool {
        try self.file.write { db in
            let key = (ManifestKind.exams, manifest.institution, manifest.batch)
            guard let institution = try Self.register(key, address, entries: manifest.entries.count, db) else {
                return false
            }
            let batch = manifest.batch.column
            for (index, entry) in manifest.entries.enumerated() {
                try Self.insert(
                    [
                        LineKind.exam.rawValue, entry.locator.tag.prefix64.column, entry.leaf.record.prefixColumn,
                        institution, batch, Int64(index), entry.canonicalBytes.column,
                    ],
                    db
                )
            }
            for (index, alias) in manifest.aliases.enumerated() {
                try Self.insert(
                    [
                        LineKind.alias.rawValue, alias.tag.prefix64.column, nil, institution, batch, Int64(index),
                        alias.canonicalBytes.column,
                    ],
                    db
                )
            }
            return true
        }
    }

    /// Indexes a receipt manifest whose root has been checked against the chain.
    ///
    /// - Returns: `false` if it is indexed already.
    /// - Throws: `conflict` if another manifest is indexed under its number.
    @discardableResult
    package func add(_ manifest: ReceiptManifest, address: ContentAddress) throws(LedgerStoreError) -> Bool {
        try self.file.write { db in
            let key = (ManifestKind.receipts, manifest.institution, manifest.batch)
            guard let institution = try Self.register(key, address, entries: manifest.entries.count, db) else {
                return false
            }
            for (index, receipt) in manifest.entries.enumerated() {
                try Self.insert(
                    [
                        LineKind.receipt.rawValue, receipt.tag.prefix64.column, nil, institution,
                        manifest.batch.column, Int64(index), receipt.canonicalBytes.column,
                    ],
                    db
                )
            }
            return true
        }
    }

    /// Notes that a manifest of facts, whose root has been checked against the chain, is here.
    ///
    /// Facts are not searched by tag: they are read in the order of the chain.
    ///
    /// - Returns: `false` if it is noted already.
    /// - Throws: `conflict` if another manifest is noted under its number.
    @discardableResult
    package func add(_ manifest: FactManifest, address: ContentAddress) throws(LedgerStoreError) -> Bool {
        try self.file.write { db in
            let key = (ManifestKind.facts, manifest.institution, manifest.batch)
            return try Self.register(key, address, entries: manifest.entries.count, db) != nil
        }
    }

    private static func insert(_ values: StatementArguments, _ db: Database) throws {
        try db.run(
            """
            INSERT INTO lines (kind, tag, record, institution, batch, position, bytes)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            values
        )
    }

    /// Notes the manifest and returns its institution's number; `nil` if it is there already.
    private static func register(
        _ key: (kind: ManifestKind, institution: InstitutionID, batch: UInt64),
        _ address: ContentAddress,
        entries: Int,
        _ db: Database
    ) throws -> Int64? {
        guard key.batch <= UInt64(Int64.max) else {
            throw LedgerStoreError(.outOfRange, "a batch number is larger than the index takes")
        }
        let name = key.institution.text
        try db.run("INSERT OR IGNORE INTO institutions (name) VALUES (?)", [name])
        let no = try db.first("SELECT no FROM institutions WHERE name = ?", [name]) { try $0.int64(0) }
        guard let no else { throw Row.damaged }
        let stored = try db.first(
            "SELECT address FROM manifests WHERE kind = ? AND institution = ? AND batch = ?",
            [key.kind.rawValue, no, key.batch.column]
        ) { try $0.address(0) }
        if let stored {
            guard stored == address else {
                throw LedgerStoreError(.conflict, "another manifest is indexed under the batch's number")
            }
            return nil
        }
        try db.run(
            "INSERT INTO manifests (kind, institution, batch, address, entries) VALUES (?, ?, ?, ?, ?)",
            [key.kind.rawValue, no, key.batch.column, address.column, Int64(entries)]
        )
        return no
    }

    // MARK: Finding

    /// The exams under the tags, ordered by institution, batch and index.
    ///
    /// Several may stand under one tag: an institution that lost its counter uses numbers again.
    package func lookup(_ probes: [LocatorProbe]) throws(LedgerStoreError) -> [LocatorRow] {
        try self.file.read { db in
            try Self.lines(.exam, probes, db) { line in
                let entry = try Manifest.Entry(canonicalBytes: line.bytes)
                let row = LocatorRow(
                    institution: line.institution,
                    batch: line.batch,
                    index: line.index,
                    leaf: entry.leaf,
                    entry: entry.locator
                )
                return (entry.locator.tag, row)
            }
        }
    }

    /// The other names under the tags, ordered by institution, batch and index.
    package func lookupAliases(_ probes: [LocatorProbe]) throws(LedgerStoreError) -> [AliasRow] {
        try self.file.read { db in
            try Self.lines(.alias, probes, db) { line in
                let entry = try LocatorEntry(canonicalBytes: line.bytes)
                let row = AliasRow(institution: line.institution, batch: line.batch, index: line.index, entry: entry)
                return (entry.tag, row)
            }
        }
    }

    /// The sealed receipts under the tags, ordered by institution, batch and index.
    package func lookupReceipts(_ probes: [LocatorProbe]) throws(LedgerStoreError) -> [ReceiptRow] {
        try self.file.read { db in
            try Self.lines(.receipt, probes, db) { line in
                let receipt = try SealedReceipt(canonicalBytes: line.bytes)
                let row = ReceiptRow(
                    institution: line.institution,
                    batch: line.batch,
                    index: line.index,
                    receipt: receipt
                )
                return (receipt.tag, row)
            }
        }
    }

    /// The exams whose sealed record is `record`: one, unless an institution lists another's record as its own.
    package func entries(record: ContentAddress) throws(LedgerStoreError) -> [LocatorRow] {
        try self.file.read { db in
            let rows = try db.all(
                Self.selectLines + "WHERE l.record = ? AND l.kind = 1 ORDER BY l.no",
                [record.prefixColumn]
            ) { row in
                let line = try Self.line(row)
                let entry = try Manifest.Entry(canonicalBytes: line.bytes)
                return LocatorRow(
                    institution: line.institution,
                    batch: line.batch,
                    index: line.index,
                    leaf: entry.leaf,
                    entry: entry.locator
                )
            }
            return rows.filter { $0.leaf.record == record }
        }
    }

    private static let selectLines = """
        SELECT i.name, l.batch, l.position, l.bytes
        FROM lines l JOIN institutions i ON i.no = l.institution\u{20}
        """

    private static func line(_ row: Row) throws -> Line {
        Line(
            institution: try row.institution(0),
            batch: try row.uint64(1),
            index: try row.uint32(2),
            bytes: try row.bytes(3)
        )
    }

    private static func lines<Value>(
        _ kind: LineKind,
        _ probes: [LocatorProbe],
        _ db: Database,
        _ value: (Line) throws -> (LocatorTag, Value)
    ) throws -> [Value] {
        let wanted = Set(probes)
        var found: [(line: Line, value: Value)] = []
        try KeyList.forEach(probes.map(\.tag.prefix64.column)) { keys in
            try db.forEach(
                Self.selectLines + "WHERE l.tag IN (\(KeyList.placeholders)) AND l.kind = ?",
                StatementArguments(keys + [kind.rawValue])
            ) { row in
                let line = try Self.line(row)
                let (tag, value) = try value(line)
                // Whoever copies another institution's line under its own name must not be found by it.
                guard wanted.contains(LocatorProbe(institution: line.institution, tag: tag)) else { return true }
                found.append((line, value))
                return true
            }
        }
        found.sort { left, right in
            (left.line.institution, left.line.batch, left.line.index)
                < (right.line.institution, right.line.batch, right.line.index)
        }
        return found.map(\.value)
    }

    // MARK: What is there

    /// The address of the indexed manifest, `nil` if it is not indexed.
    package func manifest(
        _ kind: ManifestKind,
        institution: InstitutionID,
        batch: UInt64
    ) throws(LedgerStoreError) -> ContentAddress? {
        try self.file.read { db in
            try db.first(
                """
                SELECT m.address FROM manifests m JOIN institutions i ON i.no = m.institution
                WHERE i.name = ? AND m.kind = ? AND m.batch = ?
                """,
                [institution.text, kind.rawValue, Int64(clamping: batch)]
            ) { try $0.address(0) }
        }
    }

    /// The batch numbers that are indexed, as intervals in order.
    package func coverage(
        _ kind: ManifestKind,
        institution: InstitutionID
    ) throws(LedgerStoreError) -> [ClosedRange<UInt64>] {
        try self.file.read { db in
            var intervals: [ClosedRange<UInt64>] = []
            try db.forEach(
                """
                SELECT m.batch FROM manifests m JOIN institutions i ON i.no = m.institution
                WHERE i.name = ? AND m.kind = ? ORDER BY m.batch
                """,
                [institution.text, kind.rawValue]
            ) { row in
                let batch = try row.uint64(0)
                if let last = intervals.last, batch > 0, last.upperBound == batch - 1 {
                    intervals[intervals.count - 1] = last.lowerBound...batch
                } else {
                    intervals.append(batch...batch)
                }
                return true
            }
            return intervals
        }
    }

    /// The batch numbers of `range` that are not indexed, as intervals in order.
    package func gaps(
        _ kind: ManifestKind,
        institution: InstitutionID,
        in range: ClosedRange<UInt64>
    ) throws(LedgerStoreError) -> [ClosedRange<UInt64>] {
        var gaps: [ClosedRange<UInt64>] = []
        var next = range.lowerBound
        for interval in try self.coverage(kind, institution: institution) where interval.upperBound >= next {
            guard interval.lowerBound <= range.upperBound else { break }
            if interval.lowerBound > next { gaps.append(next...interval.lowerBound - 1) }
            guard interval.upperBound < range.upperBound else { return gaps }
            next = interval.upperBound + 1
        }
        gaps.append(next...range.upperBound)
        return gaps
    }

    /// How many exams are indexed.
    package func examCount() throws(LedgerStoreError) -> UInt64 {
        try self.file.read { db in
            try db.first("SELECT coalesce(sum(entries), 0) FROM manifests WHERE kind = 1") { try $0.uint64(0) } ?? 0
        }
    }

    /// Reads the whole file for damage; a full check also compares the indexes with their tables.
    package func check(full: Bool = true) throws(LedgerStoreError) { try self.file.check(full: full) }

    package func close() throws(LedgerStoreError) { try self.file.close() }
}
