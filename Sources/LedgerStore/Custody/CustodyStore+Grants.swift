internal import GRDB
package import Primitives
package import Records

// Grants, the keys wrapped for them, and what finders have seen.
extension CustodyStore {
    // MARK: Grants

    /// Adds a grant or, if it is known, fills in the patient and the pseudonym.
    ///
    /// Pages and revocation stay as they are.
    package func save(_ grant: KnownGrant) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run(
                """
                INSERT INTO grants (
                    id, is_custodian, is_grantee, patient, not_before, not_after, revoked, sealed, next_page)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET
                    patient = coalesce(excluded.patient, patient), sealed = coalesce(excluded.sealed, sealed)
                """,
                [
                    grant.id.digest.column, grant.isCustodian, grant.isGrantee, grant.patient?.value,
                    grant.notBefore.milliseconds, grant.notAfter.milliseconds, grant.isRevoked,
                    grant.sealedPseudonym?.column, Int64(grant.nextPage),
                ]
            )
        }
    }

    package func grant(_ id: GrantID) throws(LedgerStoreError) -> KnownGrant? {
        try self.file.read { db in
            try db.first(Self.selectGrants + "WHERE id = ?", [id.digest.column], Self.grant)
        }
    }

    /// The grants of a patient known here that are not revoked and have not ended, in the order in which they came.
    package func grants(patient: PatientNumber, now: Timestamp) throws(LedgerStoreError) -> [KnownGrant] {
        try self.file.read { db in
            try db.all(
                Self.selectGrants + "WHERE patient = ? AND revoked = 0 AND not_after > ? ORDER BY no",
                [patient.value, now.milliseconds],
                Self.grant
            )
        }
    }

    /// All grants that are not revoked and have not ended, in the order in which they came.
    package func activeGrants(now: Timestamp) throws(LedgerStoreError) -> [KnownGrant] {
        try self.file.read { db in
            try db.all(
                Self.selectGrants + "WHERE revoked = 0 AND not_after > ? ORDER BY no",
                [now.milliseconds],
                Self.grant
            )
        }
    }

    /// Every grant that was ever saved, in the order in which they came.
    package func allGrants() throws(LedgerStoreError) -> [KnownGrant] {
        try self.file.read { db in try db.all(Self.selectGrants + "ORDER BY no", [], Self.grant) }
    }

    /// Notes that a grant was revoked; nothing happens if it is not known here.
    package func markRevoked(_ id: GrantID) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("UPDATE grants SET revoked = 1 WHERE id = ?", [id.digest.column])
        }
    }

    /// Notes that this institution may read under a grant, as a member of a group since.
    package func markGrantee(_ id: GrantID) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("UPDATE grants SET is_grantee = 1 WHERE id = ?", [id.digest.column])
        }
    }

    private static let selectGrants = """
        SELECT id, is_custodian, is_grantee, patient, not_before, not_after, revoked, sealed, next_page FROM grants\u{20}
        """

    private static func grant(_ row: Row) throws -> KnownGrant {
        KnownGrant(
            id: GrantID(try row.digest(0)),
            isCustodian: try row.flag(1),
            isGrantee: try row.flag(2),
            patient: try row.int64IfPresent(3).map(PatientNumber.init),
            notBefore: Timestamp(milliseconds: try row.int64(4)),
            notAfter: Timestamp(milliseconds: try row.int64(5)),
            isRevoked: try row.flag(6),
            sealedPseudonym: try row.bytesIfPresent(7),
            nextPage: try row.uint32(8)
        )
    }

    private static func grantRow(_ id: GrantID, _ db: Database) throws -> Int64 {
        let row = try db.first("SELECT no FROM grants WHERE id = ?", [id.digest.column]) { try $0.int64(0) }
        guard let row else { throw LedgerStoreError(.notFound, "the grant is not known here") }
        return row
    }

    // MARK: Envelope pages

    /// Those of `exams` whose keys this custodian has not wrapped under the grant.
    ///
    /// - Throws: `notFound` if the grant is not known.
    package func unwrapped(_ exams: [ExamNumber], grant: GrantID) throws(LedgerStoreError) -> [ExamNumber] {
        try self.file.read { db in
            let no = try Self.grantRow(grant, db)
            return try exams.filter { exam in
                try db.first("SELECT 1 FROM wrapped WHERE grant_no = ? AND exam = ?", [no, exam.value]) { _ in true }
                    == nil
            }
        }
    }

    /// Notes a page that this custodian publishes, the exams whose keys it wraps, and the next page's number, together.
    ///
    /// - Throws: `notFound` if the grant is not known, `conflict` if `page` is not the next.
    package func publishPage(
        grant: GrantID,
        custodian: InstitutionID,
        page: UInt32,
        object: ContentAddress,
        exams: [ExamNumber]
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            let no = try Self.grantRow(grant, db)
            try db.run(
                "UPDATE grants SET next_page = next_page + 1 WHERE no = ? AND next_page = ?",
                [no, Int64(page)]
            )
            guard db.changesCount == 1 else {
                throw LedgerStoreError(.conflict, "another page of the grant was published meanwhile")
            }
            try Self.insertPage(no, custodian, page, object, db)
            for exam in exams {
                try db.run("INSERT OR IGNORE INTO wrapped (grant_no, exam) VALUES (?, ?)", [no, exam.value])
            }
        }
    }

    /// Notes a page that came from a custodian, and which records it opens.
    ///
    /// A page that is there already is ignored.
    ///
    /// - Throws: `notFound` if the grant is not known.
    package func savePage(
        grant: GrantID,
        custodian: InstitutionID,
        page: UInt32,
        object: ContentAddress,
        records: [ContentAddress]
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            let no = try Self.grantRow(grant, db)
            let known = try db.first(
                "SELECT 1 FROM pages WHERE grant_no = ? AND custodian = ? AND page = ?",
                [no, custodian.text, Int64(page)]
            ) { _ in true }
            guard known == nil else { return }
            try Self.insertPage(no, custodian, page, object, db)
            let pageNumber = db.lastInsertedRowID
            for (index, record) in records.enumerated() {
                try db.run(
                    "INSERT INTO page_entries (record_prefix, record, page_no, position) VALUES (?, ?, ?, ?)",
                    [record.prefixColumn, record.column, pageNumber, Int64(index)]
                )
            }
        }
    }

    private static func insertPage(
        _ grant: Int64,
        _ custodian: InstitutionID,
        _ page: UInt32,
        _ object: ContentAddress,
        _ db: Database
    ) throws {
        try db.run(
            "INSERT INTO pages (grant_no, custodian, page, object) VALUES (?, ?, ?, ?)",
            [grant, custodian.text, Int64(page), object.column]
        )
    }

    /// The objects of a custodian's pages of a grant from number `page` on, in order: own pages to be served, or
    /// received ones.
    package func pages(
        grant: GrantID,
        custodian: InstitutionID,
        from page: UInt32 = 0,
        limit: Int
    ) throws(LedgerStoreError) -> [(page: UInt32, object: ContentAddress)] {
        try self.file.read { db in
            try db.all(
                """
                SELECT p.page, p.object FROM pages p JOIN grants g ON g.no = p.grant_no
                WHERE g.id = ? AND p.custodian = ? AND p.page >= ? ORDER BY p.page LIMIT ?
                """,
                [grant.digest.column, custodian.text, Int64(page), Int64(limit)]
            ) { row in (try row.uint32(0), try row.address(1)) }
        }
    }

    /// The first page number that has not come from a custodian for a grant.
    package func nextMissingPage(grant: GrantID, custodian: InstitutionID) throws(LedgerStoreError) -> UInt32 {
        try self.file.read { db in
            var next: UInt32 = 0
            try db.forEach(
                """
                SELECT p.page FROM pages p JOIN grants g ON g.no = p.grant_no
                WHERE g.id = ? AND p.custodian = ? ORDER BY p.page
                """,
                [grant.digest.column, custodian.text]
            ) { row in
                guard try row.uint32(0) == next, next < .max else { return false }
                next += 1
                return true
            }
            return next
        }
    }

    /// Where the wrapped keys of a record stand, newest page first.
    ///
    /// Whether a grant still holds is not looked at.
    package func envelopes(record: ContentAddress) throws(LedgerStoreError) -> [EnvelopePlace] {
        try self.file.read { db in
            try db.all(
                """
                SELECT g.id, p.custodian, p.page, p.object, e.position FROM page_entries e
                JOIN pages p ON p.no = e.page_no JOIN grants g ON g.no = p.grant_no
                WHERE e.record_prefix = ? AND e.record = ? ORDER BY e.no DESC
                """,
                [record.prefixColumn, record.column]
            ) { row in
                EnvelopePlace(
                    grant: GrantID(try row.digest(0)),
                    custodian: try row.institution(1),
                    page: try row.uint32(2),
                    object: try row.address(3),
                    index: try row.uint32(4)
                )
            }
        }
    }

    /// A record that a received page opens.
    package struct GrantedRecord: Hashable, Sendable {
        /// Counts the entries of all received pages, in the order of arrival.
        package var number: Int64
        package var record: ContentAddress
        package var custodian: InstitutionID
        package var grant: GrantID
    }

    /// Records that received pages of grants that are not revoked open, numbered above `after`: the ciphertexts that a
    /// grantee should hold.
    package func grantedRecords(
        after: Int64 = 0,
        now: Timestamp,
        limit: Int
    ) throws(LedgerStoreError) -> [GrantedRecord] {
        try self.file.read { db in
            try db.all(
                """
                SELECT e.no, e.record, p.custodian, g.id FROM page_entries e
                JOIN pages p ON p.no = e.page_no JOIN grants g ON g.no = p.grant_no
                WHERE e.no > ? AND g.revoked = 0 AND g.not_after > ? ORDER BY e.no LIMIT ?
                """,
                [after, now.milliseconds, Int64(limit)]
            ) { row in
                GrantedRecord(
                    number: try row.int64(0),
                    record: try row.address(1),
                    custodian: try row.institution(2),
                    grant: GrantID(try row.digest(3))
                )
            }
        }
    }

    // MARK: Finder's notes

    /// Remembers what a search showed; the newest note of a record counts.
    package func save(_ notes: [FinderNote]) throws(LedgerStoreError) {
        guard !notes.isEmpty else { return }
        try self.file.write { db in
            for note in notes {
                try db.run(
                    "INSERT OR REPLACE INTO notes (record, institution, sealed, time) VALUES (?, ?, ?, ?)",
                    [
                        note.record.column, note.institution.text, note.sealedPseudonym.column,
                        note.time.milliseconds,
                    ]
                )
            }
        }
    }

    /// The notes on a record, one for each institution that lists it: an institution may list another's record.
    package func notes(record: ContentAddress) throws(LedgerStoreError) -> [FinderNote] {
        try self.file.read { db in
            try db.all(
                "SELECT institution, sealed, time FROM notes WHERE record = ? ORDER BY institution",
                [record.column]
            ) { row in
                FinderNote(
                    record: record,
                    institution: try row.institution(0),
                    sealedPseudonym: try row.bytes(1),
                    time: Timestamp(milliseconds: try row.int64(2))
                )
            }
        }
    }

    /// Forgets notes older than `time`: who was searched for is not kept longer than it serves.
    package func forgetNotes(before time: Timestamp) throws(LedgerStoreError) {
        try self.file.write { db in try db.run("DELETE FROM notes WHERE time < ?", [time.milliseconds]) }
    }
}
