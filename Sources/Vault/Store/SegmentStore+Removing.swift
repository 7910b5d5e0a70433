internal import Primitives
internal import Records
internal import Synchronization

extension SegmentStore {
    /// What a segment without some of its objects will be.
    private struct Rewriting {
        var index = SegmentIndex()
        /// Bytes of the old file that do not go over: removed frames, and damage.
        var left: [Range<UInt64>] = []
        var end = UInt64(SegmentFile.headerBytes)
        var hasher = DigestHasher()
    }

    /// Removes objects for good and returns when that is durable: not found any more, their bytes overwritten, their space
    /// given back.
    ///
    /// Each segment that holds one is written anew without it, under the same number: the other frames go over as they
    /// are, damaged stretches do not. Bytes that were set aside are overwritten too, since a torn frame cannot be told from
    /// another's. What is not here is no error, so that a removal that a crash or an error interrupted is done again.
    func remove(_ addresses: Set<ContentAddress>) throws(VaultError) {
        guard !addresses.isEmpty else { return }
        try self.writer.withLock { writer throws(VaultError) in
            if writer.isPoisoned { try self.rewriteActive(&writer) }
            self.state.withLock { $0.removing = addresses }
            defer { self.state.withLock { $0.removing = [] } }
            if self.state.withLock({ state in addresses.contains { state.active.index.entries[$0] != nil } }) {
                try self.roll(&writer)
            }
            for segment in self.state.withLock({ $0.sealed }) {
                let name = SegmentFile.name(segment.number)
                try whileDoing("rewriting \(name)") { () throws(FileError) in
                    var isThere = false
                    for address in addresses where !isThere {
                        isThere = try segment.locate(address) { self.incidents.note(.footerDamaged, file: name) } != nil
                    }
                    if isThere { try self.rewrite(segment, without: addresses) }
                }
            }
            try self.emptyQuarantine()
            self.state.withLock { $0.damaged.subtract(addresses) }
        }
    }

    private func rewrite(_ segment: SealedSegment, without addresses: Set<ContentAddress>) throws(FileError) {
        let old = try segment.file()
        let temporary = segment.path + ".tmp"
        var left: [Range<UInt64>] = []
        let trailer = try self.reserve.using { () throws(FileError) in
            try self.files.remove(temporary)
            let file = try self.files.open(temporary, creating: true)
            let rewriting = try self.copy(segment, from: old, to: file, without: addresses)
            left = rewriting.left
            return try self.seal(segment, rewriting, file)
        }
        // Before the name changes hands: afterwards nobody could reach these bytes to overwrite them. A crash in between
        // leaves a segment in which they are damaged and its other frames are intact.
        for range in left { try old.overwrite(from: range.lowerBound, count: UInt64(range.count)) }
        try old.sync()
        try self.files.rename(temporary, to: segment.path)
        try self.files.syncFolder(self.folder)
        let rewritten = SealedSegment(trailer: trailer, path: segment.path, files: self.files)
        self.state.withLock { state in
            if let index = state.sealed.firstIndex(where: { $0 === segment }) { state.sealed[index] = rewritten }
        }
    }

    private func copy(
        _ segment: SealedSegment,
        from old: any OpenFile,
        to file: any OpenFile,
        without addresses: Set<ContentAddress>
    ) throws(FileError) -> Rewriting {
        var rewriting = Rewriting()
        var buffer = SegmentFile.header(segment.number)
        var written: UInt64 = 0
        var scanner = FrameScanner(
            old,
            from: UInt64(SegmentFile.headerBytes),
            to: UInt64(segment.trailer.bodyEnd)
        )
        while let step = try scanner.next() {
            switch step {
            case .frame(let object, let offset, let length):
                guard !addresses.contains(object.address) else {
                    rewriting.left.append(offset..<offset + UInt64(length))
                    continue
                }
                buffer += try old.read(at: offset, count: length)
                rewriting.index.insert(
                    object.address,
                    offset: rewriting.end,
                    length: length,
                    bodyBytes: object.body.count
                )
                rewriting.end += UInt64(length)
            case .damage(let range): rewriting.left.append(range)
            // A footer before the end of the frames cannot be one.
            case .footer(let offset):
                rewriting.left.append(offset..<UInt64(segment.trailer.bodyEnd))
                try self.flush(&buffer, &written, &rewriting, to: file)
                return rewriting
            }
            if buffer.count >= 1 << 20 { try self.flush(&buffer, &written, &rewriting, to: file) }
        }
        try self.flush(&buffer, &written, &rewriting, to: file)
        return rewriting
    }

    private func flush(
        _ buffer: inout [UInt8],
        _ written: inout UInt64,
        _ rewriting: inout Rewriting,
        to file: any OpenFile
    ) throws(FileError) {
        guard !buffer.isEmpty else { return }
        try file.write(buffer, at: written)
        rewriting.hasher.update(buffer)
        written += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    private func seal(
        _ segment: SealedSegment,
        _ rewriting: Rewriting,
        _ file: any OpenFile
    ) throws(FileError) -> SegmentTrailer {
        let sorted = rewriting.index.sorted
        let pages = SegmentFooter.pages(sorted)
        let summary = SegmentFooter.Summary(sorted).bytes
        var trailer = SegmentTrailer(
            number: segment.number,
            objectCount: sorted.count,
            bodyEnd: rewriting.end,
            contentBytes: rewriting.index.contentBytes,
            // Kept although its object may be gone: a number is never given out again.
            nextOwnSequence: segment.trailer.nextOwnSequence,
            bodyDigest: rewriting.hasher.finalize(),
            pages: pages,
            summary: summary
        )
        trailer.signature = self.sign(trailer.signedBytes)
        try file.write(pages + summary + trailer.bytes, at: rewriting.end)
        try file.sync()
        return trailer
    }

    /// Overwrites what was set aside.
    ///
    /// The names stay: segments are numbered without gaps.
    private func emptyQuarantine() throws(VaultError) {
        try whileDoing("overwriting what was set aside") { () throws(FileError) in
            for name in try self.files.list(self.folder) where name.hasSuffix(".quarantine") {
                let file = try self.files.open(self.folder + "/" + name, creating: false)
                guard try file.size() > 0 else { continue }
                try file.overwrite()
                try file.truncate(to: 0)
                try file.sync()
            }
        }
    }
}
