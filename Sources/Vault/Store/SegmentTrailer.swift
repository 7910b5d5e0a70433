internal import Primitives

/// The last bytes of a sealed segment: what the file holds, signed by the institution.
struct SegmentTrailer: Hashable, Sendable {
    private static let magic = Array("EFTREND1".utf8)
    static let byteCount = 8 + 4 + 4 + 4 + 4 + 8 + 8 + 32 + 32 + 32 + 64 + 4 + 8

    var number: UInt64
    var objectCount: UInt32
    /// End of the frames and start of the index pages.
    var bodyEnd: UInt32
    var pageCount: UInt32
    /// Bytes of fences and Bloom filter behind the pages.
    var summaryBytes: UInt32
    /// Sum of the bodies' sizes.
    var contentBytes: UInt64
    /// One more than the largest sequence number of the institution's own objects, 0 without any.
    var nextOwnSequence: UInt64
    /// SHA-256 of the file up to ``bodyEnd``.
    var bodyDigest: Digest
    var pagesDigest: Digest
    var summaryDigest: Digest
    var signature = Signature.none

    /// What the institution signs, with use `segment`.
    var signedBytes: [UInt8] {
        SignedBytes.make(chain: ChainID(.zero), use: .segment, epoch: Epoch(0), body: self.fields)
    }

    private var fields: [UInt8] {
        var encoder = CanonicalEncoder(reservingCapacity: Self.byteCount)
        encoder.encode(self.number)
        encoder.encode(self.objectCount)
        encoder.encode(self.bodyEnd)
        encoder.encode(self.pageCount)
        encoder.encode(self.summaryBytes)
        encoder.encode(self.contentBytes)
        encoder.encode(self.nextOwnSequence)
        encoder.encode(self.bodyDigest)
        encoder.encode(self.pagesDigest)
        encoder.encode(self.summaryDigest)
        return encoder.bytes
    }

    var bytes: [UInt8] {
        var bytes = self.fields + self.signature.bytes
        bytes.append(integer: Checksum.crc32(bytes))
        return bytes + Self.magic
    }

    /// Returns `nil` unless these are the last bytes of a sealed segment of `fileBytes`.
    init?(_ bytes: [UInt8], number: UInt64, fileBytes: UInt64) {
        guard bytes.count == Self.byteCount, bytes.suffix(8) == Self.magic[...] else { return nil }
        let covered = bytes.dropLast(12)
        guard Checksum.crc32(covered) == bytes.integer(at: covered.count, as: UInt32.self) else { return nil }
        var decoder = CanonicalDecoder(Array(covered))
        do {
            self.number = try decoder.decode()
            self.objectCount = try decoder.decode()
            self.bodyEnd = try decoder.decode()
            self.pageCount = try decoder.decode()
            self.summaryBytes = try decoder.decode()
            self.contentBytes = try decoder.decode()
            self.nextOwnSequence = try decoder.decode()
            self.bodyDigest = try decoder.decode()
            self.pagesDigest = try decoder.decode()
            self.summaryDigest = try decoder.decode()
            self.signature = try decoder.decode()
        } catch { return nil }
        let pages = UInt64(self.pageCount) * UInt64(SegmentFooter.pageBytes)
        let objects = Int(self.objectCount)
        let bloomBytes = (objects * SegmentFooter.bloomBitsPerEntry + 7) / 8
        guard self.number == number, fileBytes <= SegmentFile.bytesMax,
            objects <= Int(self.pageCount) * SegmentFooter.entriesPerPage,
            Int(self.summaryBytes) == Int(self.pageCount) * 8 + bloomBytes,
            UInt64(self.bodyEnd) + pages + UInt64(self.summaryBytes) + UInt64(Self.byteCount) == fileBytes
        else { return nil }
    }

    init(
        number: UInt64,
        objectCount: Int,
        bodyEnd: UInt64,
        contentBytes: UInt64,
        nextOwnSequence: UInt64,
        bodyDigest: Digest,
        pages: [UInt8],
        summary: [UInt8]
    ) {
        self.number = number
        self.objectCount = UInt32(objectCount)
        self.bodyEnd = UInt32(bodyEnd)
        self.pageCount = UInt32(pages.count / SegmentFooter.pageBytes)
        self.summaryBytes = UInt32(summary.count)
        self.contentBytes = contentBytes
        self.nextOwnSequence = nextOwnSequence
        self.bodyDigest = bodyDigest
        self.pagesDigest = Digest(hashing: pages)
        self.summaryDigest = Digest(hashing: summary)
    }
}

extension Signature {
    /// Holds the place of a signature that is about to be made.
    fileprivate static let none: Signature = {
        guard let signature = Signature([UInt8](repeating: 0, count: Signature.byteCount)) else {
            preconditionFailure("64 zeros have the size of a signature")
        }
        return signature
    }()
}
