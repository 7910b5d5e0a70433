/// Reads a table row by row from chunks of bytes (RFC 4180), holding no more than one row and one chunk.
///
/// Rows end with CRLF, LF or CR. A cell that starts with a quote ends with one; a quote inside it is doubled, and it may
/// hold delimiters and line ends. Beyond the RFC, a quote inside a cell that does not start with one is a character like
/// any other: all readers agree on that, and none writes it otherwise.
///
/// A fault in the quoting refuses the line on which the row starts, and reading goes on with the next line. Until the
/// place where the fault showed is passed, no cell may hold a line end: one stray quote damages one row, not the rest of
/// the file, and no byte is scanned more than twice for it.
package struct CSVReader: Sendable {
    package let dialect: CSVDialect
    private let limits: CSVLimits
    private var buffer: [UInt8] = []
    /// Index in `buffer` of the next row's first byte.
    private var position = 0
    /// Index in the input of `buffer`'s first byte.
    private var base = 0
    private var line = 1
    private var isFinished = false
    /// Index in the input before which quoted cells may not hold line ends.
    private var singleLineEnd = 0
    /// Whether the rest of a line that is too long is being passed over.
    private var isSkippingLine = false
    /// Bytes that a row which is not whole must grow to before it is scanned again: all scans of it together cost a few
    /// times its length, however small the chunks are.
    private var waitsFor = 0
    /// Whether the byte order mark has been looked for.
    private var hasStarted: Bool

    /// `skipsMark` says whether the bytes are the start of a file, which may have a byte order mark.
    package init(_ dialect: CSVDialect, limits: CSVLimits = .standard, skipsMark: Bool = true) {
        self.dialect = dialect
        self.limits = limits
        self.hasStarted = !skipsMark
    }

    /// Takes the next bytes of the input.
    package mutating func append(_ chunk: ArraySlice<UInt8>) {
        if self.position > 0 {
            self.base += self.position
            self.buffer.removeSubrange(..<self.position)
            self.position = 0
        }
        self.buffer.append(contentsOf: chunk)
    }

    /// Says that the input has ended: what is left is the last row.
    package mutating func finish() { self.isFinished = true }

    /// The next row; `nil` until more bytes come or, after ``finish()``, at the end.
    package mutating func next() -> CSVRow? {
        if !self.hasStarted {
            guard self.buffer.count >= 3 || self.isFinished else { return nil }
            self.position = self.dialect.characterSet.markLength(of: self.buffer[...])
            self.hasStarted = true
        }
        if self.isSkippingLine, !self.skipLine() { return nil }
        let available = self.buffer.count - self.position
        guard available >= self.waitsFor || self.isFinished else { return nil }
        var scan = CSVRowScan(
            start: self.position,
            isFinished: self.isFinished,
            allowsLineEnds: self.base + self.position >= self.singleLineEnd
        )
        let outcome =
            self.dialect.unitBytes == 1
            ? scan.run(CSVByteUnits(self.dialect), self.buffer, self.limits)
            : scan.run(CSVWideUnits(self.dialect), self.buffer, self.limits)
        switch outcome {
        case .incomplete:
            self.waitsFor = available + available / 2 + 1
            return nil
        case .row: return self.take(scan.cells, to: scan.end, next: scan.next, lines: scan.lines, refusal: nil)
        case .fault(let refusal):
            self.singleLineEnd = max(self.singleLineEnd, self.base + scan.next)
            guard let first = scan.firstLine else {
                // The line does not end within what may be held.
                let row = self.take(scan.cells, to: scan.next, next: scan.next, lines: 0, refusal: refusal)
                self.isSkippingLine = true
                return row
            }
            // Cells before the fault may still say what the row belongs to.
            let cells = scan.cells.filter { self.position + Int($0.end) <= first.end }
            return self.take(cells, to: first.end, next: first.next, lines: 1, refusal: refusal)
        }
    }

    private mutating func take(
        _ cells: [CSVRow.Cell],
        to end: Int,
        next: Int,
        lines: Int,
        refusal: CSVRefusal?
    ) -> CSVRow {
        let row = CSVRow(
            bytes: self.buffer[self.position..<end],
            offset: self.base + self.position,
            line: self.line,
            cells: cells,
            refusal: refusal
        )
        self.position = next
        self.waitsFor = 0
        self.line += lines
        return row
    }

    /// Passes over the rest of a line; `false` until its end has come.
    private mutating func skipLine() -> Bool {
        var scan = CSVRowScan(start: self.position, isFinished: self.isFinished, allowsLineEnds: false)
        let end =
            self.dialect.unitBytes == 1
            ? scan.lineEnd(CSVByteUnits(self.dialect), self.buffer)
            : scan.lineEnd(CSVWideUnits(self.dialect), self.buffer)
        self.position = end ?? scan.next
        guard end != nil else { return false }
        self.line += 1
        self.isSkippingLine = false
        return true
    }
}
