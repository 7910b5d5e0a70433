/// A field of the mapping with the place in the rows where its text stands.
struct CSVField: Sendable {
    enum Place: Sendable {
        case cell(Int)
        case constant(String)
        /// Keys of nested JSON objects from the line's object in, with dots between.
        case line(String)
        /// Keys of nested JSON objects from an element of the array of results in.
        case element([String])
    }

    let place: Place
    /// Path in the mapping.
    let element: String
    let system: String?
    let meanings: [String: String]
    let timeFormats: [CSVTimeFormat]
    let offsetMinutes: Int?

    init(_ column: CSVColumn, element: String, place: Place, mapping: CSVMapping) {
        self.place = place
        self.element = element
        self.system = column.system
        self.meanings = Dictionary(column.values.map { ($0.text, $0.meaning) }) { first, _ in first }
        self.timeFormats = column.timeFormats.isEmpty ? mapping.timeFormats : column.timeFormats
        self.offsetMinutes = column.offsetMinutes ?? mapping.offsetMinutes
    }
}

/// A row that can be read: its cells, or its JSON object with the results in it.
struct CSVCells {
    let row: CSVRow
    /// What the mapping names of a line of JSON, looked up once, however many results the line has; `nil` for a table.
    let line: [String: JSONValue]?
    /// Elements of the array of results; empty for a table.
    let elements: [JSONValue]

    /// How many times the results of the mapping are in the row.
    var elementCount: Int { self.line == nil ? 1 : self.elements.count }

    func element(_ index: Int) -> JSONValue? { index < self.elements.count ? self.elements[index] : nil }
}

/// Finds the columns that a mapping names.
struct CSVColumnFinder {
    private let mapping: CSVMapping
    /// Places of the header's names, which are compared without regard to case and spaces around them.
    private let columns: [String: [Int]]

    init(_ mapping: CSVMapping, header: [String]) {
        self.mapping = mapping
        var columns: [String: [Int]] = [:]
        for (index, name) in header.enumerated() { columns[Self.normalised(name), default: []].append(index) }
        self.columns = columns
    }

    /// A header's name for comparison: ASCII letters in lower case, full-width forms as ASCII, no spaces around it.
    static func normalised(_ name: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in CSVText.trimmed(name).unicodeScalars {
            let narrow: Unicode.Scalar =
                (0xff01...0xff5e).contains(scalar.value) ? Unicode.Scalar(scalar.value - 0xfee0) ?? scalar : scalar
            let isUpper = ("A"..."Z").contains(narrow)
            scalars.append(isUpper ? Unicode.Scalar(narrow.value + 32) ?? narrow : narrow)
        }
        return String(scalars)
    }

    func field(_ column: CSVColumn, _ element: String) throws(CSVFault) -> CSVField {
        let place: CSVField.Place
        switch (column.source, self.mapping.layout) {
        case (.constant(let text), _): place = .constant(text)
        case (.column(let name), .table):
            guard let found = self.columns[Self.normalised(name)] else { throw CSVFault(.columnMissing, element) }
            guard found.count == 1 else { throw CSVFault(.columnAmbiguous, element) }
            place = .cell(found[0])
        case (.column(let name), .jsonLines(let results)):
            place = CSVMapping.elementKeys(name, results).map { .element($0) } ?? .line(name)
        }
        return CSVField(column, element: element, place: place, mapping: self.mapping)
    }

    func fields<Key>(_ columns: [Key: CSVColumn], _ path: String) throws(CSVFault) -> [Key: CSVField]
    where Key: RawRepresentable<String> & CaseIterable & Hashable {
        var fields: [Key: CSVField] = [:]
        for key in Key.allCases {
            guard let column = columns[key] else { continue }
            fields[key] = try self.field(column, "\(path).\(key.rawValue)")
        }
        return fields
    }
}
