import Primitives
import TestSupport
import Testing

@Suite("A sparse Merkle map commits to its contents")
struct SparseMerkleMapTests {
    @Test("The root of the empty map is zero and of one key its leaf hash")
    func smallRoots() {
        var map = SparseMerkleMap()
        #expect(map.root == .zero)
        #expect(map.isEmpty)
        let key = Digest(hashing: [1])
        map.set([7], for: key)
        #expect(map.root == Digest(hashing: [2] + key.bytes + Digest(hashing: [7]).bytes))
        #expect(map.count == 1)
    }

    @Test("Two keys that differ in the last bit are joined at depth 255, under 255 nodes with an empty side")
    func longestPath() throws {
        var bytes = [UInt8](repeating: 0, count: 32)
        let first = try #require(Digest(bytes))
        bytes[31] = 1
        let second = try #require(Digest(bytes))
        var map = SparseMerkleMap()
        map.apply([(second, [2]), (first, [1])])
        var hash = [UInt8](repeating: 3, count: 1)
        hash += Digest(hashing: [2] + first.bytes + Digest(hashing: [1]).bytes).bytes
        hash += Digest(hashing: [2] + second.bytes + Digest(hashing: [2]).bytes).bytes
        var expected = Digest(hashing: hash)
        for _ in 0..<255 { expected = Digest(hashing: [3] + expected.bytes + Digest.zero.bytes) }
        #expect(map.root == expected)
        #expect(map.proof(for: first).siblings.count == 256)
        #expect(map.proof(for: first).verify(key: first, value: [1], root: map.root))
        map.set(nil, for: second)
        #expect(map.proof(for: first).siblings.isEmpty)
    }

    @Test("After any changes the contents and the root are those of the definition", arguments: 0..<40 as Range<UInt64>)
    func matchesOracle(block: UInt64) {
        for seed in block * 50..<(block + 1) * 50 {
            var generator = SeededGenerator(seed: seed)
            var map = SparseMerkleMap()
            var model: [Digest: [UInt8]] = [:]
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let changes = Self.changes(upTo: 12, using: &generator)
                for (key, value) in changes { model[key] = value }
                if Bool.random(using: &generator) {
                    map.apply(changes)
                } else {
                    for (key, value) in changes { map.set(value, for: key) }
                }
            }
            #expect(map.root.bytes == SparseMerkleOracle.root(model), "seed \(seed)")
            #expect(map.count == model.count, "seed \(seed)")
            #expect(map.map(\.key) == model.keys.sorted(), "seed \(seed)")
            #expect(map.allSatisfy { model[$0.key] == $0.value && map[$0.key] == $0.value }, "seed \(seed)")
        }
    }

    @Test(
        "The order of insertion does not matter, and removal restores the earlier root",
        arguments: 0..<20 as Range<UInt64>
    )
    func historyIndependent(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let entries = Self.changes(upTo: 200, using: &generator).reduce(into: [Digest: [UInt8]]()) {
            $0[$1.key] = [1, 2]
        }
        var roots: [Digest] = []
        for _ in 0..<3 {
            var map = SparseMerkleMap()
            for (key, value) in entries.sorted(by: { $0.key < $1.key }).shuffled(using: &generator) {
                map.set(value, for: key)
            }
            roots.append(map.root)
            var growing = map
            var stack: [(Digest, Digest)] = []
            for (key, _) in Self.changes(upTo: 40, using: &generator) where growing[key] == nil {
                stack.append((key, growing.root))
                growing.set([9], for: key)
            }
            for (key, before) in stack.reversed() {
                growing.set(nil, for: key)
                #expect(growing.root == before)
            }
        }
        #expect(Set(roots).count == 1)
    }

    @Test("A copy is a fork: changing one leaves the other as it was")
    func forks() {
        var generator = SeededGenerator(seed: 1)
        var parent = SparseMerkleMap()
        for number in 0..<1000 as Range<UInt64> {
            parent.set(.random(count: 8, using: &generator), for: Digest(hashing: number.littleEndianBytes))
        }
        let before = parent.root
        var left = parent
        var right = parent
        let key = Digest(hashing: UInt64(5).littleEndianBytes)
        left.set(nil, for: key)
        right.set([1], for: key)
        #expect(parent.root == before)
        #expect(parent[key]?.count == 8)
        #expect(left[key] == nil)
        #expect(right[key] == [1])
        #expect(Set([parent.root, left.root, right.root]).count == 3)
        #expect([parent.count, left.count, right.count] == [1000, 999, 1000])
    }

    @Test("Of several changes of one key in a batch the last counts")
    func lastChangeCounts() {
        let key = Digest(hashing: [])
        var map = SparseMerkleMap()
        map.apply([(key, [1]), (key, nil), (key, [3])])
        #expect(map[key] == [3])
        map.apply([(key, [1]), (key, nil)])
        #expect(map.root == .zero)
        map.apply([])
        #expect(Array(map).isEmpty)
    }

    private static func changes(
        upTo count: Int,
        using generator: inout SeededGenerator
    ) -> [(key: Digest, value: [UInt8]?)] {
        (0..<Int.random(in: 0...count, using: &generator)).map { _ in
            let key = Digest.clusteredKey(using: &generator)
            guard Int.random(in: 0..<3, using: &generator) > 0 else { return (key, nil) }
            return (key, .random(count: Int.random(in: 0...40, using: &generator), using: &generator))
        }
    }
}
