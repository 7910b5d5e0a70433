internal import Crypto
internal import Primitives

/// The keys of the files of data keys: `HOME/vault/roots`, the one small file on which every data key hangs.
///
/// Two slots hold the same newest generation once a change is done. A change is written over one slot and then over the
/// other, each synced: a crash leaves one of the two generations whole, and a finished change leaves nothing of the one
/// before in the file. A copy of data keys made earlier is then closed for good, unless a copy of this file was kept with
/// it (Documentation/Protocol/VaultFiles.md).
struct FileKeyTable: Sendable {
    struct Entry: Sendable {
        /// Counts the versions of the file from 1; it stands in the file's name.
        var version: UInt32
        var key: SymmetricKey
    }

    /// Counts the changes of the table from 1; 0 for a home that has none yet.
    private(set) var generation: UInt64 = 0
    private(set) var entries: [UInt64: Entry] = [:]
    /// Whether the disk is known to hold this generation, in both slots, and no other.
    private var isSettled = true
    /// Half of the file; 0 without one.
    private var slotBytes = 0

    /// 5,900 files of 65,536 keys each.
    static let entriesMax = 5_900
    /// The smallest slot; a larger one is twice as large, and the file always two slots, which share no sector.
    private static let slotBytesMin = 4 << 10
    /// Room for ``entriesMax``.
    private static let slotBytesMax = 256 << 10
    private static let magic = Array("EFKT".utf8)
    private static let headBytes = 24
    private static let entryBytes = 44

    static let name = "roots"
    private let folder: String
    private let root: SymmetricKey
    private let files: any FileSystem
    private let incidents: IncidentLog
    private let reserve: ReserveFile

    private var path: String { self.folder + "/" + Self.name }

    /// Reads the table of a vault's folder and finishes a change that a crash interrupted.
    ///
    /// - Throws: `keyFileDamaged` when there is a file and no slot of it opens: nothing may take its place.
    init(
        folder: String,
        root: SymmetricKey,
        files: any FileSystem,
        incidents: IncidentLog,
        reserve: ReserveFile
    ) throws(VaultError) {
        self.folder = folder
        self.root = root
        self.files = files
        self.incidents = incidents
        self.reserve = reserve
        try self.reload()
    }

    /// Finds out which generation counts after a refused write or sync.
    ///
    /// Returns whether it had to; the entries may then be others.
    mutating func settle() throws(VaultError) -> Bool {
        guard !self.isSettled else { return false }
        try self.reload()
        return true
    }

    /// Reads the file anew and, unless both slots are the same, writes a new one.
    ///
    /// After a refused write or sync nobody knows which generation the disk holds: what it shows is made durable, and
    /// counts from then on.
    private mutating func reload() throws(VaultError) {
        self.isSettled = false
        try whileDoing("removing an unfinished file") { () throws(FileError) in
            try self.files.remove(self.path + ".tmp")
        }
        let exists = try whileDoing("looking at \(Self.name)") { () throws(FileError) in
            try self.files.permissions(of: self.path) != nil
        }
        guard exists else {
            (self.generation, self.entries, self.slotBytes, self.isSettled) = (0, [:], 0, true)
            return
        }
        let (file, bytes) = try whileDoing("reading \(Self.name)") { () throws(FileError) in
            let file = try self.files.open(self.path, creating: false)
            return (file, try file.read(at: 0, count: 2 * Self.slotBytesMax))
        }
        let half = bytes.count / 2
        let slots = [bytes.prefix(half), bytes.dropFirst(half)].map(self.open)
        for (index, slot) in slots.enumerated() where slot == nil {
            self.incidents.note(.keyPageDamaged, file: Self.name, offset: UInt64(index * half))
        }
        guard let newest = slots.compactMap(\.self).max(by: { $0.generation < $1.generation }) else {
            throw VaultError(
                .keyFileDamaged,
                "HOME/vault/\(Self.name) does not open: restore its newest copy, without it no own record opens"
            )
        }
        (self.generation, self.entries) = (newest.generation, newest.entries)
        self.slotBytes = half
        if !slots.allSatisfy({ $0?.generation == newest.generation }) { try self.replaceFile(overwriting: file) }
        self.isSettled = true
    }

    /// Makes other entries the newest generation, durable in both slots.
    ///
    /// The table is settled. After an error either generation may be on the disk: ``settle()`` tells.
    mutating func save(_ entries: [UInt64: Entry]) throws(VaultError) {
        guard entries.count <= Self.entriesMax else {
            throw VaultError(.tooLarge, "the vault holds as many data keys as this release can keep")
        }
        precondition(self.isSettled, "what the disk holds is known before it is changed")
        self.isSettled = false
        let previous = (generation: self.generation, entries: self.entries)
        self.entries = entries
        self.generation += 1
        do {
            let bytes = self.slot
            let old = try whileDoing("reading \(Self.name)") { () throws(FileError) in
                try previous.generation == 0 ? nil : self.files.open(self.path, creating: false)
            }
            if let old, bytes.count <= self.slotBytes {
                try whileDoing("writing \(Self.name)") { () throws(FileError) in
                    for offset in [0, UInt64(self.slotBytes)] {
                        try old.write(bytes, at: offset)
                        try old.sync()
                    }
                }
            } else {
                try self.replaceFile(overwriting: old)
            }
        } catch {
            (self.generation, self.entries) = (previous.generation, previous.entries)
            self.incidents.note(.writeRefused, file: Self.name)
            throw error
        }
        self.isSettled = true
    }

    private mutating func replaceFile(overwriting old: (any OpenFile)?) throws(VaultError) {
        var slot = self.slot
        var size = Self.slotBytesMin
        while size < slot.count { size *= 2 }
        slot += [UInt8](repeating: 0, count: size - slot.count)
        try whileDoing("writing \(Self.name)") { () throws(FileError) in
            try self.reserve.using { () throws(FileError) in
                try self.files.replaceFile(self.path, in: self.folder, with: slot + slot)
            }
            if let old { try old.overwrite() }
        }
        self.slotBytes = size
    }

    /// Which slots are damaged on the disk now.
    func verify() throws(FileError) -> [StorageIncident] {
        guard try self.files.permissions(of: self.path) != nil else { return [] }
        let bytes = try self.files.open(self.path, creating: false).read(at: 0, count: 2 * Self.slotBytesMax)
        let half = bytes.count / 2
        return [bytes.prefix(half), bytes.dropFirst(half)].enumerated().compactMap { index, slot in
            guard self.open(slot) == nil else { return nil }
            return StorageIncident(.keyPageDamaged, file: Self.name, offset: UInt64(index * half))
        }
    }

    // MARK: Format

    /// `magic4 ‖ version1 ‖ zeros3 ‖ generation8 ‖ entries4 ‖ zeros4 ‖ sealed (file8 ‖ version4 ‖ key32, ascending) ‖ CRC4`.
    private var slot: [UInt8] {
        var plain: [UInt8] = []
        for (number, entry) in self.entries.sorted(by: { $0.key < $1.key }) {
            plain.append(integer: number)
            plain.append(integer: entry.version)
            plain += entry.key.bytes
        }
        var bytes = Self.magic + [1, 0, 0, 0]
        bytes.append(integer: self.generation)
        bytes.append(integer: UInt32(self.entries.count))
        bytes.append(integer: UInt32(0))
        bytes += Seal.close(plain, key: self.root, associated: Array("entente/file-keys/1".utf8) + bytes)
        bytes.append(integer: Checksum.crc32(bytes))
        return bytes
    }

    private func open(_ bytes: ArraySlice<UInt8>) -> (generation: UInt64, entries: [UInt64: Entry])? {
        guard bytes.count >= Self.headBytes, bytes.starts(with: Self.magic + [1, 0, 0, 0]) else { return nil }
        let count = Int(bytes.integer(at: 16, as: UInt32.self))
        guard count <= Self.entriesMax else { return nil }
        let sealedBytes = Seal.overheadBytes + count * Self.entryBytes
        let covered = bytes.prefix(Self.headBytes + sealedBytes)
        guard bytes.count >= covered.count + 4, bytes.dropFirst(covered.count + 4).allSatisfy({ $0 == 0 }),
            Checksum.crc32(covered) == bytes.integer(at: covered.count, as: UInt32.self),
            let plain = Seal.open(
                covered.dropFirst(Self.headBytes),
                key: self.root,
                associated: Array("entente/file-keys/1".utf8) + covered.prefix(Self.headBytes)
            )
        else { return nil }
        var entries: [UInt64: Entry] = [:]
        for start in stride(from: 0, to: plain.count, by: Self.entryBytes) {
            let key = SymmetricKey(data: plain[start + 12..<start + Self.entryBytes])
            entries[plain.integer(at: start)] = Entry(version: plain.integer(at: start + 8), key: key)
        }
        return (bytes.integer(at: 8), entries)
    }
}

extension OpenFile {
    /// Writes zeros over every byte and makes them durable: what its name is taken from afterwards holds nothing.
    func overwrite() throws(FileError) {
        let size = try self.size()
        try self.overwrite(from: 0, count: size)
        try self.sync()
    }

    func overwrite(from start: UInt64, count: UInt64) throws(FileError) {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 20)))
        var offset: UInt64 = 0
        while offset < count {
            let part = Int(min(UInt64(zeros.count), count - offset))
            try self.write(part == zeros.count ? zeros : Array(zeros.prefix(part)), at: start + offset)
            offset += UInt64(part)
        }
    }
}
