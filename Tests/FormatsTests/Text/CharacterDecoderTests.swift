import Formats
import Testing

@Suite("Bytes of a character set become text")
struct CharacterDecoderTests {
    struct Sample: Sendable {
        var characterSet: CharacterSet
        var bytes: [UInt8]
        var text: String
    }

    /// From the code charts of each set's standard.
    static let samples: [Sample] = [
        Sample(characterSet: .gb18030, bytes: [0xd1, 0xaa, 0xb3, 0xa3, 0xb9, 0xe6], text: "血常规"),
        // A four-byte character beyond the basic plane.
        Sample(characterSet: .gb18030, bytes: [0x95, 0x32, 0x82, 0x36], text: "\u{20000}"),
        Sample(characterSet: .gb2312, bytes: [0xcd, 0xf5, 0xd0, 0xa1, 0xb6, 0xab], text: "王小东"),
        Sample(characterSet: .big5, bytes: [0xa4, 0xa4, 0xa4, 0xe5], text: "中文"),
        Sample(characterSet: .koreanEUC, bytes: [0xb1, 0xe8], text: "김"),
        Sample(characterSet: .japaneseEUC, bytes: [0xbb, 0xb3, 0xc5, 0xc4], text: "山田"),
        Sample(characterSet: .shiftJIS, bytes: [0xd4, 0xcf, 0xc0, 0xde], text: "ﾔﾏﾀﾞ"),
        Sample(characterSet: .latin1, bytes: [0x4a, 0xe9, 0x72, 0xf4, 0x6d, 0x65], text: "Jérôme"),
        Sample(characterSet: .latin2, bytes: [0xa3, 0xf3, 0x64, 0xbc], text: "Łódź"),
        Sample(characterSet: .cyrillic, bytes: [0xbb, 0xee, 0xda], text: "Люк"),
        Sample(characterSet: .greek, bytes: [0xc4, 0xe9, 0xef], text: "Διο"),
        Sample(characterSet: .arabic, bytes: [0xe2, 0xc8], text: "قب"),
        Sample(characterSet: .hebrew, bytes: [0xf9, 0xf8], text: "שר"),
        Sample(characterSet: .thai, bytes: [0xb9, 0xd2], text: "นา"),
        Sample(characterSet: .windows1252, bytes: [0x80, 0x93], text: "€“"),
        Sample(characterSet: .utf16BigEndian, bytes: [0x4e, 0x2d, 0xd8, 0x40, 0xdc, 0x00], text: "中\u{20000}"),
        Sample(characterSet: .utf16LittleEndian, bytes: [0x2d, 0x4e], text: "中"),
        Sample(characterSet: .utf8, bytes: Array("血".utf8), text: "血"),
        Sample(characterSet: .ascii, bytes: Array("WBC".utf8), text: "WBC"),
    ]

    @Test("A text is read as its standard says", arguments: samples)
    func reads(_ sample: Sample) throws {
        let decoder = try #require(CharacterDecoder(sample.characterSet))
        #expect(decoder.string(sample.bytes[...]) == sample.text)
        #expect(decoder.string([]) == "")
        #expect(decoder.string(sample.bytes[...]) == sample.text, "a decoder is used again")
    }

    @Test("Every set is known to the C library", arguments: CharacterSet.allCases)
    func known(_ characterSet: CharacterSet) { #expect(CharacterDecoder(characterSet) != nil) }

    @Test("A cut or foreign text is refused, and the next one is read")
    func cut() throws {
        let decoder = try #require(CharacterDecoder(.gb18030))
        #expect(decoder.string([0xd1, 0xaa, 0xb3]) == nil)
        #expect(decoder.string([0xff]) == nil)
        #expect(decoder.string([0xd1, 0xaa]) == "血")
        #expect(try #require(CharacterDecoder(.utf8)).string([0xd1, 0xaa, 0xb3]) == nil)
        #expect(try #require(CharacterDecoder(.ascii)).string([0x80]) == nil)
        #expect(try #require(CharacterDecoder(.utf16LittleEndian)).string([0x2d]) == nil)
    }

    @Test("Bytes that say nothing are told by what they can be")
    func detection() {
        #expect(CharacterSet.detected(in: [0xd1, 0xaa, 0xb3, 0xa3]) == .gb18030)
        #expect(CharacterSet.detected(in: Array("血".utf8)[...]) == .utf8)
        #expect(CharacterSet.detected(in: Array("PID".utf8)[...]) == .ascii)
        #expect(CharacterSet.detected(in: [0xff, 0xfe, 0x41, 0x00]) == .utf16LittleEndian)
        #expect(CharacterSet.detected(in: [0xfe, 0xff, 0x00, 0x41]) == .utf16BigEndian)
        #expect(CharacterSet.detected(in: [0xff, 0xff, 0xff]) == nil)
        #expect(CharacterSet.utf8.markLength(of: [0xef, 0xbb, 0xbf, 0x41]) == 3)
    }
}
