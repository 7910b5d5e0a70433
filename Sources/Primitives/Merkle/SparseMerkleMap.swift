/// A map with a Merkle root: values under digests, committed to by one hash that depends only on the contents.
///
/// A compact sparse Merkle tree, binary, over the bits of the key from the most significant on: leaf
/// `H(0x02 ‖ key ‖ H(value))`, node `H(0x03 ‖ left ‖ right)`, an empty subtree is 32 zero bytes, and a subtree with one
/// key is that key's leaf. Callers hash their own keys first, so paths stay short (about log2 of the count).
///
/// The map is a value: a copy costs nothing and shares its nodes with the original, so blocks on several parents can be
/// executed side by side. ``apply(_:)`` hashes each node on the changed paths once; use it instead of single changes.
package struct SparseMerkleMap: Sendable {
    private var top = SparseMerkleNode.empty

    package init() {}

    /// Commits to every key and value; 32 zero bytes for the empty map.
    package var root: Digest { self.top.hash }

    package var count: Int { self.top.count }

    package var isEmpty: Bool { self.top.count == 0 }

    package subscript(key: Digest) -> [UInt8]? {
        var node = self.top
        var depth = 0
        while true {
            switch node {
            case .empty:
                return nil
            case .leaf(let found, let value, _):
                return found == key ? value : nil
            case .branch(let left, let right, _, _):
                node = key.bit(depth) ? right : left
                depth += 1
            }
        }
    }

    /// Stores `value` under `key`, or removes the key.
    package mutating func set(_ value: [UInt8]?, for key: Digest) {
        self.top = self.top.applying([(key, value)], depth: 0)
    }

    /// Makes many changes at once; of several changes of one key the last counts, and `nil` removes the key.
    package mutating func apply(_ changes: [(key: Digest, value: [UInt8]?)]) {
        let order = changes.indices.sorted { (changes[$0].key, $0) < (changes[$1].key, $1) }
        var sorted: [SparseMerkleNode.Change] = []
        sorted.reserveCapacity(changes.count)
        for index in order {
            if sorted.last?.key == changes[index].key { sorted.removeLast() }
            sorted.append(changes[index])
        }
        self.top = self.top.applying(sorted[...], depth: 0)
    }

    /// The proof that `key` has its value, or that it has none.
    package func proof(for key: Digest) -> SparseMerkleProof {
        var siblings: [Digest] = []
        var node = self.top
        while true {
            switch node {
            case .empty:
                return SparseMerkleProof(siblings: siblings, end: .empty)
            case .leaf(let found, _, _) where found == key:
                return SparseMerkleProof(siblings: siblings, end: .value)
            case .leaf(let found, let value, _):
                let end = SparseMerkleProof.End.otherLeaf(key: found, valueHash: Digest(hashing: value))
                return SparseMerkleProof(siblings: siblings, end: end)
            case .branch(let left, let right, _, _):
                let goesRight = key.bit(siblings.count)
                siblings.append((goesRight ? left : right).hash)
                node = goesRight ? right : left
            }
        }
    }
}

extension SparseMerkleMap: Sequence {
    /// Walks the keys in ascending order.
    package struct Iterator: IteratorProtocol {
        /// Subtrees still to be visited, the next one last.
        private var pending: [SparseMerkleNode]

        fileprivate init(_ top: SparseMerkleNode) { self.pending = [top] }

        package mutating func next() -> (key: Digest, value: [UInt8])? {
            while let node = self.pending.popLast() {
                switch node {
                case .empty:
                    continue
                case .leaf(let key, let value, _):
                    return (key, value)
                case .branch(let left, let right, _, _):
                    self.pending.append(right)
                    self.pending.append(left)
                }
            }
            return nil
        }
    }

    package var underestimatedCount: Int { self.count }

    package func makeIterator() -> Iterator { Iterator(self.top) }
}
