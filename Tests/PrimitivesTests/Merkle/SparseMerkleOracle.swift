import Crypto
import Primitives

/// The definition of the compact sparse Merkle tree, written as it is read: no sharing, no batches, its own hashing.
enum SparseMerkleOracle {
    static func root(_ entries: [Primitives.Digest: [UInt8]]) -> [UInt8] {
        self.root(entries.map { ($0.key.bytes, $0.value) }, depth: 0)
    }

    private static func root(_ entries: [(key: [UInt8], value: [UInt8])], depth: Int) -> [UInt8] {
        if entries.isEmpty { return [UInt8](repeating: 0, count: 32) }
        if entries.count == 1 { return self.hash([2] + entries[0].key + self.hash(entries[0].value)) }
        let mask = UInt8(0x80) >> UInt8(depth % 8)
        let left = entries.filter { $0.key[depth / 8] & mask == 0 }
        let right = entries.filter { $0.key[depth / 8] & mask != 0 }
        return self.hash([3] + self.root(left, depth: depth + 1) + self.root(right, depth: depth + 1))
    }

    private static func hash(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}
