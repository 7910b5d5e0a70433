import Foundation

/// Looks for canaries in bytes, files and names.
struct Search {
    private struct Needle {
        var canary: String
        var form: Canary.Form
    }

    private let needles: [Needle]
    /// By the first two bytes, so that one pass looks for everything.
    private let starting: [[Int]]

    init(_ canaries: [Canary]) {
        self.needles = canaries.flatMap { canary in canary.forms.map { Needle(canary: canary.name, form: $0) } }
        var starting = [[Int]](repeating: [], count: 1 << 16)
        for (number, needle) in self.needles.enumerated() {
            starting[Int(needle.form.bytes[0]) << 8 | Int(needle.form.bytes[1])].append(number)
        }
        self.starting = starting
    }

    /// What was found, as `PLACE: CANARY as ENCODING`.
    func find(in bytes: Data, _ place: String) -> [String] {
        var found: Set<Int> = []
        bytes.withUnsafeBytes { hay in
            guard hay.count > 1 else { return }
            for place in 0..<hay.count - 1 {
                for number in self.starting[Int(hay[place]) << 8 | Int(hay[place + 1])] {
                    let form = self.needles[number].form.bytes
                    guard place + form.count <= hay.count, hay[place..<place + form.count].elementsEqual(form) else {
                        continue
                    }
                    found.insert(number)
                }
            }
        }
        return found.sorted().map { "\(place): \(self.needles[$0].canary) as \(self.needles[$0].form.encoding)" }
    }

    func find(in text: String, _ place: String) -> [String] { self.find(in: Data(text.utf8), place) }

    /// Every byte of every file below `folder`, and every name; also of files that are open or deleted from under us.
    ///
    /// `excluded`: folders in which the texts are meant to be.
    func find(below folder: URL, except excluded: [URL]) throws -> (found: [String], files: Int, bytes: Int) {
        var found: [String] = []
        var (files, bytes) = (0, 0)
        let root = folder.resolvingSymlinksInPath().path
        let left = excluded.map { $0.resolvingSymlinksInPath().path }
        let paths = FileManager.default.enumerator(atPath: root)
        while let path = paths?.nextObject() as? String {
            let full = root + "/" + path
            if left.contains(where: { full == $0 || full.hasPrefix($0 + "/") }) { continue }
            found += self.find(in: path, "the name of \(path)")
            var status = stat()
            guard lstat(full, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            // A file that went away meanwhile has been read under its next name, or is gone.
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: full)) else { continue }
            files += 1
            bytes += data.count
            found += self.find(in: data, path)
        }
        return (found, files, bytes)
    }

    /// The command line, environment and open files' names of a process.
    func find(inProcess identifier: Int32) throws -> [String] {
        var found: [String] = []
        for name in ["cmdline", "environ", "comm", "maps"] {
            let file = "/proc/\(identifier)/\(name)"
            guard let handle = FileHandle(forReadingAtPath: file) else { continue }
            found += self.find(in: handle.readDataToEndOfFile(), file)
            try handle.close()
        }
        let open = "/proc/\(identifier)/fd"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: open)) ?? [] {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: open + "/" + name) else {
                continue
            }
            found += self.find(in: target, "an open file of a process")
        }
        return found
    }
}
