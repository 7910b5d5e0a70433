import Primitives
import TestSupport
import Testing

@Suite("Digests")
struct DigestTests {
    @Test(
        "SHA-256 gives the values of FIPS 180-4's examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func knownAnswers(text: String, hex: String) {
        #expect(Digest(hashing: text.utf8).hex == hex)
        var hasher = DigestHasher()
        for byte in text.utf8 { hasher.update(byte) }
        #expect(hasher.finalize() == Digest(hex: hex))
    }

    @Test(
        "Digests are ordered as their bytes are, and bits count from the most significant",
        arguments: 0..<20 as Range<UInt64>
    )
    func order(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let left = [UInt8].random(count: 32, using: &generator)
            var right = left
            right[Int.random(in: 0..<32, using: &generator)] ^= UInt8.random(in: 0...255, using: &generator)
            let (first, second) = (try #require(Digest(left)), try #require(Digest(right)))
            #expect((first < second) == left.lexicographicallyPrecedes(right))
            #expect((first == second) == (left == right))
            #expect(first.bytes == left)
            #expect(Digest(hex: first.hex) == first)
            for bit in 0..<256 { #expect(first.bit(bit) == (left[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0)) }
            var prefix: UInt64 = 0
            for byte in left[..<8] { prefix = prefix << 8 | UInt64(byte) }
            #expect(first.prefix64 == prefix)
        }
    }

    @Test("Only 32 bytes are a digest", arguments: [0, 1, 31, 33, 64])
    func wrongLength(count: Int) {
        #expect(Digest([UInt8](repeating: 0, count: count)) == nil)
        #expect(Digest(hex: String(repeating: "00", count: count)) == nil)
    }

    @Test("A digest prints eight digits, and its canonical form is its bytes")
    func forms() {
        let digest = Digest(hashing: [])
        #expect("\(digest)" == "e3b0c442")
        #expect("\(ContentAddress(digest))" == "e3b0c442")
        #expect(digest.canonicalBytes == digest.bytes)
        #expect(ContentAddress(digest).canonicalBytes == digest.bytes)
        #expect(Digest.zero.bytes == [UInt8](repeating: 0, count: 32))
        #expect(throws: CanonicalError.truncated) { try Digest(canonicalBytes: Array(digest.bytes.dropLast())) }
    }

    @Test("HMAC-SHA-256 gives the codes of RFC 4231")
    func messageAuthentication() throws {
        var fields: [String: [UInt8]] = [:]
        var count = 0
        for line in try VectorFile.lines("hmac/rfc4231.txt") {
            let parts = line.split(separator: " = ", omittingEmptySubsequences: false)
            fields[String(parts[0])] = Hex.decode(parts[1]) ?? []
            guard parts[0] == "MD" else { continue }
            let key = try #require(fields["Key"])
            let message = try #require(fields["Msg"])
            let code = MessageAuthentication.code(key: key, message: message)
            #expect(code.bytes == fields["MD"])
            #expect(MessageAuthentication.code(key: key + [1], message: message) != code)
            count += 1
        }
        #expect(count == 6)
    }
}
