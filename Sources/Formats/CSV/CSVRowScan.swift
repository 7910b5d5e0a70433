/// Gives the code unit at a place of a buffer: a delimiter, quote or line end, or something else.
protocol CSVCodeUnits {
    var delimiter: UInt8 { get }
    var quote: UInt8? { get }
    var bytes: Int { get }
    /// The unit at `index`, 0xff for all that are not ASCII; and how many bytes it and what belongs to it take.
    func unit(_ buffer: Span<UInt8>, _ index: Int) -> (UInt8, Int)
}

struct CSVByteUnits: CSVCodeUnits {
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

struct CSVWideUnits: CSVCodeUnits {
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
struct CSVRowScan {
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
    mutating func run(_ units: some CSVCodeUnits, _ buffer: [UInt8], _ limits: CSVLimits) -> Outcome {
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
    private mutating func cell(_ units: some CSVCodeUnits, _ input: Span<UInt8>, _ stop: Int) -> CSVRefusal? {
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
        _ units: some CSVCodeUnits,
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
        _ units: some CSVCodeUnits,
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
    mutating func lineEnd(_ units: some CSVCodeUnits, _ buffer: [UInt8]) -> Int? { self.lineEnd(units, buffer.span) }

    @inline(__always)
    private mutating func lineEnd(_ units: some CSVCodeUnits, _ input: Span<UInt8>) -> Int? {
        var index = self.next
        // Half a unit waits for its other half: a reader that took it would be off by one from there on.
        while index + units.bytes <= input.count {
            let (unit, count) = units.unit(input, index)
            if unit == 0x0a || unit == 0x0d {
                self.next = index
                return self.afterLineEnd(units, input, at: index)
            }
            index += count
        }
        self.next = self.isFinished ? input.count : min(index, input.count)
        return self.isFinished ? self.next : nil
    }

    /// The byte after the line end at `index`; `nil` if what comes next must be known first.
    @inline(__always)
    private func afterLineEnd(_ units: some CSVCodeUnits, _ input: Span<UInt8>, at index: Int) -> Int? {
        let (unit, count) = units.unit(input, index)
        let after = index + count
        guard unit == 0x0d else { return after }
        guard after + units.bytes <= input.count else { return self.isFinished ? after : nil }
        let (follower, followerCount) = units.unit(input, after)
        return follower == 0x0a ? after + followerCount : after
    }
}
