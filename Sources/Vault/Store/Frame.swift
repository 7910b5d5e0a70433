internal import Primitives
internal import Records

/// One object as it lies in a segment (Documentation/Protocol/VaultFiles.md):
/// `magic4 ‖ version1 ‖ kind1 ‖ flags1 ‖ headerLength1 ‖ bodyLength4 ‖ headerCRC4 ‖ header ‖ body ‖ frameCRC4`.
enum Frame {
    static let magic = Array("EFRM".utf8)
    static let version: UInt8 = 1
    static let prefixBytes = 16
    /// A canonical ``ObjectHeader`` has at most 76 bytes; the rest is room for a later version's fields.
    static let headerBytesMax = 96
    private static let checksumBytes = 4

    /// Largest frame.
    static let bytesMax = prefixBytes + headerBytesMax + SealedObject.bodyBytesMax + checksumBytes

    /// What the first bytes of a frame say, after their own checksum has been verified.
    struct Prefix: Hashable {
        var kind: UInt8
        var headerLength: Int
        var bodyLength: Int

        var frameBytes: Int { Frame.prefixBytes + self.headerLength + self.bodyLength + Frame.checksumBytes }
    }

    static func append(_ object: SealedObject, to bytes: inout [UInt8]) {
        let header = object.header.canonicalBytes
        precondition(header.count <= Self.headerBytesMax, "a header fits its frame")
        precondition(object.body.count <= SealedObject.bodyBytesMax, "a body is bounded")
        let start = bytes.count
        bytes += Self.magic
        bytes += [Self.version, object.header.kind.rawValue, 0, UInt8(header.count)]
        bytes.append(integer: UInt32(object.body.count))
        bytes.append(integer: Checksum.crc32(bytes[start...] + header))
        bytes += header
        bytes += object.body
        bytes.append(integer: Checksum.crc32(bytes[start...]))
    }

    static func byteCount(_ object: SealedObject) -> Int {
        Self.prefixBytes + object.header.canonicalBytes.count + object.body.count + Self.checksumBytes
    }

    /// Reads the prefix of the frame at the start of `bytes`, which must reach to the end of the frame's header.
    ///
    /// Returns `nil` if no intact frame starts here.
    static func prefix(of bytes: ArraySlice<UInt8>) -> Prefix? {
        guard bytes.count >= Self.prefixBytes, bytes.starts(with: Self.magic) else { return nil }
        let start = bytes.startIndex
        let prefix = Prefix(
            kind: bytes[start + 5],
            headerLength: Int(bytes[start + 7]),
            bodyLength: Int(bytes.integer(at: 8, as: UInt32.self))
        )
        guard bytes[start + 4] == Self.version, bytes[start + 6] == 0, prefix.headerLength <= Self.headerBytesMax,
            prefix.bodyLength <= SealedObject.bodyBytesMax, bytes.count >= Self.prefixBytes + prefix.headerLength
        else { return nil }
        let header = start + Self.prefixBytes
        let covered = bytes[start..<start + 12] + bytes[header..<header + prefix.headerLength]
        guard Checksum.crc32(covered) == bytes.integer(at: 12, as: UInt32.self) else { return nil }
        return prefix
    }

    /// The object in a whole frame, its address computed anew; `nil` if any byte of the frame is not as written.
    static func object(in frame: ArraySlice<UInt8>) -> SealedObject? {
        guard let prefix = Self.prefix(of: frame), frame.count == prefix.frameBytes else { return nil }
        let end = frame.endIndex - Self.checksumBytes
        guard Checksum.crc32(frame[..<end]) == frame.integer(at: frame.count - Self.checksumBytes, as: UInt32.self)
        else { return nil }
        let body = frame.startIndex + Self.prefixBytes + prefix.headerLength
        let headerBytes = Array(frame[(frame.startIndex + Self.prefixBytes)..<body])
        guard let header = try? ObjectHeader(canonicalBytes: headerBytes), header.kind.rawValue == prefix.kind else {
            return nil
        }
        return SealedObject(header: header, body: Array(frame[body..<end]))
    }
}

/// Where a frame lies.
struct FrameLocation: Hashable, Sendable {
    var segment: UInt64
    var offset: UInt32
    var length: UInt32
}
