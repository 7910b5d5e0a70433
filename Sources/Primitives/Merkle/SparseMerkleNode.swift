/// A node of a compact sparse Merkle tree: immutable, shared between the maps that have it in common.
///
/// A subtree that holds one key is that key's leaf, at whatever depth; a subtree that holds several is a branch, even
/// where one side is empty. So a set of keys and values has exactly one tree. The depth is at most 256, which bounds
/// every recursion here.
enum SparseMerkleNode: Sendable {
    case empty
    indirect case leaf(key: Digest, value: [UInt8], hash: Digest)
    indirect case branch(left: SparseMerkleNode, right: SparseMerkleNode, count: Int, hash: Digest)

    /// The new value of a key; `nil` removes it.
    typealias Change = (key: Digest, value: [UInt8]?)

    var hash: Digest {
        switch self {
        case .empty: SparseMerkleHash.empty
        case .leaf(_, _, let hash): hash
        case .branch(_, _, _, let hash): hash
        }
    }

    /// The number of keys in this subtree.
    var count: Int {
        switch self {
        case .empty: 0
        case .leaf: 1
        case .branch(_, _, let count, _): count
        }
    }

    /// This subtree after `changes`, which are sorted by key, name each key once and agree with the subtree's place in
    /// the first `depth` bits.
    func applying(_ changes: ArraySlice<Change>, depth: Int) -> SparseMerkleNode {
        guard !changes.isEmpty else { return self }
        switch self {
        case .empty:
            return Self.build(changes.compactMap(Self.leaf)[...], depth: depth)
        case .leaf(let key, _, _):
            let place = changes.partition { $0.key >= key }
            var leaves = changes[..<place].compactMap(Self.leaf)
            if place == changes.endIndex || changes[place].key != key { leaves.append((key, self)) }
            leaves += changes[place...].compactMap(Self.leaf)
            return Self.build(leaves[...], depth: depth)
        case .branch(let left, let right, _, _):
            let middle = changes.partition { $0.key.bit(depth) }
            return Self.join(
                left.applying(changes[..<middle], depth: depth + 1),
                right.applying(changes[middle...], depth: depth + 1)
            )
        }
    }

    /// The subtree of `leaves`, which are sorted by key, distinct and equal in their first `depth` bits.
    private static func build(_ leaves: ArraySlice<(key: Digest, node: SparseMerkleNode)>, depth: Int) -> Self {
        guard let first = leaves.first else { return .empty }
        guard leaves.count > 1 else { return first.node }
        let middle = leaves.partition { $0.key.bit(depth) }
        return Self.branch(
            Self.build(leaves[..<middle], depth: depth + 1),
            Self.build(leaves[middle...], depth: depth + 1)
        )
    }

    private static func leaf(_ change: Change) -> (key: Digest, node: SparseMerkleNode)? {
        guard let value = change.value else { return nil }
        let hash = SparseMerkleHash.leaf(key: change.key, valueHash: Digest(hashing: value))
        return (change.key, .leaf(key: change.key, value: value, hash: hash))
    }

    /// The parent of two subtrees after a change: a leaf that has lost its neighbours moves up.
    private static func join(_ left: Self, _ right: Self) -> Self {
        switch (left, right) {
        case (.empty, .empty), (.leaf, .empty): left
        case (.empty, .leaf): right
        default: Self.branch(left, right)
        }
    }

    private static func branch(_ left: Self, _ right: Self) -> Self {
        .branch(
            left: left,
            right: right,
            count: left.count + right.count,
            hash: SparseMerkleHash.node(left.hash, right.hash)
        )
    }
}

/// The hash rules of the compact sparse Merkle tree, shared by the map and by the verifier of its proofs.
enum SparseMerkleHash {
    /// Stands for a subtree without keys.
    static let empty = Digest.zero
    /// A key has this many bits, so no path is longer.
    static let depthMax = Digest.byteCount * 8

    /// `H(0x02 ‖ key ‖ H(value))`.
    static func leaf(key: Digest, valueHash: Digest) -> Digest { Self.hash(0x02, key, valueHash) }

    /// `H(0x03 ‖ left ‖ right)`.
    static func node(_ left: Digest, _ right: Digest) -> Digest { Self.hash(0x03, left, right) }

    private static func hash(_ kind: UInt8, _ first: Digest, _ second: Digest) -> Digest {
        var bytes: [UInt8] = [kind]
        bytes.reserveCapacity(1 + 2 * Digest.byteCount)
        bytes += first.bytes
        bytes += second.bytes
        return Digest(hashing: bytes)
    }
}

extension ArraySlice {
    /// The first index whose element fulfils `condition`, in a slice where no element after it fails to.
    fileprivate func partition(_ condition: (Element) -> Bool) -> Index {
        var low = self.startIndex
        var high = self.endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if condition(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
