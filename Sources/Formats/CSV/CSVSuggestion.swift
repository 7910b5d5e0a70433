/// A mapping that the header of a file suggests, for a person to correct.
///
/// It is never used unseen: a column may be called `result` and hold something else.
package struct CSVSuggestion: Hashable, Sendable {
    /// A question that a person has to answer.
    package enum Question: String, Hashable, Sendable {
        /// Nothing is known of a column of this name.
        case unknownColumn = "unknown-column"
        /// Another column was taken for what this one means too.
        case secondColumn = "second-column"
        /// No column was found for a field that there must be.
        case missingField = "missing-field"
        /// Of which hospital or system the numbers in this column are.
        case identifierSystem = "identifier-system"
        /// Of which code system the codes in this field are.
        case codeSystem = "code-system"
        /// The times in this field are written in a way that may mean different days, or none that is known.
        case timeFormat = "time-format"
        /// Texts of this field are not known; the mapping must say what they mean.
        case meaning
        /// Times have no offset from UTC, and none is given.
        case offset = "utc-offset"
        /// No column says whether results are final.
        case status = "status"
    }

    /// A question and what it is about.
    package struct Undecided: Hashable, Sendable {
        package var question: Question
        /// A column's name or a field's path.
        package var name: String

        package init(question: Question, name: String) {
            self.question = question
            self.name = name
        }
    }

    /// As far as it could be decided, in the form that people edit.
    package let yaml: String
    /// The mapping, if what could be decided is one.
    package let mapping: CSVMapping?
    package let undecided: [Undecided]
    /// Columns that are known and not used.
    package let unused: [String]

    /// Looks at the beginning of a file.
    package init(_ start: ArraySlice<UInt8>, isWhole: Bool) throws(CSVFault) {
        guard !CSVDetection.isEmpty(start) else { throw CSVFault(.emptyFile) }
        let start = CSVDetection.wholeLines(start, isWhole: isWhole)
        guard let set = CSVDetection.characterSet(start), let decoder = CharacterDecoder(set) else {
            throw CSVFault(.characterSet)
        }
        let (dialect, header) = try Self.layout(start, set)
        guard !CSVDetection.isBinary(header, dialect) else { throw CSVFault(.notATable) }
        let names = try CSVTable.names(Array(header.bytes), dialect, decoder)
        var draft = CSVSuggestionDraft(names)
        let sample = CSVSample(start, dialect, decoder, after: header.offset)
        draft.decideTimes(sample)
        draft.askForMeanings(sample)
        let node = draft.node(dialect)
        self.yaml = node.yaml
        self.mapping = try? CSVMapping(node)
        self.undecided = draft.undecided
        self.unused = draft.unused
    }

    /// The delimiter by which the most rows have as many cells as the header, two or more, and that header.
    private static func layout(
        _ start: ArraySlice<UInt8>,
        _ set: CharacterSet
    ) throws(CSVFault) -> (CSVDialect, header: CSVRow) {
        var best: (dialect: CSVDialect, header: CSVRow, fitting: Int)?
        var isAmbiguous = false
        for delimiter in CSVDialect.Delimiter.allCases {
            let dialect = CSVDialect(characterSet: set, delimiter: delimiter)
            guard let header = Self.header(start, dialect), header.cellCount > 1 else { continue }
            let rows = CSVSample.rows(start, dialect, after: header.offset)
            let fitting = rows.count { $0.cellCount == header.cellCount } * 100 / max(rows.count, 1)
            if let best, (fitting, header.cellCount) <= (best.fitting, best.header.cellCount) {
                if (fitting, header.cellCount) == (best.fitting, best.header.cellCount) { isAmbiguous = true }
                continue
            }
            isAmbiguous = false
            best = (dialect, header, fitting)
        }
        guard let best else { throw CSVFault(.notATable) }
        guard !isAmbiguous else { throw CSVFault(.delimiterAmbiguous) }
        return (best.dialect, best.header)
    }

    /// Of the first rows the one with the most known names, or the first.
    private static func header(_ start: ArraySlice<UInt8>, _ dialect: CSVDialect) -> CSVRow? {
        var best: (row: CSVRow, known: Int)?
        for row in CSVDetection.firstRows(start, dialect) {
            let known = row.texts(dialect).count { $0.flatMap(CSVHeaderTerms.target) != nil }
            if known > best?.known ?? -1 { best = (row, known) }
        }
        return best?.row
    }
}

/// Some rows of a file, to try formats on.
struct CSVSample {
    private static let rowsMax = 200
    private let rows: [CSVRow]
    private let dialect: CSVDialect
    private let decoder: CharacterDecoder

    init(_ start: ArraySlice<UInt8>, _ dialect: CSVDialect, _ decoder: CharacterDecoder, after header: Int) {
        self.rows = Self.rows(start, dialect, after: header)
        self.dialect = dialect
        self.decoder = decoder
    }

    /// Rows that are not blank after the header, whose offset is given.
    static func rows(_ start: ArraySlice<UInt8>, _ dialect: CSVDialect, after header: Int) -> [CSVRow] {
        var reader = CSVReader(dialect)
        reader.append(start)
        reader.finish()
        var rows: [CSVRow] = []
        while rows.count < Self.rowsMax, let row = reader.next() {
            if row.offset > header, !row.isBlank(dialect) { rows.append(row) }
        }
        return rows
    }

    /// The texts of a column that are not empty.
    func texts(_ column: Int) -> [String] {
        self.rows.compactMap { row in
            guard column < row.cells.count, let text = self.decoder.string(row.raw(row.cells[column])) else {
                return nil
            }
            let trimmed = CSVText.trimmed(text)
            return trimmed.isEmpty || CSVMapping.absentByDefault.contains(trimmed) ? nil : trimmed
        }
    }
}
