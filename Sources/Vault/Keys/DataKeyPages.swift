internal import Crypto
internal import Primitives
internal import Synchronization

/// The data keys of the institution's own records at rest: pages of 64 keys by sequence number, each page sealed under
/// a key of its own that is wrapped under the key of its file, which stands in ``FileKeyTable``
/// (Documentation/Protocol/VaultFiles.md).
///
/// Each page has two slots that take turns, so that an interrupted write leaves the older version whole. Destroying keys
/// is writing the file anew without them, under a new file key, and forgetting the one before.
final class DataKeyPages: Sendable {
    struct NewKey: Sendable {
        var sequence: UInt64
        var key: SymmetricKey
    }

    /// The decrypted content of one page.
    private struct Page {
        /// Counts the page's versions from 1; 0 for a page that was never written.
        var generation: UInt64 = 0
        var slot = 1
        /// 64 keys of 32 bytes; zeros where there is none.
        var keys = [UInt8](repeating: 0, count: DataKeyPages.keysBytes)
    }

    private struct State {
        var table: FileKeyTable
        var open: [UInt64: any OpenFile] = [:]
        /// The page last written or read: keys are asked for in the order of their numbers.
        var cached: (number: UInt64, page: Page)?
        /// Files whose disk refused a sync: rewritten before anything more is stored in them.
        var poisoned: Set<UInt64> = []
    }

    static let keysPerPage: UInt64 = 64
    static let pagesPerFile: UInt64 = 1024
    /// Five sectors: two versions never share one.
    static let slotBytes = 2560
    private static let keyBytes = 32
    private static let keysBytes = Int(keysPerPage) * keyBytes
    private static let magic = Array("EKPG".utf8)
    private static let wrappedKeyBytes = 60

    /// What stands in the place of a destroyed key; no key that was ever drawn is this one.
    private static let destroyed = [UInt8](repeating: 0xFF, count: keyBytes)

    private let folder: String
    /// Of files that an earlier release made, before each had a key of its own.
    private let legacyRoot: SymmetricKey
    private let files: any FileSystem
    private let incidents: IncidentLog
    private let reserve: ReserveFile
    private let state: Mutex<State>

    /// Opens `FOLDER/keys`, and `FOLDER/roots` beside it, and finishes what a crash interrupted.
    ///
    /// - Throws: `keyFileDamaged` when the table of keys does not open or is older than the files.
    init(
        vault folder: String,
        root: SymmetricKey,
        files: any FileSystem,
        incidents: IncidentLog,
        reserve: ReserveFile
    ) throws(VaultError) {
        self.folder = folder + "/keys"
        self.legacyRoot = root
        self.files = files
        self.incidents = incidents
        self.reserve = reserve
        var state = State(
            table: try FileKeyTable(folder: folder, root: root, files: files, incidents: incidents, reserve: reserve)
        )
        let names = try whileDoing("looking at data keys") { [folder = self.folder] () throws(FileError) in
            try files.makeFolder(folder)
            for name in try files.list(folder) where name.hasSuffix(".tmp") { try files.remove(folder + "/" + name) }
            return try files.list(folder)
        }
        try Self.check(names, against: state.table)
        self.state = Mutex(State(table: state.table))
        try self.tidy(state.table)
        try self.adoptLegacyFiles(names, &state)
        let adopted = state
        self.state.withLock { $0 = adopted }
    }

    /// Refuses a table that was restored from an older copy than the files: what it does not know would be taken for the
    /// leftovers of a crash.
    private static func check(_ names: [String], against table: FileKeyTable) throws(VaultError) {
        let found = names.compactMap(Self.parse)
        for number in Set(found.map(\.number)) {
            let versions = found.filter { $0.number == number }.map(\.version)
            guard let version = table.entries[number]?.version else {
                // Only what an earlier release made has no entry, with at most an unfinished version beside it.
                guard versions.contains(0), versions.allSatisfy({ $0 <= 1 }) else { throw Self.tableTooOld }
                continue
            }
            if !versions.contains(version), !versions.isEmpty { throw Self.tableTooOld }
        }
    }

    private static let tableTooOld = VaultError(
        .keyFileDamaged,
        "HOME/vault/roots is missing or older than HOME/vault/keys: restore its newest copy"
    )

    // MARK: Destroying

    /// Destroys the keys with these sequence numbers and returns the generation of the table since when they are gone.
    ///
    /// Returns once it is durable: their files are written anew without them under new keys, the table forgets the keys
    /// before, and the files before are overwritten and removed. Destroying twice does no harm, and finishes what a crash
    /// or an error interrupted.
    func destroy(_ sequences: Set<UInt64>) throws(VaultError) -> UInt64 {
        try self.state.withLock { state throws(VaultError) in
            try self.settle(&state)
            var entries = state.table.entries
            var isChanged = false
            for (fileNumber, group) in Dictionary(grouping: sequences, by: Self.fileNumber).sorted(by: {
                $0.key < $1.key
            }) {
                guard let entry = entries[fileNumber], let bytes = try self.content(of: fileNumber, state) else {
                    continue
                }
                var pages = self.pages(of: fileNumber, bytes, entry.key)
                guard Self.markDestroyed(group, in: &pages) else { continue }
                entries[fileNumber] = try self.write(fileNumber, pages, version: entry.version + 1)
                isChanged = true
            }
            (state.cached, state.open) = (nil, [:])
            if isChanged { try state.table.save(entries) }
            try self.tidy(state.table)
            return state.table.generation
        }
    }

    /// Whether the key with this sequence number was there and was destroyed.
    func isDestroyed(_ sequence: UInt64) throws(VaultError) -> Bool {
        try self.slot(of: sequence) == Self.destroyed
    }

    private static func fileNumber(_ sequence: UInt64) -> UInt64 {
        sequence / Self.keysPerPage / Self.pagesPerFile
    }

    /// Whether any of them was not marked yet.
    private static func markDestroyed(_ sequences: [UInt64], in pages: inout [UInt64: Page]) -> Bool {
        var isChanged = false
        for sequence in sequences {
            let number = sequence / Self.keysPerPage
            let range = Self.range(of: sequence)
            guard pages[number]?.keys[range] != Self.destroyed[...] else { continue }
            pages[number, default: Page()].keys.replaceSubrange(range, with: Self.destroyed)
            isChanged = true
        }
        return isChanged
    }

    private static func range(of sequence: UInt64) -> Range<Int> {
        let start = Int(sequence % Self.keysPerPage) * Self.keyBytes
        return start..<start + Self.keyBytes
    }

    /// The newest version of every page of a file.
    private func pages(of fileNumber: UInt64, _ bytes: [UInt8], _ key: SymmetricKey) -> [UInt64: Page] {
        var pages: [UInt64: Page] = [:]
        for start in stride(from: 0, to: bytes.count, by: 2 * Self.slotBytes) {
            let number = fileNumber * Self.pagesPerFile + UInt64(start / (2 * Self.slotBytes))
            let page = self.newest(number, bytes[start..<min(start + 2 * Self.slotBytes, bytes.count)], key)
            if page.generation > 0 { pages[number] = page }
        }
        return pages
    }

    /// The bytes of a file as the disk has them, not as a descriptor that is open since long remembers them.
    private func content(of fileNumber: UInt64, _ state: State) throws(VaultError) -> [UInt8]? {
        try whileDoing("reading data keys") { () throws(FileError) in
            let path = self.path(fileNumber, state)
            guard try self.files.permissions(of: path) != nil else { return nil }
            return try self.files.open(path, creating: false)
                .read(at: 0, count: Int(Self.pagesPerFile) * 2 * Self.slotBytes)
        }
    }

    /// Writes a new version of a file under a new key.
    ///
    /// It counts once the table names it.
    private func write(
        _ fileNumber: UInt64,
        _ pages: [UInt64: Page],
        version: UInt32
    ) throws(VaultError) -> FileKeyTable.Entry {
        let entry = FileKeyTable.Entry(version: version, key: SymmetricKey.make())
        let first = fileNumber * Self.pagesPerFile
        let count = pages.keys.max().map { Int($0 - first) + 1 } ?? 0
        var bytes = [UInt8](repeating: 0, count: count * 2 * Self.slotBytes)
        for (number, page) in pages.sorted(by: { $0.key < $1.key }) {
            var page = page
            page.generation += 1
            page.slot = 0
            let start = Int(number - first) * 2 * Self.slotBytes
            bytes.replaceSubrange(start..<start + Self.slotBytes, with: self.seal(number, page, entry.key))
        }
        try whileDoing("rewriting data keys") { () throws(FileError) in
            try self.reserve.using { () throws(FileError) in
                try self.files.replaceFile(
                    self.folder + "/" + Self.name(fileNumber, version),
                    in: self.folder,
                    with: bytes
                )
            }
        }
        return entry
    }

    /// Overwrites and removes every file that the table does not name.
    private func tidy(_ table: FileKeyTable) throws(VaultError) {
        try whileDoing("removing old data keys") { () throws(FileError) in
            var isChanged = false
            for name in try self.files.list(self.folder) {
                guard let (number, version) = Self.parse(name), version != table.entries[number]?.version ?? 0 else {
                    continue
                }
                try self.files.open(self.folder + "/" + name, creating: false).overwrite()
                try self.files.remove(self.folder + "/" + name)
                isChanged = true
            }
            if isChanged { try self.files.syncFolder(self.folder) }
        }
    }

    /// Gives files of an earlier release, which share one key that never changes, keys of their own.
    private func adoptLegacyFiles(_ names: [String], _ state: inout State) throws(VaultError) {
        var entries = state.table.entries
        for (number, version) in names.compactMap(Self.parse) where version == 0 && entries[number] == nil {
            guard let bytes = try self.content(of: number, state) else { continue }
            let pages = self.pages(of: number, bytes, self.legacyRoot)
            guard !pages.isEmpty || bytes.allSatisfy({ $0 == 0 }) else {
                throw VaultError(.keyFileDamaged, "data keys in HOME/vault/keys do not open with this home's keys")
            }
            entries[number] = try self.write(number, pages, version: 1)
        }
        guard entries.count > state.table.entries.count else { return }
        try state.table.save(entries)
        try self.tidy(state.table)
    }

    private func settle(_ state: inout State) throws(VaultError) {
        if try state.table.settle() { (state.cached, state.open) = (nil, [:]) }
    }

    // MARK: Reading

    /// The data key of the institution's record with this sequence number, `nil` if none was stored.
    func key(_ sequence: UInt64) throws(VaultError) -> SymmetricKey? {
        let bytes = try self.slot(of: sequence)
        return bytes.allSatisfy { $0 == 0 } || bytes == Self.destroyed ? nil : SymmetricKey(data: bytes)
    }

    private func slot(of sequence: UInt64) throws(VaultError) -> [UInt8] {
        let number = sequence / Self.keysPerPage
        return try self.state.withLock { state throws(VaultError) in
            let page = try self.page(number, &state)
            state.cached = (number, page)
            return Array(page.keys[Self.range(of: sequence)])
        }
    }

    private func page(_ number: UInt64, _ state: inout State) throws(VaultError) -> Page {
        if let cached = state.cached, cached.number == number { return cached.page }
        guard let key = state.table.entries[number / Self.pagesPerFile]?.key else { return Page() }
        return try whileDoing("reading data keys") { () throws(FileError) in
            guard let file = try self.file(number / Self.pagesPerFile, creating: false, &state) else { return Page() }
            let offset = Self.offset(number, slot: 0)
            let slots = try file.read(at: offset, count: 2 * Self.slotBytes)
            return self.newest(number, slots[...], key)
        }
    }

    /// The newer intact version among two slots.
    private func newest(_ number: UInt64, _ slots: ArraySlice<UInt8>, _ key: SymmetricKey) -> Page {
        var newest = Page()
        for slot in 0...1 {
            let bytes = slots.dropFirst(slot * Self.slotBytes).prefix(Self.slotBytes)
            guard bytes.contains(where: { $0 != 0 }) else { continue }
            guard let page = self.open(number, slot: slot, bytes, key) else {
                let offset = Self.offset(number, slot: slot)
                self.incidents.note(.keyPageDamaged, file: Self.shortName(number / Self.pagesPerFile), offset: offset)
                continue
            }
            if page.generation > newest.generation { newest = page }
        }
        return newest
    }

    // MARK: Writing

    /// Stores keys and returns when they are durable.
    func put(_ keys: [NewKey]) throws(VaultError) {
        guard !keys.isEmpty else { return }
        try self.state.withLock { state throws(VaultError) in
            try self.settle(&state)
            try self.makeFileKeys(for: keys, &state)
            let byPage = Dictionary(grouping: keys) { $0.sequence / Self.keysPerPage }
            var touched: Set<UInt64> = []
            var last: (number: UInt64, page: Page)?
            for number in byPage.keys.sorted() {
                let fileNumber = number / Self.pagesPerFile
                if state.poisoned.contains(fileNumber) { try self.rewrite(fileNumber, &state) }
                var page = try self.page(number, &state)
                for key in byPage[number] ?? [] {
                    key.key.withUnsafeBytes { page.keys.replaceSubrange(Self.range(of: key.sequence), with: $0) }
                }
                page.generation += 1
                page.slot = 1 - page.slot
                guard let fileKey = state.table.entries[fileNumber]?.key else {
                    preconditionFailure("a file that is written has a key")
                }
                let bytes = self.seal(number, page, fileKey)
                do throws(FileError) {
                    let file = try self.file(fileNumber, creating: true, &state)
                    try file?.write(bytes, at: Self.offset(number, slot: page.slot))
                } catch { throw self.refused(error, fileNumber, &state) }
                touched.insert(fileNumber)
                last = (number, page)
            }
            for fileNumber in touched.sorted() {
                do throws(FileError) { try state.open[fileNumber]?.sync() } catch {
                    state.poisoned.insert(fileNumber)
                    throw self.refused(error, fileNumber, &state)
                }
            }
            state.cached = last
        }
    }

    /// Gives files that are about to begin their keys, durable before anything is sealed under them.
    private func makeFileKeys(for keys: [NewKey], _ state: inout State) throws(VaultError) {
        var entries = state.table.entries
        for number in Set(keys.map { Self.fileNumber($0.sequence) }) where entries[number] == nil {
            entries[number] = FileKeyTable.Entry(version: 1, key: SymmetricKey.make())
        }
        guard entries.count > state.table.entries.count else { return }
        try state.table.save(entries)
    }

    private func refused(_ error: FileError, _ fileNumber: UInt64, _ state: inout State) -> VaultError {
        state.cached = nil
        if !error.isNoSpace { state.poisoned.insert(fileNumber) }
        self.incidents.note(.writeRefused, file: Self.shortName(fileNumber))
        return VaultError.file(error, "storing data keys")
    }

    /// Copies the newest version of every page into a new file: after a failed sync nobody knows what the old one holds.
    private func rewrite(_ fileNumber: UInt64, _ state: inout State) throws(VaultError) {
        try whileDoing("rewriting data keys") { () throws(FileError) in
            let path = self.path(fileNumber, state)
            state.open[fileNumber] = nil
            state.cached = nil
            guard try self.files.permissions(of: path) != nil, let key = state.table.entries[fileNumber]?.key else {
                state.poisoned.remove(fileNumber)
                return
            }
            let source = try self.files.open(path, creating: false)
            let bytes = try source.read(at: 0, count: Int(Self.pagesPerFile) * 2 * Self.slotBytes)
            var copy = [UInt8](repeating: 0, count: bytes.count)
            for start in stride(from: 0, to: bytes.count, by: 2 * Self.slotBytes) {
                let number = fileNumber * Self.pagesPerFile + UInt64(start / (2 * Self.slotBytes))
                let page = self.newest(number, bytes[start..<min(start + 2 * Self.slotBytes, bytes.count)], key)
                guard page.generation > 0 else { continue }
                let first = start + page.slot * Self.slotBytes
                copy.replaceSubrange(first..<first + Self.slotBytes, with: bytes[first..<first + Self.slotBytes])
            }
            try self.reserve.using { () throws(FileError) in
                try self.files.replaceFile(path, in: self.folder, with: copy)
            }
            state.poisoned.remove(fileNumber)
        }
    }

    private func file(
        _ fileNumber: UInt64,
        creating: Bool,
        _ state: inout State
    ) throws(FileError) -> (any OpenFile)? {
        if let file = state.open[fileNumber] { return file }
        let path = self.path(fileNumber, state)
        if try self.files.permissions(of: path) == nil {
            guard creating else { return nil }
            try self.files.replaceFile(path, in: self.folder, with: [])
        }
        let file = try self.files.open(path, creating: false)
        // The newest file is written, an older one is read now and then.
        if state.open.count >= 8 { state.open.removeAll() }
        state.open[fileNumber] = file
        return file
    }

    // MARK: Checking

    /// Reads every page of every file and says which slots are damaged.
    func verify() throws(VaultError) -> [StorageIncident] {
        let table = self.state.withLock { $0.table }
        let entries = table.entries
        return try whileDoing("reading data keys") { () throws(FileError) in
            var problems = try table.verify()
            for name in try self.files.list(self.folder) {
                guard let (fileNumber, version) = Self.parse(name), let entry = entries[fileNumber],
                    entry.version == version
                else { continue }
                let file = try self.files.open(self.folder + "/" + name, creating: false)
                let size = try file.size()
                for offset in stride(from: UInt64(0), to: size, by: Self.slotBytes) {
                    let bytes = try file.read(at: offset, count: Self.slotBytes)
                    guard bytes.contains(where: { $0 != 0 }) else { continue }
                    let index = offset / UInt64(Self.slotBytes)
                    let number = fileNumber * Self.pagesPerFile + index / 2
                    if self.open(number, slot: Int(index % 2), bytes[...], entry.key) == nil {
                        problems.append(StorageIncident(.keyPageDamaged, file: name, offset: offset))
                    }
                }
            }
            return problems
        }
    }

    // MARK: Format

    /// `magic4 ‖ version1 ‖ zeros3 ‖ page8 ‖ generation8 ‖ wrapped page key60 ‖ sealed keys(12+2048+16) ‖ zeros ‖ CRC4`.
    private func seal(_ number: UInt64, _ page: Page, _ fileKey: SymmetricKey) -> [UInt8] {
        var bytes = Self.magic + [1, 0, 0, 0]
        bytes.append(integer: number)
        bytes.append(integer: page.generation)
        let associated = Array("entente/key-page/1".utf8) + bytes
        let pageKey = SymmetricKey.make()
        bytes += Seal.close(pageKey.withUnsafeBytes { Array($0) }, key: fileKey, associated: associated)
        bytes += Seal.close(page.keys, key: pageKey, associated: associated)
        bytes += [UInt8](repeating: 0, count: Self.slotBytes - 4 - bytes.count)
        bytes.append(integer: Checksum.crc32(bytes))
        return bytes
    }

    private func open(
        _ number: UInt64,
        slot: Int,
        _ bytes: ArraySlice<UInt8>,
        _ fileKey: SymmetricKey
    ) -> Page? {
        guard bytes.count == Self.slotBytes, bytes.starts(with: Self.magic + [1, 0, 0, 0]),
            Checksum.crc32(bytes.dropLast(4)) == bytes.integer(at: Self.slotBytes - 4, as: UInt32.self),
            bytes.integer(at: 8, as: UInt64.self) == number
        else { return nil }
        let associated = Array("entente/key-page/1".utf8) + bytes.prefix(24)
        let sealedKeys = bytes.startIndex + 24 + Self.wrappedKeyBytes
        let wrapped = bytes[(bytes.startIndex + 24)..<sealedKeys]
        let sealed = bytes[sealedKeys..<sealedKeys + Seal.overheadBytes + Self.keysBytes]
        guard let pageKey = Seal.open(wrapped, key: fileKey, associated: associated),
            let keys = Seal.open(sealed, key: SymmetricKey(data: pageKey), associated: associated)
        else { return nil }
        return Page(generation: bytes.integer(at: 16), slot: slot, keys: keys)
    }

    private static func offset(_ number: UInt64, slot: Int) -> UInt64 {
        (number % Self.pagesPerFile * 2 + UInt64(slot)) * UInt64(Self.slotBytes)
    }

    private func path(_ fileNumber: UInt64, _ state: State) -> String {
        self.folder + "/" + Self.name(fileNumber, state.table.entries[fileNumber]?.version ?? 0)
    }

    private static func shortName(_ fileNumber: UInt64) -> String { Self.digits(fileNumber) + ".keys" }

    /// `NUMBER-VERSION.keys`; without a version in an earlier release.
    private static func name(_ fileNumber: UInt64, _ version: UInt32) -> String {
        version == 0
            ? Self.shortName(fileNumber) : Self.digits(fileNumber) + "-" + Self.digits(UInt64(version)) + ".keys"
    }

    private static func digits(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    private static func parse(_ name: String) -> (number: UInt64, version: UInt32)? {
        guard name.hasSuffix(".keys") else { return nil }
        let parts = name.dropLast(5).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let number = UInt64(parts[0]), let version = parts.count > 1 ? UInt32(parts[1]) : 0,
            Self.name(number, version) == name
        else { return nil }
        return (number, version)
    }
}
