/// An error number of the operating system.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    package let number: Int32

    package init(_ number: Int32) { self.number = number }
}

/// Everything the vault asks of the disk.
///
/// Production uses ``PosixFileSystem``; tests hand in one that tears, drops and refuses by seed.
///
/// Paths are absolute. Errors are never retried below this line.
package protocol FileSystem: Sendable {
    /// Opens for reading and writing.
    ///
    /// With `creating` the file must not exist yet and is made readable by its owner only.
    func open(_ path: String, creating: Bool) throws(FileError) -> any OpenFile

    /// Names in a folder, sorted; empty when there is no such folder.
    func list(_ folder: String) throws(FileError) -> [String]

    /// Makes a folder for its owner only. Succeeds when it exists.
    func makeFolder(_ path: String) throws(FileError)

    /// Replaces `target` if it exists.
    func rename(_ path: String, to target: String) throws(FileError)

    /// Succeeds when there is no such file.
    func remove(_ path: String) throws(FileError)

    /// Makes creations, renames and removals in a folder durable.
    func syncFolder(_ path: String) throws(FileError)

    /// Permission bits, `nil` when there is no such file.
    func permissions(of path: String) throws(FileError) -> UInt32?
}

/// A file that closes when the last reference goes away.
package protocol OpenFile: AnyObject, Sendable {
    /// Up to `count` bytes from `offset`; fewer only when the disk gives fewer, none at the end.
    func readSome(at offset: UInt64, count: Int) throws(FileError) -> [UInt8]

    /// Writes a part of `bytes`, at least one byte, and returns how many.
    func writeSome(_ bytes: ArraySlice<UInt8>, at offset: UInt64) throws(FileError) -> Int

    /// Returns once every write so far is durable. After an error nothing is known about earlier writes.
    func sync() throws(FileError)

    func truncate(to size: UInt64) throws(FileError)

    /// Reserves space for the first `size` bytes.
    func allocate(_ size: UInt64) throws(FileError)

    func size() throws(FileError) -> UInt64
}

extension OpenFile {
    /// Exactly `count` bytes, fewer only at the end of the file.
    func read(at offset: UInt64, count: Int) throws(FileError) -> [UInt8] {
        var bytes = try self.readSome(at: offset, count: count)
        while bytes.count < count {
            let more = try self.readSome(at: offset + UInt64(bytes.count), count: count - bytes.count)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(FileError) {
        var done = 0
        while done < bytes.count {
            done += try self.writeSome(bytes[done...], at: offset + UInt64(done))
        }
    }
}

extension FileSystem {
    /// A small file's bytes, `nil` when there is no such file or it is larger than `max`.
    func readFile(_ path: String, max: Int) throws(FileError) -> [UInt8]? {
        guard try self.permissions(of: path) != nil else { return nil }
        let bytes = try self.open(path, creating: false).read(at: 0, count: max + 1)
        return bytes.count <= max ? bytes : nil
    }

    /// Creates or replaces a file so that a crash leaves the old bytes or the new ones: temporary file, sync, rename,
    /// folder sync.
    func replaceFile(_ path: String, in folder: String, with bytes: [UInt8]) throws(FileError) {
        let temporary = path + ".tmp"
        try self.remove(temporary)
        let file = try self.open(temporary, creating: true)
        do {
            try file.write(bytes, at: 0)
            try file.sync()
            try self.rename(temporary, to: path)
        } catch {
            try? self.remove(temporary)
            throw error
        }
        try self.syncFolder(folder)
    }
}
