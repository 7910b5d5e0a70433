internal import Primitives
internal import Records
internal import Synchronization

/// A segment that takes no more frames and is found through its footer.
///
/// The file is opened for each read: a store of terabytes has more segments than a process may hold files open.
final class SealedSegment: Sendable {
    /// How addresses are found.
    private enum Lookup {
        /// Nothing has been read yet. Can become `footer` or `scanned`.
        case unread
        /// Final, unless a page turns out damaged: then `scanned`.
        case footer(SegmentFooter.Summary)
        /// The footer is damaged: the index was built from the frames. Final.
        case scanned(SegmentIndex)
    }

    let trailer: SegmentTrailer
    let path: String
    private let files: any FileSystem
    private let lookup = Mutex(Lookup.unread)

    init(trailer: SegmentTrailer, path: String, files: any FileSystem) {
        self.trailer = trailer
        self.path = path
        self.files = files
    }

    var number: UInt64 { self.trailer.number }

    /// Reads the trailer of a file, `nil` if it is not a sealed segment.
    static func open(_ number: UInt64, path: String, files: any FileSystem) throws(FileError) -> SealedSegment? {
        let file = try files.open(path, creating: false)
        let size = try file.size()
        guard size >= UInt64(SegmentTrailer.byteCount) else { return nil }
        let bytes = try file.read(at: size - UInt64(SegmentTrailer.byteCount), count: SegmentTrailer.byteCount)
        guard let trailer = SegmentTrailer(bytes, number: number, fileBytes: size) else { return nil }
        return SealedSegment(trailer: trailer, path: path, files: files)
    }

    func file() throws(FileError) -> any OpenFile { try self.files.open(self.path, creating: false) }

    /// Where `address` lies, `nil` if it is not in this segment.
    ///
    /// Calls `footerDamaged` when the footer turns out damaged; the frames are then scanned in its place.
    func locate(_ address: ContentAddress, footerDamaged: () -> Void) throws(FileError) -> FrameLocation? {
        let lookup = try self.loadLookup(footerDamaged)
        switch lookup {
        case .unread: return nil
        case .scanned(let index):
            guard let extent = index.entries[address] else { return nil }
            return FrameLocation(segment: self.number, offset: extent.offset, length: extent.length)
        case .footer(let summary):
            guard summary.mayContain(address) else { return nil }
            let file = try self.file()
            for page in summary.pages(for: address) {
                let offset = UInt64(self.trailer.bodyEnd) + UInt64(page * SegmentFooter.pageBytes)
                let bytes = try file.read(at: offset, count: SegmentFooter.pageBytes)
                guard let entries = SegmentFooter.entries(ofPage: bytes[...]) else {
                    footerDamaged()
                    try self.rebuild()
                    return try self.locate(address, footerDamaged: footerDamaged)
                }
                let index = entries.partitioningIndex { $0.address >= address }
                if index < entries.count, entries[index].address == address {
                    let entry = entries[index]
                    return FrameLocation(segment: self.number, offset: entry.offset, length: entry.length)
                }
            }
            return nil
        }
    }

    private func loadLookup(_ footerDamaged: () -> Void) throws(FileError) -> Lookup {
        let known = self.lookup.withLock { $0 }
        guard case .unread = known else { return known }
        let start = UInt64(self.trailer.bodyEnd) + UInt64(self.trailer.pageCount) * UInt64(SegmentFooter.pageBytes)
        let bytes = try self.file().read(at: start, count: Int(self.trailer.summaryBytes))
        guard Digest(hashing: bytes) == self.trailer.summaryDigest,
            let summary = SegmentFooter.Summary(bytes, pageCount: Int(self.trailer.pageCount))
        else {
            footerDamaged()
            try self.rebuild()
            return self.lookup.withLock { $0 }
        }
        self.lookup.withLock { $0 = .footer(summary) }
        return .footer(summary)
    }

    private func rebuild() throws(FileError) {
        var scanner = FrameScanner(
            try self.file(),
            from: UInt64(SegmentFile.headerBytes),
            to: UInt64(self.trailer.bodyEnd)
        )
        var index = SegmentIndex()
        while let step = try scanner.next() {
            guard case .frame(let object, let offset, let length) = step else { continue }
            index.insert(object.address, offset: offset, length: length, bodyBytes: object.body.count)
        }
        self.lookup.withLock { $0 = .scanned(index) }
    }
}
