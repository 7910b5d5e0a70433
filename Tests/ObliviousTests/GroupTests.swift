import Oblivious
import Primitives
import TestSupport
import Testing

@Suite("ristretto255: elements and scalars")
struct GroupTests {
    @Test("The first multiples of the generator are those of RFC 9496, A.1")
    func multiples() throws {
        let expected = [
            "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
            "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
        ]
        #expect(RistrettoElement.generator.bytes == (try bytes(expected[0])))
        #expect((RistrettoElement.generator + .generator).bytes == (try bytes(expected[1])))
        #expect((RistrettoScalar(2) * RistrettoElement.generator).bytes == (try bytes(expected[1])))
    }

    @Test(
        "What is no element's only encoding is refused, and so is the identity",
        arguments: [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d",
        ]
    )
    func badElements(hex: String) throws {
        let bytes = try bytes(hex)
        #expect(RistrettoElement(bytes) == nil)
        #expect(throws: CanonicalError.self) { try RistrettoElement(canonicalBytes: bytes) }
    }

    @Test(
        "A scalar that is not reduced is refused",
        arguments: [
            "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
            "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", "00",
        ]
    )
    func badScalars(hex: String) throws {
        let bytes = try bytes(hex)
        #expect(RistrettoScalar(bytes) == nil)
        #expect(throws: CanonicalError.self) { try RistrettoScalar(canonicalBytes: bytes) }
    }

    @Test("The largest scalar is accepted, and one more is zero")
    func largest() throws {
        let largest = try scalar("ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        #expect((largest + .one).isZero)
        #expect(RistrettoElement(generatorTimes: largest) + .generator == .identity)
        #expect(RistrettoElement(generatorTimes: .zero).isIdentity)
        #expect((RistrettoScalar.zero * RistrettoElement.generator).isIdentity)
        #expect((largest * RistrettoElement.identity).isIdentity)
        #expect(RistrettoScalar.zero.inverse == nil)
    }

    @Test("Scalars are a field, and elements follow them", arguments: 0..<20 as Range<UInt64>)
    func laws(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let a = RistrettoScalar.random(using: &generator)
        let b = RistrettoScalar.random(using: &generator)
        #expect(a * (try #require(a.inverse)) == .one)
        #expect((a + b) - b == a)
        #expect(
            RistrettoElement(generatorTimes: a + b) == RistrettoElement(generatorTimes: a) + .init(generatorTimes: b)
        )
        #expect(a * RistrettoElement(generatorTimes: b) == RistrettoElement(generatorTimes: a * b))
        #expect(RistrettoElement(generatorTimes: a) - .init(generatorTimes: b) == .init(generatorTimes: a - b))
        #expect(
            try RistrettoElement(canonicalBytes: RistrettoElement(generatorTimes: a).canonicalBytes).isIdentity == false
        )
    }

    /// RFC 9380, K.3.
    @Test("A message expands as RFC 9380 says")
    func expand() throws {
        let tag = Array("QUUX-V01-CS02-with-expander-SHA512-256".utf8)
        let expected = [
            ("", "6b9a7312411d92f921c6f68ca0b6380730a1a4d982c507211a90964c394179ba"),
            ("abc", "0da749f12fbe5483eb066a5f595055679b976e93abe9be6f0f6318bce7aca8dc"),
            ("abcdef0123456789", "087e45a86e2939ee8b91100af1583c4938e0f5fc6c9db4b107b83346bc967f58"),
            (
                "",
                "41b037d1734a5f8df225dd8c7de38f851efdb45c372887be655212d07251b921b052b62eaed99b46f72f2ef4cc96bfaf254ebbbe"
                    + "c091e1a3b9e4fb5e5b619d2e0c5414800a1d882b62bb5cd1778f098b8eb6cb399d5d9d18f5d5842cf5d13d7eb00a7cff859b"
                    + "605da678b318bd0e65ebff70bec88c753b159a805d2c89c55961"
            ),
        ]
        for (message, hex) in expected {
            let expanded = HashToGroup.expand(Array(message.utf8), tag: tag, count: hex.count / 2)
            #expect(Hex.encode(expanded) == hex)
        }
    }
}
