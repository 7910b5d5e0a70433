internal import GRDB
package import Primitives
package import Records

// Facts of recognition: durable before whoever made one is answered, then committed in batches.
extension CustodyStore {
    static let factsSchema = """
        CREATE TABLE facts (
            no INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, request BLOB NOT NULL, fact BLOB NOT NULL,
            sealed BLOB NOT NULL, time INTEGER NOT NULL, is_match INTEGER NOT NULL, batch INTEGER, position INTEGER)
            STRICT;
        CREATE INDEX facts_matches ON facts (no) WHERE is_match = 1;
        CREATE INDEX facts_waiting ON facts (time, no) WHERE batch IS NULL;
        CREATE INDEX facts_batch ON facts (batch, position) WHERE batch IS NOT NULL;
        CREATE TABLE fact_matches (match BLOB NOT NULL, fact INTEGER NOT NULL, PRIMARY KEY (match, fact))
            STRICT, WITHOUT ROWID;
        CREATE TABLE fact_records (record BLOB NOT NULL, fact INTEGER NOT NULL, PRIMARY KEY (record, fact))
            STRICT, WITHOUT ROWID;

        ALTER TABLE exams ADD COLUMN released INTEGER;
        ALTER TABLE exams ADD COLUMN released_day INTEGER;
        CREATE TABLE production (
            day INTEGER PRIMARY KEY, produced INTEGER NOT NULL, committed INTEGER NOT NULL, lag INTEGER NOT NULL,
            late INTEGER NOT NULL, stated BLOB, stated_time INTEGER) STRICT;

        CREATE TABLE prices (
            no INTEGER PRIMARY KEY, item TEXT NOT NULL, scope INTEGER NOT NULL, branch TEXT NOT NULL,
            valid_from INTEGER NOT NULL, fen INTEGER NOT NULL) STRICT;
        """

    // MARK: Facts

    /// Makes a fact durable, unless the same request made it already; the fact that stands.
    ///
    /// - Throws: `conflict` if another request made the fact of this name.
    package func append(_ fact: NewFact) throws(LedgerStoreError) -> StoredFact {
        try self.file.write { db in
            let stored = try Self.insert(fact, db)
            guard stored.request == fact.request else {
                throw LedgerStoreError(.conflict, "another fact stands under this name")
            }
            return stored
        }
    }

    /// The fact that stands under the name afterwards.
    static func insert(_ fact: NewFact, _ db: Database) throws -> StoredFact {
        try db.run(
            "INSERT OR IGNORE INTO facts (name, request, fact, sealed, time, is_match) VALUES (?, ?, ?, ?, ?, ?)",
            [
                fact.name.column, fact.request.column, fact.entry.fact.canonicalBytes.column,
                fact.entry.sealedDetail.column, fact.entry.fact.time.milliseconds,
                fact.entry.fact.match == nil ? 0 : 1,
            ]
        )
        let isNew = db.changesCount == 1
        guard let stored = try db.first(Self.selectFacts + "WHERE name = ?", [fact.name.column], Self.fact) else {
            throw Row.damaged
        }
        guard isNew else { return stored }
        for match in fact.entry.fact.matches {
            try db.run(
                "INSERT OR IGNORE INTO fact_matches (match, fact) VALUES (?, ?)",
                [match.digest.column, stored.number]
            )
        }
        if let match = fact.entry.fact.match {
            for item in match.items {
                try db.run(
                    "INSERT OR IGNORE INTO fact_records (record, fact) VALUES (?, ?)",
                    [item.candidate.column, stored.number]
                )
            }
        }
        return stored
    }

    package func fact(name: Digest) throws(LedgerStoreError) -> StoredFact? {
        try self.file.read { db in try db.first(Self.selectFacts + "WHERE name = ?", [name.column], Self.fact) }
    }

    /// The facts about a match, its own first, in the order in which they were made.
    package func facts(match: MatchID) throws(LedgerStoreError) -> [StoredFact] {
        try self.file.read { db in
            try db.all(
                Self.selectFacts + "WHERE no IN (SELECT fact FROM fact_matches WHERE match = ?) ORDER BY no",
                [match.digest.column],
                Self.fact
            )
        }
    }

    /// This institution's matches that offer a record, the newest first.
    package func matches(record: ContentAddress, limit: Int) throws(LedgerStoreError) -> [StoredFact] {
        try self.file.read { db in
            try db.all(
                Self.selectFacts
                    + "WHERE no IN (SELECT fact FROM fact_records WHERE record = ?) ORDER BY no DESC LIMIT ?",
                [record.column, Int64(limit)],
                Self.fact
            )
        }
    }

    /// This institution's matches, the newest first.
    package func matches(limit: Int) throws(LedgerStoreError) -> [StoredFact] {
        try self.file.read { db in
            try db.all(
                Self.selectFacts + "WHERE is_match = 1 ORDER BY no DESC LIMIT ?",
                [Int64(limit)],
                Self.fact
            )
        }
    }

    /// Facts that no batch commits yet, by the time at which they happened.
    package func waitingFacts(limit: Int) throws(LedgerStoreError) -> [StoredFact] {
        try self.file.read { db in
            try db.all(
                Self.selectFacts + "WHERE batch IS NULL ORDER BY time, no LIMIT ?",
                [Int64(limit)],
                Self.fact
            )
        }
    }

    /// Facts that are in no batch, or in one with at least this number, in the order of the chain to come.
    package func facts(fromBatch number: UInt64) throws(LedgerStoreError) -> [StoredFact] {
        try self.file.read { db in
            let placed = try db.all(
                Self.selectFacts + "WHERE batch IS NOT NULL AND batch >= ? ORDER BY batch, position",
                [Int64(clamping: number)],
                Self.fact
            )
            return try placed + db.all(Self.selectFacts + "WHERE batch IS NULL ORDER BY time, no", [], Self.fact)
        }
    }

    /// Makes a batch of facts durable with its transaction: `facts` are its leaves, in order.
    ///
    /// All of it or nothing.
    ///
    /// - Throws: `conflict` if the batch's number is taken or a fact is in another batch.
    package func prepare(_ commitment: BatchCommitment, facts: [Int64]) throws(LedgerStoreError) {
        try self.file.write { db in
            try Self.insert(commitment, kind: .facts, count: facts.count, firstExam: nil, db)
            for (index, number) in facts.enumerated() {
                try db.run(
                    "UPDATE facts SET batch = ?, position = ? WHERE no = ? AND batch IS NULL",
                    [commitment.number.column, Int64(index), number]
                )
                guard db.changesCount == 1 else {
                    throw LedgerStoreError(.conflict, "a fact is committed by another batch")
                }
            }
        }
    }

    private static let selectFacts = "SELECT no, name, request, fact, sealed, batch, position FROM facts "

    private static func fact(_ row: Row) throws -> StoredFact {
        let sealed = try row.bytes(4)
        guard sealed.count == RecognitionDetail.sealedBytes else { throw Row.damaged }
        var place: StoredFact.Place?
        if let batch = try row.int64IfPresent(5) {
            place = StoredFact.Place(batch: UInt64(bitPattern: batch), index: try row.uint32(6))
        }
        return StoredFact(
            number: try row.int64(0),
            name: try row.digest(1),
            request: try row.digest(2),
            entry: FactManifest.Entry(
                fact: try RecognitionFact(canonicalBytes: try row.bytes(3)),
                sealedDetail: sealed
            ),
            place: place
        )
    }

    // MARK: Production

    static func count(produced release: ExamRelease, _ db: Database) throws {
        try db.run(
            """
            INSERT INTO production (day, produced, committed, lag, late) VALUES (?, 1, 0, 0, 0)
            ON CONFLICT (day) DO UPDATE SET produced = produced + 1
            """,
            [Int64(release.day)]
        )
    }

    /// Counts the exams of a batch as committed, unless it is final already.
    static func count(committedBatch number: UInt64, at time: Timestamp, _ db: Database) throws {
        let place = try db.first(
            "SELECT first_exam, entries FROM batches WHERE kind = 1 AND number = ? AND state < 3",
            [Int64(clamping: number)]
        ) { row in (first: try row.int64IfPresent(0) ?? 0, count: try row.uint32(1)) }
        guard let place else { return }
        var days: [Int64: (committed: Int64, lag: Int64, late: Int64)] = [:]
        try db.forEach(
            "SELECT released, released_day FROM exams WHERE no >= ? AND no < ? AND released IS NOT NULL",
            [place.first, place.first + Int64(place.count)]
        ) { row in
            let (released, day) = (try row.int64(0), try row.int64(1))
            // A release that a source dates into the future was committed without delay.
            let lag = min(max(0, (time.milliseconds - released) / 1000), Int64(ProductionDay.lagSecondsMax))
            var sums = days[day] ?? (0, 0, 0)
            sums.committed += 1
            sums.lag += lag
            sums.late += lag > ProductionDay.lateSeconds ? 1 : 0
            days[day] = sums
            return true
        }
        for (day, sums) in days.sorted(by: { $0.key < $1.key }) {
            try db.run(
                "UPDATE production SET committed = committed + ?, lag = lag + ?, late = late + ? WHERE day = ?",
                [sums.committed, sums.lag, sums.late, day]
            )
        }
    }

    /// All days of which there is anything, in order.
    package func production() throws(LedgerStoreError) -> [ProducedDay] {
        try self.file.read { db in
            try db.all(
                "SELECT day, produced, committed, lag, late, stated, stated_time FROM production ORDER BY day"
            ) { row in
                guard let day = Int32(exactly: try row.int64(0)) else { throw Row.damaged }
                return ProducedDay(
                    now: ProductionDay(
                        day: day,
                        produced: UInt32(clamping: try row.int64(1)),
                        committed: UInt32(clamping: try row.int64(2)),
                        lagSeconds: UInt64(clamping: try row.int64(3)),
                        late: UInt32(clamping: try row.int64(4))
                    ),
                    stated: try row.bytesIfPresent(5).map { try ProductionDay(canonicalBytes: $0) },
                    statedTime: try row.timestampIfPresent(6)
                )
            }
        }
    }

    /// When each input came that waits in quarantine.
    package func quarantineTimes() throws(LedgerStoreError) -> [Timestamp] {
        try self.file.read { db in
            try db.all("SELECT time FROM quarantine WHERE state = 1") {
                Timestamp(milliseconds: try $0.int64(0))
            }
        }
    }

    /// Makes a statement about a day durable, as a fact and as what was last stated.
    package func state(_ day: ProductionDay, _ fact: NewFact) throws(LedgerStoreError) {
        try self.file.write { db in
            _ = try Self.insert(fact, db)
            try db.run(
                """
                INSERT INTO production (day, produced, committed, lag, late, stated, stated_time)
                VALUES (?, 0, 0, 0, 0, ?, ?)
                ON CONFLICT (day) DO UPDATE SET stated = excluded.stated, stated_time = excluded.stated_time
                """,
                [Int64(day.day), day.canonicalBytes.column, fact.entry.fact.time.milliseconds]
            )
        }
    }

    // MARK: Prices

    /// What examinations cost, in the order in which the entries were given.
    package func prices() throws(LedgerStoreError) -> PriceList {
        try self.file.read { db in
            PriceList(
                try db.all("SELECT item, scope, branch, valid_from, fen FROM prices ORDER BY no") { row in
                    let scope: PriceList.Scope =
                        switch try row.int64(1) {
                        case 0: .organisation
                        case 1: .institution
                        case 2: .branch(try row.text(2))
                        default: throw Row.damaged
                        }
                    return PriceList.Entry(
                        item: try row.text(0),
                        scope: scope,
                        validFrom: Timestamp(milliseconds: try row.int64(3)),
                        amount: Fen(try row.int64(4))
                    )
                }
            )
        }
    }

    /// Puts a price list in the place of the one before.
    ///
    /// What was decided keeps its amounts.
    package func setPrices(_ list: PriceList) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("DELETE FROM prices")
            for entry in list.entries {
                let (scope, branch): (Int64, String) =
                    switch entry.scope {
                    case .organisation: (0, "")
                    case .institution: (1, "")
                    case .branch(let branch): (2, branch)
                    }
                try db.run(
                    "INSERT INTO prices (item, scope, branch, valid_from, fen) VALUES (?, ?, ?, ?, ?)",
                    [entry.item, scope, branch, entry.validFrom.milliseconds, entry.amount.value]
                )
            }
        }
    }
}
