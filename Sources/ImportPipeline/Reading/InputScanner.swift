import Foundation

/// What a user names to be imported.
package enum InputPath: Hashable, Sendable {
    case path(String)
    case standardInput
}

/// Finds the files under the given paths: those of a folder in the order of their names' bytes, folders in folders too.
package struct InputScanner {
    /// A regular file, not opened yet.
    package struct Found: Sendable {
        package let path: String
        /// Whether the user named the file itself, and not a folder it is in.
        package let isNamedByUser: Bool
        /// In bytes, when it was found.
        package let size: Int64
    }

    /// Deeper trees are loops or mistakes.
    package static let depthMax = 64

    package private(set) var files = FileList()
    package private(set) var refused: [(path: String, refusal: FileRefusal)] = []
    /// Links and special files inside folders: neither followed nor read.
    package private(set) var passedOver = 0

    package init(_ paths: [String]) {
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else {
                self.refused.append((path, .unreadable))
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG: self.files.append(Found(path: path, isNamedByUser: true, size: Int64(status.st_size)))
            case S_IFDIR: self.scan(path, depth: 0)
            default: self.refused.append((path, .notRegular))
            }
        }
    }

    private mutating func scan(_ folder: String, depth: Int) {
        guard depth < Self.depthMax else {
            self.refused.append((folder, .tooDeep))
            return
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            self.refused.append((folder, .unreadable))
            return
        }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0 else {
                self.refused.append((path, .unreadable))
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG: self.files.append(Found(path: path, isNamedByUser: false, size: Int64(status.st_size)))
            case S_IFDIR: self.scan(path, depth: depth + 1)
            default: self.passedOver += 1
            }
        }
    }
}
