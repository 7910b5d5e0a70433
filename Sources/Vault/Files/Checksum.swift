internal import CZlib

/// CRC-32 (ISO 3309, zlib).
///
/// Tells torn writes from whole ones; never proof that bytes are the author's.
enum Checksum {
    static func crc32(_ bytes: some Collection<UInt8>) -> UInt32 {
        let whole = bytes.withContiguousStorageIfAvailable { Self.crc32($0) }
        return whole ?? Array(bytes).withUnsafeBufferPointer { Self.crc32($0) }
    }

    private static func crc32(_ buffer: UnsafeBufferPointer<UInt8>) -> UInt32 {
        UInt32(truncatingIfNeeded: CZlib.crc32_z(0, buffer.baseAddress, buffer.count))
    }
}

extension Array where Element == UInt8 {
    /// Appends a little-endian number.
    mutating func append(integer value: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            self.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}

extension Collection where Element == UInt8, Index == Int {
    /// The little-endian number at `offset` from the start.
    func integer<Integer: FixedWidthInteger & UnsignedInteger>(
        at offset: Int,
        as _: Integer.Type = Integer.self
    )
        -> Integer
    {
        var value: Integer = 0
        for index in 0..<(Integer.bitWidth / 8) {
            value |= Integer(self[self.startIndex + offset + index]) << Integer(8 * index)
        }
        return value
    }
}
