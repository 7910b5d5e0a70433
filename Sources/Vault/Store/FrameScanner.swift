internal import Records

/// Reads the frames of a segment in order, steps over damage and finds the frames behind it.
///
/// A damaged frame whose own prefix is intact is stepped over as a whole: its body is some peer's bytes and may hold
/// anything, also what looks like frames. Only where the prefix is damaged is the next frame searched for byte by byte.
struct FrameScanner {
    enum Step {
        case frame(SealedObject, offset: UInt64, length: Int)
        /// Bytes that are no intact frame.
        case damage(Range<UInt64>)
        /// A footer starts here.
        case footer(offset: UInt64)
    }

    /// Read at a time: large against a frame, small against memory.
    private static let windowBytes = 1 << 20
    private static let prefixBytesMax = Frame.prefixBytes + Frame.headerBytesMax

    private let file: any OpenFile
    private let end: UInt64
    private(set) var position: UInt64
    private var window: [UInt8] = []
    private var windowStart: UInt64 = 0

    init(_ file: any OpenFile, from position: UInt64, to end: UInt64) {
        self.file = file
        self.position = position
        self.end = end
    }

    /// The next frame or the next stretch of damage; `nil` at the end.
    mutating func next() throws(FileError) -> Step? {
        guard self.position < self.end else { return nil }
        let start = self.position
        let head = try self.bytes(at: start, count: Self.prefixBytesMax)
        if head.starts(with: SegmentFooter.magic) { return .footer(offset: start) }
        if let length = try self.intactFrame(at: start, head) {
            self.position = start + UInt64(length)
            guard let object = Frame.object(in: try self.bytes(at: start, count: length)) else {
                return .damage(start..<self.position)
            }
            return .frame(object, offset: start, length: length)
        }
        try self.findNext(after: start)
        return .damage(start..<self.position)
    }

    /// The length that an intact prefix at `offset` states, cut at the end of the file.
    private func intactFrame(at offset: UInt64, _ head: ArraySlice<UInt8>) throws(FileError) -> Int? {
        guard let prefix = Frame.prefix(of: head) else { return nil }
        return Int(min(UInt64(prefix.frameBytes), self.end - offset))
    }

    /// Moves to the next intact prefix or footer behind `start`, or to the end.
    private mutating func findNext(after start: UInt64) throws(FileError) {
        var offset = start + 1
        while offset < self.end {
            let block = try self.bytes(at: offset, count: Self.windowBytes / 2)
            guard let found = Self.firstMagic(in: block) else {
                // The last bytes may hold the beginning of a magic.
                offset += UInt64(max(block.count - 3, 1))
                continue
            }
            offset += UInt64(found)
            let head = try self.bytes(at: offset, count: Self.prefixBytesMax)
            if head.starts(with: SegmentFooter.magic) || Frame.prefix(of: head) != nil { break }
            offset += 1
        }
        self.position = min(offset, self.end)
    }

    private static func firstMagic(in block: ArraySlice<UInt8>) -> Int? {
        block.withUnsafeBufferPointer { bytes in
            guard bytes.count >= 4 else { return nil }
            return (0...bytes.count - 4).first { index in
                guard bytes[index] == UInt8(ascii: "E") else { return false }
                let word = bytes[index..<index + 4]
                return word.elementsEqual(Frame.magic) || word.elementsEqual(SegmentFooter.magic)
            }
        }
    }

    /// Bytes from the window, which moves or grows when they are not in it; fewer at the end of the file.
    private mutating func bytes(at offset: UInt64, count: Int) throws(FileError) -> ArraySlice<UInt8> {
        let count = Int(min(UInt64(count), self.end - offset))
        let windowEnd = self.windowStart + UInt64(self.window.count)
        if offset < self.windowStart || offset + UInt64(count) > windowEnd {
            let wanted = Int(min(UInt64(max(count, Self.windowBytes)), self.end - offset))
            self.window = try self.file.read(at: offset, count: wanted)
            self.windowStart = offset
        }
        let first = Int(offset - self.windowStart)
        return self.window[first..<min(first + count, self.window.count)]
    }
}
