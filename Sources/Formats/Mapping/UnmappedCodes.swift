/// Local codes that a map does not know, with how often they came.
package struct UnmappedCodes: Hashable, Sendable {
    /// A code of a source with the name under which it came first.
    package struct Entry: Hashable, Sendable {
        package let local: LocalCode
        package let name: String?
        /// Unit of the first result.
        package let unit: String?
        package fileprivate(set) var count: Int
    }

    /// Far more distinct codes than one hospital has; what comes after is only counted.
    package static let codesMax = 10_000
    /// A longer code is only counted, and a longer name or unit left out: whoever sends it may not fill the memory.
    package static let textBytesMax = 256

    private var entries: [LocalCode: Entry] = [:]
    /// Results whose code is not in the list because the list is full or the code too long.
    package private(set) var others = 0

    package init() {}

    package mutating func record(_ local: LocalCode, name: String?, unit: String?) {
        if self.entries[local] != nil {
            self.entries[local]?.count += 1
        } else if self.entries.count < Self.codesMax,
            [local.code, local.system, local.specimen].allSatisfy(Self.isShort)
        {
            self.entries[local] = Entry(
                local: local,
                name: Self.isShort(name) ? name : nil,
                unit: Self.isShort(unit) ? unit : nil,
                count: 1
            )
        } else {
            self.others += 1
        }
    }

    private static func isShort(_ text: String?) -> Bool { (text?.utf8.count ?? 0) <= Self.textBytesMax }

    /// The most frequent first; equal ones in the order of their bytes.
    package var list: [Entry] {
        let keyed = self.entries.values.map { (key: Self.key($0.local), entry: $0) }
        let sorted = keyed.sorted { left, right in
            left.entry.count == right.entry.count ? left.key < right.key : left.entry.count > right.entry.count
        }
        return sorted.map(\.entry)
    }

    private static func key(_ local: LocalCode) -> CodeMapEntry.Key {
        CodeMapEntry.Key(parts: [local.source, local.system ?? "", local.code, local.specimen ?? ""])
    }
}
