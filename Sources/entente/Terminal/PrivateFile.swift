import Foundation

/// Files that hold results or keys: readable by their owner only, and never half written.
enum PrivateFile {
    static func write(_ bytes: Data, to path: String) throws(CommandFailure) {
        let temporary = path + ".\(getpid()).part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw Self.failure(errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: bytes)
            try handle.synchronize()
            try handle.close()
        } catch {
            unlink(temporary)
            throw Self.failure(errno)
        }
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw Self.failure(code)
        }
    }

    /// Fails if a file could not be made at `path`.
    static func checkWritable(_ path: String) throws(CommandFailure) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else { throw Self.failure(errno) }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw Self.failure(EISDIR)
        }
    }

    static func read(_ path: String, bytesMax: Int, what: String) throws(CommandFailure) -> Data {
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let bytes = try handle.read(upToCount: bytesMax + 1) ?? Data()
            guard bytes.count <= bytesMax else {
                throw CommandFailure("file.too-large", "\(what) is larger than any such file", status: .integrity)
            }
            return bytes
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(
                "file.unreadable",
                "\(what) cannot be read",
                hint: "Check the path and the permissions.",
                status: .notFound
            )
        }
    }

    private static func failure(_ code: Int32) -> CommandFailure {
        CommandFailure(
            "file.not-written",
            "the file cannot be written: \(String(cString: strerror(code)))",
            hint: "Choose another place.",
            status: code == ENOSPC || code == EIO ? .internalError : .usage
        )
    }
}
