package import Primitives

/// Something that an institution has to account for, as far as it knows it itself.
package struct AuditEntry: Hashable, Sendable {
    /// Who read.
    package struct Reader: Hashable, Sendable {
        package var institution: String
        package var clinician: String
        package var name: String
        package var department: String

        package init(institution: String, clinician: String, name: String, department: String) {
            self.institution = institution
            self.clinician = clinician
            self.name = name
            self.department = department
        }
    }

    /// What happened, from the side of the institution that accounts.
    package enum Kind: Hashable, Sendable {
        /// An own record was read here.
        case read(Reader, record: Digest)
        /// A record of this institution was read elsewhere.
        case disclosed(Reader, record: Digest, grant: Digest?)
        /// A record of `custodian` was read here.
        case received(Reader, record: Digest, custodian: String, grant: Digest?)
        /// The decision by which a record of another institution was opened here.
        case permitted(Reader, grant: Digest)
        /// A permission was ended.
        case revoked(grant: Digest, by: String)
        /// An institution opened a patient's exams without a grant; `reason` is the coded one.
        case emergency(Digest, institution: String, reason: String)
    }

    package var kind: Kind
    package var time: Timestamp
    /// A code of HL7's ActReason, such as TREAT or BTG; `nil` where none was stated.
    package var purpose: String?

    package init(_ kind: Kind, time: Timestamp, purpose: String?) {
        self.kind = kind
        self.time = time
        self.purpose = purpose
    }

    /// What one reading is to this institution: nothing, if it is between two others.
    ///
    /// `grant`: `nil` for a reading of the reader's own record.
    package static func entries(
        at own: String,
        reader: Reader,
        record: Digest,
        custodian: String,
        grant: Digest?,
        time: Timestamp,
        purpose: String
    ) -> [AuditEntry] {
        func entry(_ kind: Kind) -> AuditEntry { AuditEntry(kind, time: time, purpose: purpose) }
        switch (reader.institution == own, custodian == own) {
        case (true, true): return [entry(.read(reader, record: record))]
        case (false, true): return [entry(.disclosed(reader, record: record, grant: grant))]
        case (true, false):
            return [entry(.received(reader, record: record, custodian: custodian, grant: grant))]
                + (grant.map { [entry(.permitted(reader, grant: $0))] } ?? [])
        case (false, false): return []
        }
    }
}
