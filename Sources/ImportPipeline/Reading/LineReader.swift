import Formats

/// Reads a file line by line in memory that does not grow with it.
package struct LineReader {
    private static let chunkBytes = 1 << 20

    /// One line and where it stands.
    package struct Line {
        /// Without the line end; empty if the line is too long.
        package var bytes: [UInt8]
        /// Index of its first byte in the file.
        package var offset: Int64
        /// From 1.
        package var number: Int
        package var isTooLong: Bool
    }

    private let file: InputFile
    private let lineBytesMax: Int
    private var buffer: [UInt8] = []
    /// Index in the buffer of the first byte that was not given out.
    private var position = 0
    /// Where the buffer ends in the file.
    private var fileOffset: Int64
    private var number = 0
    private var isAtEnd = false

    /// Starts at a line that begins at `offset`.
    ///
    /// A line is one JSON text, and a whole Bundle may stand on one.
    package init(_ file: InputFile, from offset: Int64 = 0, lineBytesMax: Int = JSONLimits.standard.bytesMax) {
        self.file = file
        self.lineBytesMax = lineBytesMax
        self.fileOffset = offset
    }

    /// The next line, also if it is empty; `nil` after the last.
    package mutating func next() throws -> Line? {
        var scanned = self.position
        let offset = self.fileOffset - Int64(self.buffer.count - self.position)
        var isTooLong = false
        while true {
            if let end = self.buffer[scanned...].firstIndex(of: 0x0a) {
                return self.line(to: end, next: end + 1, offset, isTooLong)
            }
            if self.isAtEnd {
                guard self.position < self.buffer.count || isTooLong else { return nil }
                return self.line(to: self.buffer.count, next: self.buffer.count, offset, isTooLong)
            }
            if self.buffer.count - self.position > self.lineBytesMax {
                isTooLong = true
                self.position = self.buffer.count
            }
            try self.fill()
            scanned = self.buffer.count - self.lastRead
        }
    }

    private var lastRead = 0

    private mutating func fill() throws {
        self.buffer.removeFirst(self.position)
        self.position = 0
        let chunk = try self.file.read(at: self.fileOffset, count: Self.chunkBytes)
        self.isAtEnd = chunk.count < Self.chunkBytes
        self.fileOffset += Int64(chunk.count)
        self.lastRead = chunk.count
        self.buffer += chunk
    }

    private mutating func line(to end: Int, next: Int, _ offset: Int64, _ isTooLong: Bool) -> Line {
        self.number += 1
        let isTooLong = isTooLong || end - self.position > self.lineBytesMax
        let bytes = isTooLong ? [] : Array(self.buffer[self.position..<end])
        self.position = next
        return Line(bytes: bytes, offset: offset, number: self.number, isTooLong: isTooLong)
    }
}
