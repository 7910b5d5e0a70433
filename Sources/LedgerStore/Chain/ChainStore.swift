internal import GRDB
package import Primitives

/// The final chain and the state after it: `HOME/chain.sqlite`.
///
/// Commits are not synced one by one: whatever a power cut undoes is fetched again, since votes are durable in the vote
/// log before they are sent and peers hold every final block. SQLite keeps the file consistent, so the chain, its
/// indexes and the state always belong to one height.
package struct ChainStore: Sendable {
    private let file: StoreFile

    /// Opens or creates the file at `path`.
    package init(path: String) throws(LedgerStoreError) {
        self.file = try StoreFile(
            path: path,
            durability: .rebuildable,
            cacheKiB: 16 << 10,
            checkpointPages: 1_000,
            migrations: [("chain-1", Self.schema)]
        )
    }

    private static let schema = """
        CREATE TABLE genesis (no INTEGER PRIMARY KEY CHECK (no = 0), bytes BLOB NOT NULL) STRICT;
        CREATE TABLE blocks (
            height INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, header BLOB NOT NULL, justification BLOB NOT NULL,
            receipts BLOB NOT NULL, body BLOB NOT NULL) STRICT;
        CREATE TABLE certificates (height INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        CREATE TABLE history (position INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
        CREATE TABLE state (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE transactions (id BLOB PRIMARY KEY, height INTEGER NOT NULL, position INTEGER NOT NULL)
            STRICT, WITHOUT ROWID;
        """

    // MARK: Writing

    /// Starts the chain from its genesis file and the block at height 0.
    ///
    /// Doing it again with the same bytes changes nothing.
    ///
    /// - Throws: `conflict` when the file holds another chain.
    package func begin(
        genesis: [UInt8],
        block: StoredBlock,
        stateChanges: [(key: Digest, value: [UInt8]?)]
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            if let stored = try Self.genesis(db) {
                guard stored == genesis else {
                    throw LedgerStoreError(.conflict, "the home belongs to another chain; use an empty one")
                }
                return
            }
            try db.run("INSERT INTO genesis (no, bytes) VALUES (0, coalesce(?, x''))", [genesis.column])
            try Self.append([block], after: nil, db)
            try Self.apply(stateChanges, db)
        }
    }

    /// Makes every commit until now survive a power cut; one that did not is fetched from the other members again.
    ///
    /// - Throws: `busy` when readers are in the way for too long.
    package func checkpoint() throws(LedgerStoreError) { try self.file.checkpoint() }

    /// Appends final blocks, the state after them and their transactions' places, all or nothing.
    ///
    /// The blocks come in height order, the first on top of the tip, and the newest carries its certificate. The state's
    /// new values are those at the newest block; `nil` removes a key.
    ///
    /// - Throws: `chainMismatch` unless heights, parent hashes and history roots continue the stored chain.
    package func commit(
        _ blocks: [StoredBlock],
        stateChanges: [(key: Digest, value: [UInt8]?)],
        transactions: [TransactionPlace]
    ) throws(LedgerStoreError) {
        guard let newest = blocks.last else { return }
        guard newest.certificate != nil else {
            throw LedgerStoreError(.chainMismatch, "the newest block comes without its finalization")
        }
        try self.file.write { db in
            guard let tip = try Self.tip(db) else {
                throw LedgerStoreError(.chainMismatch, "blocks came before the chain's genesis")
            }
            try Self.append(blocks, after: tip.header, db)
            try Self.apply(stateChanges, db)
            for place in transactions {
                // A transaction's first place counts.
                try db.run(
                    "INSERT OR IGNORE INTO transactions (id, height, position) VALUES (?, ?, ?)",
                    [place.id.column, place.height.column, Int64(place.index)]
                )
            }
        }
    }

    private static func append(_ blocks: [StoredBlock], after tip: BlockHeader?, _ db: Database) throws {
        var parent = tip
        var history = try HistoryTree(db, size: tip.map { $0.height.value + 1 } ?? 0)
        for block in blocks {
            let header = block.header
            let hash = header.hash
            // The history root is compared because every later proof is read from this tree.
            guard header.height.value == history.size, header.historySize == history.size,
                header.historyRoot == history.root, parent.map({ $0.hash == header.parentHash }) ?? true
            else { throw LedgerStoreError(.chainMismatch, "block \(header.height) does not continue the chain") }
            var receipts = CanonicalEncoder()
            receipts.encode(length: block.receipts.count)
            for receipt in block.receipts { receipts.encode(bytes: receipt) }
            try db.run(
                """
                INSERT INTO blocks (height, hash, header, justification, receipts, body)
                VALUES (?, ?, ?, coalesce(?, x''), ?, coalesce(?, x''))
                """,
                [
                    header.height.column, hash.column, header.canonicalBytes.column, block.justification.column,
                    receipts.bytes.column, block.body.column,
                ]
            )
            if let certificate = block.certificate {
                try db.run(
                    "INSERT INTO certificates (height, bytes) VALUES (?, ?)",
                    [header.height.column, certificate.column]
                )
            }
            try history.append(db, block: hash)
            parent = header
        }
    }

    private static func apply(_ changes: [(key: Digest, value: [UInt8]?)], _ db: Database) throws {
        for change in changes {
            if let value = change.value {
                try db.run(
                    "INSERT OR REPLACE INTO state (key, value) VALUES (?, coalesce(?, x''))",
                    [change.key.column, value.column]
                )
            } else {
                try db.run("DELETE FROM state WHERE key = ?", [change.key.column])
            }
        }
    }

    // MARK: Reading

    /// The genesis file's bytes; `nil` before ``begin(genesis:block:stateChanges:)``.
    package func genesis() throws(LedgerStoreError) -> [UInt8]? {
        try self.file.read(Self.genesis)
    }

    package func tip() throws(LedgerStoreError) -> ChainTip? {
        try self.file.read(Self.tip)
    }

    /// Calls `body` with every key of the state and its value, in key order.
    ///
    /// `body` must not use the store.
    package func forEachStateLeaf(_ body: (Digest, [UInt8]) throws -> Void) throws(LedgerStoreError) {
        try self.file.read { db in
            try db.forEach("SELECT key, value FROM state ORDER BY key") { row in
                try body(try row.digest(0), try row.bytes(1))
                return true
            }
        }
    }

    package func block(at height: Height) throws(LedgerStoreError) -> StoredBlock? {
        try self.file.read { db in
            try db.first(Self.selectBlocks + "WHERE b.height = ?", [height.column], Self.block)
        }
    }

    package func block(hash: Digest) throws(LedgerStoreError) -> StoredBlock? {
        try self.file.read { db in
            try db.first(Self.selectBlocks + "WHERE b.hash = ?", [hash.column], Self.block)
        }
    }

    /// Consecutive blocks from `height` on: as many as fit in `maxBytes` of stored bytes, and at least one if there is
    /// one.
    package func blocks(from height: Height, maxBytes: Int) throws(LedgerStoreError) -> [StoredBlock] {
        try self.file.read { db in
            var blocks: [StoredBlock] = []
            var total = 0
            try db.forEach(Self.selectBlocks + "WHERE b.height >= ? ORDER BY b.height", [height.column]) { row in
                let block = try Self.block(row)
                total += Self.headerBytes + block.body.count + block.justification.count
                total += block.receipts.reduce(0) { $0 + $1.count } + (block.certificate?.count ?? 0)
                guard blocks.isEmpty || total <= maxBytes else { return false }
                blocks.append(block)
                return total < maxBytes
            }
            return blocks
        }
    }

    /// The finalization that covers the block at `height`: its own or that of the nearest block above.
    package func certificate(covering height: Height) throws(LedgerStoreError) -> (height: Height, bytes: [UInt8])? {
        try self.file.read { db in
            try db.first(
                "SELECT height, bytes FROM certificates WHERE height >= ? ORDER BY height LIMIT 1",
                [height.column]
            ) { row in (try row.height(0), try row.bytes(1)) }
        }
    }

    package func transaction(id: Digest) throws(LedgerStoreError) -> TransactionPlace? {
        try self.file.read { db in
            try db.first("SELECT height, position FROM transactions WHERE id = ?", [id.column]) { row in
                TransactionPlace(id: id, height: try row.height(0), index: try row.uint32(1))
            }
        }
    }

    /// The path of the block at `height` in the tree of the first `size` block hashes, nearest sibling first; `nil`
    /// unless `height < size` and the chain has `size` blocks.
    package func historyPath(of height: Height, size: UInt64) throws(LedgerStoreError) -> [Digest]? {
        try self.file.read { db in
            guard let tip = try Self.tip(db), height.value < size, size <= tip.height.value + 1 else { return nil }
            return try HistoryTree.inclusionPath(db, of: height.value, size: size)
        }
    }

    /// The right edge of the history tree over the first `size` blocks; `nil` if so many are not stored.
    package func historyFrontier(size: UInt64) throws(LedgerStoreError) -> MerkleFrontier? {
        try self.file.read { db in
            guard let tip = try Self.tip(db), size <= tip.height.value + 1 else { return nil }
            return try HistoryTree(db, size: size).frontier
        }
    }

    /// Reads the whole file for damage; a full check also compares the indexes with their tables.
    package func check(full: Bool = true) throws(LedgerStoreError) { try self.file.check(full: full) }

    package func close() throws(LedgerStoreError) { try self.file.close() }

    // MARK: Rows

    /// The size of a stored header, to which other bytes are added.
    private static let headerBytes = 436
    private static let selectBlocks = """
        SELECT b.header, b.justification, b.receipts, b.body, c.bytes
        FROM blocks b LEFT JOIN certificates c ON c.height = b.height\u{20}
        """

    private static func genesis(_ db: Database) throws -> [UInt8]? {
        try db.first("SELECT bytes FROM genesis") { try $0.bytes(0) }
    }

    private static func tip(_ db: Database) throws -> ChainTip? {
        try db.first(
            """
            SELECT b.header, c.bytes FROM blocks b LEFT JOIN certificates c ON c.height = b.height
            ORDER BY b.height DESC LIMIT 1
            """
        ) { row in
            ChainTip(header: try BlockHeader(canonicalBytes: try row.bytes(0)), certificate: try row.bytesIfPresent(1))
        }
    }

    private static func block(_ row: Row) throws -> StoredBlock {
        let receiptBytes = try row.bytes(2)
        var decoder = CanonicalDecoder(receiptBytes)
        let count = try decoder.decodeLength(max: receiptBytes.count)
        var receipts: [[UInt8]] = []
        for _ in 0..<count { receipts.append(try decoder.decodeBytes(max: receiptBytes.count)) }
        try decoder.finish()
        return StoredBlock(
            header: try BlockHeader(canonicalBytes: try row.bytes(0)),
            body: try row.bytes(3),
            justification: try row.bytes(1),
            receipts: receipts,
            certificate: try row.bytesIfPresent(4)
        )
    }
}
