package import Primitives
package import Records

/// Which list of an institution a batch number counts.
package enum ManifestKind: Int64, Hashable, Sendable {
    /// Commitment batches of exams.
    case exams = 1
    /// Batches of fetch receipts.
    case receipts = 2
    /// Batches of recognition facts.
    case facts = 3
}

/// A search token and the institution under whose name it must have been published.
package struct LocatorProbe: Hashable, Sendable {
    package var institution: InstitutionID
    package var tag: LocatorTag

    package init(institution: InstitutionID, tag: LocatorTag) {
        self.institution = institution
        self.tag = tag
    }
}

/// An exam as its institution's manifest lists it.
package struct LocatorRow: Hashable, Sendable {
    package var institution: InstitutionID
    package var batch: UInt64
    /// Position among the batch's leaves.
    package var index: UInt32
    package var leaf: ExamLeaf
    package var entry: LocatorEntry
}

/// Another name of a person as an institution's manifest lists it.
package struct AliasRow: Hashable, Sendable {
    package var institution: InstitutionID
    package var batch: UInt64
    package var index: UInt32
    package var entry: LocatorEntry
}

/// A sealed receipt as its institution's receipt manifest lists it.
package struct ReceiptRow: Hashable, Sendable {
    package var institution: InstitutionID
    package var batch: UInt64
    /// Position among the batch's leaves.
    package var index: UInt32
    package var receipt: SealedReceipt
}
