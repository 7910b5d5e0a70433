import Primitives
import Records
import Testing

@Suite("A sealed object")
struct SealedObjectTests {
    private func object(_ body: [UInt8]) throws -> SealedObject {
        let header = ObjectHeader(
            suite: .international,
            kind: .record,
            origin: try #require(InstitutionID("hospital-a")),
            sequence: 7,
            keyCommitment: Digest(hashing: [1])
        )
        return SealedObject(header: header, body: body)
    }

    @Test("It reads back with the same address")
    func roundTrip() throws {
        let object = try self.object([1, 2, 3])
        let read = try SealedObject(canonicalBytes: object.canonicalBytes)
        #expect(read == object)
        #expect(read.address == object.address)
    }

    @Test("Its address covers every bit of header and body")
    func address() throws {
        let object = try self.object([UInt8](0..<32))
        let bytes = object.canonicalBytes
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            let read = try? SealedObject(canonicalBytes: changed)
            #expect(read?.address != object.address)
        }
    }

    @Test("A stated length beyond the limit allocates nothing and is refused")
    func length() throws {
        let header = try self.object([]).header
        let bytes = header.canonicalBytes + [0xff, 0xff, 0xff, 0x7f]
        #expect(throws: CanonicalError.overLimit) { try SealedObject(canonicalBytes: bytes) }
    }
}
