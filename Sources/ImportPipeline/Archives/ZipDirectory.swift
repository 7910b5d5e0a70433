/// The central directory of a ZIP file (PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16), with ZIP64.
struct ZipDirectory {
    struct Entry {
        var name: String
        /// APPNOTE 4.4.5: 0 stored, 8 deflated; others are not read.
        var method: UInt16
        var isEncrypted: Bool
        var checksum: UInt32
        var compressedSize: Int64
        var size: Int64
        /// Of the local header.
        var offset: Int64
    }

    /// The end record is 22 bytes and a comment of at most 65,535.
    private static let endBytesMax = 22 + 65_535
    /// A million files is a large archive of images; names of them are held in memory.
    private static let entriesMax = 1 << 20
    private static let directoryBytesMax: Int64 = 256 << 20

    private(set) var entries: [Entry] = []

    init(_ file: InputFile) throws {
        let tailOffset = max(0, file.size - Int64(Self.endBytesMax))
        let tail = Fields(try file.read(at: tailOffset, count: Int(file.size - tailOffset)))
        guard let end = tail.lastIndex(ofSignature: 0x0605_4b50), end + 22 <= tail.count else { throw Self.damaged }
        var count = Int64(tail.u16(end + 10))
        var size = Int64(tail.u32(end + 12))
        var offset = Int64(tail.u32(end + 16))
        if count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff {
            // The ZIP64 locator stands right before the end record.
            guard end >= 20, tail.u32(end - 20) == 0x0706_4b50 else { throw Self.damaged }
            let place = tail.u64(end - 12)
            guard place <= UInt64(file.size) else { throw Self.damaged }
            let record = Fields(try file.read(at: Int64(place), count: 56))
            guard record.count == 56, record.u32(0) == 0x0606_4b50 else { throw Self.damaged }
            count = Int64(clamping: record.u64(32))
            size = Int64(clamping: record.u64(40))
            offset = Int64(clamping: record.u64(48))
        }
        guard count <= Self.entriesMax, size <= Self.directoryBytesMax else {
            throw FileRefusalError(.archiveTooLarge)
        }
        guard offset <= file.size, size <= file.size - offset else { throw Self.damaged }
        let directory = Fields(try file.read(at: offset, count: Int(size)))
        var position = 0
        for _ in 0..<count {
            guard position + 46 <= directory.count, directory.u32(position) == 0x0201_4b50 else { throw Self.damaged }
            let nameBytes = Int(directory.u16(position + 28))
            let extraBytes = Int(directory.u16(position + 30))
            let next = position + 46 + nameBytes + extraBytes + Int(directory.u16(position + 32))
            guard next <= directory.count else { throw Self.damaged }
            self.entries.append(Self.entry(directory, position, nameBytes, extraBytes))
            position = next
        }
    }

    private static func entry(_ fields: Fields, _ position: Int, _ nameBytes: Int, _ extraBytes: Int) -> Entry {
        let flags = fields.u16(position + 8)
        let nameStart = position + 46
        var entry = Entry(
            // Chinese Windows writes names in GBK without saying so; a name only tells entries apart here.
            name: String(decoding: fields.bytes[nameStart..<nameStart + nameBytes], as: UTF8.self),
            method: fields.u16(position + 10),
            // Bit 0: encrypted; bit 13: the directory is.
            isEncrypted: flags & 0x2001 != 0,
            checksum: fields.u32(position + 16),
            compressedSize: Int64(fields.u32(position + 20)),
            size: Int64(fields.u32(position + 24)),
            offset: Int64(fields.u32(position + 42))
        )
        // ZIP64 extended information (4.5.3): only what did not fit, in this order.
        var extra = nameStart + nameBytes
        let end = extra + extraBytes
        while extra + 4 <= end {
            let length = Int(fields.u16(extra + 2))
            let last = min(extra + 4 + length, end)
            if fields.u16(extra) == 1 {
                var field = extra + 4
                func take(_ value: inout Int64) {
                    guard value == 0xffff_ffff, field + 8 <= last else { return }
                    value = Int64(clamping: fields.u64(field))
                    field += 8
                }
                take(&entry.size)
                take(&entry.compressedSize)
                take(&entry.offset)
            }
            extra = last
        }
        return entry
    }

    /// Where an entry's data begins: the local header repeats the name and may have other extra fields (4.3.7).
    static func dataOffset(of entry: Entry, in file: InputFile) throws -> Int64 {
        guard entry.offset <= file.size - 30 else { throw Self.damaged }
        let header = Fields(try file.read(at: entry.offset, count: 30))
        guard header.count == 30, header.u32(0) == 0x0403_4b50 else { throw Self.damaged }
        let start = entry.offset + 30 + Int64(header.u16(26)) + Int64(header.u16(28))
        guard start <= file.size, entry.compressedSize <= file.size - start else { throw Self.damaged }
        return start
    }

    private static var damaged: FileRefusalError { FileRefusalError(.archiveDamaged) }

    /// Little-endian numbers in bytes; the callers check that they are there.
    private struct Fields {
        let bytes: [UInt8]
        var count: Int { self.bytes.count }

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func u16(_ at: Int) -> UInt16 { UInt16(self.bytes[at]) | UInt16(self.bytes[at + 1]) << 8 }
        func u32(_ at: Int) -> UInt32 { UInt32(self.u16(at)) | UInt32(self.u16(at + 2)) << 16 }
        func u64(_ at: Int) -> UInt64 { UInt64(self.u32(at)) | UInt64(self.u32(at + 4)) << 32 }

        func lastIndex(ofSignature signature: UInt32) -> Int? {
            stride(from: self.count - 22, through: 0, by: -1).first { self.u32($0) == signature }
        }
    }
}
