package import Primitives

extension VoteLog {
    /// What must be durable before a vote is sent: the vote itself, the block it covers, the certificate it relies on.
    package struct Record: Hashable, Sendable {
        package var epoch: Epoch
        /// What `payload` is, as consensus numbers it.
        package var kind: UInt8
        package var view: View
        package var payload: [UInt8]

        package init(epoch: Epoch, kind: UInt8, view: View, payload: [UInt8]) {
            self.epoch = epoch
            self.kind = kind
            self.view = view
            self.payload = payload
        }
    }
}

/// The bytes of a vote log.
///
/// ```
/// file   = header frame* zeros
/// header = "ENTVOTE1" ‖ first sequence u64 ‖ CRC-32C of the 16 bytes before u32
/// frame  = length u32 ‖ checksum u32 ‖ sequence u64 ‖ records (length bytes) ‖ checksum u32 ‖ length u32 ‖ 0xA5
/// record = epoch u64 ‖ kind u8 ‖ view u64 ‖ payload (ULEB128 length, bytes)
/// ```
/// Integers are little-endian. A frame is what one `append` made durable; its checksum covers sequence, length and
/// records. Sequence numbers count up from a random first one, so that bytes of a proposal, which end up in the log,
/// cannot pose as a frame.
///
/// After a crash only the frame being written may be incomplete, and it was never acknowledged. Everything else that
/// does not read is damage. The closing copy of checksum and length tells them apart for the last frame: a frame that
/// is closed, without a sector missing inside, had been written whole.
struct VoteLogFile {
    static let magic = Array("ENTVOTE1".utf8)
    static let headerBytes = 20
    /// Length, checksum and sequence in front; checksum, length and mark behind.
    static let frameOverheadBytes = 16 + 9
    /// One proposal with everything around it is far below this.
    static let frameBytesMax = 64 << 20
    private static let closingMark: UInt8 = 0xA5
    /// What disks and file systems write whole.
    private static let sectorBytes = 512

    private(set) var frames: [[VoteLog.Record]] = []
    /// Where the next frame goes.
    private(set) var end = VoteLogFile.headerBytes
    private(set) var nextSequence: UInt64
    /// Where the bytes of a torn frame end; equal to `end` if none is torn.
    private(set) var tornEnd: Int

    /// Reads a whole log.
    ///
    /// - Throws: `voteLogDamaged` if anything but an unacknowledged tail does not read.
    init(_ bytes: [UInt8]) throws(LedgerStoreError) {
        guard let first = Self.firstSequence(bytes) else { throw Self.damaged }
        self.nextSequence = first
        self.tornEnd = self.end
        while let frame = Self.frame(bytes, at: self.end, sequence: self.nextSequence) {
            do {
                self.frames.append(try Self.records(Array(bytes[frame.payload])))
            } catch {
                throw Self.damaged
            }
            self.end = frame.end
            self.nextSequence &+= 1
        }
        let tail = self.end..<max(self.end, (bytes.lastIndex { $0 != 0 } ?? 0) + 1)
        self.tornEnd = self.end
        guard !tail.isEmpty else { return }
        guard !Self.isClosed(bytes, tail), !self.isFollowed(bytes, tail) else { throw Self.damaged }
        self.tornEnd = tail.upperBound
    }

    static func header(firstSequence: UInt64) -> [UInt8] {
        var encoder = CanonicalEncoder()
        encoder.encode(fixed: Self.magic)
        encoder.encode(firstSequence)
        var checksum = Checksum()
        checksum.update(encoder.bytes)
        encoder.encode(checksum.value)
        return encoder.bytes
    }

    static func frame(_ records: [VoteLog.Record], sequence: UInt64) throws(LedgerStoreError) -> [UInt8] {
        var payload = CanonicalEncoder()
        for record in records {
            payload.encode(record.epoch)
            payload.encode(record.kind)
            payload.encode(record.view)
            payload.encode(bytes: record.payload)
        }
        guard payload.bytes.count <= Self.frameBytesMax else {
            throw LedgerStoreError(.outOfRange, "a group of votes is larger than the vote log takes")
        }
        let length = UInt32(payload.bytes.count)
        let checksum = Self.checksum(payload.bytes[...], length: length, sequence: sequence)
        var frame = CanonicalEncoder(reservingCapacity: payload.bytes.count + Self.frameOverheadBytes)
        frame.encode(length)
        frame.encode(checksum)
        frame.encode(sequence)
        frame.encode(fixed: payload.bytes)
        frame.encode(checksum)
        frame.encode(length)
        frame.encode(Self.closingMark)
        return frame.bytes
    }

    private static let damaged = LedgerStoreError(
        .voteLogDamaged,
        "the vote log is damaged before its end; the agent must not vote again in this epoch with this key"
    )

    private static func firstSequence(_ bytes: [UInt8]) -> UInt64? {
        guard bytes.count >= Self.headerBytes else { return nil }
        let sequence = Self.integer(bytes, at: 8, UInt64.self)
        return Array(bytes[..<Self.headerBytes]) == Self.header(firstSequence: sequence) ? sequence : nil
    }

    /// The frame at `position`, if there is a whole one with this sequence number.
    private static func frame(
        _ bytes: [UInt8],
        at position: Int,
        sequence: UInt64
    ) -> (payload: Range<Int>, end: Int)? {
        guard position + Self.frameOverheadBytes <= bytes.count,
            Self.integer(bytes, at: position + 8, UInt64.self) == sequence
        else { return nil }
        let length = Self.integer(bytes, at: position, UInt32.self)
        guard Int(length) <= min(bytes.count - position - Self.frameOverheadBytes, Self.frameBytesMax) else {
            return nil
        }
        let payload = position + 16..<position + 16 + Int(length)
        let checksum = Self.checksum(bytes[payload], length: length, sequence: sequence)
        guard checksum == Self.integer(bytes, at: position + 4, UInt32.self) else { return nil }
        return (payload, payload.upperBound + 9)
    }

    private static func records(_ payload: [UInt8]) throws(CanonicalError) -> [VoteLog.Record] {
        var decoder = CanonicalDecoder(payload)
        var records: [VoteLog.Record] = []
        while decoder.remaining > 0 {
            records.append(
                VoteLog.Record(
                    epoch: try decoder.decode(),
                    kind: try decoder.decode(),
                    view: try decoder.decode(),
                    payload: try decoder.decodeBytes(max: payload.count)
                )
            )
        }
        return records
    }

    /// Whether the bytes that do not read as a frame end like a frame that began where they begin.
    private static func isClosed(_ bytes: [UInt8], _ tail: Range<Int>) -> Bool {
        guard tail.count >= Self.frameOverheadBytes, bytes[tail.upperBound - 1] == Self.closingMark else {
            return false
        }
        let length = Self.integer(bytes, at: tail.upperBound - 5, UInt32.self)
        guard tail.count == Int(length) + Self.frameOverheadBytes else { return false }
        // A sector that never reached the disk still holds the zeros of the preallocation.
        var start = tail.lowerBound
        while start < tail.upperBound {
            let sector = start..<min((start / Self.sectorBytes + 1) * Self.sectorBytes, tail.upperBound)
            if bytes[sector].allSatisfy({ $0 == 0 }) { return false }
            start = sector.upperBound
        }
        return true
    }

    /// Whether a whole frame with a later sequence number stands after the bytes that do not read: it was begun only
    /// when they were durable.
    private func isFollowed(_ bytes: [UInt8], _ tail: Range<Int>) -> Bool {
        // No frame is shorter than its overhead, which bounds how many could have followed.
        let frames = UInt64(tail.count / Self.frameOverheadBytes + 1)
        for position in tail where position + Self.frameOverheadBytes <= bytes.count {
            let sequence = Self.integer(bytes, at: position + 8, UInt64.self)
            guard sequence &- self.nextSequence &- 1 < frames else { continue }
            if Self.frame(bytes, at: position, sequence: sequence) != nil { return true }
        }
        return false
    }

    private static func checksum(_ payload: ArraySlice<UInt8>, length: UInt32, sequence: UInt64) -> UInt32 {
        var prefix = CanonicalEncoder()
        prefix.encode(sequence)
        prefix.encode(length)
        var checksum = Checksum()
        checksum.update(prefix.bytes)
        checksum.update(payload)
        return checksum.value
    }

    /// Reads little-endian.
    ///
    /// The caller has checked that the bytes are there.
    private static func integer<Integer: FixedWidthInteger & UnsignedInteger>(
        _ bytes: [UInt8],
        at position: Int,
        _: Integer.Type
    ) -> Integer {
        var value: Integer = 0
        for index in stride(from: Integer.bitWidth / 8 - 1, through: 0, by: -1) {
            value = value << 8 | Integer(bytes[position + index])
        }
        return value
    }
}
