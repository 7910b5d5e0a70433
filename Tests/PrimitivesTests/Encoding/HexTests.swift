import Primitives
import Testing

@Suite("Hexadecimal text")
struct HexTests {
    @Test("Every byte is written as two lower-case digits and read back in either case")
    func allBytes() {
        let bytes = Array(UInt8.min...UInt8.max)
        let text = Hex.encode(bytes)
        #expect(text.hasPrefix("000102"))
        #expect(text.hasSuffix("fdfeff"))
        #expect(text.utf8.count == 512)
        #expect(Hex.decode(text) == bytes)
        #expect(Hex.decode(text.uppercased()) == bytes)
        #expect(Hex.decode("") == [])
    }

    @Test(
        "Anything else is refused",
        arguments: ["0", "000", "0g", "0x", " 00", "00 ", "０0", "0\u{301}0", "/0", ":0", "@0", "`0"]
    )
    func refused(text: String) {
        #expect(Hex.decode(text) == nil)
    }
}
