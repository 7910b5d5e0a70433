import Primitives
import TestSupport
import Testing

@Suite("A value has exactly one canonical encoding")
struct CanonicalEncodingTests {
    @Test("The pinned values encode to the pinned bytes, and only those bytes decode to them")
    func values() throws {
        for line in try VectorFile.lines("bcs/values.txt") {
            let fields = line.split(separator: " ").map(String.init)
            let (type, value) = (fields[0], fields[1])
            let bytes = try #require(Hex.decode(fields[2]))
            #expect(CanonicalSample.encode(type: type, value: value) == bytes, "\(line)")
            #expect(try CanonicalSample.decode(type: type, bytes: bytes) == value, "\(line)")
            for count in bytes.indices {
                #expect(throws: CanonicalError.truncated, "\(line), the first \(count) bytes") {
                    try CanonicalSample.decode(type: type, bytes: Array(bytes[..<count]))
                }
            }
            #expect(throws: CanonicalError.trailing, "\(line)") {
                try CanonicalSample.decode(type: type, bytes: bytes + [0])
            }
        }
    }

    @Test("Other bytes are refused with the pinned code")
    func refusals() throws {
        for line in try VectorFile.lines("bcs/refused.txt") {
            let fields = line.split(separator: " ").map(String.init)
            let bytes = try #require(Hex.decode(fields[1]))
            let code = try #require(Self.codes[fields[2]])
            #expect(throws: code, "\(line)") {
                try CanonicalSample.decode(type: fields[0], bytes: bytes, textMax: 16, variants: 3)
            }
        }
    }

    @Test("Bytes that decode encode to the same bytes", arguments: 0..<50 as Range<UInt64>)
    func onlyOneForm(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let lines = try VectorFile.lines("bcs/values.txt")
        for type in Set(lines.map { String($0.prefix { $0 != " " }) }).subtracting(["strings"]).sorted() {
            for _ in 0..<200 {
                // Small bytes and letters: most of them are lengths, tags or text.
                let bytes = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                    UInt8.random(in: Bool.random(using: &generator) ? 0...3 : 0x60...0x8F, using: &generator)
                }
                guard let value = try? CanonicalSample.decode(type: type, bytes: bytes) else { continue }
                #expect(CanonicalSample.encode(type: type, value: value) == bytes, "\(type) \(bytes)")
            }
        }
    }

    @Test("Sequences and optional values follow the encoding of their elements")
    func composites() throws {
        var encoder = CanonicalEncoder()
        encoder.encode([Height(1), Height(2)])
        encoder.encode(Optional(View(3)))
        encoder.encode(View?.none)
        #expect(Hex.encode(encoder.bytes) == "0201000000000000000200000000000000" + "010300000000000000" + "00")
        var decoder = CanonicalDecoder(encoder.bytes)
        #expect(try decoder.decodeArray(of: Height.self, max: 2) == [Height(1), Height(2)])
        #expect(try decoder.decodeOptional(View.self) == View(3))
        #expect(try decoder.decodeOptional(View.self) == nil)
        try decoder.finish()
        #expect(throws: CanonicalError.overLimit) {
            var decoder = CanonicalDecoder(encoder.bytes)
            _ = try decoder.decodeArray(of: Height.self, max: 1)
        }
        #expect(throws: CanonicalError.truncated, "a claimed length allocates only what the bytes can hold") {
            var decoder = CanonicalDecoder([0xFF, 0xFF, 0xFF, 0xFF, 0x07])
            _ = try decoder.decodeArray(of: Height.self, max: .max)
        }
    }

    private static let codes: [String: CanonicalError] = [
        "truncated": .truncated, "trailing": .trailing, "notCanonical": .notCanonical, "overLimit": .overLimit,
        "invalid": .invalid,
    ]
}
