import Formats
package import Foundation
import GRDB

/// Reads files, folders and the standard input and gives the exams in them, one after another, in memory that does not
/// grow with the input.
///
/// The same input gives the same units in the same order: first, file by file, the exams of Bundles; then those that
/// are joined from single resources, in the order of their reports. An import that was killed is run again from the
/// start, and its exams are recognised as known.
package struct ImportReader {
    /// Folder for what does not fit into memory; emptied of it at the end.
    private let folder: URL
    private let options: ImportOptions

    /// `folder`: must exist and belong to this import alone.
    package init(spoolFolder folder: URL, options: ImportOptions = ImportOptions()) {
        self.folder = folder
        self.options = options
    }

    /// Reads everything and gives it to `sink`.
    ///
    /// - Throws: what `sink` throws, and ``SpoolError``. Whatever is wrong with the input is given to `sink` as a
    ///   refusal.
    package func read(_ inputs: [InputPath], into sink: (ImportUnit) throws -> Void) throws {
        do {
            try self.readAll(inputs, into: sink)
        } catch let error as DatabaseError {
            throw SpoolError(isDiskFull: error.resultCode == .SQLITE_FULL, cause: error)
        }
    }

    private func readAll(_ inputs: [InputPath], into sink: (ImportUnit) throws -> Void) throws {
        var paths: [String] = []
        let copy = self.folder.appending(path: "standard-input")
        defer { try? FileManager.default.removeItem(at: copy) }
        for input in inputs {
            switch input {
            case .path(let path): paths.append(path)
            case .standardInput:
                // It can be read only once, and joining reads twice.
                try self.copyStandardInput(to: copy)
                paths.append(copy.path)
            }
        }
        let archives = self.folder.appending(path: "entries")
        try FileManager.default.createDirectory(
            at: archives,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(at: archives) }
        let scanner = InputScanner(paths)
        for (path, refusal) in scanner.refused { try sink(.refused(Self.refused(path, refusal))) }
        let spool = try JoinSpool(at: self.folder.appending(path: "join.sqlite"))
        var pass = ReadingPass(
            files: scanner.files,
            names: [copy.path: "-"],
            options: self.options,
            spool: spool,
            folder: archives
        )
        try pass.run(into: sink)
        try self.join(spool, pass, sink)
        var skipped = pass.skipped
        if scanner.passedOver > 0 { skipped["file", default: 0] += scanner.passedOver }
        for (type, count) in skipped.sorted(by: { $0.key < $1.key }) {
            try sink(.skipped(type: type, count: count))
        }
    }

    private func join(_ spool: JoinSpool, _ pass: ReadingPass, _ sink: (ImportUnit) throws -> Void) throws {
        guard spool.count > 0 else { return }
        var joiner = ExamJoiner(files: pass.files, count: spool.count)
        var next: Int64 = 0
        try spool.forEachExam { entry, lookup in
            if entry.sequence >= next {
                try sink(.progress(.joining(done: entry.sequence - 1, total: spool.count)))
                next = entry.sequence + 4096
            }
            let position = InputPosition(file: pass.name(entry.file), offset: entry.offset, line: entry.line)
            switch try joiner.join(entry, lookup) {
            case .exam(let parsed): try sink(.exam(parsed, position))
            case .refused(let code, let message, let entry, let offset, let bytes):
                try sink(
                    .refused(
                        RefusedInput(
                            position: InputPosition(file: pass.name(entry.file), offset: offset, line: entry.line),
                            code: code,
                            message: message,
                            bytes: Array(bytes.prefix(RefusedInput.bytesMax))
                        )
                    )
                )
            }
        }
        try sink(.progress(.joining(done: spool.count, total: spool.count)))
    }

    private func copyStandardInput(to url: URL) throws {
        guard FileManager.default.createFile(atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown) }
        let output = try FileHandle(forWritingTo: url)
        while let chunk = try FileHandle.standardInput.read(upToCount: 1 << 20), !chunk.isEmpty {
            try output.write(contentsOf: chunk)
        }
        try output.close()
    }

    static func refused(_ path: String, _ refusal: FileRefusal) -> RefusedInput {
        RefusedInput(
            position: InputPosition(file: path, offset: 0, line: 1),
            code: refusal.rawValue,
            message: refusal.message,
            bytes: []
        )
    }
}
