import Foundation
import ImportPipeline
import TestSupport
import Testing

@Suite("Lines are read in memory that does not grow with the file")
struct LineReaderTests {
    private func lines(
        _ url: URL,
        from offset: Int64 = 0,
        lineBytesMax: Int = 1 << 27
    ) throws -> [LineReader.Line] {
        let file = try InputFile(path: url.path, isNamedByUser: true)
        var reader = LineReader(file, from: offset, lineBytesMax: lineBytesMax)
        var lines: [LineReader.Line] = []
        while let line = try reader.next() { lines.append(line) }
        return lines
    }

    @Test(
        "Every line has its bytes, its place and its number, wherever reads are cut",
        arguments: 0..<6 as Range<UInt64>
    )
    func places(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: seed)
        var expected: [[UInt8]] = []
        for _ in 0..<60 {
            // Some lines are longer than one read of the file.
            let count = seed.isMultiple(of: 2) ? Int.random(in: 0..<300_000, using: &generator) : 1 << 20 - 1
            expected.append(Array(repeating: UInt8.random(in: 32..<127, using: &generator), count: count))
        }
        let ending = seed < 3 ? "" : "\n"
        try Data(expected.joined(separator: [0x0a]) + Array(ending.utf8)).write(to: folder.file("lines"))
        let lines = try self.lines(folder.file("lines"))
        #expect(lines.map(\.bytes) == expected)
        #expect(lines.map(\.number) == Array(1...60))
        var offset: Int64 = 0
        for line in lines {
            #expect(line.offset == offset)
            offset += Int64(line.bytes.count) + 1
        }
        let rest = try self.lines(folder.file("lines"), from: lines[41].offset)
        #expect(rest.map(\.bytes) == Array(expected[41...]))
        #expect(rest.map(\.offset) == lines[41...].map(\.offset))
    }

    @Test("A line that is too long is named and passed over")
    func tooLong() throws {
        let folder = try TemporaryFolder()
        let long = String(repeating: "x", count: 5 << 20)
        try Data("a\n\(long)\nb\n\(String(repeating: "y", count: 101))\n\(long)".utf8).write(to: folder.file("lines"))
        let lines = try self.lines(folder.file("lines"), lineBytesMax: 100)
        #expect(lines.map(\.isTooLong) == [false, true, false, true, true])
        #expect(lines.map { String(decoding: $0.bytes, as: UTF8.self) } == ["a", "", "b", "", ""])
        #expect(lines.map(\.offset) == [0, 2, 5_242_883, 5_242_885, 5_242_987])
    }

    @Test("An empty file has no lines, and an empty last line is none")
    func empty() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: folder.file("empty"))
        #expect(try self.lines(folder.file("empty")).isEmpty)
        try Data("a\n\n\n".utf8).write(to: folder.file("blank"))
        #expect(try self.lines(folder.file("blank")).map(\.bytes) == [[0x61], [], []])
    }
}

@Suite("Files are found in a stable order and nothing else is opened")
struct InputScannerTests {
    @Test("Folders are walked in the order of names; links and special files are passed over")
    func order() throws {
        let outside = try TemporaryFolder()
        try Data("x".utf8).write(to: outside.file("secret.json"))
        let folder = try TemporaryFolder()
        for name in ["b.json", "B.json", "a/z.json", "a/b/c.json", "é.json", ".hidden"] {
            let url = folder.file(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data("{}".utf8).write(to: url)
        }
        try FileManager.default.createSymbolicLink(
            at: folder.file("link.json"),
            withDestinationURL: outside.file("secret.json")
        )
        try FileManager.default.createSymbolicLink(at: folder.file("loop"), withDestinationURL: folder.url)
        #expect(mkfifo(folder.file("pipe.json").path, 0o600) == 0)
        let scanner = InputScanner([folder.url.path])
        let names = scanner.files.map { $0.path.dropFirst(folder.url.path.count).drop { $0 == "/" } }
        #expect(names == [".hidden", "B.json", "a/b/c.json", "a/z.json", "b.json", "é.json"])
        #expect(scanner.passedOver == 3)
        #expect(scanner.refused.isEmpty)
    }

    @Test("What a user names and is no file is refused")
    func refused() throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo(folder.file("pipe").path, 0o600) == 0)
        let scanner = InputScanner([folder.file("none").path, folder.file("pipe").path])
        #expect(scanner.refused.map(\.refusal) == [.unreadable, .notRegular])
        #expect(scanner.files.isEmpty)
    }

    @Test("A link that the user names is followed, a link that appears in a folder later is not")
    func links() throws {
        let folder = try TemporaryFolder()
        try Data("{}".utf8).write(to: folder.file("real.json"))
        let link = folder.file("link.json")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: folder.file("real.json"))
        #expect(InputScanner([link.path]).files.count == 1)
        #expect(try InputFile(path: link.path, isNamedByUser: true).size == 2)
        #expect(throws: FileRefusalError.self) { try InputFile(path: link.path, isNamedByUser: false) }
    }
}
