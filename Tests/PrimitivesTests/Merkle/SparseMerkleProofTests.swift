import Primitives
import TestSupport
import Testing

@Suite("A sparse Merkle proof shows what the map holds under one key")
struct SparseMerkleProofTests {
    @Test("Presence and absence are proved, and nothing else", arguments: 0..<60 as Range<UInt64>)
    func presenceAndAbsence(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let map = Self.map(count: Int.random(in: 0...60, using: &generator), using: &generator)
        let keys = map.map(\.key) + (0..<60).map { _ in Digest.clusteredKey(using: &generator) }
        for key in keys {
            let proof = map.proof(for: key)
            let value = map[key]
            #expect(proof.verify(key: key, value: value, root: map.root))
            #expect(!proof.verify(key: key, value: value == nil ? [] : nil, root: map.root))
            #expect(!proof.verify(key: key, value: (value ?? []) + [0], root: map.root))
            #expect(!proof.verify(key: key, value: value, root: Digest(hashing: map.root.bytes)))
            #expect(try SparseMerkleProof(canonicalBytes: proof.canonicalBytes) == proof)
        }
    }

    @Test("A proof of one key says nothing of a key elsewhere", arguments: 0..<20 as Range<UInt64>)
    func otherKey(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let map = Self.map(count: 40, using: &generator)
        let entries = Array(map)
        for (key, value) in entries {
            let proof = map.proof(for: key)
            for (other, otherValue) in entries where other != key {
                #expect(!proof.verify(key: other, value: value, root: map.root))
                #expect(!proof.verify(key: other, value: otherValue, root: map.root))
                #expect(!proof.verify(key: other, value: nil, root: map.root))
            }
        }
    }

    @Test("A leaf off the key's path does not prove absence, even under the right hashes")
    func leafOffThePath() throws {
        let near = try #require(Digest([0x80] + [UInt8](repeating: 0, count: 31)))
        let far = try #require(Digest([UInt8](repeating: 0, count: 32)))
        let asked = try #require(Digest([0xC0] + [UInt8](repeating: 0, count: 31)))
        let farHash = Digest(hashing: [1])
        // A root that no honest map has: the leaf of `far` sits where only keys that start with 1 belong.
        let leaf = Digest(hashing: [2] + far.bytes + farHash.bytes)
        let root = Digest(hashing: [3] + Digest.zero.bytes + leaf.bytes)
        let misplaced = SparseMerkleProof(siblings: [.zero], end: .otherLeaf(key: far, valueHash: farHash))
        #expect(!misplaced.verify(key: asked, value: nil, root: root))
        let placed = SparseMerkleProof(siblings: [.zero], end: .otherLeaf(key: near, valueHash: farHash))
        let placedLeaf = Digest(hashing: [2] + near.bytes + farHash.bytes)
        let placedRoot = Digest(hashing: [3] + Digest.zero.bytes + placedLeaf.bytes)
        #expect(placed.verify(key: asked, value: nil, root: placedRoot))
        #expect(!placed.verify(key: near, value: nil, root: placedRoot), "its own leaf does not prove a key absent")
    }

    @Test(
        "Any flipped bit, dropped byte or added byte of an encoded proof makes it invalid",
        arguments: 0..<8 as Range<UInt64>
    )
    func tampered(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let map = Self.map(count: 30, using: &generator)
        let first = try #require(map.map(\.key).first)
        for key in [first, Digest.clusteredKey(using: &generator)] {
            let bytes = map.proof(for: key).canonicalBytes
            let holds = { (changed: [UInt8]) -> Bool in
                guard let proof = try? SparseMerkleProof(canonicalBytes: changed) else { return false }
                return proof.verify(key: key, value: map[key], root: map.root)
            }
            #expect(holds(bytes))
            for bit in 0..<bytes.count * 8 {
                var changed = bytes
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(!holds(changed), "bit \(bit)")
            }
            for count in bytes.indices { #expect(!holds(Array(bytes[..<count]))) }
            #expect(!holds(bytes + [0]))
        }
    }

    @Test("The encoding is pinned, and every other form is refused")
    func encoding() throws {
        let digest = Digest(hashing: [])
        let proof = SparseMerkleProof(siblings: [.zero, digest, .zero], end: .otherLeaf(key: digest, valueHash: .zero))
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(proof.canonicalBytes == [3, 0, 0b101] + digest.bytes + [2] + digest.bytes + zeros)
        #expect(throws: CanonicalError.notCanonical, "an unused bit of the bitmap is set") {
            try SparseMerkleProof(canonicalBytes: [3, 0, 0b1101] + digest.bytes + [0])
        }
        #expect(throws: CanonicalError.notCanonical, "an empty sibling is written out") {
            try SparseMerkleProof(canonicalBytes: [1, 0, 0] + zeros + [0])
        }
        #expect(throws: CanonicalError.overLimit, "more siblings than a key has bits") {
            try SparseMerkleProof(canonicalBytes: [1, 1] + [UInt8](repeating: 0xFF, count: 33) + [0])
        }
        #expect(throws: CanonicalError.invalid, "an unknown end") {
            try SparseMerkleProof(canonicalBytes: [0, 0, 3])
        }
        #expect(try SparseMerkleProof(canonicalBytes: [0, 0, 1]) == SparseMerkleMap().proof(for: digest))
    }

    private static func map(count: Int, using generator: inout SeededGenerator) -> SparseMerkleMap {
        var map = SparseMerkleMap()
        for _ in 0..<count {
            map.set(.random(count: 5, using: &generator), for: .clusteredKey(using: &generator))
        }
        return map
    }
}
