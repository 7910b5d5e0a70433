import Foundation
import Primitives
import TestSupport
import Testing

/// The proofs of transparency-dev/merkle, which must verify or must fail.
@Suite("Merkle proofs agree with the transparency-dev vectors")
struct MerkleVectorTests {
    private struct Inclusion: Decodable {
        let leafIdx: UInt64
        let treeSize: UInt64
        let root: Data
        let leafHash: Data
        let proof: [Data]?
        let desc: String
        let wantErr: Bool

        /// A root, leaf or sibling that is no digest makes the proof fail before it is checked.
        var holds: Bool {
            guard let root = Digest(self.root), let leaf = Digest(self.leafHash) else { return false }
            let proof = (self.proof ?? []).map { Digest($0) }
            guard !proof.contains(nil) else { return false }
            return MerkleTree.verifyInclusion(
                leaf: leaf,
                index: self.leafIdx,
                size: self.treeSize,
                proof: proof.compactMap { $0 },
                root: root
            )
        }
    }

    private struct Consistency: Decodable {
        let size1: UInt64
        let size2: UInt64
        let root1: Data
        let root2: Data
        let proof: [Data]?
        let desc: String
        let wantErr: Bool

        var holds: Bool {
            guard let root1 = Digest(self.root1), let root2 = Digest(self.root2) else { return false }
            let proof = (self.proof ?? []).map { Digest($0) }
            guard !proof.contains(nil) else { return false }
            return MerkleTree.verifyConsistency(
                oldSize: self.size1,
                newSize: self.size2,
                oldRoot: root1,
                newRoot: root2,
                proof: proof.compactMap { $0 }
            )
        }
    }

    @Test("Inclusion proofs")
    func inclusion() throws {
        let cases: [Inclusion] = try VectorFile.json("merkle/inclusion.json")
        #expect(cases.count == 33)
        for item in cases { #expect(item.holds == !item.wantErr, "\(item.desc)") }
    }

    @Test("Consistency proofs")
    func consistency() throws {
        let cases: [Consistency] = try VectorFile.json("merkle/consistency.json")
        #expect(cases.count == 22)
        for item in cases { #expect(item.holds == !item.wantErr, "\(item.desc)") }
    }

    @Test("The whole collection, where it lies beside the checkout", .enabled(if: TestData.shared != nil))
    func all() throws {
        let folder = try #require(TestData.shared).appending(path: "vectors/merkle")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }.filter { $0.pathExtension == "json" }
        #expect(files.count == 96)
        for file in files {
            let data = try Data(contentsOf: file)
            if file.path.contains("/inclusion/") {
                let item = try JSONDecoder().decode(Inclusion.self, from: data)
                #expect(item.holds == !item.wantErr, "\(file.lastPathComponent)")
            } else {
                let item = try JSONDecoder().decode(Consistency.self, from: data)
                #expect(item.holds == !item.wantErr, "\(file.lastPathComponent)")
            }
        }
    }
}
