import Records

/// A mapping applied to the header of one file: says of each row whose and which exam's it is, and makes exams of rows.
///
/// Holds a conversion state of the C library: not shared between threads.
package struct CSVTable {
    /// With the file's dialect, so that it reads the rows without the file.
    package let mapping: CSVMapping
    /// The header row without its line end; empty for JSON lines.
    package let header: [UInt8]
    package let dialect: CSVDialect
    /// Index in the file of the header's first byte; rows before it are none.
    var headerOffset = 0
    let columnCount: Int
    let identifiers: [CSVField]
    let patient: [CSVPatientField: CSVField]
    let exam: [CSVExamField: CSVField]
    let results: [[CSVResultField: CSVField]]
    /// The times of the exam, which are checked in each row.
    let times: [CSVField]
    /// Columns of a line of JSON with their keys.
    private let lineColumns: [(name: String, keys: [String])]
    private let decoder: CharacterDecoder
    private let absent: Set<String>
    private let absentBytesMax: Int

    /// Finds the mapping's columns in a header; the mapping has a dialect, as ``CSVMapping/resolved(_:)`` gives it.
    package init(_ mapping: CSVMapping, header: [UInt8]) throws(CSVFault) {
        guard let dialect = mapping.dialect, let decoder = CharacterDecoder(dialect.characterSet) else {
            throw CSVFault(.characterSet)
        }
        self.mapping = mapping
        self.header = header
        self.dialect = dialect
        self.decoder = decoder
        self.lineColumns = mapping.lineColumns.sorted().map { ($0, CSVMapping.keys($0)) }
        self.absent = Set(mapping.absent)
        self.absentBytesMax = mapping.absent.map(\.utf8.count).max() ?? 0
        var names: [String] = []
        if case .table = mapping.layout { names = try Self.names(header, dialect, decoder) }
        self.columnCount = names.count
        let finder = CSVColumnFinder(mapping, header: names)
        var identifiers: [CSVField] = []
        for (index, column) in mapping.identifiers.enumerated() {
            identifiers.append(try finder.field(column, "patient.identifiers[\(index)]"))
        }
        self.identifiers = identifiers
        self.patient = try finder.fields(mapping.patient, "patient")
        let exam = try finder.fields(mapping.exam, "exam")
        self.exam = exam
        var results: [[CSVResultField: CSVField]] = []
        for (index, columns) in mapping.results.enumerated() {
            results.append(try finder.fields(columns, "results[\(index)]"))
        }
        self.results = results
        self.times = CSVExamField.allCases.filter(\.isTime).compactMap { exam[$0] }
    }

    /// The names in a header row.
    static func names(
        _ header: [UInt8],
        _ dialect: CSVDialect,
        _ decoder: CharacterDecoder
    ) throws(CSVFault) -> [String] {
        guard let row = CSVReader.row(header, dialect) else { throw CSVFault(.notATable) }
        if let refusal = row.refusal { throw CSVFault(refusal) }
        var names: [String] = []
        for cell in row.cells {
            guard let text = Self.decode(row.raw(cell), cell, dialect, decoder) else { throw CSVFault(.undecodable) }
            names.append(text)
        }
        guard names.count > 1 else { throw CSVFault(.notATable) }
        return names
    }

    // MARK: Rows

    /// What stands in a row, or `nil` if it is blank.
    func cells(_ row: CSVRow) throws(CSVFault) -> CSVCells? {
        if let refusal = row.refusal { throw CSVFault(refusal) }
        switch self.mapping.layout {
        case .table:
            if row.cells.count != self.columnCount {
                if row.isBlank(self.dialect) { return nil }
                throw CSVFault(.raggedRow)
            }
            try self.checkText(row.bytes)
            return row.isBlank(self.dialect) ? nil : CSVCells(row: row, line: nil, elements: [])
        case .jsonLines(let results):
            if row.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return nil }
            guard let root = try? JSONReader.read(Array(row.bytes)).root, root.kind == .object else {
                throw CSVFault(.jsonSyntax)
            }
            var line: [String: JSONValue] = [:]
            for (name, keys) in self.lineColumns { line[name] = Self.value(root, keys) }
            guard let results else { return CSVCells(row: row, line: line, elements: [root]) }
            let array = Self.value(root, CSVMapping.keys(results))
            guard array == nil || array?.kind == .array || array?.kind == .null else { throw CSVFault(.jsonSyntax) }
            return CSVCells(row: row, line: line, elements: array.map { Array($0.elements) } ?? [])
        }
    }

    private func checkText(_ bytes: ArraySlice<UInt8>) throws(CSVFault) {
        if self.dialect.unitBytes == 1 {
            var high: UInt8 = 0
            var hasControl = false
            for byte in bytes {
                high |= byte
                hasControl = hasControl || CSVText.isControl(byte)
            }
            if hasControl { throw CSVFault(.controlCharacter) }
            if high < 0x80 { return }
        }
        guard self.decoder.string(bytes) != nil else { throw CSVFault(.undecodable) }
    }

    private static func value(_ root: JSONValue, _ keys: [String]) -> JSONValue? {
        var value = root
        for key in keys {
            guard let next = value.members.first(where: { $0.name == key })?.value else { return nil }
            value = next
        }
        return value
    }

    // MARK: Texts

    /// The text of a field without spaces around it, translated if the mapping says so; `nil` if there is none.
    func text(_ field: CSVField, _ cells: CSVCells, _ element: Int = 0) throws(CSVFault) -> String? {
        guard let text = try self.rawText(field, cells, element), !text.isEmpty else { return nil }
        if text.utf8.count <= self.absentBytesMax, self.absent.contains(text) { return nil }
        guard !field.meanings.isEmpty, let meaning = field.meanings[text] else { return text }
        return meaning.isEmpty ? nil : meaning
    }

    private func rawText(_ field: CSVField, _ cells: CSVCells, _ element: Int) throws(CSVFault) -> String? {
        switch field.place {
        case .constant(let text): return text
        case .cell(let index):
            // A row that is refused for its number of cells is still asked which order it spoils.
            guard index < cells.row.cells.count else { return nil }
            let cell = cells.row.cells[index]
            guard let text = Self.decode(cells.row.raw(cell), cell, self.dialect, self.decoder) else {
                throw CSVFault(.undecodable, field.element)
            }
            if self.dialect.unitBytes == 2 { try Self.checkScalars(text, field) }
            return text
        case .line(let name): return try self.text(of: cells.line?[name], field)
        case .element(let keys):
            return try self.text(of: cells.element(element).flatMap { Self.value($0, keys) }, field)
        }
    }

    private func text(of value: JSONValue?, _ field: CSVField) throws(CSVFault) -> String? {
        guard let value else { return nil }
        switch value.kind {
        case .null: return nil
        case .object, .array: throw CSVFault(.jsonSyntax, field.element)
        case .number, .true, .false: return String(decoding: value.bytes, as: UTF8.self)
        case .string:
            guard let text = value.string else { return nil }
            try Self.checkScalars(text, field)
            return CSVText.trimmed(text)
        }
    }

    private static func checkScalars(_ text: String, _ field: CSVField) throws(CSVFault) {
        guard !text.utf8.contains(where: CSVText.isControl) else {
            throw CSVFault(.controlCharacter, field.element)
        }
    }

    static func decode(
        _ raw: ArraySlice<UInt8>,
        _ cell: CSVRow.Cell,
        _ dialect: CSVDialect,
        _ decoder: CharacterDecoder
    ) -> String? {
        var text: String
        if dialect.containsASCII {
            let trimmed = CSVText.trimmed(raw)
            if trimmed.allSatisfy({ $0 < 0x80 }) {
                text = String(decoding: trimmed, as: UTF8.self)
            } else {
                guard let decoded = decoder.string(trimmed) else { return nil }
                text = CSVText.trimmed(decoded)
            }
        } else {
            guard let decoded = decoder.string(raw) else { return nil }
            text = CSVText.trimmed(decoded)
        }
        if cell.hasDoubledQuotes { text = Self.undoubled(text) }
        return text
    }

    private static func undoubled(_ text: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var isFirst = false
        for byte in text.utf8 {
            isFirst = byte == UInt8(ascii: "\"") && !isFirst
            if byte != UInt8(ascii: "\"") || isFirst { bytes.append(byte) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A time that exists, or `nil` if the field is empty.
    func time(_ field: CSVField, _ cells: CSVCells) throws(CSVFault) -> ClinicalTime? {
        guard let text = try self.text(field, cells) else { return nil }
        let time = CSVTime.read(Array(text.utf8)[...], field.timeFormats, offsetMinutes: field.offsetMinutes)
        guard let time else { throw CSVFault(.badDate, field.element) }
        return time
    }

    /// The same of a field that the mapping may lack.
    func time(_ field: CSVField?, _ cells: CSVCells) throws(CSVFault) -> ClinicalTime? {
        guard let field else { return nil }
        return try self.time(field, cells)
    }

    func text(_ field: CSVField?, _ cells: CSVCells, _ element: Int = 0) throws(CSVFault) -> String? {
        guard let field else { return nil }
        return try self.text(field, cells, element)
    }
}

extension CSVRow {
    /// The texts of all cells without spaces around them; `nil` where the bytes are none of the character set.
    package func texts(_ dialect: CSVDialect) -> [String?] {
        guard let decoder = CharacterDecoder(dialect.characterSet) else { return self.cells.map { _ in nil } }
        return self.cells.map { CSVTable.decode(self.raw($0), $0, dialect, decoder) }
    }
}

extension CSVReader {
    /// The one row that `bytes` hold, without a byte order mark; `nil` if they hold none, or more.
    static func row(_ bytes: [UInt8], _ dialect: CSVDialect) -> CSVRow? {
        var reader = CSVReader(dialect, skipsMark: false)
        reader.append(bytes[...])
        reader.finish()
        guard let row = reader.next(), row.bytes.count == bytes.count else { return nil }
        return row
    }
}
