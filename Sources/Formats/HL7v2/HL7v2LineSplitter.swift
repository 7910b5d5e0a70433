import Records

/// Cuts lines into messages and checks the envelopes around them.
struct HL7v2LineSplitter: Sendable {
    typealias Piece = HL7v2MessageSplitter.Piece

    private enum Unit: Sendable {
        case message
        /// A message that is too large; its bytes are not kept.
        case discarded
        case envelope(HL7v2SegmentID)
        /// Lines outside of messages.
        case outside(hasText: Bool)
    }

    private let encoding: CharacterSet?
    private let width: Int
    private var buffer: [UInt8] = []
    /// Index in `buffer` of the next byte to look at.
    private var index = 0
    /// Where the current unit begins in `buffer`.
    private var unitStart = 0
    private var unit = Unit.outside(hasText: false)
    private var unitLine: Int
    /// Bytes of the current unit that are no longer in `buffer`.
    private var dropped = 0
    private var isAtLineStart = true
    private var lastWasCarriageReturn = false
    /// Index in the input of the buffer's first byte.
    private var offset: Int
    /// Line of the input that `index` is on, from 1.
    private(set) var line: Int
    private var envelope = HL7v2Envelope()

    /// Looks at the stream's first bytes, at least eight if it has as many, without taking them.
    init(startingWith first: ArraySlice<UInt8>, offset: Int, line: Int) {
        self.encoding = HL7v2CharacterSet.utf16(first)
        self.width = self.encoding == nil ? 1 : 2
        self.offset = offset
        self.line = line
        self.unitLine = line
        let mark = (self.encoding ?? .utf8).markLength(of: first)
        (self.index, self.unitStart) = (mark, mark)
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) -> [Piece] {
        self.buffer += bytes
        var pieces: [Piece] = []
        self.scan(isEnd: false, &pieces)
        self.compact()
        return pieces
    }

    mutating func finish() -> [Piece] {
        var pieces: [Piece] = []
        self.scan(isEnd: true, &pieces)
        self.close(at: self.buffer.count, &pieces)
        if self.envelope.isOpen {
            let end = self.offset + self.buffer.count
            pieces.append(self.refused(.batchOpen, end..<end, line: self.line))
        }
        return pieces
    }

    // MARK: Scanning

    private mutating func scan(isEnd: Bool, _ pieces: inout [Piece]) {
        while self.index + self.width <= self.buffer.count {
            if self.isAtLineStart {
                // A name and its separator.
                guard isEnd || self.index + 4 * self.width <= self.buffer.count else { return }
                if !self.isBreak(self.index) {
                    self.isAtLineStart = false
                    self.beginLine(&pieces)
                }
            }
            self.skipLine()
            guard self.index + self.width <= self.buffer.count else { break }
            let isCarriageReturn = self.character(self.index) == 0x0d
            if isCarriageReturn || !self.lastWasCarriageReturn { self.line += 1 }
            self.lastWasCarriageReturn = isCarriageReturn
            self.isAtLineStart = true
            self.index += self.width
        }
        self.limit(&pieces)
    }

    /// Goes to the next line break or the end.
    private mutating func skipLine() {
        var index = self.index
        if self.width == 1 {
            while index < self.buffer.count, self.buffer[index] != 0x0d, self.buffer[index] != 0x0a { index += 1 }
        } else {
            while index + 1 < self.buffer.count, !self.isBreak(index) { index += 2 }
        }
        if index > self.index { self.lastWasCarriageReturn = false }
        self.index = index
    }

    private func isBreak(_ index: Int) -> Bool {
        let character = self.character(index)
        return character == 0x0d || character == 0x0a
    }

    /// The character at `index` if it is ASCII, else 0xff.
    private func character(_ index: Int) -> UInt8 {
        switch self.encoding {
        case nil: self.buffer[index]
        case .utf16BigEndian: self.buffer[index] == 0 ? self.buffer[index + 1] : 0xff
        default: self.buffer[index + 1] == 0 ? self.buffer[index] : 0xff
        }
    }

    private mutating func beginLine(_ pieces: inout [Piece]) {
        var start: [UInt8] = []
        for place in stride(from: self.index, to: min(self.index + 4 * self.width, self.buffer.count), by: self.width)
        where place + self.width <= self.buffer.count {
            start.append(self.character(place))
        }
        let id = HL7v2SegmentID(start[...])
        let hasSeparator = start.count == 4 && HL7v2Delimiters.isAllowed(start[3])
        switch id {
        case "MSH"? where hasSeparator:
            self.close(at: self.index, &pieces)
            self.unit = .message
            self.envelope.messageBegan()
        case let id? where id == "FHS" || id == "BHS" || id == "BTS" || id == "FTS":
            // A trailer may have no field.
            let isBare = (id == "BTS" || id == "FTS") && (start.count < 4 || start[3] < 0x20)
            guard hasSeparator || isBare else { return self.continueUnit(start, &pieces) }
            self.close(at: self.index, &pieces)
            self.unit = .envelope(id)
        default: self.continueUnit(start, &pieces)
        }
    }

    private mutating func continueUnit(_ start: [UInt8], _ pieces: inout [Piece]) {
        switch self.unit {
        case .message, .discarded: break
        case .envelope:
            self.close(at: self.index, &pieces)
            self.unit = .outside(hasText: Self.hasText(start))
        case .outside(let hasText): self.unit = .outside(hasText: hasText || Self.hasText(start))
        }
    }

    /// A line of spaces or with an end-of-file character says nothing.
    private static func hasText(_ start: [UInt8]) -> Bool {
        !start.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x1a }
    }

    // MARK: Units

    /// Ends the current unit before `end` and begins another there.
    private mutating func close(at end: Int, _ pieces: inout [Piece]) {
        let bytes = self.buffer[min(self.unitStart, end)..<end]
        let start = self.offset + self.unitStart - self.dropped
        let range = start..<max(start, self.offset + end)
        switch self.unit {
        case .message: pieces.append(.message(HL7v2RawMessage(Array(bytes), offset: start, line: self.unitLine)))
        case .discarded: pieces.append(self.refused(.tooLarge, range, line: self.unitLine))
        case .outside(let hasText):
            if hasText { pieces.append(self.refused(.noHeader, range, line: self.unitLine)) }
        case .envelope(let id):
            if let refusal = self.envelope.take(id, count: self.count(bytes)) {
                pieces.append(self.refused(refusal, range, line: self.unitLine))
            }
        }
        (self.unitStart, self.dropped) = (end, 0)
        (self.unit, self.unitLine) = (.outside(hasText: false), self.line)
    }

    /// The first field of a trailer, if it is a number.
    private func count(_ bytes: ArraySlice<UInt8>) -> Int? {
        let characters = stride(from: bytes.startIndex, to: min(bytes.endIndex, bytes.startIndex + 64), by: self.width)
            .filter { $0 + self.width <= bytes.endIndex }.map { self.character($0) }
        guard characters.count > 4 else { return nil }
        let digits = characters[4...].prefix { JSONReader.isDigit($0) }
        return digits.count <= 9 ? Int(String(decoding: digits, as: UTF8.self)) : -1
    }

    private func refused(_ refusal: HL7v2Refusal, _ range: Range<Int>, line: Int) -> Piece {
        .refused(RefusedPiece(FormatRefusal(refusal), offset: range.lowerBound, range: range), line: line)
    }

    // MARK: Memory

    /// Gives up a message that is too large.
    private mutating func limit(_ pieces: inout [Piece]) {
        switch self.unit {
        case .message where self.index - self.unitStart > HL7v2Limits.messageBytesMax: self.unit = .discarded
        // No header or trailer is longer than its few names.
        case .envelope where self.index - self.unitStart > 1 << 16: self.unit = .outside(hasText: true)
        default: break
        }
    }

    /// Drops the bytes that are no longer needed.
    private mutating func compact() {
        switch self.unit {
        case .message, .envelope: self.drop(self.unitStart)
        case .discarded, .outside:
            // Of what is refused only the place is kept.
            self.dropped += self.index - self.unitStart
            self.unitStart = self.index
            self.drop(self.index)
        }
    }

    private mutating func drop(_ count: Int) {
        guard count > 0 else { return }
        self.buffer.removeFirst(count)
        self.offset += count
        self.index -= count
        self.unitStart -= count
    }
}
