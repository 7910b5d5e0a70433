package import Records

/// Says what the columns of a laboratory's table mean.
///
/// Written by people as YAML (Documentation/Protocol/CSV-Import.md) and sealed with every exam in its canonical form:
/// without it the original rows could not be read.
package struct CSVMapping: Hashable, Sendable {
    /// The version of this form, in the key `mapping`.
    package static let version = "entente-csv/1"
    /// A mapping lists columns and codes; the longest has some hundred lines.
    package static let textBytesMax = 256 << 10
    /// What ``resolved(_:)`` may add.
    static let dialectBytesMax = 256
    /// A panel written in columns has some dozens; more are a mistake.
    package static let resultsMax = 512
    package static let identifiersMax = 8

    /// How rows are laid out.
    package enum Layout: Hashable, Sendable {
        /// Delimited text with a header row.
        case table
        /// One JSON object a line; `results` is the key of the array of results, if they are not in the object itself.
        case jsonLines(results: String?)
    }

    /// By what rows are put together to exams.
    package enum GroupField: Hashable, Sendable {
        case patient
        case field(CSVExamField)
        /// Each row is an exam, known by the digest of its bytes; for sources that give reports neither number nor time.
        case row
    }

    /// What becomes of an order of which a row is refused.
    package enum IncompleteOrders: String, Hashable, Sendable, CaseIterable {
        /// Imported with status `partial`, which no reader takes for the whole report.
        case partial
        /// Refused as a whole.
        case refuse
    }

    /// What separates the whole part of a number from its fraction.
    package enum DecimalMark: String, Hashable, Sendable, CaseIterable {
        case point, comma
    }

    package var kind: ExamKind = .laboratory
    package var layout: Layout = .table
    /// The file's character set, delimiter and quoting; detected where `nil`.
    package var characterSet: CharacterSet?
    package var delimiter: CSVDialect.Delimiter?
    package var quoting: CSVDialect.Quoting = .double
    package var decimalMark: DecimalMark = .point
    package var timeFormats: [CSVTimeFormat] = []
    /// Minutes east of UTC of times that are written without an offset.
    package var offsetMinutes: Int?
    /// Texts that stand for nothing, beside the empty one.
    package var absent: [String] = Self.absentByDefault
    package var group: [GroupField]
    package var incompleteOrders: IncompleteOrders = .partial
    /// The first that a row has is whose the row is.
    package var identifiers: [CSVColumn]
    package var patient: [CSVPatientField: CSVColumn] = [:]
    package var exam: [CSVExamField: CSVColumn] = [:]
    /// One for a table with a result in each row; one for each value column of a table with many results in a row.
    package var results: [[CSVResultField: CSVColumn]]

    /// What databases and spreadsheets write for nothing.
    package static let absentByDefault = ["NULL", "null", "(null)", "\\N", "None", "nan", "NaN"]

    /// Groups by order number if there is one, else by patient and what tells samples apart, if `group` is `nil`.
    package init?(
        group: [GroupField]? = nil,
        identifiers: [CSVColumn],
        exam: [CSVExamField: CSVColumn],
        results: [[CSVResultField: CSVColumn]]
    ) {
        guard let group = group ?? Self.defaultGroup(exam) else { return nil }
        self.group = group
        self.identifiers = identifiers
        self.exam = exam
        self.results = results
    }

    static func defaultGroup(_ exam: [CSVExamField: CSVColumn]) -> [GroupField]? {
        if exam[.order] != nil { return [.field(.order)] }
        let sample: [CSVExamField] = [.specimenID, .collected, .reported].filter { exam[$0] != nil }
        guard let first = sample.first else { return nil }
        // A sample number tells samples of one patient apart by itself; a time without one does too.
        return [.patient, .field(first)]
    }

    /// The mapping with the dialect that was found in a file, so that it reads rows of that file without it.
    package func resolved(_ dialect: CSVDialect) -> CSVMapping {
        var mapping = self
        mapping.characterSet = dialect.characterSet
        mapping.delimiter = dialect.delimiter
        mapping.quoting = dialect.quoting
        return mapping
    }

    /// The dialect, if nothing of it is left to detection.
    package var dialect: CSVDialect? {
        guard case .table = self.layout else { return Self.lines }
        guard let characterSet = self.characterSet, let delimiter = self.delimiter else { return nil }
        return CSVDialect(characterSet: characterSet, delimiter: delimiter, quoting: self.quoting)
    }

    /// JSON lines are UTF-8 (RFC 8259) and have no cells; no tab is written in them but as white space.
    static let lines = CSVDialect(characterSet: .utf8, delimiter: .tab, quoting: .none)

    /// The keys of a column that is in the results of a line of JSON; `nil` if it is in the line itself.
    static func elementKeys(_ name: String, _ results: String?) -> [String]? {
        guard let results else { return nil }
        let prefix = results + "."
        guard name.hasPrefix(prefix) else { return nil }
        return Self.keys(String(name.dropFirst(prefix.count)))
    }

    static func keys(_ name: String) -> [String] {
        name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    /// Columns that are in a line of JSON itself.
    var lineColumns: Set<String> {
        guard case .jsonLines(let results) = self.layout else { return [] }
        let columns =
            self.identifiers + Array(self.patient.values) + Array(self.exam.values) + self.results.flatMap(\.values)
        var names: Set<String> = []
        for column in columns {
            guard case .column(let name) = column.source, Self.elementKeys(name, results) == nil else { continue }
            names.insert(name)
        }
        return names
    }
}
