import Primitives
import TestSupport
import Testing

@Suite("Merkle trees follow RFC 9162")
struct MerkleTreeTests {
    private static let leaves = (0..<70 as Range<UInt64>).map { MerkleTree.leafHash($0.littleEndianBytes) }

    @Test("The root is the recursive definition of section 2.1.1, also when leaves come one by one")
    func roots() {
        var frontier = MerkleFrontier()
        for count in 0...Self.leaves.count {
            let leaves = Array(Self.leaves[..<count])
            let expected = Self.definition(leaves[...])
            #expect(MerkleTree.root(leaves) == expected)
            #expect(frontier.root == expected)
            #expect(frontier.count == UInt64(count))
            #expect((try? MerkleFrontier(canonicalBytes: frontier.canonicalBytes)) == frontier)
            if count < Self.leaves.count { frontier.append(Self.leaves[count]) }
        }
        #expect(MerkleTree.emptyRoot == Digest(hashing: []))
    }

    @Test("Leaves, nodes and uses are told apart")
    func separation() {
        let data: [UInt8] = [1, 2]
        #expect(MerkleTree.leafHash(data) == Digest(hashing: [0, 1, 2]))
        #expect(MerkleTree.leafHash(use: "tx/1", data) == Digest(hashing: [0] + Array("tx/1".utf8) + data))
        #expect(MerkleTree.leafHash(use: "tx/1", data) != MerkleTree.leafHash(use: "blk/1", data))
        let (left, right) = (Digest(hashing: [1]), Digest(hashing: [2]))
        #expect(MerkleTree.nodeHash(left, right) == Digest(hashing: [1] + left.bytes + right.bytes))
    }

    @Test("Every leaf of every small tree is proved, and nowhere else", arguments: 1...33)
    func inclusion(size: Int) {
        let leaves = Array(Self.leaves[..<size])
        let root = MerkleTree.root(leaves)
        for index in leaves.indices {
            let proof = MerkleTree.inclusionProof(of: index, in: leaves)
            let holds = { (leaf: Digest, index: Int, size: Int, proof: [Digest], root: Digest) in
                MerkleTree.verifyInclusion(
                    leaf: leaf,
                    index: UInt64(index),
                    size: UInt64(size),
                    proof: proof,
                    root: root
                )
            }
            #expect(holds(leaves[index], index, size, proof, root))
            #expect(!holds(Self.leaves[size], index, size, proof, root))
            #expect(!holds(leaves[index], index, size, proof, MerkleTree.emptyRoot))
            #expect(!holds(leaves[index], index, size, proof + [root], root))
            #expect(!holds(leaves[index], size, size, proof, root))
            for other in leaves.indices where other != index {
                #expect(!holds(leaves[index], other, size, proof, root))
            }
            for step in proof.indices {
                var changed = proof
                changed[step] = Digest(hashing: changed[step].bytes)
                #expect(!holds(leaves[index], index, size, changed, root))
                changed.remove(at: step)
                #expect(!holds(leaves[index], index, size, changed, root))
            }
        }
        let last = MerkleTree.verifyInclusion(leaf: root, index: .max - 1, size: .max, proof: [], root: root)
        #expect(!last)
    }

    @Test("Every prefix of every small tree is proved consistent, and no other root is", arguments: 1...33)
    func consistency(size: Int) {
        let leaves = Array(Self.leaves[..<size])
        let root = MerkleTree.root(leaves)
        for old in 1...size {
            let oldRoot = MerkleTree.root(Array(leaves[..<old]))
            let proof = MerkleTree.consistencyProof(from: old, in: leaves)
            let holds = { (old: Int, oldRoot: Digest, newRoot: Digest, proof: [Digest]) in
                MerkleTree.verifyConsistency(
                    oldSize: UInt64(old),
                    newSize: UInt64(size),
                    oldRoot: oldRoot,
                    newRoot: newRoot,
                    proof: proof
                )
            }
            #expect(holds(old, oldRoot, root, proof))
            #expect(!holds(old, Digest(hashing: [9]), root, proof))
            #expect(!holds(old, oldRoot, Digest(hashing: [9]), proof))
            #expect(!holds(old, oldRoot, root, proof + [root]))
            for other in 1...size where other != old { #expect(!holds(other, oldRoot, root, proof)) }
            for step in proof.indices {
                var changed = proof
                changed[step] = Digest(hashing: changed[step].bytes)
                #expect(!holds(old, oldRoot, root, changed))
            }
        }
        #expect(!MerkleTree.verifyConsistency(oldSize: 2, newSize: 1, oldRoot: root, newRoot: root, proof: []))
    }

    @Test("A frontier whose peaks do not fit its count is refused")
    func frontierCoding() {
        var frontier = MerkleFrontier()
        for leaf in Self.leaves[..<5] { frontier.append(leaf) }
        var bytes = frontier.canonicalBytes
        #expect(bytes.count == 8 + 1 + 2 * 32)
        bytes[0] = 7
        #expect(throws: CanonicalError.invalid) { try MerkleFrontier(canonicalBytes: bytes) }
        #expect(throws: CanonicalError.overLimit) {
            try MerkleFrontier(canonicalBytes: [UInt8](repeating: 0xFF, count: 8) + [65])
        }
    }

    private static func definition(_ leaves: ArraySlice<Digest>) -> Digest {
        guard let first = leaves.first else { return Digest(hashing: []) }
        guard leaves.count > 1 else { return first }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let left = Self.definition(leaves.prefix(split))
        let right = Self.definition(leaves.dropFirst(split))
        return Digest(hashing: [1] + left.bytes + right.bytes)
    }
}
