import Foundation

/// A regular file open for reading.
package final class InputFile {
    package let path: String
    package let size: Int64
    private let descriptor: Int32
    /// A small file whole, once its beginning was read: most are recognised by it and then read.
    private var whole: [UInt8]?

    private static let wholeBytesMax = 64 << 10

    /// Opens the file without waiting for a writer and, unless it `isNamedByUser`, without following a link.
    ///
    /// - Throws: ``FileRefusalError`` if there is no such regular file or it cannot be read.
    package init(path: String, isNamedByUser: Bool) throws {
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (isNamedByUser ? 0 : O_NOFOLLOW)
        let descriptor = open(path, flags)
        guard descriptor >= 0 else { throw FileRefusalError(.unreadable) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileRefusalError(.notRegular)
        }
        self.path = path
        self.size = Int64(status.st_size)
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }

    /// Reads up to `count` bytes at `offset`; fewer only at the end of the file.
    package func read(at offset: Int64, count: Int) throws -> [UInt8] {
        var failed = false
        // No more than the file had when it was opened: a small file costs neither a large buffer nor a second call.
        let count = min(count, Int(max(0, self.size - offset)))
        if offset == 0, let whole = self.whole, whole.count == count { return whole }
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = pread(
                    self.descriptor,
                    buffer.baseAddress.map { $0 + filled },
                    count - filled,
                    off_t(offset) + off_t(filled)
                )
                if got < 0, errno == EINTR { continue }
                failed = got < 0
                guard got > 0 else { return }
                filled += got
            }
        }
        guard !failed else { throw FileRefusalError(.unreadable) }
        if offset == 0, bytes.count == self.size, bytes.count <= Self.wholeBytesMax { self.whole = bytes }
        return bytes
    }
}

/// A file that is refused as a whole, or from some place on.
package struct FileRefusalError: Error {
    package let refusal: FileRefusal

    package init(_ refusal: FileRefusal) { self.refusal = refusal }
}
