internal import Glibc

/// The calls that make a log's bytes durable.
///
/// Each returns 0 or the `errno` of the failure; tests make them fail.
package struct LogDisk: Sendable {
    /// Writes all bytes at an offset of a file descriptor.
    package var write: @Sendable (Int32, [UInt8], Int) -> Int32
    /// `fdatasync`: the bytes and whatever is needed to find them.
    package var sync: @Sendable (Int32) -> Int32

    package init(
        write: @escaping @Sendable (Int32, [UInt8], Int) -> Int32,
        sync: @escaping @Sendable (Int32) -> Int32
    ) {
        self.write = write
        self.sync = sync
    }

    /// The operating system's own calls.
    package static let real = LogDisk(
        write: { descriptor, bytes, offset in
            bytes.withUnsafeBytes { buffer in
                var written = 0
                while written < buffer.count {
                    let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                    let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return count < 0 ? errno : EIO }
                    written += count
                }
                return 0
            }
        },
        sync: { descriptor in fdatasync(descriptor) == 0 ? 0 : errno }
    )
}

/// A file descriptor that closes itself.
final class LogDescriptor: Sendable {
    let number: Int32

    /// - Throws: `notFound` if there is no such file and `flags` do not create it; else `notAccessible` or `diskFull`.
    init(path: String, flags: Int32) throws(LedgerStoreError) {
        // Votes are nobody's business but the agent's.
        let number = Glibc.open(path, flags | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw Self.failure(errno, "open", path) }
        self.number = number
    }

    deinit { Glibc.close(self.number) }

    /// The whole file.
    func contents(path: String) throws(LedgerStoreError) -> [UInt8] {
        var status = stat()
        guard fstat(self.number, &status) == 0 else { throw Self.failure(errno, "measure", path) }
        guard status.st_size <= Self.bytesMax else {
            throw LedgerStoreError(.outOfRange, "the vote log is larger than any this program writes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var position = 0
        while position < bytes.count {
            let start = position
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(self.number, buffer.baseAddress?.advanced(by: start), buffer.count - start, off_t(start))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(count < 0 ? errno : EIO, "read", path) }
            position += count
        }
        return bytes
    }

    /// Renames `from` to `path` and makes the new name durable.
    static func replace(_ path: String, with from: String, disk: LogDisk) throws(LedgerStoreError) {
        guard rename(from, path) == 0 else { throw Self.failure(errno, "rename", path) }
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = try LogDescriptor(path: folder, flags: O_RDONLY | O_DIRECTORY)
        let code = disk.sync(directory.number)
        guard code == 0 else { throw Self.failure(code, "sync the folder of", path) }
    }

    static func failure(_ code: Int32, _ action: String, _ path: String) -> LedgerStoreError {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let reason = String(cString: strerror(code))
        let message = "cannot \(action) \(name): \(reason)"
        return switch code {
        case ENOENT: LedgerStoreError(.notFound, message)
        case ENOSPC, EDQUOT: LedgerStoreError(.diskFull, message)
        case EACCES, EPERM, EROFS, EISDIR, ENOTDIR: LedgerStoreError(.notAccessible, message)
        default: LedgerStoreError(.ioFailure, message)
        }
    }

    /// The log is compacted at a few megabytes; this only keeps a strange file from filling the memory.
    private static let bytesMax = 2 << 30
}
