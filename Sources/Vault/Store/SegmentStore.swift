internal import Primitives
internal import Records
internal import Synchronization

/// Sealed objects in append-only segment files: one file is written, the others are sealed by a footer.
///
/// Objects become visible when they are durable. Addresses are verified on every read. A write or sync that the disk
/// refuses ends the life of its file: what is durable is verified and rewritten into a new one, since after a failed
/// sync nobody knows what the disk holds (Rebello et al., Can Applications Recover from fsync Failures, 2020).
final class SegmentStore: Sendable {
    struct State {
        /// Oldest first.
        var sealed: [SealedSegment]
        var active: ActiveSegment
        /// Addresses whose bytes turned out damaged: appending them again stores a good copy.
        var damaged: Set<ContentAddress> = []
        /// Addresses that are being removed: not found from the beginning on.
        var removing: Set<ContentAddress> = []
    }

    /// What only the writer needs.
    struct Writer {
        /// Over the active segment's file up to its end.
        var bodyHasher: DigestHasher
        /// Whether the active segment must be rewritten before anything more is stored.
        var isPoisoned = false
        var lastNumber: UInt64
    }

    let folder: String
    let files: any FileSystem
    let institution: InstitutionID
    let incidents: IncidentLog
    let reserve: ReserveFile
    private let segmentBytesMax: UInt64
    let sign: @Sendable ([UInt8]) -> Signature
    let state: Mutex<State>
    let writer: Mutex<Writer>

    init(
        opened: SegmentRecovery.Result,
        folder: String,
        files: any FileSystem,
        institution: InstitutionID,
        incidents: IncidentLog,
        reserve: ReserveFile,
        segmentBytesMax: UInt64,
        sign: @escaping @Sendable ([UInt8]) -> Signature
    ) {
        self.folder = folder
        self.files = files
        self.institution = institution
        self.incidents = incidents
        self.reserve = reserve
        self.segmentBytesMax = segmentBytesMax
        self.sign = sign
        self.state = Mutex(State(sealed: opened.sealed, active: opened.active))
        self.writer = Mutex(Writer(bodyHasher: opened.bodyHasher, lastNumber: opened.lastNumber))
    }

    // MARK: Reading

    func contains(_ address: ContentAddress) throws(VaultError) -> Bool {
        if self.state.withLock({ $0.damaged.contains(address) }) { return false }
        return try self.locate(address) != nil
    }

    func read(_ address: ContentAddress) throws(VaultError) -> SealedObject {
        var (bytes, location) = try self.frame(of: address)
        var object = Frame.object(in: bytes[...])
        if object?.address != address {
            // The segment may have been rewritten between the look into its footer and the one into its file.
            (bytes, location) = try self.frame(of: address)
            object = Frame.object(in: bytes[...])
        }
        guard let object, object.address == address else {
            self.state.withLock { _ = $0.damaged.insert(address) }
            let name = SegmentFile.name(location.segment)
            self.incidents.note(.frameDamaged, file: name, offset: UInt64(location.offset))
            throw VaultError(.damaged, "an object in \(name) is damaged: fetch it again from another institution")
        }
        return object
    }

    /// The header of an object, also of one whose body is damaged.
    ///
    /// Only its own checksum is verified.
    func header(_ address: ContentAddress) throws(VaultError) -> ObjectHeader {
        do throws(VaultError) { return try self.read(address).header } catch {
            guard error.code == .damaged else { throw error }
            let bytes = try self.frame(of: address).bytes
            guard let prefix = Frame.prefix(of: bytes[...]),
                let header = try? ObjectHeader(
                    canonicalBytes: Array(bytes[Frame.prefixBytes..<Frame.prefixBytes + prefix.headerLength])
                )
            else { throw error }
            return header
        }
    }

    private func frame(
        of address: ContentAddress
    ) throws(VaultError) -> (bytes: [UInt8], location: FrameLocation) {
        guard let (file, location) = try self.locate(address) else {
            throw VaultError(.notFound, "no object has this address")
        }
        let bytes = try whileDoing("reading \(SegmentFile.name(location.segment))") { () throws(FileError) in
            try file.read(at: UInt64(location.offset), count: Int(location.length))
        }
        return (bytes, location)
    }

    private func locate(_ address: ContentAddress) throws(VaultError) -> (any OpenFile, FrameLocation)? {
        if self.state.withLock({ $0.removing.contains(address) }) { return nil }
        let (found, sealed) = self.state.withLock { state in
            let extent = state.active.index.entries[address]
            let found = extent.map { extent in
                (
                    state.active.file,
                    FrameLocation(segment: state.active.number, offset: extent.offset, length: extent.length)
                )
            }
            return (found, found == nil ? state.sealed : [])
        }
        if let found { return found }
        // Newest first: a repaired object lies in front of its damaged copy. One file that cannot be read must not hide
        // what the others hold.
        var failure: VaultError?
        for segment in sealed.reversed() {
            let name = SegmentFile.name(segment.number)
            do throws(FileError) {
                let location = try segment.locate(address) { self.incidents.note(.footerDamaged, file: name) }
                if let location { return (try segment.file(), location) }
            } catch {
                self.incidents.note(.unreadable, file: name)
                failure = VaultError.file(error, "searching \(name)")
            }
        }
        if let failure { throw failure }
        return nil
    }

    // MARK: Writing

    /// Stores what is not stored yet and returns when all of it is durable.
    ///
    /// Callers take turns.
    func commit(_ objects: [SealedObject]) throws(VaultError) {
        try self.writer.withLock { writer throws(VaultError) in
            if writer.isPoisoned { try self.rewriteActive(&writer) }
            var group: [SealedObject] = []
            var groupBytes: UInt64 = 0
            var seen: Set<ContentAddress> = []
            for object in objects {
                // Where that cannot be told, a second copy does no harm.
                let isStored = (try? self.contains(object.address)) ?? false
                guard !isStored, seen.insert(object.address).inserted else { continue }
                let length = UInt64(Frame.byteCount(object))
                let end = self.state.withLock { $0.active.end }
                if end + groupBytes + length > self.segmentBytesMax,
                    end + groupBytes > UInt64(SegmentFile.headerBytes)
                {
                    try self.write(group, &writer)
                    (group, groupBytes) = ([], 0)
                    try self.roll(&writer)
                }
                group.append(object)
                groupBytes += length
            }
            try self.write(group, &writer)
        }
    }

    /// Writes frames behind the others in one go and makes them durable.
    private func write(_ objects: [SealedObject], _ writer: inout Writer) throws(VaultError) {
        guard !objects.isEmpty else { return }
        var frames: [UInt8] = []
        frames.reserveCapacity(objects.reduce(0) { $0 + Frame.byteCount($1) })
        for object in objects { Frame.append(object, to: &frames) }
        let (file, end, number) = self.state.withLock { ($0.active.file, $0.active.end, $0.active.number) }
        do {
            do { try file.write(frames, at: end) } catch {
                // A full disk is no damage: the segment goes on once there is room.
                guard error.isNoSpace else { throw error }
                try file.truncate(to: end)
                throw VaultError.file(error, "storing objects")
            }
            try file.sync()
        } catch let error as VaultError {
            throw error
        } catch {
            self.incidents.note(.writeRefused, file: SegmentFile.name(number))
            writer.isPoisoned = true
            try? self.rewriteActive(&writer)
            throw VaultError(.inputOutput, "the disk refused to store objects", cause: error)
        }
        writer.bodyHasher.update(frames)
        self.state.withLock { state in
            for object in objects {
                state.active.adopt(object, institution: self.institution)
                state.damaged.remove(object.address)
            }
        }
    }

    /// Seals the active segment and starts the next one.
    func roll(_ writer: inout Writer) throws(VaultError) {
        let active = self.state.withLock { $0.active }
        let digest = writer.bodyHasher.finalize()
        let number = writer.lastNumber + 1
        do {
            let sealed = try self.reserve.using { () throws(FileError) in
                try active.seal(bodyDigest: digest, sign: self.sign, files: self.files)
            }
            let next = try self.reserve.using { () throws(FileError) in try self.create(number, frames: []) }
            writer.lastNumber = number
            writer.bodyHasher = Self.hasher(number)
            self.state.withLock {
                $0.sealed.append(sealed)
                $0.active = next
            }
        } catch {
            // Without a footer the segment stays the active one, and the next commit tries again.
            do { try active.file.truncate(to: active.end) } catch { writer.isPoisoned = true }
            if !error.isNoSpace { writer.isPoisoned = true }
            self.incidents.note(.writeRefused, file: SegmentFile.name(active.number))
            throw VaultError.file(error, "starting a new segment")
        }
        if !self.reserve.ensure() { self.incidents.note(.reserveMissing, file: "reserve") }
    }

    /// Verifies what is durable in the active segment and rewrites it into a new one.
    func rewriteActive(_ writer: inout Writer) throws(VaultError) {
        let active = self.state.withLock { $0.active }
        let name = SegmentFile.name(active.number)
        let number = writer.lastNumber + 1
        let next = try whileDoing("rewriting \(name)") { () throws(FileError) in
            // A new descriptor: the old one may hide what the disk really holds.
            let source = try self.files.open(active.path, creating: false)
            var frames: [[UInt8]] = []
            for entry in active.index.sorted.sorted(by: { $0.offset < $1.offset }) {
                let bytes = try source.read(at: UInt64(entry.offset), count: Int(entry.length))
                if Frame.object(in: bytes[...])?.address == entry.address {
                    frames.append(bytes)
                } else {
                    self.incidents.note(.frameDamaged, file: name, offset: UInt64(entry.offset))
                }
            }
            let next = try self.reserve.using { () throws(FileError) in try self.create(number, frames: frames) }
            try self.files.rename(active.path, to: active.path + ".quarantine")
            try self.files.syncFolder(self.folder)
            return next
        }
        self.incidents.note(.segmentRewritten, file: name)
        writer.lastNumber = number
        writer.isPoisoned = false
        writer.bodyHasher = try whileDoing("reading \(SegmentFile.name(number))") { () throws(FileError) in
            try SegmentRecovery.hasher(next.file, to: next.end)
        }
        self.state.withLock { $0.active = next }
    }

    private func create(_ number: UInt64, frames: [[UInt8]]) throws(FileError) -> ActiveSegment {
        try SegmentRecovery.create(
            number,
            frames: frames,
            folder: self.folder,
            files: self.files,
            institution: self.institution
        )
    }

    private static func hasher(_ number: UInt64) -> DigestHasher {
        var hasher = DigestHasher()
        hasher.update(SegmentFile.header(number))
        return hasher
    }
}
