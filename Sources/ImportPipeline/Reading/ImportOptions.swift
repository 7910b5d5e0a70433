package import Formats

/// A format in which exams are given to an import.
package enum ImportFormat: String, Hashable, Sendable, CaseIterable {
    case fhir, hl7v2, cda, csv, dicom
}

/// How an import's files are to be read, as far as their content does not say it.
package struct ImportOptions: Sendable {
    /// The format of every file, because the user says so; `nil` to tell it by each file's content.
    package var format: ImportFormat?
    /// What the columns of tables mean; without one a table is refused.
    package var mapping: CSVMapping?

    package init(format: ImportFormat? = nil, mapping: CSVMapping? = nil) {
        self.format = format
        self.mapping = mapping
    }
}
