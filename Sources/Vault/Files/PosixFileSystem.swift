internal import Glibc

/// The disk of this machine.
package struct PosixFileSystem: FileSystem {
    package init() {}

    package func open(_ path: String, creating: Bool) throws(FileError) -> any OpenFile {
        let flags = O_RDWR | O_CLOEXEC | (creating ? O_CREAT | O_EXCL : 0)
        return PosixFile(try Self.check(retrying { Glibc.open(path, flags, 0o600) }))
    }

    package func list(_ folder: String) throws(FileError) -> [String] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw FileError(errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw FileError(errno) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    package func makeFolder(_ path: String) throws(FileError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw FileError(errno) }
    }

    package func rename(_ path: String, to target: String) throws(FileError) {
        try Self.check(Glibc.rename(path, target))
    }

    package func remove(_ path: String) throws(FileError) {
        if unlink(path) != 0, errno != ENOENT { throw FileError(errno) }
    }

    package func syncFolder(_ path: String) throws(FileError) {
        let descriptor = try Self.check(retrying { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
        defer { close(descriptor) }
        try Self.check(fsync(descriptor))
    }

    package func permissions(of path: String) throws(FileError) -> UInt32? {
        var status = stat()
        if stat(path, &status) != 0 {
            if errno == ENOENT { return nil }
            throw FileError(errno)
        }
        return status.st_mode & 0o7777
    }

    @discardableResult
    fileprivate static func check(_ result: Int32) throws(FileError) -> Int32 {
        guard result >= 0 else { throw FileError(errno) }
        return result
    }
}

private final class PosixFile: OpenFile {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }

    func readSome(at offset: UInt64, count: Int) throws(FileError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let result = retrying { pread(self.descriptor, buffer.baseAddress, count, off_t(offset)) }
            if result < 0 { failure = errno }
            initialized = max(0, result)
        }
        guard failure == 0 else { throw FileError(failure) }
        return bytes
    }

    func writeSome(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws(FileError) -> Int {
        let written = bytes.withUnsafeBytes { buffer in
            retrying { pwrite(self.descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
        }
        guard written >= 0 else { throw FileError(errno) }
        // POSIX lets a write of something store nothing only when the device has no room.
        guard written > 0 else { throw FileError(ENOSPC) }
        return written
    }

    func sync() throws(FileError) {
        try PosixFileSystem.check(retrying { fdatasync(self.descriptor) })
    }

    func truncate(to size: UInt64) throws(FileError) {
        try PosixFileSystem.check(retrying { ftruncate(self.descriptor, off_t(size)) })
    }

    func allocate(_ size: UInt64) throws(FileError) {
        let number = posix_fallocate(self.descriptor, 0, off_t(size))
        guard number == 0 else { throw FileError(number) }
    }

    func size() throws(FileError) -> UInt64 {
        var status = stat()
        try PosixFileSystem.check(fstat(self.descriptor, &status))
        return UInt64(status.st_size)
    }
}

/// Repeats a call that a signal interrupted.
private func retrying<Result: BinaryInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

extension FileError {
    var isNoSpace: Bool { self.number == ENOSPC || self.number == EDQUOT }
    var isMissing: Bool { self.number == ENOENT }

    /// For data that ends where it must not.
    static let inputOutput = FileError(EIO)

    package var description: String { String(cString: strerror(self.number)) }
}
