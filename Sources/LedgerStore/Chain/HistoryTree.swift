internal import GRDB
internal import Primitives

/// The Merkle tree over all block hashes (RFC 9162 2.1), kept as the roots of its complete subtrees.
///
/// A complete subtree never changes, so a path in the tree of any earlier size is read from the same nodes: at most two
/// for each level. Node (level, index) covers the leaves `index << level ..< (index + 1) << level` and stands at its
/// in-order position, which makes one block's nodes neighbours in the file.
struct HistoryTree {
    private(set) var size: UInt64
    /// Roots of the complete subtrees, largest first: one for each bit set in `size`.
    private var peaks: [Digest]

    /// Reads the right edge of the tree of the first `size` leaves.
    init(_ db: Database, size: UInt64) throws {
        self.size = size
        self.peaks = try Self.peakPlaces(size).map { try Self.node(db, level: $0.level, index: $0.index) }
    }

    var frontier: MerkleFrontier? { MerkleFrontier(count: self.size, peaks: self.peaks) }

    var root: Digest { Self.folded(self.peaks) ?? MerkleTree.emptyRoot }

    static func leaf(_ hash: Digest) -> Digest { MerkleTree.leafHash(use: "blk/1", hash.bytes) }

    /// Appends a block's hash and stores every subtree that it completes.
    mutating func append(_ db: Database, block hash: Digest) throws {
        var node = Self.leaf(hash)
        var level = 0
        var index = self.size
        try Self.store(db, level: level, index: index, node)
        while index & 1 == 1, let left = self.peaks.popLast() {
            node = MerkleTree.nodeHash(left, node)
            level += 1
            index >>= 1
            try Self.store(db, level: level, index: index, node)
        }
        self.peaks.append(node)
        self.size += 1
    }

    /// The sibling hashes of leaf `index` in the tree of the first `size` leaves, nearest first (RFC 9162 2.1.3.1).
    ///
    /// - Precondition: `index < size`, and the tree has at least `size` leaves.
    static func inclusionPath(_ db: Database, of index: UInt64, size: UInt64) throws -> [Digest] {
        precondition(index < size, "a path is asked for a leaf of the tree")
        let places = Self.peakPlaces(size)
        guard let own = places.firstIndex(where: { index >> UInt64($0.level) == $0.index }) else {
            preconditionFailure("the peaks cover every leaf")
        }
        var path = try (0..<places[own].level).map { level in
            try Self.node(db, level: level, index: (index >> UInt64(level)) ^ 1)
        }
        let right = try places[(own + 1)...].map { try Self.node(db, level: $0.level, index: $0.index) }
        if let rest = Self.folded(right) { path.append(rest) }
        for place in places[..<own].reversed() {
            path.append(try Self.node(db, level: place.level, index: place.index))
        }
        return path
    }

    private static func folded(_ peaks: [Digest]) -> Digest? {
        guard var hash = peaks.last else { return nil }
        for peak in peaks.dropLast().reversed() { hash = MerkleTree.nodeHash(peak, hash) }
        return hash
    }

    /// The complete subtrees that make up a tree of `size` leaves, largest first.
    private static func peakPlaces(_ size: UInt64) -> [(level: Int, index: UInt64)] {
        var places: [(level: Int, index: UInt64)] = []
        var covered: UInt64 = 0
        for level in stride(from: 63, through: 0, by: -1) where size >> UInt64(level) & 1 == 1 {
            places.append((level, covered >> UInt64(level)))
            covered += 1 << UInt64(level)
        }
        return places
    }

    private static func position(level: Int, index: UInt64) -> Int64 {
        (index << UInt64(level + 1) | ((1 << UInt64(level)) - 1)).column
    }

    private static func node(_ db: Database, level: Int, index: UInt64) throws -> Digest {
        let position = Self.position(level: level, index: index)
        guard let node = try db.first("SELECT hash FROM history WHERE position = ?", [position], { try $0.digest(0) })
        else { throw LedgerStoreError(.corrupt, "the history tree lacks a node; restore the file from a copy") }
        return node
    }

    private static func store(_ db: Database, level: Int, index: UInt64, _ node: Digest) throws {
        try db.run(
            "INSERT INTO history (position, hash) VALUES (?, ?)",
            [Self.position(level: level, index: index), node.column]
        )
    }
}
