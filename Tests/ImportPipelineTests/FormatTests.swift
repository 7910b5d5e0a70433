import Formats
import Foundation
import ImportPipeline
import Records
import TestSupport
import Testing

@Suite("Files of every format are read in one run, also out of archives")
struct FormatTests {
    private struct Result {
        var exams: [(exam: ParsedExam, position: InputPosition)] = []
        var refused: [RefusedInput] = []
        var skipped: [String: Int] = [:]

        var identities: Set<ExamSource> { Set(self.exams.map(\.exam.exam.source)) }
        var codes: [String] { self.refused.map(\.code).sorted() }
    }

    private func read(_ paths: [URL], _ options: ImportOptions = ImportOptions()) throws -> Result {
        let spool = try TemporaryFolder()
        var result = Result()
        try ImportReader(spoolFolder: spool.url, options: options).read(paths.map { .path($0.path) }) { unit in
            switch unit {
            case .exam(let exam, let position): result.exams.append((exam, position))
            case .refused(let refused): result.refused.append(refused)
            case .skipped(let type, let count): result.skipped[type] = count
            case .progress: break
            }
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: spool.url.path)
        #expect(left.isEmpty, "nothing that was unpacked or put aside is left")
        return result
    }

    /// A folder with a file of each format but images, which a third party's files give.
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["hl7v2/orders.hl7", "cda/laboratory.xml", "csv/orders.csv", "fhir/transaction.json"] {
            let file = folder.file((name as NSString).lastPathComponent)
            try TestData.vector(name).write(to: file)
        }
        return folder
    }

    private static func mapping() throws -> CSVMapping {
        let suggestion = try CSVSuggestion([UInt8](try TestData.vector("csv/orders.csv"))[...], isWhole: true)
        return try #require(suggestion.mapping)
    }

    private static func run(_ arguments: [String], in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(arguments)")
    }

    @Test("Formats are told by content; each exam can be read again from its parts")
    func mixed() throws {
        let folder = try self.folder()
        let result = try self.read([folder.url], ImportOptions(mapping: Self.mapping()))
        #expect(result.refused.isEmpty, "\(result.codes)")
        #expect(Set(result.exams.map(\.exam.format)) == [.fhirR4JSON, .hl7v2, .cda, .csv])
        for (exam, position) in result.exams {
            let content = RecordContent(format: exam.format, parts: exam.parts)
            guard case .success(let again) = ExamReader.read(content) else {
                Issue.record("\(position.file) is not read again")
                continue
            }
            #expect(again.exam == exam.exam)
            #expect(again.subject == exam.subject)
        }
    }

    @Test("A table without a mapping is refused by name, and the rest is read")
    func noMapping() throws {
        let folder = try self.folder()
        let result = try self.read([folder.url])
        #expect(result.codes == ["file.mapping-missing"])
        #expect(Set(result.exams.map(\.exam.format)) == [.fhirR4JSON, .hl7v2, .cda])
    }

    @Test("The rows of an order are brought together however they lie, as in memory")
    func tables() throws {
        let folder = try self.folder()
        let mapping = try Self.mapping()
        let bytes = [UInt8](try TestData.vector("csv/orders.csv"))
        let expected = CSVInput(bytes, mapping: mapping)
        let result = try self.read([folder.file("orders.csv")], ImportOptions(mapping: mapping))
        #expect(!expected.exams.isEmpty)
        #expect(result.exams.map(\.exam) == expected.exams)
        for (exam, position) in result.exams { #expect(Int(position.offset) == exam.offset) }
    }

    @Test("Archives give the same exams as the files in them", arguments: ["zip", "zip-stored", "gz"])
    func archives(kind: String) throws {
        let folder = try self.folder()
        let options = ImportOptions(mapping: try Self.mapping())
        let expected = try self.read([folder.url], options)
        let packed = try TemporaryFolder()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
        if kind == "gz" {
            for name in names {
                // Two members end to end, as a log that was rotated has them.
                let bytes = [UInt8](try Data(contentsOf: folder.file(name)))
                let halves = [bytes[..<(bytes.count / 2)], bytes[(bytes.count / 2)...]]
                var joined = Data()
                for half in halves {
                    try Data(half).write(to: packed.file("half"))
                    try Self.run(["gzip", "-f", "half"], in: packed.url)
                    joined += try Data(contentsOf: packed.file("half.gz"))
                }
                try FileManager.default.removeItem(at: packed.file("half.gz"))
                try joined.write(to: packed.file("\(name).gz"))
            }
        } else {
            let level = kind == "zip" ? "ZIP_DEFLATED" : "ZIP_STORED"
            let program =
                "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1],'w',zipfile.\(level));"
                + "[z.write(n,'in/'+n) for n in sys.argv[2:]];z.close()"
            let archive = packed.file("all.zip").path
            try Self.run(["python3", "-c", program, archive] + names, in: folder.url)
        }
        let result = try self.read([packed.url], options)
        #expect(result.refused.isEmpty, "\(result.codes)")
        #expect(result.identities == expected.identities)
        #expect(result.exams.count == expected.exams.count)
        let name = result.exams.first?.position.file ?? ""
        #expect(kind == "gz" ? name.hasSuffix(".gz") : name.contains("all.zip!/in/"))
    }

    @Test("A damaged archive is refused and gives nothing that is wrong", arguments: 0..<60 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let folder = try self.folder()
        let packed = try TemporaryFolder()
        let isZip = seed.isMultiple(of: 2)
        let name = isZip ? "all.zip" : "orders.hl7.gz"
        if isZip {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
            try Self.run(["python3", "-m", "zipfile", "-c", packed.file(name).path] + names, in: folder.url)
        } else {
            try FileManager.default.copyItem(at: folder.file("orders.hl7"), to: packed.file("orders.hl7"))
            try Self.run(["gzip", "orders.hl7"], in: packed.url)
        }
        let options = ImportOptions(mapping: try Self.mapping())
        let whole = try self.read([packed.file(name)], options).identities
        var bytes = [UInt8](try Data(contentsOf: packed.file(name)))
        if seed % 3 == 0 {
            bytes.removeLast(Int.random(in: 1..<bytes.count - 8, using: &generator))
        } else {
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
        }
        try Data(bytes).write(to: packed.file(name))
        let result = try self.read([packed.file(name)], options)
        #expect(result.identities.isSubset(of: whole), "seed \(seed)")
        #expect(result.identities == whole || !result.refused.isEmpty, "seed \(seed)")
    }

    @Test("Of gzip members end to end, a cut one is noticed wherever it is cut")
    func cutMember() throws {
        let folder = try self.folder()
        try Self.run(["gzip", "orders.hl7"], in: folder.url)
        let member = [UInt8](try Data(contentsOf: folder.file("orders.hl7.gz")))
        let packed = try TemporaryFolder()
        for cut in stride(from: 1, to: member.count, by: 40) {
            try Data(member + member.dropLast(cut)).write(to: packed.file("orders.hl7.gz"))
            #expect(try self.read([packed.file("orders.hl7.gz")]).codes == ["archive.damaged"], "\(cut) bytes")
        }
        // Zeros to the end of a block, as tapes have them, are no cut.
        try Data(member + [UInt8](repeating: 0, count: 600)).write(to: packed.file("orders.hl7.gz"))
        #expect(try self.read([packed.file("orders.hl7.gz")]).refused.isEmpty)
    }

    @Test("An archive inside an archive and an encrypted entry are refused by name, and the rest is read")
    func nested() throws {
        let folder = try self.folder()
        let packed = try TemporaryFolder()
        let program = """
            import sys,zipfile,io
            inner=io.BytesIO(); i=zipfile.ZipFile(inner,'w'); i.writestr('x.json','{}'); i.close()
            z=zipfile.ZipFile(sys.argv[1],'w'); z.write('orders.hl7'); z.writestr('inner.zip',inner.getvalue())
            z.writestr('secret.hl7','MSH'); z.close()
            b=bytearray(open(sys.argv[1],'rb').read()); at=b.rfind(b'PK\\x01\\x02'); b[at+8]|=1
            open(sys.argv[1],'wb').write(b)
            """
        try Self.run(["python3", "-c", program, packed.file("all.zip").path], in: folder.url)
        let result = try self.read([packed.url])
        #expect(result.codes == ["archive.encrypted", "archive.nested"])
        #expect(result.identities == (try self.read([folder.file("orders.hl7")]).identities))
    }

    @Test("Images of a study are brought together from any folder; the record names each file's digest")
    func images() throws {
        guard let shared = TestData.shared else { return }
        let result = try self.read([shared.appending(path: "dicom/media/98892003")])
        #expect(result.exams.count == 3)
        let images = result.exams.flatMap { $0.exam.exam.imaging }
        #expect(images.map { $0.series.count }.reduce(0, +) == 7)
        #expect(images.flatMap(\.series).map(\.instances.count).reduce(0, +) == 17)
        #expect(result.exams.flatMap(\.exam.parts).allSatisfy { $0.type.contains(" sha-256:") })
        #expect(result.refused.isEmpty)
    }

    @Test("Every refusal of files and archives is on the page")
    func documented() throws {
        let page = TestData.repositoryFile("Documentation/Protocol/Import.md")
        let documentation = String(decoding: try Data(contentsOf: page), as: UTF8.self)
        for refusal in FileRefusal.allCases {
            #expect(documentation.contains("| `\(refusal.rawValue)` | \(refusal.message) |"))
        }
        let others =
            RetriedInput.Refusal.allCases.map { FormatRefusal($0) } + SubjectRefusal.allCases.map { FormatRefusal($0) }
        for refusal in others { #expect(documentation.contains("| `\(refusal.code)` | \(refusal.message) |")) }
    }

    @Test("An empty file that promises exams is refused")
    func empty() throws {
        let folder = try TemporaryFolder()
        for name in ["a.hl7", "b.csv", "c.txt"] { try Data().write(to: folder.file(name)) }
        #expect(try self.read([folder.url]).codes == ["file.empty", "file.empty"])
        #expect(try self.read([folder.file("c.txt")]).codes == ["file.empty"])
    }

    @Test("What was set aside is tried again by itself where that is safe")
    func retried() throws {
        let message = [UInt8](try TestData.vector("hl7v2/orders.hl7"))
        guard case .success(.exams(let exams)) = RetriedInput.read(message) else {
            Issue.record("a whole message is read again")
            return
        }
        #expect(!exams.isEmpty)
        let document = [UInt8](try TestData.vector("cda/laboratory.xml"))
        guard case .success(.exams(let read)) = RetriedInput.read(document) else {
            Issue.record("a whole document is read again")
            return
        }
        #expect(read.count == 1)
        for text in ["1,2,3\n", "", "PK\u{3}\u{4}"] {
            guard case .failure(let refusal) = RetriedInput.read(Array(text.utf8)) else {
                Issue.record("a row alone is no exam")
                continue
            }
            #expect(refusal.code == "retry.import-the-file-again")
        }
    }
}
