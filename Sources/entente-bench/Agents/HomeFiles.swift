import Foundation

/// Bytes of the files of a home.
struct HomeFiles {
    var chain: Double = 0
    var locators: Double = 0
    var custody: Double = 0
    var vault: Double = 0

    var total: Double { self.chain + self.locators + self.custody + self.vault }

    init(_ home: URL) {
        guard let files = FileManager.default.enumerator(atPath: home.path) else { return }
        for case let path as String in files {
            let attributes = try? FileManager.default.attributesOfItem(atPath: home.appending(path: path).path)
            guard attributes?[.type] as? FileAttributeType == .typeRegular else { continue }
            let size = (attributes?[.size] as? NSNumber)?.doubleValue ?? 0
            let name = path.split(separator: "/").last.map(String.init) ?? path
            // The reserve is there before the first exam and does not grow.
            if name == "reserve" { continue }
            if name.hasPrefix("chain.sqlite") || name.hasPrefix("votes") {
                self.chain += size
            } else if name.hasPrefix("locators") {
                self.locators += size
            } else if name.hasPrefix("custody") {
                self.custody += size
            } else if path.contains("/") {
                self.vault += size
            }
        }
    }
}
