import AgentTestSupport
import Foundation
import TestSupport
import Testing

extension LeakTests {
    @Suite("Planted texts come up nowhere", .serialized)
    struct CanaryTests {}
}

extension LeakTests.CanaryTests {
    @Test("A story leaves its texts in no file, name, log, process or capture", .timeLimit(.minutes(10)))
    func story() throws {
        let story = try PlantedStory()
        try story.tell()
        // While the agents run: what stands in files that are not written back yet.
        try Self.expectNothing(story, "running")
        for name in story.hospitals.names {
            let identifier = try #require(story.hospitals.agents[name]?.processIdentifier)
            #expect(try story.search.find(inProcess: identifier).isEmpty)
            try Self.expectNoDump(identifier)
        }
        for (place, text) in story.said {
            let found = story.search.find(in: text, place)
            #expect(found.isEmpty, "\(found)")
        }
        // Peers did talk, and the log did say something.
        for file in story.captured {
            let size = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            #expect(size > 10_000, "nothing was captured")
        }
        #expect(story.hospitals.log("a").contains("trace") || story.hospitals.log("a").contains("debug"))

        // Agents that crash in every way, then agents that were stopped.
        // SIGABRT is blocked in what a test starts; abort() ends by the same way.
        story.hospitals.kill("a", signal: SIGILL)
        story.hospitals.kill("b", signal: SIGSEGV)
        story.hospitals.stop("c")
        try Self.expectNothing(story, "ended")
        let here = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        for folder in [here, story.temporary] + story.hospitals.names.map(story.hospitals.home) {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(!names.contains { $0 == "core" || $0.hasPrefix("core.") }, "a core file")
        }
    }

    private static func expectNothing(_ story: PlantedStory, _ when: Comment) throws {
        let folder = story.hospitals.folder.url
        let result = try story.search.find(below: folder, except: [story.input, story.clinic])
        #expect(result.found.isEmpty, "\(when): \(result.found)")
        #expect(result.files > 30 && result.bytes > 1_000_000, "\(result.files) files, \(result.bytes) bytes")
        // The same search finds the texts where they are meant to be.
        let meant = try story.search.find(below: story.input, except: []).found
        #expect(meant.contains { $0.contains("the national identifier as UTF-8") })
        #expect(meant.contains { $0.contains("a result as UTF-8") })
    }

    /// No core file, and no memory in one that the machine passes to a program.
    private static func expectNoDump(_ identifier: Int32) throws {
        let limits = try String(contentsOfFile: "/proc/\(identifier)/limits", encoding: .utf8)
        let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(core.split(separator: " ").filter { $0 == "0" }.count == 2, "\(core)")
        let filter = try String(contentsOfFile: "/proc/\(identifier)/coredump_filter", encoding: .utf8)
        #expect(UInt64(filter.trimmingCharacters(in: .whitespacesAndNewlines), radix: 16) == 0)
    }

    @Test("The search finds every planted text in every form, in the middle of other bytes, in files and in names")
    func search() throws {
        let folder = try TemporaryFolder()
        let search = Search(PlantedStory.canaries)
        var generator = SeededGenerator(seed: 11)
        let noise = Data([UInt8].random(count: 1 << 20, using: &generator))
        #expect(search.find(in: noise, "noise").isEmpty)
        for (number, canary) in PlantedStory.canaries.enumerated() {
            #expect(canary.forms.count >= 12, "\(canary.name)")
            #expect(
                canary.text.isEmpty == false && canary.forms.contains { $0.encoding == "GB18030" }
                    || canary.text.allSatisfy(\.isASCII)
            )
            for (form, planted) in canary.forms.enumerated() {
                let file = folder.file("\(number)-\(form)")
                try (noise.prefix(7777) + Data(planted.bytes) + noise.suffix(3)).write(to: file)
            }
        }
        let found = try search.find(below: folder.url, except: []).found
        for canary in PlantedStory.canaries {
            for form in canary.forms {
                #expect(
                    found.contains { $0.hasSuffix("\(canary.name) as \(form.encoding)") },
                    "\(canary.name), \(form)"
                )
            }
        }
        try Data().write(to: folder.file("report of Quillfeather"))
        #expect(try search.find(below: folder.url, except: []).found.count == found.count + 1)
    }

    @Test("Base64 and hexadecimal forms are those that an encoder makes of a longer text at any place")
    func forms() throws {
        let canary = Canary("an identifier", "110105196802293424")
        let search = Search([canary])
        for before in 0..<7 {
            let text = String(repeating: "x", count: before) + canary.text + "tail"
            let encoded = Data(text.utf8).base64EncodedString()
            #expect(!search.find(in: encoded, "base64").isEmpty, "\(before)")
            let wide = text.data(using: .utf16LittleEndian)?.base64EncodedString() ?? ""
            #expect(!search.find(in: wide, "base64").isEmpty, "\(before)")
        }
        // From Python: "欧阳槿墨".encode("gb18030") and base64.b64encode of it.
        let name = Search([Canary("a name", "欧阳槿墨")])
        #expect(!name.find(in: Data([0xC5, 0xB7, 0xD1, 0xF4, 0xE9, 0xC8, 0xC4, 0xAB]), "bytes").isEmpty)
        #expect(!name.find(in: "xbfR9OnIxKs=", "base64").isEmpty)
        #expect(!name.find(in: "C5B7D1F4E9C8C4AB", "hex").isEmpty)
    }
}
