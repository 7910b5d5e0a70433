import Primitives
import Testing

@Suite("A verifying key is the canonical form of a point that is not of low order")
struct VerifyingKeyTests {
    @Test("All fourteen encodings of points of low order are refused, also when decoded")
    func lowOrder() throws {
        let lines = try VectorFile.lines("ed25519/low-order.txt")
        #expect(lines.count == 14)
        for line in lines {
            let bytes = try #require(Hex.decode(line))
            #expect(VerifyingKey(bytes) == nil, "\(line)")
            #expect(throws: CanonicalError.invalid, "\(line)") { try VerifyingKey(canonicalBytes: bytes) }
        }
    }

    @Test("y from 2^255 - 19 on is not canonical, with either sign; y below it is")
    func canonicalY() throws {
        let high = [UInt8](repeating: 0xFF, count: 30)
        for low in UInt8(0xED)...0xFF {
            for sign in [0x7F, 0xFF] as [UInt8] { #expect(VerifyingKey([low] + high + [sign]) == nil) }
        }
        for sign in [0x7F, 0xFF] as [UInt8] {
            #expect(VerifyingKey([0xEB] + high + [sign]) != nil)
            #expect(VerifyingKey([0xEE] + high.dropLast() + [0xFE, sign]) != nil)
        }
    }

    @Test("Only 32 bytes are a key and only 64 a signature")
    func lengths() {
        for count in [0, 31, 33] { #expect(VerifyingKey([UInt8](repeating: 9, count: count)) == nil) }
        for count in [0, 63, 65] { #expect(Signature([UInt8](repeating: 9, count: count)) == nil) }
    }

    @Test("Bytes that are no point on the curve verify nothing")
    func noPoint() throws {
        let signature = try #require(Signature([UInt8](repeating: 1, count: 64)))
        // y = 2 has no x on the curve.
        let key = try #require(VerifyingKey([2] + [UInt8](repeating: 0, count: 31)))
        #expect(!key.isValid(signature, over: []))
    }

    @Test("Keys are ordered by bytes")
    func order() throws {
        let first = try #require(VerifyingKey([3] + [UInt8](repeating: 9, count: 31)))
        let second = try #require(VerifyingKey([4] + [UInt8](repeating: 1, count: 31)))
        #expect(first < second)
        #expect(try VerifyingKey(canonicalBytes: first.canonicalBytes) == first)
    }
}
