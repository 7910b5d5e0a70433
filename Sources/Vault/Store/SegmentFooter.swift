internal import Primitives

/// The index at the end of a sealed segment (Documentation/Protocol/VaultFiles.md): pages of entries sorted by address,
/// the first address of each page, a Bloom filter and a signed trailer.
///
/// All of it can be rebuilt from the frames.
enum SegmentFooter {
    static let magic = Array("EFTR".utf8)
    static let pageBytes = 4096
    static let entryBytes = 40
    static let entriesPerPage = (pageBytes - 16) / entryBytes
    /// Ten bits and seven probes for each address: one false answer in a hundred.
    static let bloomBitsPerEntry = 10
    static let bloomProbes: UInt64 = 7

    struct Entry: Hashable {
        var address: ContentAddress
        var offset: UInt32
        var length: UInt32
    }

    /// A page: `magic4 ‖ count4 ‖ entries ‖ zeros ‖ CRC4`.
    static func pages(_ sorted: [Entry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for first in stride(from: 0, to: sorted.count, by: Self.entriesPerPage) {
            let start = bytes.count
            let entries = sorted[first..<min(first + Self.entriesPerPage, sorted.count)]
            bytes += Self.magic
            bytes.append(integer: UInt32(entries.count))
            for entry in entries {
                bytes += entry.address.digest.bytes
                bytes.append(integer: entry.offset)
                bytes.append(integer: entry.length)
            }
            bytes += [UInt8](repeating: 0, count: start + Self.pageBytes - 4 - bytes.count)
            bytes.append(integer: Checksum.crc32(bytes[start...]))
        }
        return bytes
    }

    /// The entries of a page, `nil` if it is damaged.
    static func entries(ofPage page: ArraySlice<UInt8>) -> [Entry]? {
        guard page.count == Self.pageBytes, page.starts(with: Self.magic),
            Checksum.crc32(page.dropLast(4)) == page.integer(at: Self.pageBytes - 4, as: UInt32.self)
        else { return nil }
        let count = Int(page.integer(at: 4, as: UInt32.self))
        guard count <= Self.entriesPerPage else { return nil }
        var entries: [Entry] = []
        for index in 0..<count {
            let start = page.startIndex + 8 + index * Self.entryBytes
            guard let digest = Digest(page[start..<start + 32]) else { return nil }
            entries.append(
                Entry(
                    address: ContentAddress(digest),
                    offset: page.integer(at: start - page.startIndex + 32),
                    length: page.integer(at: start - page.startIndex + 36)
                )
            )
        }
        return entries
    }

    /// The part of a footer that is kept in memory once a segment has been asked for anything.
    struct Summary {
        /// First eight bytes of the first address of each page.
        var fences: [UInt64]
        var bloom: [UInt8]

        init(_ sorted: [Entry]) {
            self.fences = stride(from: 0, to: sorted.count, by: SegmentFooter.entriesPerPage).map {
                sorted[$0].address.digest.prefix64
            }
            self.bloom = [UInt8](repeating: 0, count: (sorted.count * SegmentFooter.bloomBitsPerEntry + 7) / 8)
            for entry in sorted {
                for bit in Self.bits(of: entry.address, count: self.bloom.count * 8) {
                    self.bloom[bit >> 3] |= 1 << UInt8(bit & 7)
                }
            }
        }

        /// `fences ‖ bloom`.
        var bytes: [UInt8] {
            var bytes: [UInt8] = []
            for fence in self.fences { bytes.append(integer: fence) }
            return bytes + self.bloom
        }

        init?(_ bytes: [UInt8], pageCount: Int) {
            guard bytes.count >= pageCount * 8 else { return nil }
            self.fences = (0..<pageCount).map { bytes.integer(at: $0 * 8) }
            self.bloom = Array(bytes[(pageCount * 8)...])
        }

        func mayContain(_ address: ContentAddress) -> Bool {
            guard !self.bloom.isEmpty else { return false }
            return Self.bits(of: address, count: self.bloom.count * 8).allSatisfy {
                self.bloom[$0 >> 3] & (1 << UInt8($0 & 7)) != 0
            }
        }

        /// Pages that can hold `address`: more than one only when its first eight bytes begin a page.
        func pages(for address: ContentAddress) -> Range<Int> {
            let prefix = address.digest.prefix64
            let upper = self.fences.partitioningIndex { $0 > prefix }
            let lower = self.fences.partitioningIndex { $0 >= prefix }
            return max(lower - 1, 0)..<upper
        }

        private static func bits(of address: ContentAddress, count: Int) -> [Int] {
            let first = address.digest.prefix64
            let second: UInt64 = address.digest.bytes.integer(at: 8) | 1
            return (0..<SegmentFooter.bloomProbes).map { Int((first &+ $0 &* second) % UInt64(count)) }
        }
    }
}

extension Array {
    /// Index of the first element for which `belongsBehind` holds, in an array ordered by it.
    func partitioningIndex(where belongsBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if belongsBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
