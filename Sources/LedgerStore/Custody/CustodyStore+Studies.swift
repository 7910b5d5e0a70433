internal import GRDB
package import Primitives

/// What was read of a study in a PACS.
package struct KnownStudy: Hashable, Sendable {
    /// What became of it.
    package enum State: Int64, Sendable {
        /// An exam, or known as one already.
        case imported = 1
        /// In quarantine.
        case refused = 2
    }

    /// Keyed by this home: it names no study to anybody else.
    package var tag: Digest
    /// Of what the PACS said of it then.
    package var facts: Digest
    package var state: State

    package init(tag: Digest, facts: Digest, state: State) {
        self.tag = tag
        self.facts = facts
        self.state = state
    }
}

// Which studies of a PACS were read, so that a restart does not read them again.
extension CustodyStore {
    static let studiesSchema = """
        CREATE TABLE pacs_studies (
            tag BLOB PRIMARY KEY, facts BLOB NOT NULL, state INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """

    /// What is known of each of `tags`, in their order.
    package func studies(tags: [Digest]) throws(LedgerStoreError) -> [KnownStudy?] {
        try self.file.read { db in
            try tags.map { tag in
                try db.first("SELECT facts, state FROM pacs_studies WHERE tag = ?", [tag.column]) { row in
                    guard let state = KnownStudy.State(rawValue: try row.int64(1)) else { throw Row.damaged }
                    return KnownStudy(tag: tag, facts: try row.digest(0), state: state)
                }
            }
        }
    }

    package func save(_ studies: [KnownStudy]) throws(LedgerStoreError) {
        guard !studies.isEmpty else { return }
        try self.file.write { db in
            for study in studies {
                try db.run(
                    "INSERT OR REPLACE INTO pacs_studies (tag, facts, state) VALUES (?, ?, ?)",
                    [study.tag.column, study.facts.column, study.state.rawValue]
                )
            }
        }
    }

    /// Forgets what was refused, so that it is read again: a release may read more than the one before.
    package func forgetRefusedStudies() throws(LedgerStoreError) {
        try self.file.write { db in
            try db.run("DELETE FROM pacs_studies WHERE state = ?", [KnownStudy.State.refused.rawValue])
        }
    }
}
