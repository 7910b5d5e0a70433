package import Formats
package import Records

/// How an import's files are to be read, as far as their content does not say it.
package struct ImportOptions: Sendable {
    /// The format of every file, because the user says so; `nil` to tell it by each file's content.
    package var format: SourceFormat?
    /// What the columns of tables mean; without one a table is refused.
    package var mapping: CSVMapping?

    package init(format: SourceFormat? = nil, mapping: CSVMapping? = nil) {
        self.format = format
        self.mapping = mapping
    }
}
