internal import GRDB
package import Primitives
package import Records

// Who the patients are: what is known of them, what somebody has to look at, and with whom they are linked.
extension CustodyStore {
    static let identitySchema = """
        CREATE TABLE profiles (
            tag BLOB PRIMARY KEY, digest BLOB NOT NULL, likeness BLOB, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX profiles_likeness ON profiles (likeness) WHERE likeness IS NOT NULL;
        CREATE TABLE identity_cases (
            no INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, patient_tag BLOB NOT NULL, other_tag BLOB,
            record BLOB, reasons TEXT NOT NULL, score INTEGER NOT NULL, sealed BLOB NOT NULL, time INTEGER NOT NULL,
            state INTEGER NOT NULL) STRICT;
        CREATE INDEX identity_cases_patient ON identity_cases (patient_tag);
        CREATE INDEX identity_cases_other ON identity_cases (other_tag) WHERE other_tag IS NOT NULL;
        CREATE TABLE linked_identities (
            patient INTEGER NOT NULL, tag BLOB NOT NULL, bucket INTEGER NOT NULL, sealed BLOB NOT NULL,
            PRIMARY KEY (patient, tag)) STRICT, WITHOUT ROWID;
        CREATE INDEX linked_identities_bucket ON linked_identities (bucket);
        """

    // MARK: Profiles

    /// What is known of the patients with these tags, in the order of the tags.
    package func profiles(tags: [Digest]) throws(LedgerStoreError) -> [PatientProfile?] {
        try self.file.readWarm { db in
            try tags.map { tag in
                try db.first(Self.selectProfiles + "WHERE tag = ?", [tag.column], Self.profile)
            }
        }
    }

    /// Up to `limit` patients of the same name and birth date, for each of these; of each the smallest tags.
    package func profiles(
        likenesses: Set<Digest>,
        limit: Int
    ) throws(LedgerStoreError) -> [Digest: [PatientProfile]] {
        try self.file.readWarm { db in
            var found: [Digest: [PatientProfile]] = [:]
            for likeness in likenesses {
                let alike = try db.all(
                    Self.selectProfiles + "WHERE likeness = ? ORDER BY tag LIMIT ?",
                    [likeness.column, Int64(limit)],
                    Self.profile
                )
                if !alike.isEmpty { found[likeness] = alike }
            }
            return found
        }
    }

    private static let selectProfiles = "SELECT tag, digest, likeness, sealed FROM profiles "

    private static func profile(_ row: Row) throws -> PatientProfile {
        PatientProfile(
            tag: try row.digest(0),
            digest: try row.digest(1),
            likeness: try row.bytesIfPresent(2).flatMap { Digest($0) },
            sealed: try row.bytes(3)
        )
    }

    private static func save(_ profile: PatientProfile, _ db: Database) throws {
        try db.run(
            "INSERT OR REPLACE INTO profiles (tag, digest, likeness, sealed) VALUES (?, ?, ?, ?)",
            [profile.tag.column, profile.digest.column, profile.likeness?.column, profile.sealed.column]
        )
    }

    static func add(_ findings: IdentityFindings, _ db: Database) throws {
        for profile in findings.profiles { try Self.save(profile, db) }
        for item in findings.cases {
            try db.run(
                """
                INSERT INTO identity_cases (
                    kind, patient_tag, other_tag, record, reasons, score, sealed, time, state)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    item.kind.rawValue, item.patientTag.column, item.otherTag?.column, item.record?.column,
                    item.reasons, item.score, item.sealed.column, item.time.milliseconds, item.state.rawValue,
                ]
            )
        }
    }

    // MARK: Cases

    /// The cases that nobody has decided, oldest first.
    package func openIdentityCases(limit: Int) throws(LedgerStoreError) -> [IdentityCase] {
        try self.file.read { db in
            try db.all(
                Self.selectCases + "WHERE state = 1 ORDER BY no LIMIT ?",
                [Int64(limit)],
                Self.identityCase
            )
        }
    }

    /// The open cases of a patient, oldest first.
    package func openIdentityCases(of tag: Digest) throws(LedgerStoreError) -> [IdentityCase] {
        try self.file.read { db in
            try db.all(
                Self.selectCases + "WHERE state = 1 AND patient_tag = ? ORDER BY no",
                [tag.column],
                Self.identityCase
            )
        }
    }

    package func identityCase(_ number: Int64) throws(LedgerStoreError) -> IdentityCase? {
        try self.file.read { db in
            try db.first(Self.selectCases + "WHERE no = ?", [number], Self.identityCase)
        }
    }

    /// Open cases in which the patient with this tag may be another patient too.
    package func openLikenesses(of tag: Digest) throws(LedgerStoreError) -> UInt64 {
        try self.file.read { db in
            try db.first(
                """
                SELECT count(*) FROM identity_cases
                WHERE state = 1 AND kind = 2 AND (patient_tag = ? OR other_tag = ?)
                """,
                [tag.column, tag.column]
            ) { try $0.uint64(0) } ?? 0
        }
    }

    /// The records of a patient that are held back: whose they are is not decided, or decided against the patient.
    package func heldRecords(of tag: Digest) throws(LedgerStoreError) -> Set<ContentAddress> {
        try self.file.read { db in
            Set(
                try db.all(
                    "SELECT record FROM identity_cases WHERE patient_tag = ? AND record IS NOT NULL AND state <> 2",
                    [tag.column]
                ) { try $0.address(0) }
            )
        }
    }

    /// Decides a case, and takes what it says of the patient into the profile.
    ///
    /// - Throws: `notFound` if there is no such open case.
    package func decide(
        _ number: Int64,
        _ state: IdentityCase.State,
        profile: PatientProfile?
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("UPDATE identity_cases SET state = ? WHERE no = ? AND state = 1", [state.rawValue, number])
            guard db.changesCount == 1 else { throw LedgerStoreError(.notFound, "there is no such open case") }
            if let profile { try Self.save(profile, db) }
        }
    }

    private static let selectCases = """
        SELECT no, kind, patient_tag, other_tag, record, reasons, score, sealed, time, state FROM identity_cases\u{20}
        """

    private static func identityCase(_ row: Row) throws -> IdentityCase {
        guard let kind = IdentityCase.Kind(rawValue: try row.int64(1)),
            let state = IdentityCase.State(rawValue: try row.int64(9))
        else { throw Row.damaged }
        return IdentityCase(
            number: try row.int64(0),
            kind: kind,
            patientTag: try row.digest(2),
            otherTag: try row.bytesIfPresent(3).flatMap { Digest($0) },
            record: try row.bytesIfPresent(4).flatMap { Digest($0) }.map(ContentAddress.init),
            reasons: try row.text(5),
            score: try row.int64(6),
            sealed: try row.bytes(7),
            time: Timestamp(milliseconds: try row.int64(8)),
            state: state
        )
    }

    // MARK: Links

    /// Notes with whom a patient is linked; who is known already stays.
    package func save(_ linked: [LinkedIdentity]) throws(LedgerStoreError) {
        guard !linked.isEmpty else { return }
        try self.file.write { db in
            for identity in linked {
                try db.run(
                    "INSERT OR IGNORE INTO linked_identities (patient, tag, bucket, sealed) VALUES (?, ?, ?, ?)",
                    [
                        identity.patient.value, identity.tag.column, Int64(identity.bucket),
                        identity.sealedPseudonym.column,
                    ]
                )
            }
        }
    }

    /// The identities in a bucket that are or were linked with patients here.
    package func linkedIdentities(bucket: UInt8) throws(LedgerStoreError) -> [LinkedIdentity] {
        try self.file.read { db in
            try db.all(
                "SELECT patient, tag, bucket, sealed FROM linked_identities WHERE bucket = ? ORDER BY patient, tag",
                [Int64(bucket)],
                Self.linked
            )
        }
    }

    /// The identities that are or were linked with a patient.
    package func linkedIdentities(of patient: PatientNumber) throws(LedgerStoreError) -> [LinkedIdentity] {
        try self.file.read { db in
            try db.all(
                "SELECT patient, tag, bucket, sealed FROM linked_identities WHERE patient = ? ORDER BY tag",
                [patient.value],
                Self.linked
            )
        }
    }

    private static func linked(_ row: Row) throws -> LinkedIdentity {
        LinkedIdentity(
            patient: PatientNumber(try row.int64(0)),
            tag: try row.digest(1),
            bucket: try row.uint8(2),
            sealedPseudonym: try row.bytes(3)
        )
    }

    // MARK: Retired pages

    /// An own page of wrapped keys.
    package struct OwnPage: Hashable, Sendable {
        package var grant: GrantID
        package var page: UInt32
        package var object: ContentAddress

        package init(grant: GrantID, page: UInt32, object: ContentAddress) {
            self.grant = grant
            self.page = page
            self.object = object
        }
    }

    /// The own pages of a grant under which keys of a patient's exams were wrapped.
    package func ownPages(
        grant: GrantID,
        custodian: InstitutionID,
        patient: PatientNumber
    ) throws(LedgerStoreError) -> [OwnPage] {
        try self.file.read { db in
            let isWrapped = try db.first(
                """
                SELECT 1 FROM wrapped w JOIN grants g ON g.no = w.grant_no JOIN exams e ON e.no = w.exam
                WHERE g.id = ? AND e.patient = ? LIMIT 1
                """,
                [grant.digest.column, patient.value]
            ) { _ in true }
            guard isWrapped != nil else { return [] }
            return try db.all(
                """
                SELECT p.page, p.object FROM pages p JOIN grants g ON g.no = p.grant_no
                WHERE g.id = ? AND p.custodian = ? ORDER BY p.page
                """,
                [grant.digest.column, custodian.text]
            ) { OwnPage(grant: grant, page: try $0.uint32(0), object: try $0.address(1)) }
        }
    }

    /// Puts other objects in the places of own pages, and forgets that a patient's keys were wrapped: they are again if the
    /// link is made again.
    package func retire(
        _ pages: [OwnPage],
        grant: GrantID,
        custodian: InstitutionID,
        patient: PatientNumber
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            for page in pages {
                try db.run(
                    """
                    UPDATE pages SET object = ? WHERE custodian = ? AND page = ?
                    AND grant_no = (SELECT no FROM grants WHERE id = ?)
                    """,
                    [page.object.column, custodian.text, Int64(page.page), grant.digest.column]
                )
            }
            try db.run(
                """
                DELETE FROM wrapped WHERE grant_no = (SELECT no FROM grants WHERE id = ?)
                AND exam IN (SELECT no FROM exams WHERE patient = ?)
                """,
                [grant.digest.column, patient.value]
            )
        }
    }
}
