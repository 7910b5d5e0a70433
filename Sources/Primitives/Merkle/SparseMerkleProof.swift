/// Shows a verifier who knows only the root of a ``SparseMerkleMap`` what the map holds under one key.
///
/// About log2 of the map's count in siblings: 700 bytes for a million keys.
package struct SparseMerkleProof: Hashable, Sendable {
    /// What the key's path ends in.
    package enum End: Hashable, Sendable {
        /// The key's own leaf: it has a value.
        case value
        /// No leaf: the key has no value.
        case empty
        /// The leaf of another key, which would have moved down if this key had a value.
        case otherLeaf(key: Digest, valueHash: Digest)
    }

    /// The hashes beside the path, from the root down; an empty subtree is 32 zero bytes.
    package let siblings: [Digest]
    package let end: End

    /// - Precondition: there are at most 256 siblings.
    package init(siblings: [Digest], end: End) {
        precondition(siblings.count <= SparseMerkleHash.depthMax, "no path is longer than a key")
        self.siblings = siblings
        self.end = end
    }

    /// Whether the map with `root` has `value` under `key`; `nil` asks whether the key is absent.
    package func verify(key: Digest, value: [UInt8]?, root: Digest) -> Bool {
        var hash: Digest
        switch (self.end, value) {
        case (.value, .some(let value)):
            hash = SparseMerkleHash.leaf(key: key, valueHash: Digest(hashing: value))
        case (.empty, .none):
            hash = SparseMerkleHash.empty
        case (.otherLeaf(let other, let valueHash), .none):
            guard other != key, self.siblings.indices.allSatisfy({ other.bit($0) == key.bit($0) }) else { return false }
            hash = SparseMerkleHash.leaf(key: other, valueHash: valueHash)
        default:
            return false
        }
        for (depth, sibling) in self.siblings.enumerated().reversed() {
            hash = key.bit(depth) ? SparseMerkleHash.node(sibling, hash) : SparseMerkleHash.node(hash, sibling)
        }
        return hash == root
    }
}

/// The number of siblings (u16), one bit for each that says whether it is empty (from the least significant bit of the
/// first byte on, unused bits zero), the others, and the end.
extension SparseMerkleProof: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        var bitmap = [UInt8](repeating: 0, count: (self.siblings.count + 7) / 8)
        for (index, sibling) in self.siblings.enumerated() where sibling == SparseMerkleHash.empty {
            bitmap[index / 8] |= 1 << UInt8(index % 8)
        }
        encoder.encode(UInt16(self.siblings.count))
        encoder.encode(fixed: bitmap)
        for sibling in self.siblings where sibling != SparseMerkleHash.empty { encoder.encode(sibling) }
        switch self.end {
        case .value:
            encoder.encode(variant: 0)
        case .empty:
            encoder.encode(variant: 1)
        case .otherLeaf(let key, let valueHash):
            encoder.encode(variant: 2)
            encoder.encode(key)
            encoder.encode(valueHash)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let count = Int(try decoder.decode(UInt16.self))
        guard count <= SparseMerkleHash.depthMax else { throw .overLimit }
        let bitmap = try decoder.decode(fixed: (count + 7) / 8)
        var siblings: [Digest] = []
        for index in 0..<bitmap.count * 8 {
            let isEmpty = bitmap[index / 8] >> UInt8(index % 8) & 1 == 1
            guard index < count else {
                guard !isEmpty else { throw .notCanonical }
                continue
            }
            let sibling = isEmpty ? SparseMerkleHash.empty : try decoder.decode(Digest.self)
            // Bytes of an empty sibling would be a longer form of its bit.
            guard isEmpty || sibling != SparseMerkleHash.empty else { throw .notCanonical }
            siblings.append(sibling)
        }
        self.siblings = siblings
        switch try decoder.decodeVariant(count: 3) {
        case 0: self.end = .value
        case 1: self.end = .empty
        default: self.end = .otherLeaf(key: try decoder.decode(), valueHash: try decoder.decode())
        }
    }
}
