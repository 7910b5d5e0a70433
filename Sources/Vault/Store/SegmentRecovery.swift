internal import Primitives
internal import Records

/// Brings a folder of segments into order at the start: sealed ones as they are, and of those without a footer every
/// intact frame, whatever happened to the bytes between them.
struct SegmentRecovery {
    struct Result {
        var sealed: [SealedSegment]
        var active: ActiveSegment
        var bodyHasher: DigestHasher
        var lastNumber: UInt64
    }

    let folder: String
    let files: any FileSystem
    let institution: InstitutionID
    let incidents: IncidentLog
    let reserve: ReserveFile
    let sign: @Sendable ([UInt8]) -> Signature

    func run() throws(FileError) -> Result {
        try self.files.makeFolder(self.folder)
        let names = try self.files.list(self.folder)
        for name in names where name.hasSuffix(".tmp") { try self.files.remove(self.path(name)) }
        // Numbers of segments that were set aside are not used again.
        var lastNumber = names.compactMap { SegmentFile.number(ofName: String($0.prefix(12))) }.max() ?? 0
        self.noteMissing(names)

        var sealed: [SealedSegment] = []
        var actives: [ActiveSegment] = []
        for number in names.compactMap(SegmentFile.number(ofName:)).sorted() {
            let path = self.path(SegmentFile.name(number))
            if let segment = try SealedSegment.open(number, path: path, files: self.files) {
                sealed.append(segment)
            } else {
                actives.append(try self.recover(number, path: path, lastNumber: &lastNumber))
            }
        }
        // Only the newest file goes on; an older one without a footer lost it to damage.
        let newest = max(sealed.last?.number ?? 0, actives.map(\.number).max() ?? 0)
        for active in actives where active.number < newest {
            let digest = try Self.hasher(active.file, to: active.end).finalize()
            let segment = try self.reserve.using { () throws(FileError) in
                try active.seal(bodyDigest: digest, sign: self.sign, files: self.files)
            }
            sealed.append(segment)
        }
        sealed.sort { $0.number < $1.number }
        if let active = actives.first(where: { $0.number == newest }) {
            let hasher = try Self.hasher(active.file, to: active.end)
            return Result(sealed: sealed, active: active, bodyHasher: hasher, lastNumber: lastNumber)
        }
        let active = try self.reserve.using { () throws(FileError) in try self.create(lastNumber + 1, frames: []) }
        let hasher = try Self.hasher(active.file, to: active.end)
        return Result(sealed: sealed, active: active, bodyHasher: hasher, lastNumber: lastNumber + 1)
    }

    /// Segments are numbered without gaps, and those set aside keep their number in their name.
    private func noteMissing(_ names: [String]) {
        var expected: UInt64 = 1
        for number in Set(names.compactMap { SegmentFile.number(ofName: String($0.prefix(12))) }).sorted() {
            if number > expected { self.incidents.note(.segmentMissing, file: SegmentFile.name(expected)) }
            expected = number + 1
        }
    }

    private func recover(
        _ number: UInt64,
        path: String,
        lastNumber: inout UInt64
    ) throws(FileError) -> ActiveSegment {
        let name = SegmentFile.name(number)
        let file = try self.files.open(path, creating: false)
        let fileBytes = try file.size()
        let size = min(fileBytes, SegmentFile.bytesMax)
        var active = ActiveSegment(number: number, path: path, file: file)
        let headerIntact =
            try file.read(at: 0, count: SegmentFile.headerBytes) == SegmentFile.header(number)
        var scanner = FrameScanner(file, from: min(active.end, size), to: size)
        var hasHoles = !headerIntact || fileBytes > size
        var frames: [(offset: UInt64, length: Int)] = []
        var footer: UInt64?
        while footer == nil, let step = try scanner.next() {
            switch step {
            case .frame(let object, let offset, let length):
                if offset != active.end { hasHoles = true }
                frames.append((offset, length))
                if !hasHoles { active.adopt(object, institution: self.institution) }
            case .damage: continue
            case .footer(let offset): footer = offset
            }
        }
        if footer != nil { self.incidents.note(.footerDamaged, file: name) }
        if hasHoles {
            if !headerIntact { self.incidents.note(.headerDamaged, file: name) }
            lastNumber += 1
            return try self.rewrite(path, file: file, frames: frames, number: lastNumber)
        }
        try self.setTailAside(of: active, from: active.end, to: footer ?? size, size: size)
        return active
    }

    /// Copies the intact frames into a new segment and renames the damaged file.
    private func rewrite(
        _ path: String,
        file: any OpenFile,
        frames: [(offset: UInt64, length: Int)],
        number: UInt64
    ) throws(FileError) -> ActiveSegment {
        var copies: [[UInt8]] = []
        for frame in frames { copies.append(try file.read(at: frame.offset, count: frame.length)) }
        let segment = try self.reserve.using { () throws(FileError) in try self.create(number, frames: copies) }
        try self.files.rename(path, to: path + ".quarantine")
        try self.files.syncFolder(self.folder)
        self.incidents.note(.segmentRewritten, file: String(path.dropFirst(self.folder.count + 1)))
        return segment
    }

    /// Cuts the file behind its last frame.
    ///
    /// What an unfinished write left there is kept in a file of its own, unless it is zeros or a footer, which is
    /// written anew.
    private func setTailAside(
        of active: ActiveSegment,
        from start: UInt64,
        to end: UInt64,
        size: UInt64
    ) throws(FileError) {
        guard size > start else { return }
        let tail = try active.file.read(at: start, count: Int(end - start))
        if tail.contains(where: { $0 != 0 }) {
            let path = "\(active.path).\(start).quarantine"
            try self.reserve.using { () throws(FileError) in
                try self.files.replaceFile(path, in: self.folder, with: tail)
            }
            self.incidents.note(.tornTail, file: SegmentFile.name(active.number), offset: start)
        }
        try active.file.truncate(to: start)
        try active.file.sync()
    }

    private func create(_ number: UInt64, frames: [[UInt8]]) throws(FileError) -> ActiveSegment {
        try Self.create(
            number,
            frames: frames,
            folder: self.folder,
            files: self.files,
            institution: self.institution
        )
    }

    private func path(_ name: String) -> String { self.folder + "/" + name }

    /// Makes a segment that holds `frames`, durable together with its name.
    static func create(
        _ number: UInt64,
        frames: [[UInt8]],
        folder: String,
        files: any FileSystem,
        institution: InstitutionID
    ) throws(FileError) -> ActiveSegment {
        let path = folder + "/" + SegmentFile.name(number)
        let temporary = path + ".tmp"
        try files.remove(temporary)
        let file = try files.open(temporary, creating: true)
        do {
            try file.write(SegmentFile.header(number) + frames.joined(), at: 0)
            try file.sync()
            try files.rename(temporary, to: path)
        } catch {
            try? files.remove(temporary)
            throw error
        }
        try files.syncFolder(folder)
        var active = ActiveSegment(number: number, path: path, file: file)
        for frame in frames {
            guard let object = Frame.object(in: frame[...]) else { throw FileError.inputOutput }
            active.adopt(object, institution: institution)
        }
        return active
    }

    /// A hasher over the file's first `end` bytes.
    static func hasher(_ file: any OpenFile, to end: UInt64) throws(FileError) -> DigestHasher {
        var hasher = DigestHasher()
        var offset: UInt64 = 0
        while offset < end {
            let bytes = try file.read(at: offset, count: Int(min(1 << 20, end - offset)))
            guard !bytes.isEmpty else { throw FileError.inputOutput }
            hasher.update(bytes)
            offset += UInt64(bytes.count)
        }
        return hasher
    }
}
