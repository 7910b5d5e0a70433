/// One row of a table as it stands in the file.
///
/// Shares its memory with the reader that gave it: keep ``bytes`` as an array of its own if the row is to stay.
package struct CSVRow: Sendable {
    /// Where a cell's text stands in ``CSVRow/bytes``, without the quotes around it.
    struct Cell: Hashable, Sendable {
        var start: UInt32
        var end: UInt32
        /// Whether quotes inside are doubled.
        var hasDoubledQuotes: Bool
    }

    /// The row without its line end.
    package let bytes: ArraySlice<UInt8>
    /// Index in the input of its first byte.
    package let offset: Int
    /// Number of the line on which it starts, from 1.
    package let line: Int
    let cells: [Cell]
    /// Why the row cannot be read; then it has only the cells before the fault.
    package let refusal: CSVRefusal?

    package var cellCount: Int { self.cells.count }

    /// Whether no cell holds anything: a line that is empty, or has nothing but delimiters and spaces.
    func isBlank(_ dialect: CSVDialect) -> Bool {
        self.refusal == nil
            && self.cells.allSatisfy { cell in
                // Half of a UTF-16 space is a zero byte; elsewhere a zero byte is damage and not blank.
                self.raw(cell).allSatisfy { $0 == 0x20 || $0 == 0x09 || ($0 == 0 && dialect.unitBytes == 2) }
            }
    }

    /// The bytes of a cell, without the quotes around it; quotes inside are still doubled.
    func raw(_ cell: Cell) -> ArraySlice<UInt8> {
        self.bytes[self.bytes.startIndex + Int(cell.start)..<self.bytes.startIndex + Int(cell.end)]
    }
}

/// What a table may cost its reader.
package struct CSVLimits: Hashable, Sendable {
    /// A row with a scanned report in it has some hundred kilobytes; no laboratory row has more than this.
    package var rowBytesMax = 1 << 20
    /// The widest export seen has 2,011 columns.
    package var columnsMax = 4096

    package static let standard = CSVLimits()

    package init() {}
}
