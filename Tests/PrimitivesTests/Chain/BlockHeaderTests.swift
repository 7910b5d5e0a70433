import Primitives
import Testing

@Suite("A block header has pinned bytes")
struct BlockHeaderTests {
    @Test("The header is 417 bytes in the pinned order, and its hash is pinned")
    func golden() throws {
        let header = try Self.header()
        let lines = try VectorFile.lines("chain/header.txt")
        #expect(Hex.encode(header.canonicalBytes) == lines[0])
        #expect(header.canonicalBytes.count == 417)
        #expect(header.hash.hex == lines[1])
        #expect(try BlockHeader(canonicalBytes: header.canonicalBytes) == header)
    }

    @Test("Every bit of a header changes its hash or makes it unreadable")
    func everyBitCounts() throws {
        let bytes = try Self.header().canonicalBytes
        let hash = try Self.header().hash
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let header = try? BlockHeader(canonicalBytes: changed)
            #expect(header?.hash != hash, "bit \(bit)")
            #expect((header == nil) == (bit < 16), "only another version is unreadable: bit \(bit)")
        }
        for count in bytes.indices {
            #expect(throws: CanonicalError.truncated) { try BlockHeader(canonicalBytes: Array(bytes[..<count])) }
        }
        #expect(throws: CanonicalError.trailing) { try BlockHeader(canonicalBytes: bytes + [0]) }
    }

    private static func header() throws -> BlockHeader {
        let digest = { (byte: UInt8) in try #require(Digest([UInt8](repeating: byte, count: 32))) }
        return BlockHeader(
            suite: .international,
            chain: ChainID(try digest(0xC1)),
            epoch: Epoch(3),
            view: View(5),
            height: Height(7),
            time: Timestamp(milliseconds: 1_700_000_000_123),
            proposer: 2,
            parentView: View(4),
            parentHash: try digest(0xA1),
            justificationHash: try digest(0xA2),
            transactionCount: 9,
            transactionRoot: try digest(0xA3),
            receiptRoot: try digest(0xA4),
            stateRoot: try digest(0xA5),
            historySize: 7,
            historyRoot: try digest(0xA6),
            validatorsHash: try digest(0xA7),
            parametersHash: try digest(0xA8)
        )
    }
}
