internal import Crypto
internal import Primitives
internal import Synchronization

/// The data keys of the institution's own records at rest: pages of 64 keys by sequence number, each page sealed under
/// a key of its own that is wrapped under the vault's root key (Documentation/Protocol/VaultFiles.md).
///
/// Each page has two slots that take turns, so that an interrupted write leaves the older version whole. Rewriting a
/// page under a new page key, in both slots, erases whatever is left out of it.
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

    private let folder: String
    private let root: SymmetricKey
    private let files: any FileSystem
    private let incidents: IncidentLog
    private let reserve: ReserveFile
    private let state = Mutex(State())

    init(
        folder: String,
        root: SymmetricKey,
        files: any FileSystem,
        incidents: IncidentLog,
        reserve: ReserveFile
    ) throws(FileError) {
        self.folder = folder
        self.root = root
        self.files = files
        self.incidents = incidents
        self.reserve = reserve
        try files.makeFolder(folder)
        for name in try files.list(folder) where name.hasSuffix(".tmp") { try files.remove(folder + "/" + name) }
    }

    // MARK: Reading

    /// The data key of the institution's record with this sequence number, `nil` if none was stored.
    func key(_ sequence: UInt64) throws(VaultError) -> SymmetricKey? {
        let number = sequence / Self.keysPerPage
        return try self.state.withLock { state throws(VaultError) in
            let page = try self.page(number, &state)
            state.cached = (number, page)
            let start = Int(sequence % Self.keysPerPage) * Self.keyBytes
            let bytes = page.keys[start..<start + Self.keyBytes]
            return bytes.allSatisfy { $0 == 0 } ? nil : SymmetricKey(data: bytes)
        }
    }

    private func page(_ number: UInt64, _ state: inout State) throws(VaultError) -> Page {
        if let cached = state.cached, cached.number == number { return cached.page }
        return try whileDoing("reading data keys") { () throws(FileError) in
            guard let file = try self.file(number / Self.pagesPerFile, creating: false, &state) else { return Page() }
            let offset = Self.offset(number, slot: 0)
            let slots = try file.read(at: offset, count: 2 * Self.slotBytes)
            return self.newest(number, slots[...])
        }
    }

    /// The newer intact version among two slots.
    private func newest(_ number: UInt64, _ slots: ArraySlice<UInt8>) -> Page {
        var newest = Page()
        for slot in 0...1 {
            let bytes = slots.dropFirst(slot * Self.slotBytes).prefix(Self.slotBytes)
            guard bytes.contains(where: { $0 != 0 }) else { continue }
            guard let page = self.open(number, slot: slot, bytes) else {
                let offset = Self.offset(number, slot: slot)
                self.incidents.note(.keyPageDamaged, file: Self.name(number / Self.pagesPerFile), offset: offset)
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
            let byPage = Dictionary(grouping: keys) { $0.sequence / Self.keysPerPage }
            var touched: Set<UInt64> = []
            var last: (number: UInt64, page: Page)?
            for number in byPage.keys.sorted() {
                let fileNumber = number / Self.pagesPerFile
                if state.poisoned.contains(fileNumber) { try self.rewrite(fileNumber, &state) }
                var page = try self.page(number, &state)
                for key in byPage[number] ?? [] {
                    let start = Int(key.sequence % Self.keysPerPage) * Self.keyBytes
                    key.key.withUnsafeBytes { page.keys.replaceSubrange(start..<start + Self.keyBytes, with: $0) }
                }
                page.generation += 1
                page.slot = 1 - page.slot
                let bytes = self.seal(number, page)
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

    private func refused(_ error: FileError, _ fileNumber: UInt64, _ state: inout State) -> VaultError {
        state.cached = nil
        if !error.isNoSpace { state.poisoned.insert(fileNumber) }
        self.incidents.note(.writeRefused, file: Self.name(fileNumber))
        return VaultError.file(error, "storing data keys")
    }

    /// Copies the newest version of every page into a new file: after a failed sync nobody knows what the old one holds.
    private func rewrite(_ fileNumber: UInt64, _ state: inout State) throws(VaultError) {
        try whileDoing("rewriting data keys") { () throws(FileError) in
            let path = self.path(fileNumber)
            state.open[fileNumber] = nil
            state.cached = nil
            guard try self.files.permissions(of: path) != nil else {
                state.poisoned.remove(fileNumber)
                return
            }
            let source = try self.files.open(path, creating: false)
            let bytes = try source.read(at: 0, count: Int(Self.pagesPerFile) * 2 * Self.slotBytes)
            var copy = [UInt8](repeating: 0, count: bytes.count)
            for start in stride(from: 0, to: bytes.count, by: 2 * Self.slotBytes) {
                let number = fileNumber * Self.pagesPerFile + UInt64(start / (2 * Self.slotBytes))
                let page = self.newest(number, bytes[start..<min(start + 2 * Self.slotBytes, bytes.count)])
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
        let path = self.path(fileNumber)
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
        try whileDoing("reading data keys") { () throws(FileError) in
            var problems: [StorageIncident] = []
            for name in try self.files.list(self.folder) {
                guard let fileNumber = Self.number(ofName: name) else { continue }
                let file = try self.files.open(self.path(fileNumber), creating: false)
                let size = try file.size()
                for offset in stride(from: UInt64(0), to: size, by: Self.slotBytes) {
                    let bytes = try file.read(at: offset, count: Self.slotBytes)
                    guard bytes.contains(where: { $0 != 0 }) else { continue }
                    let index = offset / UInt64(Self.slotBytes)
                    let number = fileNumber * Self.pagesPerFile + index / 2
                    if self.open(number, slot: Int(index % 2), bytes[...]) == nil {
                        problems.append(StorageIncident(.keyPageDamaged, file: name, offset: offset))
                    }
                }
            }
            return problems
        }
    }

    // MARK: Format

    /// `magic4 ‖ version1 ‖ zeros3 ‖ page8 ‖ generation8 ‖ wrapped page key60 ‖ sealed keys(12+2048+16) ‖ zeros ‖ CRC4`.
    private func seal(_ number: UInt64, _ page: Page) -> [UInt8] {
        var bytes = Self.magic + [1, 0, 0, 0]
        bytes.append(integer: number)
        bytes.append(integer: page.generation)
        let associated = Array("entente/key-page/1".utf8) + bytes
        let pageKey = SymmetricKey.make()
        bytes += Seal.close(pageKey.withUnsafeBytes { Array($0) }, key: self.root, associated: associated)
        bytes += Seal.close(page.keys, key: pageKey, associated: associated)
        bytes += [UInt8](repeating: 0, count: Self.slotBytes - 4 - bytes.count)
        bytes.append(integer: Checksum.crc32(bytes))
        return bytes
    }

    private func open(_ number: UInt64, slot: Int, _ bytes: ArraySlice<UInt8>) -> Page? {
        guard bytes.count == Self.slotBytes, bytes.starts(with: Self.magic + [1, 0, 0, 0]),
            Checksum.crc32(bytes.dropLast(4)) == bytes.integer(at: Self.slotBytes - 4, as: UInt32.self),
            bytes.integer(at: 8, as: UInt64.self) == number
        else { return nil }
        let associated = Array("entente/key-page/1".utf8) + bytes.prefix(24)
        let sealedKeys = bytes.startIndex + 24 + Self.wrappedKeyBytes
        let wrapped = bytes[(bytes.startIndex + 24)..<sealedKeys]
        let sealed = bytes[sealedKeys..<sealedKeys + Seal.overheadBytes + Self.keysBytes]
        guard let pageKey = Seal.open(wrapped, key: self.root, associated: associated),
            let keys = Seal.open(sealed, key: SymmetricKey(data: pageKey), associated: associated)
        else { return nil }
        return Page(generation: bytes.integer(at: 16), slot: slot, keys: keys)
    }

    private static func offset(_ number: UInt64, slot: Int) -> UInt64 {
        (number % Self.pagesPerFile * 2 + UInt64(slot)) * UInt64(Self.slotBytes)
    }

    private func path(_ fileNumber: UInt64) -> String { self.folder + "/" + Self.name(fileNumber) }

    private static func name(_ fileNumber: UInt64) -> String {
        let digits = String(fileNumber)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".keys"
    }

    private static func number(ofName name: String) -> UInt64? {
        guard name.hasSuffix(".keys"), let number = UInt64(name.dropLast(5)), Self.name(number) == name else {
            return nil
        }
        return number
    }
}
