import Ledger
package import LedgerStore
package import Primitives
package import Records
import Vault

/// Where a record stands on the chain and whose it is.
package struct RecordLocation: Sendable {
    package var pseudonym: PatientPseudonym
    package var row: LocatorRow
    package var summary: LocatorSummary
}

/// Finds what is known about a record that is named by its address alone.
package struct RecordIndex: Sendable {
    private static let rowsMax = 4

    private let context: AgentContext

    package init(context: AgentContext) { self.context = context }

    /// - Throws: ``AgentFailure`` `recordUnknown`, in the same words whether the record does not exist or was merely
    ///   not found by this agent's users: the difference is not everybody's to know.
    package func location(of record: ContentAddress) throws -> RecordLocation {
        let rows = try self.context.locators.entries(record: record)
        // The true origin is known as soon as the record is here; another institution may list it as its own.
        let origin = try? self.context.vault.read(record).header.origin
        for (pseudonym, institution) in try self.owners(of: record) {
            if let origin, origin != institution { continue }
            for row in rows.filter({ $0.institution == institution }).prefix(Self.rowsMax) {
                guard let index = self.index(of: row, pseudonym),
                    let summary = try? PseudonymSealing.openLocator(
                        row.entry,
                        pseudonym: pseudonym,
                        institution: institution,
                        index: index
                    ), summary.record == record
                else { continue }
                return RecordLocation(pseudonym: pseudonym, row: row, summary: summary)
            }
        }
        throw Self.unknown
    }

    private func owners(of record: ContentAddress) throws -> [(PatientPseudonym, InstitutionID)] {
        if let exam = try self.context.custody.exam(record: record),
            let patient = try self.context.custody.patient(exam.patient)
        {
            return [(try self.context.secrets.openPseudonym(patient.sealedPseudonym), self.context.institution)]
        }
        return try self.context.custody.notes(record: record).map { note in
            (try self.context.secrets.openPseudonym(note.sealedPseudonym), note.institution)
        }
    }

    /// The index under which the entry's tag was made.
    private func index(of row: LocatorRow, _ pseudonym: PatientPseudonym) -> UInt64? {
        (0..<Finder.entriesMax).first {
            pseudonym.locatorTag(institution: row.institution, index: $0) == row.entry.tag
        }
    }

    static let unknown = AgentFailure(
        .recordUnknown,
        "no such record is known here",
        hint: "Find the patient first: entente find. Then copy the record from the list."
    )
}
