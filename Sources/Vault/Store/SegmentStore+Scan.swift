internal import Primitives
internal import Records
internal import Synchronization

/// A place between two objects of the store.
///
/// Positions grow as objects are appended.
///
/// When a damaged segment is rewritten its objects move behind every other position: who follows the store sees them
/// twice, and none is skipped.
package struct StorePosition: Hashable, Comparable, Sendable {
    package static let start = StorePosition(segment: 0, offset: 0)

    package var segment: UInt64
    package var offset: UInt64

    package init(segment: UInt64, offset: UInt64) {
        self.segment = segment
        self.offset = offset
    }

    package static func < (left: StorePosition, right: StorePosition) -> Bool {
        (left.segment, left.offset) < (right.segment, right.offset)
    }
}

/// What the store holds.
package struct StoreStatistics: Hashable, Sendable {
    package var objects = 0
    /// Sum of the bodies' sizes.
    package var contentBytes: UInt64 = 0
    /// Size of the segment files.
    package var fileBytes: UInt64 = 0
    package var segments = 0
    /// What the disk did wrong since the start.
    package var incidents: [StorageIncident] = []
}

extension SegmentStore {
    /// Bytes of bodies handed out at once.
    private static let scanBytesMax = 8 << 20

    /// Up to `limit` objects of a kind behind `position`, in the order in which they were stored.
    ///
    /// Damaged ones are left out. None, when the end is reached.
    func objects(
        of kind: ObjectKind?,
        from position: StorePosition,
        limit: Int
    ) throws(VaultError) -> (objects: [SealedObject], next: StorePosition) {
        let (sealed, active) = self.state.withLock { ($0.sealed, $0.active) }
        var objects: [SealedObject] = []
        var byteCount = 0
        var next = position
        for number in (sealed.map(\.number) + [active.number]).sorted() where number >= position.segment {
            let segment = sealed.first { $0.number == number }
            let start = max(number == position.segment ? position.offset : 0, UInt64(SegmentFile.headerBytes))
            let isFull = try whileDoing("reading \(SegmentFile.name(number))") { () throws(FileError) in
                let file = try segment?.file() ?? active.file
                let end = segment.map { UInt64($0.trailer.bodyEnd) } ?? active.end
                var scanner = FrameScanner(file, from: start, to: end)
                while let step = try scanner.next() {
                    next = StorePosition(segment: number, offset: scanner.position)
                    guard case .frame(let object, _, _) = step, kind == nil || object.header.kind == kind else {
                        continue
                    }
                    objects.append(object)
                    byteCount += object.body.count
                    if objects.count >= limit || byteCount >= Self.scanBytesMax { return true }
                }
                return false
            }
            if isFull { break }
        }
        return (objects, next)
    }

    func statistics() throws(VaultError) -> StoreStatistics {
        let (sealed, active) = self.state.withLock { ($0.sealed, $0.active) }
        var statistics = StoreStatistics()
        statistics.objects = active.index.entries.count
        statistics.contentBytes = active.index.contentBytes
        statistics.fileBytes = active.end
        statistics.segments = sealed.count + 1
        for trailer in sealed.map(\.trailer) {
            statistics.objects += Int(trailer.objectCount)
            statistics.contentBytes += trailer.contentBytes
            statistics.fileBytes +=
                UInt64(trailer.bodyEnd) + UInt64(trailer.pageCount) * UInt64(SegmentFooter.pageBytes)
                + UInt64(trailer.summaryBytes) + UInt64(SegmentTrailer.byteCount)
        }
        statistics.incidents = self.incidents.all
        return statistics
    }

    /// One more than the largest sequence number among the institution's own objects.
    var nextOwnSequence: UInt64 {
        self.state.withLock { state in
            state.sealed.reduce(state.active.index.nextOwnSequence) { max($0, $1.trailer.nextOwnSequence) }
        }
    }

    /// Reads every byte of every segment and says what is wrong with it.
    ///
    /// Calls `each` with every intact object.
    func verify(
        signedBy key: VerifyingKey,
        each: (SealedObject) -> [StorageIncident]
    ) throws(VaultError) -> (objects: Int, problems: [StorageIncident]) {
        let (sealed, active) = self.state.withLock { ($0.sealed, $0.active) }
        var problems: [StorageIncident] = []
        var count = 0
        for segment in sealed {
            var (found, wrong) = try self.verify(segment, signedBy: key, each)
            // It may have been rewritten meanwhile, and then the old footer does not fit the file.
            let current = self.state.withLock { state in state.sealed.first { $0.number == segment.number } }
            if !wrong.isEmpty, let current, current !== segment {
                (found, wrong) = try self.verify(current, signedBy: key, each)
            }
            count += found
            problems += wrong
        }
        let name = SegmentFile.name(active.number)
        let found = try self.verifyFrames(of: name, active.number, active.file, end: active.end, &problems, each)
        for entry in active.index.sorted where !found.contains(entry.address) {
            problems.append(StorageIncident(.frameDamaged, file: name, offset: UInt64(entry.offset)))
        }
        return (count + found.count, problems)
    }

    private func verify(
        _ segment: SealedSegment,
        signedBy key: VerifyingKey,
        _ each: (SealedObject) -> [StorageIncident]
    ) throws(VaultError) -> (count: Int, problems: [StorageIncident]) {
        let name = SegmentFile.name(segment.number)
        let file = try whileDoing("opening \(name)") { () throws(FileError) in try segment.file() }
        let end = UInt64(segment.trailer.bodyEnd)
        var problems: [StorageIncident] = []
        let found = try self.verifyFrames(of: name, segment.number, file, end: end, &problems, each)
        problems += try whileDoing("reading \(name)") { () throws(FileError) in
            try self.verifyFooter(of: segment, file, found: found, signedBy: key)
        }
        return (found.count, problems)
    }

    private func verifyFrames(
        of name: String,
        _ number: UInt64,
        _ file: any OpenFile,
        end: UInt64,
        _ problems: inout [StorageIncident],
        _ each: (SealedObject) -> [StorageIncident]
    ) throws(VaultError) -> Set<ContentAddress> {
        var found: Set<ContentAddress> = []
        var damage: [StorageIncident] = []
        try whileDoing("reading \(name)") { () throws(FileError) in
            if try file.read(at: 0, count: SegmentFile.headerBytes) != SegmentFile.header(number) {
                damage.append(StorageIncident(.headerDamaged, file: name, offset: 0))
            }
            var scanner = FrameScanner(file, from: UInt64(SegmentFile.headerBytes), to: end)
            while let step = try scanner.next() {
                switch step {
                case .frame(let object, _, _):
                    found.insert(object.address)
                    damage += each(object)
                case .damage(let range):
                    damage.append(StorageIncident(.frameDamaged, file: name, offset: range.lowerBound))
                case .footer(let offset):
                    // A footer before the end of the frames cannot be one.
                    damage.append(StorageIncident(.frameDamaged, file: name, offset: offset))
                    return
                }
            }
        }
        problems += damage
        return found
    }

    private func verifyFooter(
        of segment: SealedSegment,
        _ file: any OpenFile,
        found: Set<ContentAddress>,
        signedBy key: VerifyingKey
    ) throws(FileError) -> [StorageIncident] {
        let name = SegmentFile.name(segment.number)
        let trailer = segment.trailer
        var problems: [StorageIncident] = []
        guard key.isValid(trailer.signature, over: trailer.signedBytes) else {
            return [StorageIncident(.footerInvalid, file: name)]
        }
        if try SegmentRecovery.hasher(file, to: UInt64(trailer.bodyEnd)).finalize() != trailer.bodyDigest {
            problems.append(StorageIncident(.frameDamaged, file: name))
        }
        let pagesBytes = Int(trailer.pageCount) * SegmentFooter.pageBytes
        let pages = try file.read(at: UInt64(trailer.bodyEnd), count: pagesBytes)
        let summary = try file.read(
            at: UInt64(trailer.bodyEnd) + UInt64(pagesBytes),
            count: Int(trailer.summaryBytes)
        )
        guard Digest(hashing: pages) == trailer.pagesDigest, Digest(hashing: summary) == trailer.summaryDigest else {
            return problems + [StorageIncident(.footerDamaged, file: name)]
        }
        for start in stride(from: 0, to: pages.count, by: SegmentFooter.pageBytes) {
            let entries = SegmentFooter.entries(ofPage: pages[start..<start + SegmentFooter.pageBytes]) ?? []
            for entry in entries where !found.contains(entry.address) {
                problems.append(StorageIncident(.frameDamaged, file: name, offset: UInt64(entry.offset)))
            }
        }
        return problems
    }
}
