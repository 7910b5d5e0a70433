/// Merkle trees of RFC 9162 section 2.1 over SHA-256: leaf `H(0x00 ‖ data)`, node `H(0x01 ‖ left ‖ right)`, empty
/// tree `H("")`.
///
/// Leaves of different uses never collide, because their data begins with the use's name: `tx/1`, `rcpt/1`, `blk/1`,
/// `exam/1`, `receipt/1`.
package enum MerkleTree {
    package static let emptyRoot = Digest(hashing: [])

    package static func leafHash(_ data: [UInt8]) -> Digest {
        var hasher = DigestHasher()
        hasher.update(0x00)
        hasher.update(data)
        return hasher.finalize()
    }

    /// The leaf hash of `data` under a use's name.
    package static func leafHash(use: StaticString, _ data: [UInt8]) -> Digest {
        self.leafHash(Array(use.description.utf8) + data)
    }

    package static func nodeHash(_ left: Digest, _ right: Digest) -> Digest {
        var hasher = DigestHasher()
        var bytes: [UInt8] = [0x01]
        bytes.reserveCapacity(65)
        bytes += left.bytes
        bytes += right.bytes
        hasher.update(bytes)
        return hasher.finalize()
    }

    /// The root over leaf hashes.
    package static func root(_ leaves: [Digest]) -> Digest {
        var frontier = MerkleFrontier()
        for leaf in leaves { frontier.append(leaf) }
        return frontier.root
    }

    /// The sibling hashes from leaf `index` up to the root, nearest first (RFC 9162 2.1.3.1).
    ///
    /// - Precondition: `index` is one of the leaves.
    package static func inclusionProof(of index: Int, in leaves: [Digest]) -> [Digest] {
        precondition(leaves.indices.contains(index), "a proof is asked for a leaf of the tree")
        return Self.path(index, leaves[...])
    }

    /// Whether `proof` leads from `leaf` at `index` to `root` in a tree of `size` leaves (RFC 9162 2.1.3.2).
    package static func verifyInclusion(
        leaf: Digest,
        index: UInt64,
        size: UInt64,
        proof: [Digest],
        root: Digest
    ) -> Bool {
        guard index < size else { return false }
        var node = index
        var last = size - 1
        var hash = leaf
        for sibling in proof {
            guard last != 0 else { return false }
            if node & 1 == 1 || node == last {
                hash = Self.nodeHash(sibling, hash)
                while node & 1 == 0, node != 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                hash = Self.nodeHash(hash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// The hashes that show that the tree of the first `size` leaves is a prefix of the whole (RFC 9162 2.1.4.1).
    ///
    /// - Precondition: `size` is between 1 and the number of leaves.
    package static func consistencyProof(from size: Int, in leaves: [Digest]) -> [Digest] {
        precondition(size >= 1 && size <= leaves.count, "a consistency proof starts inside the tree")
        return Self.subproof(size, leaves[...], complete: true)
    }

    /// Whether `proof` shows that the tree with `newRoot` extends the one with `oldRoot` (RFC 9162 2.1.4.2).
    package static func verifyConsistency(
        oldSize: UInt64,
        newSize: UInt64,
        oldRoot: Digest,
        newRoot: Digest,
        proof: [Digest]
    ) -> Bool {
        guard oldSize <= newSize else { return false }
        if oldSize == newSize { return proof.isEmpty && oldRoot == newRoot }
        if oldSize == 0 { return proof.isEmpty && oldRoot == Self.emptyRoot }
        guard !proof.isEmpty else { return false }
        var path = proof[...]
        if oldSize & (oldSize - 1) == 0 { path = ([oldRoot] + proof)[...] }
        var node = oldSize - 1
        var last = newSize - 1
        while node & 1 == 1 {
            node >>= 1
            last >>= 1
        }
        guard let first = path.popFirst() else { return false }
        var oldHash = first
        var newHash = first
        for sibling in path {
            guard last != 0 else { return false }
            if node & 1 == 1 || node == last {
                oldHash = Self.nodeHash(sibling, oldHash)
                newHash = Self.nodeHash(sibling, newHash)
                while node & 1 == 0, node != 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                newHash = Self.nodeHash(newHash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && oldHash == oldRoot && newHash == newRoot
    }

    private static func path(_ index: Int, _ leaves: ArraySlice<Digest>) -> [Digest] {
        guard leaves.count > 1 else { return [] }
        let split = Self.split(leaves.count)
        let middle = leaves.startIndex + split
        if index < split {
            return Self.path(index, leaves[..<middle]) + [Self.root(Array(leaves[middle...]))]
        }
        return Self.path(index - split, leaves[middle...]) + [Self.root(Array(leaves[..<middle]))]
    }

    private static func subproof(_ size: Int, _ leaves: ArraySlice<Digest>, complete: Bool) -> [Digest] {
        if size == leaves.count { return complete ? [] : [Self.root(Array(leaves))] }
        let split = Self.split(leaves.count)
        let middle = leaves.startIndex + split
        if size <= split {
            return Self.subproof(size, leaves[..<middle], complete: complete) + [Self.root(Array(leaves[middle...]))]
        }
        return Self.subproof(size - split, leaves[middle...], complete: false) + [Self.root(Array(leaves[..<middle]))]
    }

    /// The largest power of two below `count`.
    private static func split(_ count: Int) -> Int { 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount) }
}

/// The right edge of a growing Merkle tree: enough to append leaves and to know the root.
package struct MerkleFrontier: Hashable, Sendable {
    package private(set) var count: UInt64 = 0
    /// Roots of the complete subtrees, largest first: one for each bit set in `count`.
    private var peaks: [Digest] = []

    package init() {}

    /// A frontier as a store keeps it; `nil` unless there is one peak for each bit set in `count`.
    package init?(count: UInt64, peaks: [Digest]) {
        guard peaks.count == count.nonzeroBitCount else { return nil }
        self.count = count
        self.peaks = peaks
    }

    package mutating func append(_ leaf: Digest) {
        var hash = leaf
        var size = self.count
        while size & 1 == 1, let left = self.peaks.popLast() {
            hash = MerkleTree.nodeHash(left, hash)
            size >>= 1
        }
        self.peaks.append(hash)
        self.count += 1
    }

    package var root: Digest {
        guard var hash = self.peaks.last else { return MerkleTree.emptyRoot }
        for peak in self.peaks.dropLast().reversed() { hash = MerkleTree.nodeHash(peak, hash) }
        return hash
    }
}

extension MerkleFrontier: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.count)
        encoder.encode(self.peaks)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.count = try decoder.decode()
        self.peaks = try decoder.decodeArray(max: 64)
        guard self.peaks.count == self.count.nonzeroBitCount else { throw .invalid }
    }
}
