internal import GRDB
package import Primitives
package import Records

// Where the keys of a record that is to be erased are wrapped.
extension CustodyStore {
    /// A page of wrapped keys that this home holds.
    package struct HeldPage: Hashable, Sendable {
        package var grant: GrantID
        package var custodian: InstitutionID
        package var object: ContentAddress
    }

    /// The pages that may hold a record's key: received ones that do, and own ones of the grants for which it was wrapped.
    package func pagesHolding(
        _ record: ContentAddress,
        custodian: InstitutionID
    ) throws(LedgerStoreError) -> [HeldPage] {
        try self.file.read { db in
            try db.all(
                """
                SELECT g.id, p.custodian, p.object FROM page_entries e
                JOIN pages p ON p.no = e.page_no JOIN grants g ON g.no = p.grant_no
                WHERE e.record_prefix = ? AND e.record = ?
                UNION
                SELECT g.id, p.custodian, p.object FROM exams x
                JOIN wrapped w ON w.exam = x.no JOIN grants g ON g.no = w.grant_no
                JOIN pages p ON p.grant_no = g.no
                WHERE x.record_prefix = ? AND x.record = ? AND p.custodian = ?
                ORDER BY 1, 3
                """,
                [record.prefixColumn, record.column, record.prefixColumn, record.column, custodian.text]
            ) { row in
                HeldPage(
                    grant: GrantID(try row.digest(0)),
                    custodian: try row.institution(1),
                    object: try row.address(2)
                )
            }
        }
    }

    /// Puts another object in the place of a page, which no longer opens these records.
    package func replacePage(
        _ object: ContentAddress,
        with other: ContentAddress,
        without records: [ContentAddress]
    ) throws(LedgerStoreError) {
        try self.file.write { db in
            for record in records {
                try db.run(
                    """
                    DELETE FROM page_entries WHERE record_prefix = ? AND record = ?
                        AND page_no IN (SELECT no FROM pages WHERE object = ?)
                    """,
                    [record.prefixColumn, record.column, object.column]
                )
            }
            try db.run("UPDATE pages SET object = ? WHERE object = ?", [other.column, object.column])
        }
    }
}
