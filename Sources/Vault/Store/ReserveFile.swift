/// Space kept back so that a full disk can still be tidied: a footer written, a damaged segment rewritten.
struct ReserveFile: Sendable {
    private let path: String
    private let folder: String
    private let size: UInt64
    private let files: any FileSystem

    init(folder: String, size: UInt64, files: any FileSystem) {
        self.path = folder + "/reserve"
        self.folder = folder
        self.size = size
        self.files = files
    }

    /// Makes the reserve if it is missing.
    ///
    /// Returns whether it is there.
    func ensure() -> Bool {
        guard self.size > 0 else { return true }
        do {
            if try self.files.permissions(of: self.path) != nil { return true }
            let temporary = self.path + ".tmp"
            try self.files.remove(temporary)
            do {
                try self.files.open(temporary, creating: true).allocate(self.size)
                try self.files.rename(temporary, to: self.path)
            } catch {
                try self.files.remove(temporary)
                return false
            }
            return true
        } catch { return false }
    }

    /// Runs `body`; when the disk is full, gives the reserve up and runs it once more.
    func using<Value>(_ body: () throws(FileError) -> Value) throws(FileError) -> Value {
        do { return try body() } catch {
            guard error.isNoSpace, try self.files.permissions(of: self.path) != nil else { throw error }
            try self.files.remove(self.path)
            return try body()
        }
    }
}
