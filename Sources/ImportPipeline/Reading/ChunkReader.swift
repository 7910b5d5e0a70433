/// Reads a file in order, a piece at a time, in memory that does not grow with it.
struct ChunkReader {
    static let chunkBytes = 1 << 20

    private let file: InputFile
    /// Bytes of the file that were given.
    private(set) var offset: Int64 = 0
    /// Whether the last piece was given.
    private(set) var isAtEnd = false

    init(_ file: InputFile) { self.file = file }

    /// The next piece, of which the last may be empty; `nil` after it.
    mutating func next() throws -> [UInt8]? {
        guard !self.isAtEnd else { return nil }
        let bytes = try self.file.read(at: self.offset, count: Self.chunkBytes)
        self.offset += Int64(bytes.count)
        self.isAtEnd = bytes.count < Self.chunkBytes
        return bytes
    }
}
