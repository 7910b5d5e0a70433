import Foundation
import Glibc
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Disks that fail", .serialized)
    struct DamageTests {}
}

extension IntegrationTests.DamageTests {
    /// The one segment of a small home.
    private static func segment(_ hospitals: Consortium, _ name: String) throws -> URL {
        let folder = hospitals.home(name).appending(path: "vault/segments")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "seg" }
        return try #require(files.count == 1 ? files[0] : nil, "one segment was expected")
    }

    /// Flips a bit of a file in place, and tells where it was.
    private static func flip(_ file: URL, at offset: Int) throws {
        let handle = try FileHandle(forUpdating: file)
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(offset))
        let byte = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: Data([byte ^ 0x10]))
    }

    private static func size(_ file: URL) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int ?? 0
    }

    /// A copy of a stopped agent's home, to begin from again.
    private struct Backup {
        let home: URL
        private let copy: URL

        init(_ hospitals: Consortium, _ name: String) throws {
            self.home = hospitals.home(name)
            self.copy = hospitals.file("\(name).backup")
            // Room kept for a full disk; the agent makes it again.
            try FileManager.default.removeItem(at: self.home.appending(path: "vault/reserve"))
            try FileManager.default.copyItem(at: self.home, to: self.copy)
        }

        func restore() throws {
            try FileManager.default.removeItem(at: self.home)
            try FileManager.default.copyItem(at: self.copy, to: self.home)
        }
    }

    @Test("A flipped bit in a segment never gives another value: the record is named as damaged, or still whole")
    func flippedSegment() throws {
        let hospitals = try Consortium(["a"])
        _ = try hospitals.importing("a", hospitals.write(ExamFile.lines(count: 1, patients: 1), to: "exams.ndjson"))
        let reader = try hospitals.reader("a")
        let record = try reader.find(ExamFile.patient(0))[0]["record"].string
        let whole = try Consortium.expect(0, reader.fetch(record)).json["exam"]["items"][0]["value"].string
        hospitals.stop("a")
        let backup = try Backup(hospitals, "a")
        var damaged = 0
        for step in 0..<20 {
            let isRunning = step.isMultiple(of: 2)
            if isRunning { try hospitals.start("a") }
            let file = try Self.segment(hospitals, "a")
            let offset = (try Self.size(file) - 1) * step / 19
            try Self.flip(file, at: offset)
            if !isRunning { try hospitals.start("a") }
            // Twice: what was found damaged once stays so.
            for _ in 0..<2 {
                let result = try reader.fetch(record)
                guard result.status != 0 else {
                    #expect(result.json["exam"]["items"][0]["value"].string == whole)
                    continue
                }
                damaged += 1
                #expect(result.status == 7, "byte \(offset): \(result.errors)")
                let doctor = try hospitals.expect(7, "a", ["doctor", "--full", "--json"])
                let failed = doctor.json["checks"].list.filter { !$0["ok"].bool }.map { $0["name"].string }
                #expect(!failed.isEmpty && Set(failed).isSubset(of: ["vault", "own records"]), "byte \(offset)")
            }
            hospitals.kill("a")
            try backup.restore()
        }
        #expect(damaged > 8)
        try hospitals.start("a")
        try hospitals.succeed("a", ["doctor", "--full"])
        try Consortium.expect(0, reader.fetch(record))
    }

    @Test("A home that was restored from an older backup follows the chain, and imports again what it lost")
    func restored() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        let first = try hospitals.write(ExamFile.lines(count: 20, patients: 2), to: "first.ndjson")
        let second = try hospitals.write(ExamFile.lines(count: 10, patients: 2, source: "two"), to: "second.ndjson")
        #expect(try hospitals.importing("a", first)["committed"].int == 20)
        hospitals.stop("a")
        let backup = try Backup(hospitals, "a")
        try hospitals.start("a")
        #expect(try hospitals.importing("a", second)["committed"].int == 10)
        try hospitals.settle()
        hospitals.kill("a")
        try backup.restore()
        // As the operator's page demands: an older vote log would make the agent halt when it meets a later vote of its own.
        try FileManager.default.removeItem(at: hospitals.home("a").appending(path: "votes.log"))
        try hospitals.start("a")
        let height = try hospitals.status("b")["height"].int
        try hospitals.status("a") { $0["height"].int == height }
        #expect(try hospitals.importing("a", first)["duplicates"].int == 20)
        #expect(try hospitals.importing("a", second)["committed"].int == 10)
        _ = try hospitals.grant(ExamFile.patient(1), witnessedBy: "a", ["--to", "b"])
        let reader = try hospitals.reader("b")
        let records = try reader.find(ExamFile.patient(1)) { $0.count >= 15 }
        try reader.fetch(records[0]["record"].string) { $0.status == 0 }
        try hospitals.settle()
    }

    @Test("A flipped bit in any file of a home: the agent says what is wrong or serves, and never traps")
    func flippedHome() throws {
        let hospitals = try Consortium(["a"])
        let path = try hospitals.write(ExamFile.lines(count: 20, patients: 2), to: "exams.ndjson")
        _ = try hospitals.importing("a", path)
        hospitals.stop("a")
        let home = hospitals.home("a")
        let backup = try Backup(hospitals, "a")
        let enumerator = try #require(
            FileManager.default.enumerator(at: home, includingPropertiesForKeys: [.isRegularFileKey])
        )
        let files = enumerator.compactMap { $0 as? URL }.filter { file in
            (try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
                && (try? Self.size(file)) ?? 0 > 0
        }.sorted { $0.path < $1.path }
        #expect(files.count > 6)
        for file in files {
            for part in [0, 1, 2] {
                try Self.flip(file, at: (try Self.size(file) - 1) * part / 2)
                do {
                    try hospitals.start("a")
                    let status = try hospitals.command("a", ["import", "--json", path])
                    #expect((0...9).contains(status.status), "\(file.lastPathComponent): \(status.errors)")
                    let doctor = try hospitals.command("a", ["doctor", "--full"])
                    #expect((0...9).contains(doctor.status), "\(file.lastPathComponent): \(doctor.errors)")
                    hospitals.kill("a")
                } catch let ended as AgentProcess.Ended {
                    #expect((1...9).contains(ended.status), "\(file.lastPathComponent): \(ended)")
                    #expect(ended.log.contains("error["), "\(file.lastPathComponent): \(ended)")
                }
                try backup.restore()
            }
        }
        try hospitals.start("a")
        #expect(try hospitals.importing("a", path)["duplicates"].int == 20)
    }

    @Test(
        "On a full disk an import says so, nothing acknowledged is lost, and with room again it works",
        .enabled(if: geteuid() == 0, "only root may mount a small disk")
    )
    func fullDisk() throws {
        // The vault keeps 128 MiB in reserve; what is left must hold the databases and not many exams more.
        let disk = SmallDisk(bytes: 176 << 20)
        let hospitals = try Consortium(["a"]) { try disk.mount($0.home("a")) }
        let first = try hospitals.write(ExamFile.lines(count: 100, patients: 10), to: "first.ndjson")
        #expect(try hospitals.importing("a", first)["committed"].int == 100)
        let filler = hospitals.home("a").appending(path: "filler")
        try disk.fill(filler)
        let many = try hospitals.write(ExamFile.lines(count: 4000, patients: 10, source: "many"), to: "many.ndjson")
        let full = try hospitals.command("a", ["import", "--json", many])
        #expect(full.code == "disk.full", "\(full.status) \(full.output) \(full.errors)")
        #expect(full.status == 1)
        if hospitals.agents["a"]?.isRunning == true {
            let reader = try hospitals.command("a", ["status", "--json"])
            #expect(reader.json["exams"].int >= 100)
        }
        try FileManager.default.removeItem(at: filler)
        if hospitals.agents["a"]?.isRunning != true { try hospitals.start("a") }
        let rest = try hospitals.importing("a", many)
        #expect(rest["committed"].int + rest["duplicates"].int == 4000)
        #expect(try hospitals.importing("a", first)["duplicates"].int == 100)
        #expect(try hospitals.status("a")["exams"].int == 4100)
        try hospitals.eventually("a", ["doctor", "--full"]) { result in
            result.json["checks"].list.allSatisfy { $0["ok"].bool || $0["name"].string == "disk" }
        }
        hospitals.stop("a")
    }
}

/// A file system of a few megabytes in memory.
private final class SmallDisk {
    private let bytes: Int
    private var path: String?

    init(bytes: Int) { self.bytes = bytes }

    deinit {
        if let path = self.path { umount2(path, Int32(MNT_DETACH)) }
    }

    func mount(_ url: URL) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        guard Glibc.mount("none", url.path, "tmpfs", 0, "size=\(self.bytes),mode=700") == 0 else {
            throw Program.Unexpected(text: "mount: \(String(cString: strerror(errno)))")
        }
        self.path = url.path
    }

    /// Takes all room that is left.
    func fill(_ file: URL) throws {
        let descriptor = open(file.path, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        for size in [1 << 20, 4096] {
            let piece = [UInt8](repeating: 0, count: size)
            while write(descriptor, piece, size) > 0 {}
        }
    }
}
