/// The files of an import, in a few bytes each: a hospital's archive has millions.
package struct FileList: RandomAccessCollection, Sendable {
    /// Names one after another; a file's name begins where the one before it ends.
    private var names: [UInt8] = []
    private var entries: [Entry] = []
    private var folders: [String] = []

    private struct Entry {
        var nameEnd: Int
        var size: Int64
        var folder: UInt32
        var isNamedByUser: Bool
    }

    package init() {}

    package var startIndex: Int { 0 }
    package var endIndex: Int { self.entries.count }

    package subscript(position: Int) -> InputScanner.Found {
        let entry = self.entries[position]
        let start = position == 0 ? 0 : self.entries[position - 1].nameEnd
        let name = String(decoding: self.names[start..<entry.nameEnd], as: UTF8.self)
        return InputScanner.Found(
            path: self.folders[Int(entry.folder)] + name,
            isNamedByUser: entry.isNamedByUser,
            size: entry.size
        )
    }

    package mutating func append(_ file: InputScanner.Found) {
        let slash = file.path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let nameStart = slash.map(file.path.utf8.index(after:)) ?? file.path.startIndex
        // Files of one folder come one after another.
        if self.folders.last.map({ $0 != file.path[..<nameStart] }) ?? true {
            self.folders.append(String(file.path[..<nameStart]))
        }
        self.names += file.path[nameStart...].utf8
        self.entries.append(
            Entry(
                nameEnd: self.names.count,
                size: file.size,
                folder: UInt32(self.folders.count - 1),
                isNamedByUser: file.isNamedByUser
            )
        )
    }
}
