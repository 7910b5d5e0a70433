package import Foundation

/// Where test inputs live.
package enum TestData {
    private static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Vectors and golden bytes that are part of this repository.
    package static func vector(_ path: String) throws -> Data {
        try Data(contentsOf: self.package.appending(path: "Tests/Vectors").appending(path: path))
    }

    /// The collection of third-party inputs beside the checkout, or `nil` where it is absent.
    package static let shared: URL? = {
        let folder = package.deletingLastPathComponent().appending(path: "shared/data")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    /// A file of the collection of third-party inputs; there is none where the collection is absent.
    package static func sharedBytes(_ path: String) throws -> [UInt8] {
        guard let shared = self.shared else { throw CocoaError(.fileNoSuchFile) }
        return [UInt8](try Data(contentsOf: shared.appending(path: path)))
    }

    /// What independent readers found in the files of the collection below `folder`, in the order of their paths.
    ///
    /// Empty where the collection is absent.
    package static func expected(_ folder: String) -> [(path: String, entry: [String: Any])] {
        guard let shared = self.shared,
            let data = try? Data(contentsOf: shared.appending(path: "EXPECTED.json")),
            let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let entries = object["files"] as? [String: Any]
        else { return [] }
        return entries.keys.sorted().compactMap { path in
            guard path.hasPrefix(folder), let entry = entries[path] as? [String: Any] else { return nil }
            return (path, entry)
        }
    }

    /// The same, read as values of one type; files whose entry has other members are left out.
    package static func expected<Entry: Decodable>(
        _ folder: String,
        as type: Entry.Type
    ) -> [(path: String, entry: Entry)] {
        self.expected(folder).compactMap { path, entry in
            guard let part = try? JSONSerialization.data(withJSONObject: entry),
                let decoded = try? JSONDecoder().decode(type, from: part)
            else { return nil }
            return (path, decoded)
        }
    }

    /// A file of this repository.
    package static func repositoryFile(_ path: String) -> URL { self.package.appending(path: path) }
}

/// A folder that is removed when the value goes away.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        self.url = FileManager.default.temporaryDirectory.appending(path: "entente-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    package func file(_ name: String) -> URL { self.url.appending(path: name) }
}

/// SplitMix64: the same seed gives the same numbers on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Array where Element == UInt8 {
    /// `count` bytes of a seeded stream.
    package static func random(count: Int, using generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
