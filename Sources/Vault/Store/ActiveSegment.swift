internal import Primitives
internal import Records

/// The segment that is being written.
///
/// Only the store's writer changes it.
struct ActiveSegment: Sendable {
    let number: UInt64
    let path: String
    let file: any OpenFile
    /// End of the frames that are durable.
    private(set) var end: UInt64
    private(set) var index = SegmentIndex()

    /// Takes over a file that holds its header and, after recovery, exactly the frames that are then adopted.
    init(number: UInt64, path: String, file: any OpenFile) {
        self.number = number
        self.path = path
        self.file = file
        self.end = UInt64(SegmentFile.headerBytes)
    }

    /// Counts a frame that is durable in the file right behind the others.
    mutating func adopt(_ object: SealedObject, institution: InstitutionID) {
        let length = Frame.byteCount(object)
        self.index.insert(object.address, offset: self.end, length: length, bodyBytes: object.body.count)
        if object.header.origin == institution {
            self.index.nextOwnSequence = max(self.index.nextOwnSequence, object.header.sequence &+ 1)
        }
        self.end += UInt64(length)
    }

    /// Writes the footer and makes it durable.
    ///
    /// `bodyDigest` is the SHA-256 of the file up to ``end``.
    func seal(
        bodyDigest: Digest,
        sign: ([UInt8]) -> Signature,
        files: any FileSystem
    ) throws(FileError) -> SealedSegment {
        let sorted = self.index.sorted
        let pages = SegmentFooter.pages(sorted)
        let summary = SegmentFooter.Summary(sorted).bytes
        var trailer = SegmentTrailer(
            number: self.number,
            objectCount: sorted.count,
            bodyEnd: self.end,
            contentBytes: self.index.contentBytes,
            nextOwnSequence: self.index.nextOwnSequence,
            bodyDigest: bodyDigest,
            pages: pages,
            summary: summary
        )
        trailer.signature = sign(trailer.signedBytes)
        try self.file.write(pages + summary + trailer.bytes, at: self.end)
        try self.file.sync()
        return SealedSegment(trailer: trailer, path: self.path, files: files)
    }
}
