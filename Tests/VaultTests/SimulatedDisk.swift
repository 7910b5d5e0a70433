import Glibc
import Synchronization
import TestSupport
import Vault

/// A disk in memory that remembers what has been made durable.
///
/// A crash drops and tears the rest by seed; single calls can be made to fail.
final class SimulatedDisk: FileSystem {
    enum Call: Hashable, Sendable {
        case write, sync, rename, create, read
    }

    /// Bytes of one file: what is durable, and the writes since.
    struct Content: Sendable {
        var durable: [UInt8] = []
        var current: [UInt8] = []
        var pending: [(offset: Int, bytes: [UInt8])] = []
        var mode: UInt32 = 0o600
    }

    struct State: Sendable {
        /// Names as a process sees them and as they would be after a crash.
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var contents: [Int: Content] = [:]
        var nextContent = 0
        var capacity = Int.max
        /// The call that fails, counted down from the number of its kind still to succeed.
        var failing: (call: Call, left: Int, number: Int32, isLasting: Bool)?
        /// Writes store this many bytes at a time.
        var writeBytesMax = Int.max
        var calls: [Call: Int] = [:]
    }

    let state = Mutex(State())

    init() {}

    // MARK: Controls

    func fail(_ call: Call, after left: Int, with number: Int32, isLasting: Bool = false) {
        self.state.withLock { $0.failing = (call, left, number, isLasting) }
    }

    func heal() { self.state.withLock { $0.failing = nil } }

    func setCapacity(_ bytes: Int) { self.state.withLock { $0.capacity = bytes } }

    func setWriteBytesMax(_ bytes: Int) { self.state.withLock { $0.writeBytesMax = bytes } }

    func count(_ call: Call) -> Int { self.state.withLock { $0.calls[call] ?? 0 } }

    var usedBytes: Int { self.state.withLock { Self.used($0) } }

    var paths: [String] { self.state.withLock { $0.names.keys.sorted() } }

    func bytes(_ path: String) -> [UInt8] {
        self.state.withLock { state in state.names[path].flatMap { state.contents[$0]?.current } ?? [] }
    }

    func set(_ path: String, _ bytes: [UInt8]) {
        self.state.withLock { state in
            guard let id = state.names[path] else { return }
            state.contents[id]?.current = bytes
            state.contents[id]?.durable = bytes
            state.contents[id]?.pending = []
        }
    }

    func setMode(_ path: String, _ mode: UInt32) {
        self.state.withLock { state in
            if let id = state.names[path] { state.contents[id]?.mode = mode }
        }
    }

    /// A disk of its own with the same files, all of them durable.
    func copy() -> SimulatedDisk {
        let disk = SimulatedDisk()
        let state = self.state.withLock { $0 }
        disk.state.withLock {
            $0 = state
            $0.durableNames = $0.names
        }
        return disk
    }

    /// The disk as it may be found after the power failed now: each write since the last sync of its file is there, is
    /// missing, or is there in part, sector by sector; names changed since the last sync of the folder may be old.
    func crashed(using generator: inout SeededGenerator) -> SimulatedDisk {
        let disk = SimulatedDisk()
        let old = self.state.withLock { $0 }
        var new = State()
        new.nextContent = old.nextContent
        for path in Set(old.names.keys).union(old.durableNames.keys).sorted() {
            let isNew = Bool.random(using: &generator)
            new.names[path] = isNew ? old.names[path] : old.durableNames[path]
        }
        new.durableNames = new.names
        for (id, content) in old.contents.sorted(by: { $0.key < $1.key }) {
            var bytes = content.durable
            for write in content.pending {
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: break
                case 1: Self.apply(write.bytes[...], at: write.offset, to: &bytes)
                default:
                    var start = 0
                    while start < write.bytes.count {
                        let boundary = (write.offset + start) / 512 * 512 + 512 - write.offset
                        let end = min(boundary, write.bytes.count)
                        if Bool.random(using: &generator) {
                            Self.apply(write.bytes[start..<end], at: write.offset + start, to: &bytes)
                        }
                        start = end
                    }
                }
            }
            new.contents[id] = Content(durable: bytes, current: bytes, mode: content.mode)
        }
        let state = new
        disk.state.withLock { $0 = state }
        return disk
    }

    // MARK: FileSystem

    func open(_ path: String, creating: Bool) throws(FileError) -> any OpenFile {
        let result = self.state.withLock { state -> Result<Int, FileError> in
            if creating {
                if let error = Self.failure(.create, &state) { return .failure(error) }
                guard state.names[path] == nil else { return .failure(FileError(EEXIST)) }
                state.names[path] = state.nextContent
                state.contents[state.nextContent] = Content()
                state.nextContent += 1
            }
            guard let id = state.names[path] else { return .failure(FileError(ENOENT)) }
            return .success(id)
        }
        return SimulatedFile(self, try result.get())
    }

    func list(_ folder: String) throws(FileError) -> [String] {
        let prefix = folder + "/"
        return self.paths.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            .filter { !$0.contains("/") }
    }

    func makeFolder(_ path: String) throws(FileError) {}

    func rename(_ path: String, to target: String) throws(FileError) {
        try self.state.withLock { state -> Result<Void, FileError> in
            if let error = Self.failure(.rename, &state) { return .failure(error) }
            guard let id = state.names.removeValue(forKey: path) else { return .failure(FileError(ENOENT)) }
            state.names[target] = id
            return .success(())
        }.get()
    }

    func remove(_ path: String) throws(FileError) {
        self.state.withLock { state in
            guard let id = state.names.removeValue(forKey: path) else { return }
            if !state.durableNames.values.contains(id) { state.contents[id] = nil }
        }
    }

    func syncFolder(_ path: String) throws(FileError) {
        try self.state.withLock { state -> Result<Void, FileError> in
            if let error = Self.failure(.sync, &state) { return .failure(error) }
            state.durableNames = state.names
            return .success(())
        }.get()
    }

    func permissions(of path: String) throws(FileError) -> UInt32? {
        self.state.withLock { state in state.names[path].flatMap { state.contents[$0]?.mode } }
    }

    static func failure(_ call: Call, _ state: inout State) -> FileError? {
        state.calls[call, default: 0] += 1
        guard let failing = state.failing, failing.call == call else { return nil }
        guard failing.left == 0 else {
            state.failing?.left -= 1
            return nil
        }
        if !failing.isLasting { state.failing = nil }
        return FileError(failing.number)
    }

    static func used(_ state: State) -> Int {
        Set(state.names.values).reduce(0) { $0 + (state.contents[$1]?.current.count ?? 0) }
    }

    static func apply(_ bytes: ArraySlice<UInt8>, at offset: Int, to content: inout [UInt8]) {
        let end = offset + bytes.count
        if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
        content.replaceSubrange(offset..<end, with: bytes)
    }
}

private final class SimulatedFile: OpenFile {
    private let disk: SimulatedDisk
    private let id: Int

    init(_ disk: SimulatedDisk, _ id: Int) {
        self.disk = disk
        self.id = id
    }

    func readSome(at offset: UInt64, count: Int) throws(FileError) -> [UInt8] {
        try self.disk.state.withLock { state -> Result<[UInt8], FileError> in
            if let error = SimulatedDisk.failure(.read, &state) { return .failure(error) }
            let bytes = state.contents[self.id]?.current ?? []
            let start = min(Int(offset), bytes.count)
            return .success(Array(bytes[start..<min(start + count, bytes.count)]))
        }.get()
    }

    func writeSome(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws(FileError) -> Int {
        try self.disk.state.withLock { state -> Result<Int, FileError> in
            if let error = SimulatedDisk.failure(.write, &state) { return .failure(error) }
            guard let size = state.contents[self.id]?.current.count else { return .failure(FileError(EIO)) }
            var count = min(bytes.count, state.writeBytesMax)
            let growth = max(0, Int(offset) + count - size)
            count -= max(0, growth - max(0, state.capacity - SimulatedDisk.used(state)))
            guard count > 0 else { return .failure(FileError(ENOSPC)) }
            let part = Array(bytes.prefix(count))
            SimulatedDisk.apply(part[...], at: Int(offset), to: &state.contents[self.id, default: .init()].current)
            state.contents[self.id]?.pending.append((Int(offset), part))
            return .success(count)
        }.get()
    }

    func sync() throws(FileError) {
        try self.disk.state.withLock { state -> Result<Void, FileError> in
            guard var content = state.contents[self.id] else { return .success(()) }
            defer {
                content.pending = []
                state.contents[self.id] = content
            }
            // As Linux does: after a failed sync the writes look clean, are still read, and are never written.
            if let error = SimulatedDisk.failure(.sync, &state) { return .failure(error) }
            for write in content.pending {
                SimulatedDisk.apply(write.bytes[...], at: write.offset, to: &content.durable)
            }
            content.durable = Array(content.durable.prefix(content.current.count))
            let missing = content.current.count - content.durable.count
            content.durable += [UInt8](repeating: 0, count: missing)
            return .success(())
        }.get()
    }

    func truncate(to size: UInt64) throws(FileError) {
        self.disk.state.withLock { state in
            guard let bytes = state.contents[self.id]?.current, bytes.count > Int(size) else { return }
            state.contents[self.id]?.current = Array(bytes.prefix(Int(size)))
            // A lost truncation is a longer file; the next write covers it.
            state.contents[self.id]?.pending.removeAll { $0.offset >= Int(size) }
        }
    }

    func allocate(_ size: UInt64) throws(FileError) {
        try self.disk.state.withLock { state -> Result<Void, FileError> in
            let have = state.contents[self.id]?.current.count ?? 0
            guard Int(size) - have <= state.capacity - SimulatedDisk.used(state) else {
                return .failure(FileError(ENOSPC))
            }
            let bytes = [UInt8](repeating: 0, count: Int(size))
            state.contents[self.id]?.current = bytes
            state.contents[self.id]?.durable = bytes
            return .success(())
        }.get()
    }

    func size() throws(FileError) -> UInt64 {
        UInt64(self.disk.state.withLock { $0.contents[self.id]?.current.count ?? 0 })
    }
}
