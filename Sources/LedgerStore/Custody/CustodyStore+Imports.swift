internal import GRDB
package import Primitives

// Import runs and what they could not import.
extension CustodyStore {
    /// The running job for these inputs, or a new one.
    package func beginJob(inputs: Digest, now: Timestamp) throws(LedgerStoreError) -> ImportJob {
        try self.file.write { db in
            let running = try db.first(
                Self.selectJobs + "WHERE inputs = ? AND state = 1 ORDER BY no DESC",
                [inputs.column],
                Self.job
            )
            if let running { return running }
            try db.run(
                "INSERT INTO jobs (inputs, progress, state, started_at) VALUES (?, x'', 1, ?)",
                [inputs.column, now.milliseconds]
            )
            return ImportJob(
                number: db.lastInsertedRowID,
                inputs: inputs,
                progress: [],
                state: .running,
                startedAt: now
            )
        }
    }

    /// Notes how far a job has come and what it put aside on the way, together.
    ///
    /// What is in quarantine already is not added again.
    package func advanceJob(
        _ number: Int64,
        progress: [UInt8],
        state: ImportJob.State = .running,
        quarantined: [QuarantinedInput] = []
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run(
                "UPDATE jobs SET progress = coalesce(?, x''), state = ? WHERE no = ?",
                [progress.column, state.rawValue, number]
            )
            guard db.changesCount == 1 else { throw LedgerStoreError(.notFound, "there is no such import") }
            try Self.insert(quarantined, db)
        }
    }

    /// The newest jobs first.
    package func jobs(limit: Int) throws(LedgerStoreError) -> [ImportJob] {
        try self.file.read { db in
            try db.all(Self.selectJobs + "ORDER BY no DESC LIMIT ?", [Int64(limit)], Self.job)
        }
    }

    /// Puts inputs aside.
    ///
    /// What is there already (same job, file, position and code) is not added again.
    ///
    /// - Returns: The number of each.
    @discardableResult
    package func quarantine(_ inputs: [QuarantinedInput]) throws(LedgerStoreError) -> [Int64] {
        guard !inputs.isEmpty else { return [] }
        return try self.file.write { db in try Self.insert(inputs, db) }
    }

    /// Inputs put aside with a larger number than `after`, in the order of their numbers; no `job` means every job, no
    /// `state` every state.
    package func quarantined(
        job: Int64? = nil,
        state: QuarantinedInput.State? = .open,
        after: Int64 = 0,
        limit: Int
    ) throws(LedgerStoreError) -> [QuarantinedInput] {
        try self.file.read { db in
            try db.all(
                Self.selectQuarantine + "WHERE no > ? AND job = ifnull(?, job) AND state = ifnull(?, state) "
                    + "ORDER BY no LIMIT ?",
                [after, job, state?.rawValue, Int64(limit)],
                Self.quarantinedInput
            )
        }
    }

    package func quarantined(number: Int64) throws(LedgerStoreError) -> QuarantinedInput? {
        try self.file.read { db in
            try db.first(Self.selectQuarantine + "WHERE no = ?", [number], Self.quarantinedInput)
        }
    }

    /// - Throws: `notFound` if there is no such input.
    package func markQuarantined(
        number: Int64,
        state: QuarantinedInput.State
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("UPDATE quarantine SET state = ? WHERE no = ?", [state.rawValue, number])
            guard db.changesCount == 1 else {
                throw LedgerStoreError(.notFound, "there is no such input in quarantine")
            }
        }
    }

    @discardableResult
    private static func insert(_ inputs: [QuarantinedInput], _ db: Database) throws -> [Int64] {
        var numbers: [Int64] = []
        for input in inputs {
            // The time of one that is open already stays: it has waited since then.
            let number = try db.only(
                """
                INSERT INTO quarantine (job, file, position, code, message, sealed, time, state, digest, line)
                VALUES (?, ?, ?, ?, ?, coalesce(?, x''), ?, ?, ?, ?)
                ON CONFLICT (job, file, position, code, digest) DO UPDATE SET
                    time = iif(state = excluded.state, time, excluded.time), state = excluded.state
                RETURNING no
                """,
                [
                    input.job, input.file, input.position.column, input.code, input.message, input.sealed.column,
                    input.time.milliseconds, input.state.rawValue, input.digest.column, input.line.column,
                ]
            ) { try $0.int64(0) }
            if let number { numbers.append(number) }
        }
        return numbers
    }

    static let quarantineLineSchema = "ALTER TABLE quarantine ADD COLUMN line INTEGER NOT NULL DEFAULT 0;"

    private static let selectJobs = "SELECT no, inputs, progress, state, started_at FROM jobs "
    private static let selectQuarantine =
        "SELECT no, job, file, position, code, message, sealed, time, state, digest, line FROM quarantine "

    private static func job(_ row: Row) throws -> ImportJob {
        guard let state = ImportJob.State(rawValue: try row.int64(3)) else { throw Row.damaged }
        return ImportJob(
            number: try row.int64(0),
            inputs: try row.digest(1),
            progress: try row.bytes(2),
            state: state,
            startedAt: Timestamp(milliseconds: try row.int64(4))
        )
    }

    private static func quarantinedInput(_ row: Row) throws -> QuarantinedInput {
        guard let state = QuarantinedInput.State(rawValue: try row.int64(8)) else { throw Row.damaged }
        return QuarantinedInput(
            number: try row.int64(0),
            job: try row.int64(1),
            file: try row.text(2),
            position: try row.uint64(3),
            line: try row.uint64(10),
            code: try row.text(4),
            message: try row.text(5),
            sealed: try row.bytes(6),
            digest: try row.digest(9),
            time: Timestamp(milliseconds: try row.int64(7)),
            state: state
        )
    }
}
