/// Finds out how a file is written from its beginning.
enum CSVDetection {
    /// The character set by byte order mark, else by what nine of ten lines with other bytes than ASCII are.
    ///
    /// Lines vote so that one damaged line does not make a file of UTF-8 a file of GB 18030, as which most of it could
    /// be read too. Text in an ISO 8859 set is not taken for GB 18030, whose second bytes are mostly above 0x80.
    ///
    /// - Returns: `nil` if the bytes do not say; then the mapping must.
    static func characterSet(_ start: ArraySlice<UInt8>) -> CharacterSet? {
        for set in [CharacterSet.utf8, .utf16LittleEndian, .utf16BigEndian] where set.markLength(of: start) > 0 {
            return set
        }
        guard let utf8 = CharacterDecoder(.utf8), let chinese = CharacterDecoder(.gb18030) else { return nil }
        var (lines, utf8Lines, chineseLines) = (0, 0, 0)
        for line in start.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d })
        where line.contains(where: { $0 >= 0x80 }) {
            lines += 1
            if utf8.string(line) != nil {
                utf8Lines += 1
            } else if Self.looksChinese(line), chinese.string(line) != nil {
                chineseLines += 1
            }
        }
        // ASCII is UTF-8 too, which is what may come after the beginning.
        if utf8Lines * 10 >= lines * 9 { return .utf8 }
        // A short Chinese line may happen to be UTF-8.
        return (chineseLines + utf8Lines) * 10 >= lines * 9 && chineseLines > utf8Lines ? .gb18030 : nil
    }

    private static func looksChinese(_ line: ArraySlice<UInt8>) -> Bool {
        var (high, low) = (0, 0)
        var rest = line
        while let byte = rest.popFirst() {
            guard byte >= 0x80, let second = rest.popFirst() else { continue }
            if second >= 0x80 { high += 1 } else { low += 1 }
        }
        return high > low
    }

    /// The beginning of a file up to its last line end, so that no character is cut.
    static func wholeLines(_ start: ArraySlice<UInt8>, isWhole: Bool) -> ArraySlice<UInt8> {
        guard !isWhole, let end = start.lastIndex(of: 0x0a) ?? start.lastIndex(of: 0x0d) else { return start }
        // In UTF-16 the line end may be cut itself, which hurts no cell of a header.
        return start[...end]
    }

    /// A title and the terms of a query may stand above the header.
    private static let headerRowsMax = 16

    /// The first rows that are not blank, one of which is the header.
    static func firstRows(_ start: ArraySlice<UInt8>, _ dialect: CSVDialect) -> [CSVRow] {
        var reader = CSVReader(dialect)
        reader.append(start)
        reader.finish()
        var rows: [CSVRow] = []
        while rows.count < Self.headerRowsMax, let row = reader.next() {
            if !row.isBlank(dialect) { rows.append(row) }
        }
        return rows
    }

    /// Whether a header holds what no text does.
    static func isBinary(_ header: CSVRow, _ dialect: CSVDialect) -> Bool {
        dialect.unitBytes == 1 && header.bytes.contains(where: CSVText.isControl)
    }

    /// Whether the input has nothing in it but white space.
    static func isEmpty(_ start: ArraySlice<UInt8>) -> Bool {
        guard start.count <= 1024 || start.prefix(1024).allSatisfy({ $0 <= 0x20 }) else { return false }
        let mark = CharacterSet.detected(in: start)?.markLength(of: start) ?? 0
        return start.dropFirst(mark).allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
    }
}

extension CSVTable {
    /// How much of a file's beginning ``open(_:isWhole:mapping:)`` should be given.
    package static let startBytes = 1 << 20

    /// Finds out how a file is written, and the mapping's columns in its header.
    ///
    /// The delimiter is the one by which all columns that the mapping names are found, in one of the first rows. The
    /// table's dialect is what a ``CSVReader`` reads the file with; the header and what stands above it come out of it
    /// too and are classified as blank.
    /// `start` is the first ``startBytes`` of the file, or all of it if `isWhole`.
    package static func open(
        _ start: ArraySlice<UInt8>,
        isWhole: Bool,
        mapping: CSVMapping
    ) throws(CSVFault) -> CSVTable {
        guard !CSVDetection.isEmpty(start) else { throw CSVFault(.emptyFile) }
        guard case .table = mapping.layout else { return try CSVTable(mapping, header: []) }
        let start = CSVDetection.wholeLines(start, isWhole: isWhole)
        guard let set = mapping.characterSet ?? CSVDetection.characterSet(start) else {
            throw CSVFault(.characterSet)
        }
        var found: [CSVTable] = []
        // The fault of the reading with the most columns is the one that helps.
        var fault = CSVFault(.notATable)
        var columnsMax = 1
        for delimiter in mapping.delimiter.map({ [$0] }) ?? CSVDialect.Delimiter.allCases {
            let dialect = CSVDialect(characterSet: set, delimiter: delimiter, quoting: mapping.quoting)
            for row in CSVDetection.firstRows(start, dialect) {
                do throws(CSVFault) {
                    found.append(try CSVTable(mapping.resolved(dialect), headerRow: row))
                    break
                } catch  where row.cellCount > columnsMax || (columnsMax == 1 && row.cellCount == 0) {
                    fault = error
                    columnsMax = max(columnsMax, row.cellCount)
                } catch {}
            }
        }
        guard found.count <= 1 else { throw CSVFault(.delimiterAmbiguous) }
        guard let table = found.first else { throw fault }
        return table
    }

    private init(_ mapping: CSVMapping, headerRow row: CSVRow) throws(CSVFault) {
        if let refusal = row.refusal { throw CSVFault(refusal) }
        let isText = mapping.dialect.map { !CSVDetection.isBinary(row, $0) } ?? false
        guard isText else { throw CSVFault(.notATable) }
        try self.init(mapping, header: Array(row.bytes))
        self.headerOffset = row.offset
    }
}
