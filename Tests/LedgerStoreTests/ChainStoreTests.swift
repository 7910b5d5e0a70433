import Foundation
import LedgerStore
import Primitives
import TestSupport
import Testing

@Suite("The chain store keeps final blocks and the state after them")
struct ChainStoreTests {
    private let folder: TemporaryFolder
    private let store: ChainStore

    init() throws {
        self.folder = try TemporaryFolder()
        self.store = try ChainStore(path: self.folder.path("chain.sqlite"))
    }

    private func filled(_ count: Int) throws -> [StoredBlock] {
        var blocks = Fixture.chain(count: count)
        try self.store.begin(genesis: [1, 2], block: blocks[0], stateChanges: [])
        if count > 1 {
            blocks[count - 1].certificate = [9, 9]
            try self.store.commit(Array(blocks[1...]), stateChanges: [], transactions: [])
        }
        return blocks
    }

    @Test("An empty store has no genesis and no tip")
    func empty() throws {
        #expect(try self.store.genesis() == nil)
        #expect(try self.store.tip() == nil)
        #expect(try self.store.block(at: Height(0)) == nil)
    }

    @Test("What was committed is read back, also after opening the file again")
    func roundTrip() throws {
        let blocks = try self.filled(8)
        try self.store.close()
        let store = try ChainStore(path: self.folder.path("chain.sqlite"))
        #expect(try store.genesis() == [1, 2])
        #expect(try store.tip()?.header == blocks[7].header)
        #expect(try store.tip()?.certificate == [9, 9])
        for block in blocks {
            #expect(try store.block(at: block.header.height) == block)
            #expect(try store.block(hash: block.header.hash) == block)
        }
        try store.check()
    }

    @Test("After a checkpoint the file alone holds every commit, whatever becomes of the log beside it")
    func checkpointed() throws {
        let blocks = try self.filled(8)
        try self.store.checkpoint()
        // As after a power cut that took the whole log.
        let copy = self.folder.path("copy.sqlite")
        try FileManager.default.copyItem(atPath: self.folder.path("chain.sqlite"), toPath: copy)
        #expect(try ChainStore(path: copy).tip()?.header == blocks[7].header)
    }

    @Test("Genesis is set once; another chain's is refused")
    func genesisOnce() throws {
        let blocks = try self.filled(1)
        try self.store.begin(genesis: [1, 2], block: blocks[0], stateChanges: [])
        let refusal = code { () throws(LedgerStoreError) in
            try self.store.begin(genesis: [1, 3], block: blocks[0], stateChanges: [])
        }
        #expect(refusal == .conflict)
    }

    @Test("Blocks that do not continue the chain change nothing")
    func contiguity() throws {
        _ = try self.filled(4)
        let longer = Fixture.chain(count: 8)
        var gap = Array(longer[5...6])
        var wrongParent = Array(longer[4...4])
        wrongParent[0].header.parentHash = .zero
        var wrongHistory = Array(longer[4...4])
        wrongHistory[0].header.historyRoot = .zero
        var middle = Array(longer[4...6])
        middle[1].header.view = View(99)
        var attempts = [gap, wrongParent, wrongHistory, middle]
        for index in attempts.indices { attempts[index][attempts[index].count - 1].certificate = [1] }
        gap = []
        for attempt in attempts {
            let refusal = code { () throws(LedgerStoreError) in
                try self.store.commit(attempt, stateChanges: [(.zero, [1])], transactions: [])
            }
            #expect(refusal == .chainMismatch)
        }
        let uncertified = code { () throws(LedgerStoreError) in
            try self.store.commit(Array(longer[4...5]), stateChanges: [], transactions: [])
        }
        #expect(uncertified == .chainMismatch)
        #expect(try self.store.tip()?.height == Height(3))
        var leaves = 0
        try self.store.forEachStateLeaf { _, _ in leaves += 1 }
        #expect(leaves == 0)
    }

    @Test("State leaves come in key order; a later value replaces and nil removes")
    func state() throws {
        var blocks = Fixture.chain(count: 2)
        blocks[1].certificate = [1]
        let keys = (0..<100).map { Fixture.digest("key", $0) }
        try self.store.begin(genesis: [], block: blocks[0], stateChanges: keys.map { ($0, $0.bytes) })
        let changes: [(Digest, [UInt8]?)] = [(keys[0], []), (keys[1], nil), (keys[2], [5])]
        try self.store.commit(
            [blocks[1]],
            stateChanges: changes.map { (key: $0.0, value: $0.1) },
            transactions: []
        )
        var expected = Dictionary(uniqueKeysWithValues: keys.map { ($0, $0.bytes) })
        expected[keys[0]] = []
        expected[keys[1]] = nil
        expected[keys[2]] = [5]
        var found: [(Digest, [UInt8])] = []
        try self.store.forEachStateLeaf { found.append(($0, $1)) }
        #expect(found.map(\.0) == expected.keys.sorted())
        for (key, value) in found { #expect(expected[key] == value) }
    }

    @Test("A range is bounded by bytes, holds at least one block and ends at the tip")
    func ranges() throws {
        let blocks = try self.filled(20)
        #expect(try self.store.blocks(from: Height(3), maxBytes: 1) == [blocks[3]])
        #expect(try self.store.blocks(from: Height(15), maxBytes: 1 << 20) == Array(blocks[15...]))
        let some = try self.store.blocks(from: Height(0), maxBytes: 2_000)
        #expect(some == Array(blocks[..<some.count]))
        #expect((2...4).contains(some.count))
        #expect(try self.store.blocks(from: Height(20), maxBytes: 1_000).isEmpty)
        #expect(try self.store.blocks(from: Height(.max), maxBytes: 1_000).isEmpty)
    }

    @Test("A height is covered by the nearest finalization at or above it")
    func certificates() throws {
        var blocks = Fixture.chain(count: 10)
        try self.store.begin(genesis: [], block: blocks[0], stateChanges: [])
        for range in [1...3, 4...4, 5...9] {
            blocks[range.upperBound].certificate = [UInt8(range.upperBound)]
            try self.store.commit(Array(blocks[range]), stateChanges: [], transactions: [])
        }
        for (height, expected) in [(0, 3), (1, 3), (3, 3), (4, 4), (5, 9), (9, 9)] {
            let covering = try #require(try self.store.certificate(covering: Height(UInt64(height))))
            #expect(covering.height == Height(UInt64(expected)))
            #expect(covering.bytes == [UInt8(expected)])
        }
        #expect(try self.store.certificate(covering: Height(10)) == nil)
    }

    @Test("A transaction is found at its first place")
    func transactions() throws {
        var blocks = Fixture.chain(count: 3)
        try self.store.begin(genesis: [], block: blocks[0], stateChanges: [])
        let id = Fixture.digest("transaction", 1)
        for height in 1...2 {
            blocks[height].certificate = [1]
            let place = TransactionPlace(id: id, height: Height(UInt64(height)), index: 4)
            try self.store.commit([blocks[height]], stateChanges: [], transactions: [place])
        }
        #expect(try self.store.transaction(id: id) == TransactionPlace(id: id, height: Height(1), index: 4))
        #expect(try self.store.transaction(id: .zero) == nil)
    }

    @Test("History paths of every block in every earlier tree agree with RFC 9162")
    func historyPaths() throws {
        let blocks = try self.filled(33)
        let leaves = blocks.map { MerkleTree.leafHash(use: "blk/1", $0.header.hash.bytes) }
        for size in 1...leaves.count {
            let tree = Array(leaves[..<size])
            let root = MerkleTree.root(tree)
            for index in 0..<size {
                let path = try #require(
                    try self.store.historyPath(of: Height(UInt64(index)), size: UInt64(size))
                )
                #expect(path == MerkleTree.inclusionProof(of: index, in: tree))
                let holds = MerkleTree.verifyInclusion(
                    leaf: leaves[index],
                    index: UInt64(index),
                    size: UInt64(size),
                    proof: path,
                    root: root
                )
                #expect(holds)
            }
        }
        #expect(try self.store.historyPath(of: Height(5), size: 5) == nil)
        #expect(try self.store.historyPath(of: Height(5), size: 34) == nil)
        #expect(try self.store.historyPath(of: Height(.max), size: .max) == nil)
    }
}
