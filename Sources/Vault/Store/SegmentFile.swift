internal import Primitives

/// Names and first bytes of segment files.
enum SegmentFile {
    private static let magic = Array("EVSEGM01".utf8)
    /// `magic8 ‖ number8 ‖ zeros12 ‖ CRC4`.
    static let headerBytes = 32
    /// Far above any segment that is written; offsets in it fit 32 bits.
    static let bytesMax: UInt64 = 1 << 31

    static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".seg"
    }

    /// The number in a segment's name, `nil` for any other name.
    static func number(ofName name: String) -> UInt64? {
        guard name.hasSuffix(".seg"), let number = UInt64(name.dropLast(4)), Self.name(number) == name else {
            return nil
        }
        return number
    }

    static func header(_ number: UInt64) -> [UInt8] {
        var bytes = Self.magic
        bytes.append(integer: number)
        bytes += [UInt8](repeating: 0, count: 12)
        bytes.append(integer: Checksum.crc32(bytes))
        return bytes
    }
}

/// The objects of one segment by address, with what a trailer says about them.
struct SegmentIndex: Sendable {
    private(set) var entries: [ContentAddress: FrameExtent] = [:]
    private(set) var contentBytes: UInt64 = 0
    var nextOwnSequence: UInt64 = 0

    struct FrameExtent: Hashable, Sendable {
        var offset: UInt32
        var length: UInt32
    }

    mutating func insert(_ address: ContentAddress, offset: UInt64, length: Int, bodyBytes: Int) {
        guard self.entries[address] == nil else { return }
        self.entries[address] = FrameExtent(offset: UInt32(offset), length: UInt32(length))
        self.contentBytes += UInt64(bodyBytes)
    }

    var sorted: [SegmentFooter.Entry] {
        self.entries.map { SegmentFooter.Entry(address: $0.key, offset: $0.value.offset, length: $0.value.length) }
            .sorted { $0.address < $1.address }
    }
}
