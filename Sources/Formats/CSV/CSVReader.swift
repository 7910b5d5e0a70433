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
        var scan = Scan(
            start: self.position,
            isFinished: self.isFinished,
            allowsLineEnds: self.base + self.position >= self.singleLineEnd
        )
        let outcome =
            self.dialect.unitBytes == 1
            ? scan.run(ByteUnits(self.dialect), self.buffer, self.limits)
            : scan.run(WideUnits(self.dialect), self.buffer, self.limits)
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
        var scan = Scan(start: self.position, isFinished: self.isFinished, allowsLineEnds: false)
        let end =
            self.dialect.unitBytes == 1
            ? scan.lineEnd(ByteUnits(self.dialect), self.buffer)
            : scan.lineEnd(WideUnits(self.dialect), self.buffer)
        self.position = end ?? scan.next
        guard end != nil else { return false }
        self.line += 1
        self.isSkippingLine = false
        return true
    }
}

/// Gives the code unit at a place of a buffer: a delimiter, quote or line end, or something else.
private protocol CodeUnits {
    var delimiter: UInt8 { get }
    var quote: UInt8? { get }
    var bytes: Int { get }
    /// The unit at `index`, 0xff for all that are not ASCII; and how many bytes it and what belongs to it take.
    func unit(_ buffer: Span<UInt8>, _ index: Int) -> (UInt8, Int)
}

private struct ByteUnits: CodeUnits {
    let dialect: CSVDialect
    let delimiter: UInt8
    let quote: UInt8?
    let hasLowTrailBytes: Bool
    var bytes: Int { 1 }

    init(_ dialect: CSVDialect) {
        self.dialect = dialect
        self.delimiter = dialect.delimiter.byte
        self.quote = dialect.quoting == .double ? UInt8(ascii: "\"") : nil
        // Of the bytes that matter only `|` may be the second half of a character.
        self.hasLowTrailBytes = dialect.hasLowTrailBytes && dialect.delimiter == .pipe
    }

    @inline(__always)
    func unit(_ buffer: Span<UInt8>, _ index: Int) -> (UInt8, Int) {
        let byte = buffer[index]
        guard byte >= 0x80, self.hasLowTrailBytes, self.dialect.isLead(byte), index + 1 < buffer.count,
            buffer[index + 1] >= 0x30
        else { return (byte, 1) }
        return (0xff, 2)
    }
}

private struct WideUnits: CodeUnits {
    let delimiter: UInt8
    let quote: UInt8?
    let isBigEndian: Bool
    var bytes: Int { 2 }

    init(_ dialect: CSVDialect) {
        self.delimiter = dialect.delimiter.byte
        self.quote = dialect.quoting == .double ? UInt8(ascii: "\"") : nil
        self.isBigEndian = dialect.characterSet == .utf16BigEndian
    }

    @inline(__always)
    func unit(_ buffer: Span<UInt8>, _ index: Int) -> (UInt8, Int) {
        // Half a unit at the very end is a character that does not decode.
        guard index + 1 < buffer.count else { return (0xff, 1) }
        let high = buffer[self.isBigEndian ? index : index + 1]
        return (high == 0 ? buffer[self.isBigEndian ? index + 1 : index] : 0xff, 2)
    }
}

/// The scan of one row from its start.
private struct Scan {
    enum Outcome {
        case row
        case incomplete
        case fault(CSVRefusal)
    }

    let start: Int
    let isFinished: Bool
    let allowsLineEnds: Bool
    var cells: [CSVRow.Cell] = []
    /// One past the row's last byte, without the line end.
    var end = 0
    /// The next row's first byte; after a fault, where it showed.
    var next: Int
    /// Lines that the row takes.
    var lines = 0
    /// The end of the first line and the start of the second.
    var firstLine: (end: Int, next: Int)?
    private var cellStart: Int

    init(start: Int, isFinished: Bool, allowsLineEnds: Bool) {
        self.start = start
        self.next = start
        self.cellStart = start
        self.isFinished = isFinished
        self.allowsLineEnds = allowsLineEnds
    }

    @inline(__always)
    mutating func run(_ units: some CodeUnits, _ buffer: [UInt8], _ limits: CSVLimits) -> Outcome {
        let input = buffer.span
        let stop = min(input.count, self.start + limits.rowBytesMax)
        self.cells.reserveCapacity(16)
        guard self.start < input.count else { return .incomplete }
        while true {
            if let refusal = self.cell(units, input, stop) {
                return self.fault(refusal, units, input, stop, limits)
            }
            guard self.next < stop else {
                guard self.next == input.count, self.isFinished else {
                    let isFull = stop - self.start == limits.rowBytesMax
                    return isFull ? self.fault(.rowTooLarge, units, input, stop, limits) : .incomplete
                }
                self.end = self.next
                self.lines += 1
                return .row
            }
            let (unit, count) = units.unit(input, self.next)
            if unit == units.delimiter {
                guard self.cells.count < limits.columnsMax else {
                    return self.fault(.tooManyColumns, units, input, stop, limits)
                }
                self.next += count
                self.cellStart = self.next
                // A delimiter at the end of the input is followed by an empty cell.
                continue
            }
            guard let after = self.afterLineEnd(units, input, at: self.next) else { return .incomplete }
            self.end = self.next
            self.next = after
            self.lines += 1
            return .row
        }
    }

    /// Scans one cell up to the delimiter or line end after it, or to `stop`.
    @inline(__always)
    private mutating func cell(_ units: some CodeUnits, _ input: Span<UInt8>, _ stop: Int) -> CSVRefusal? {
        var index = self.cellStart
        if let quote = units.quote, index < stop, units.unit(input, index).0 == quote {
            return self.quotedCell(units, quote, input, stop)
        }
        while index < stop {
            let (unit, count) = units.unit(input, index)
            if unit == units.delimiter || unit == 0x0a || unit == 0x0d { break }
            index += count
        }
        self.next = min(index, stop)
        self.append(from: self.cellStart, to: self.next, hasDoubledQuotes: false)
        return nil
    }

    @inline(never)
    private mutating func quotedCell(
        _ units: some CodeUnits,
        _ quote: UInt8,
        _ input: Span<UInt8>,
        _ stop: Int
    ) -> CSVRefusal? {
        let content = self.cellStart + units.bytes
        var index = content
        var hasDoubledQuotes = false
        while index < stop {
            let (unit, count) = units.unit(input, index)
            if unit == quote {
                let after = index + count
                guard after < stop else {
                    self.next = after
                    self.append(from: content, to: index, hasDoubledQuotes: hasDoubledQuotes)
                    return nil
                }
                let follower = units.unit(input, after).0
                if follower == quote {
                    hasDoubledQuotes = true
                    index = after + count
                    continue
                }
                self.next = after
                guard follower == units.delimiter || follower == 0x0a || follower == 0x0d else { return .badQuote }
                self.append(from: content, to: index, hasDoubledQuotes: hasDoubledQuotes)
                return nil
            }
            if unit == 0x0a || unit == 0x0d {
                guard let after = self.afterLineEnd(units, input, at: index) else {
                    self.next = stop
                    return .unclosedQuote
                }
                self.next = index
                if self.firstLine == nil { self.firstLine = (index, after) }
                guard self.allowsLineEnds else { return .unclosedQuote }
                self.lines += 1
                index = after
                continue
            }
            index += count
        }
        self.next = min(index, stop)
        return .unclosedQuote
    }

    private mutating func append(from start: Int, to end: Int, hasDoubledQuotes: Bool) {
        self.cells.append(
            CSVRow.Cell(
                start: UInt32(start - self.start),
                end: UInt32(end - self.start),
                hasDoubledQuotes: hasDoubledQuotes
            )
        )
    }

    /// Turns a fault into an outcome: more bytes may still mend a quoted cell, or are needed to find the line's end.
    private mutating func fault(
        _ refusal: CSVRefusal,
        _ units: some CodeUnits,
        _ input: Span<UInt8>,
        _ stop: Int,
        _ limits: CSVLimits
    ) -> Outcome {
        let limit = self.start + limits.rowBytesMax
        // More bytes may still close the quote.
        if refusal == .unclosedQuote, self.next >= stop, input.count < limit, !self.isFinished { return .incomplete }
        guard self.firstLine == nil else { return .fault(refusal) }
        let shown = self.next
        guard let after = self.lineEnd(units, input) else {
            self.next = min(max(shown, self.next), input.count)
            return input.count < limit && !self.isFinished ? .incomplete : .fault(refusal)
        }
        self.firstLine = (self.next, after)
        self.next = max(shown, after)
        return .fault(refusal)
    }

    /// Finds the next line end from `next` on, which it moves there; `nil` if none is in `buffer`.
    mutating func lineEnd(_ units: some CodeUnits, _ buffer: [UInt8]) -> Int? { self.lineEnd(units, buffer.span) }

    @inline(__always)
    private mutating func lineEnd(_ units: some CodeUnits, _ input: Span<UInt8>) -> Int? {
        var index = self.next
        while index < input.count {
            let (unit, count) = units.unit(input, index)
            if unit == 0x0a || unit == 0x0d {
                self.next = index
                return self.afterLineEnd(units, input, at: index)
            }
            index += count
        }
        self.next = min(index, input.count)
        return self.isFinished ? self.next : nil
    }

    /// The byte after the line end at `index`; `nil` if what comes next must be known first.
    @inline(__always)
    private func afterLineEnd(_ units: some CodeUnits, _ input: Span<UInt8>, at index: Int) -> Int? {
        let (unit, count) = units.unit(input, index)
        let after = index + count
        guard unit == 0x0d else { return after }
        guard after + units.bytes <= input.count else { return self.isFinished ? after : nil }
        let (follower, followerCount) = units.unit(input, after)
        return follower == 0x0a ? after + followerCount : after
    }
}
