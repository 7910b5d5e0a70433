internal import GRDB
package import Primitives
internal import Records

// Patients, exams and the batches that commit them.
extension CustodyStore {
    // MARK: Patients

    /// The patients with these tags, in the order of the tags; `nil` for a tag that is not known.
    package func patients(tags: [Digest]) throws(LedgerStoreError) -> [Patient?] {
        try self.file.read { try Self.patients(tags: tags, $0) }
    }

    /// The same for an import, whose own writes it follows.
    package func patients(ofBatch tags: [Digest]) throws(LedgerStoreError) -> [Patient?] {
        try self.file.readWarm { try Self.patients(tags: tags, $0) }
    }

    private static func patients(tags: [Digest], _ db: Database) throws -> [Patient?] {
        try tags.map { tag in
            try db.first(Self.selectPatients + "WHERE tag = ?", [tag.column], Self.patient)
        }
    }

    package func patient(_ number: PatientNumber) throws(LedgerStoreError) -> Patient? {
        try self.file.read { db in
            try db.first(Self.selectPatients + "WHERE no = ?", [number.value], Self.patient)
        }
    }

    /// The patients whose pseudonyms fall in a bucket: those with whom a grant's handle has to be compared.
    package func patients(bucket: UInt8) throws(LedgerStoreError) -> [Patient] {
        try self.file.read { db in
            try db.all(Self.selectPatients + "WHERE bucket = ? ORDER BY no", [Int64(bucket)], Self.patient)
        }
    }

    private static let selectPatients =
        "SELECT no, tag, sealed, bucket, next_locator, next_alias, next_receipt FROM patients "

    private static func patient(_ row: Row) throws -> Patient {
        Patient(
            number: PatientNumber(try row.int64(0)),
            tag: try row.digest(1),
            sealedPseudonym: try row.bytes(2),
            bucket: try row.uint8(3),
            nextLocator: try row.uint64(4),
            nextAlias: try row.uint64(5),
            nextReceipt: try row.uint64(6)
        )
    }

    /// Adds a patient or raises its counters.
    static func save(_ change: PatientChange, _ db: Database) throws -> PatientNumber {
        let number = try db.only(
            """
            INSERT INTO patients (tag, sealed, bucket, next_locator, next_alias, next_receipt) VALUES (?, ?, ?, ?, ?, 0)
            ON CONFLICT (tag) DO UPDATE SET
                next_locator = max(next_locator, excluded.next_locator),
                next_alias = max(next_alias, excluded.next_alias)
            RETURNING no
            """,
            [
                change.tag.column, change.sealedPseudonym.column, Int64(change.bucket), change.nextLocator.column,
                change.nextAlias.column,
            ]
        ) { try $0.int64(0) }
        guard let number else { throw Row.damaged }
        return PatientNumber(number)
    }

    // MARK: Exams

    /// The newest version of the exam of each source, in the order of the sources; `nil` for one never seen.
    package func exams(sources: [Digest]) throws(LedgerStoreError) -> [StoredExam?] {
        try self.file.read { db in
            var newest: [Digest: StoredExam] = [:]
            try KeyList.forEach(sources.map(\.prefixColumn)) { keys in
                try db.forEach(
                    Self.selectExams + "WHERE source_prefix IN (\(KeyList.placeholders))",
                    StatementArguments(keys)
                ) { row in
                    let exam = try Self.exam(row)
                    if newest[exam.source].map({ $0.number < exam.number }) ?? true { newest[exam.source] = exam }
                    return true
                }
            }
            return sources.map { newest[$0] }
        }
    }

    /// All versions of each of these sources, oldest first.
    package func versions(sources: [Digest]) throws(LedgerStoreError) -> [[StoredExam]] {
        try self.file.readWarm { db in
            var found: [Digest: [StoredExam]] = [:]
            try KeyList.forEach(sources.map(\.prefixColumn)) { keys in
                try db.forEach(
                    Self.selectExams + "WHERE source_prefix IN (\(KeyList.placeholders))",
                    StatementArguments(keys)
                ) { row in
                    let exam = try Self.exam(row)
                    found[exam.source, default: []].append(exam)
                    return true
                }
            }
            return sources.map { source in
                (found[source] ?? []).sorted { $0.number < $1.number }
            }
        }
    }

    package func exam(record: ContentAddress) throws(LedgerStoreError) -> StoredExam? {
        try self.file.read { db in
            try db.first(
                Self.selectExams + "WHERE record_prefix = ? AND record = ?",
                [record.prefixColumn, record.column],
                Self.exam
            )
        }
    }

    /// All versions of all exams of a patient, in the order of import.
    package func exams(patient: PatientNumber) throws(LedgerStoreError) -> [StoredExam] {
        try self.file.read { db in
            try db.all(Self.selectExams + "WHERE patient = ? ORDER BY no", [patient.value], Self.exam)
        }
    }

    /// The exams of a commitment batch, in the order of its leaves.
    package func exams(batch: UInt64) throws(LedgerStoreError) -> [StoredExam] {
        try self.file.read { db in
            let place = try db.first(
                "SELECT first_exam, entries FROM batches WHERE kind = 1 AND number = ?",
                [Int64(clamping: batch)]
            ) { row in (first: try row.int64IfPresent(0) ?? 0, count: try row.uint32(1)) }
            guard let place else { return [] }
            return try db.all(
                Self.selectExams + "WHERE no >= ? AND no < ? ORDER BY no",
                [place.first, place.first + Int64(place.count)],
                Self.exam
            )
        }
    }

    static let selectExams = """
        SELECT no, source, content, record, patient, kind, item, exam_time, batch, position, superseded_by FROM exams\u{20}
        """

    static func exam(_ row: Row) throws -> StoredExam {
        guard let kind = ExamKind(number: try row.uint8(5)) else { throw Row.damaged }
        return StoredExam(
            number: ExamNumber(try row.int64(0)),
            source: try row.digest(1),
            content: try row.digest(2),
            record: try row.address(3),
            patient: PatientNumber(try row.int64(4)),
            kind: kind,
            itemCode: try row.text(6),
            examTime: try row.timestampIfPresent(7),
            batch: try row.uint64(8),
            index: try row.uint32(9),
            supersededBy: try row.int64IfPresent(10).map(ExamNumber.init)
        )
    }

    // MARK: Batches

    /// Makes a commitment batch durable: its exams, the patients it leaves with higher counters, the transaction that
    /// commits it, what the checks make of it, the codes and
    /// the patients of it that somebody has to look at, and how far the import has come.
    ///
    /// All of it or nothing.
    ///
    /// - Throws: `conflict` if the batch's number is taken.
    package func prepare(
        _ commitment: BatchCommitment,
        patients: [PatientChange],
        exams: [NewExam],
        checks: BatchChecks = BatchChecks(),
        codes: ReviewedCodes = ReviewedCodes(),
        identity: IdentityFindings = IdentityFindings(),
        progress: (job: Int64, bytes: [UInt8])? = nil
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            var numbers: [Digest: PatientNumber] = [:]
            for change in patients { numbers[change.tag] = try Self.save(change, db) }
            precondition(checks.traces.isEmpty || checks.traces.count == exams.count, "each exam leaves its traces")
            var firstExam: Int64?
            for (index, exam) in exams.enumerated() {
                guard let patient = numbers[exam.patientTag] else {
                    throw LedgerStoreError(.notFound, "an exam's patient is not part of its batch")
                }
                let traces = checks.traces.isEmpty ? nil : checks.traces[index]
                let number = try Self.insert(exam, patient, traces, batch: commitment.number, index: index, db)
                firstExam = firstExam ?? number
            }
            try Self.insert(checks.anomalies, db)
            try Self.add(codes, db)
            try Self.add(identity, db)
            try Self.insert(commitment, kind: .exams, count: exams.count, firstExam: firstExam, db)
            if let progress {
                try db.run(
                    "UPDATE jobs SET progress = coalesce(?, x'') WHERE no = ?",
                    [progress.bytes.column, progress.job]
                )
            }
        }
    }

    private static func insert(
        _ exam: NewExam,
        _ patient: PatientNumber,
        _ traces: NewTraces?,
        batch: UInt64,
        index: Int,
        _ db: Database
    ) throws -> Int64 {
        try db.run(
            """
            INSERT INTO exams (
                source_prefix, record_prefix, source, content, record, patient, kind, item, exam_time, batch, position,
                traces, released, released_day)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                exam.source.prefixColumn, exam.record.prefixColumn, exam.source.column, exam.content.column,
                exam.record.column, patient.value, Int64(exam.kind.number), exam.itemCode,
                exam.examTime?.milliseconds, batch.column, Int64(index), traces?.sealed.column,
                exam.release?.time.milliseconds, exam.release.map { Int64($0.day) },
            ]
        )
        let number = db.lastInsertedRowID
        if let release = exam.release { try Self.count(produced: release, db) }
        if let traces { try Self.insert(traces, exam: number, db) }
        if let old = exam.supersedes {
            try db.run("UPDATE exams SET superseded_by = ? WHERE no = ?", [number, old.value])
            guard db.changesCount == 1 else {
                throw LedgerStoreError(.notFound, "the version that an exam replaces is not stored")
            }
        }
        return number
    }

    static func insert(
        _ commitment: BatchCommitment,
        kind: ManifestKind,
        count: Int,
        firstExam: Int64?,
        _ db: Database
    ) throws {
        guard commitment.number <= UInt64(Int64.max) else {
            throw LedgerStoreError(.outOfRange, "a batch number is larger than the file takes")
        }
        try db.run(
            """
            INSERT INTO batches (kind, number, root, entries, manifest, transaction_id, state, first_exam)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                kind.rawValue, commitment.number.column, commitment.root.column, Int64(count),
                commitment.manifest.column, commitment.transactionID.column, StoredBatch.State.prepared.rawValue,
                firstExam,
            ]
        )
        try Self.save(OutgoingTransaction(id: commitment.transactionID, bytes: commitment.transaction), db)
    }

    package func batch(_ kind: ManifestKind, number: UInt64) throws(LedgerStoreError) -> StoredBatch? {
        try self.file.read { db in
            try db.first(
                Self.selectBatches + "WHERE kind = ? AND number = ?",
                [kind.rawValue, Int64(clamping: number)],
                Self.batch
            )
        }
    }

    /// The batches that are not final, in the order of their numbers.
    package func openBatches(_ kind: ManifestKind) throws(LedgerStoreError) -> [StoredBatch] {
        try self.file.read { db in
            try db.all(
                Self.selectBatches + "WHERE kind = ? AND state < 3 ORDER BY number",
                [kind.rawValue],
                Self.batch
            )
        }
    }

    /// The batch with the largest number.
    package func newestBatch(_ kind: ManifestKind) throws(LedgerStoreError) -> StoredBatch? {
        try self.file.read { db in
            try db.first(
                Self.selectBatches + "WHERE kind = ? ORDER BY number DESC LIMIT 1",
                [kind.rawValue],
                Self.batch
            )
        }
    }

    /// Notes that a prepared batch was handed to the chain.
    package func markSubmitted(_ kind: ManifestKind, number: UInt64) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run(
                "UPDATE batches SET state = 2 WHERE kind = ? AND number = ? AND state = 1",
                [kind.rawValue, Int64(clamping: number)]
            )
        }
    }

    /// Notes that a batch is in a final block of time `time`; its transaction is not sent again.
    ///
    /// The exams of a batch count as committed on the days of their release; noting it again changes nothing.
    ///
    /// - Throws: `notFound` if there is no such batch.
    package func markFinal(
        _ kind: ManifestKind,
        number: UInt64,
        height: Height,
        time: Timestamp
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            if kind == .exams { try Self.count(committedBatch: number, at: time, db) }
            let id = try db.only(
                "UPDATE batches SET state = 3, height = ? WHERE kind = ? AND number = ? RETURNING transaction_id",
                [height.column, kind.rawValue, Int64(clamping: number)]
            ) { try $0.digest(0) }
            guard let id else { throw LedgerStoreError(.notFound, "a batch that became final is not stored here") }
            try db.run("DELETE FROM outgoing WHERE id = ?", [id.column])
        }
    }

    /// Puts a newly signed transaction in the place of one that expired before it became final.
    ///
    /// - Throws: `notFound` if there is no such batch or it is final.
    package func replaceTransaction(
        _ kind: ManifestKind,
        number: UInt64,
        with transaction: OutgoingTransaction
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            let key: StatementArguments = [kind.rawValue, Int64(clamping: number)]
            let old = try db.first(
                "SELECT transaction_id FROM batches WHERE kind = ? AND number = ? AND state < 3",
                key
            ) { try $0.digest(0) }
            guard let old else { throw LedgerStoreError(.notFound, "there is no such batch that is not final") }
            try db.run("DELETE FROM outgoing WHERE id = ?", [old.column])
            try db.run(
                "UPDATE batches SET transaction_id = ?, state = 1 WHERE kind = ? AND number = ?",
                [transaction.id.column] + key
            )
            try Self.save(transaction, db)
        }
    }

    private static let selectBatches =
        "SELECT kind, number, root, entries, manifest, transaction_id, state, height FROM batches "

    private static func batch(_ row: Row) throws -> StoredBatch {
        guard let kind = ManifestKind(rawValue: try row.int64(0)),
            let state = StoredBatch.State(rawValue: try row.int64(6))
        else { throw Row.damaged }
        return StoredBatch(
            kind: kind,
            number: try row.uint64(1),
            root: try row.digest(2),
            count: try row.uint32(3),
            manifest: try row.address(4),
            transactionID: try row.digest(5),
            state: state,
            height: try row.int64IfPresent(7).map { Height(UInt64(bitPattern: $0)) }
        )
    }

    // MARK: Outgoing transactions

    /// Makes a transaction durable before it is sent for the first time.
    ///
    /// Doing it again changes nothing.
    package func save(_ transaction: OutgoingTransaction) throws(LedgerStoreError) {
        try self.file.write { db in try Self.save(transaction, db) }
    }

    /// The transactions that the chain has not settled, oldest first: to be sent again at every start.
    package func outgoingTransactions() throws(LedgerStoreError) -> [OutgoingTransaction] {
        try self.file.read { db in
            try db.all("SELECT id, bytes FROM outgoing ORDER BY no") { row in
                OutgoingTransaction(id: try row.digest(0), bytes: try row.bytes(1))
            }
        }
    }

    /// Forgets transactions that are in a final block or can never be in one.
    package func settle(_ ids: [Digest]) throws(LedgerStoreError) {
        guard !ids.isEmpty else { return }
        try self.file.write { db in
            for id in ids { try db.run("DELETE FROM outgoing WHERE id = ?", [id.column]) }
        }
    }

    private static func save(_ transaction: OutgoingTransaction, _ db: Database) throws {
        try db.run(
            "INSERT OR IGNORE INTO outgoing (id, bytes) VALUES (?, coalesce(?, x''))",
            [transaction.id.column, transaction.bytes.column]
        )
    }
}
