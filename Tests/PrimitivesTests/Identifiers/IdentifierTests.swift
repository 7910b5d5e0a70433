import Primitives
import Testing

@Suite("Identifiers and numbers")
struct IdentifierTests {
    @Test("An institution's name is 1 to 32 of a-z 0-9 -, starting with a letter")
    func institutionNames() {
        let longest = "a" + String(repeating: "9", count: 31)
        for name in ["a", "hospital-a", "z9-", "a--", longest] {
            #expect(InstitutionID(name)?.text == name)
        }
        let refused = [
            "", "-a", "9a", "A", "hospitalA", "a b", "a_b", "a.b", "a/b", "a\0", "á", "a\u{301}", "医院", "a\n",
            longest + "9",
        ]
        for name in refused { #expect(InstitutionID(name) == nil, "\(name.utf8.count) bytes") }
    }

    @Test("Institutions are ordered by bytes, and decoding applies the rules of the name")
    func institutionBytes() throws {
        let names = ["b", "a-", "a", "a0", "aa", "ab"].compactMap { InstitutionID($0) }
        #expect(names.sorted().map(\.text) == ["a", "a-", "a0", "aa", "ab", "b"])
        let name = try #require(InstitutionID("ab"))
        #expect(name.canonicalBytes == [2, 0x61, 0x62])
        #expect(try InstitutionID(canonicalBytes: [2, 0x61, 0x62]) == name)
        #expect(throws: CanonicalError.invalid) { try InstitutionID(canonicalBytes: [2, 0x41, 0x62]) }
        #expect(throws: CanonicalError.invalid) { try InstitutionID(canonicalBytes: [0]) }
        #expect(throws: CanonicalError.overLimit) {
            try InstitutionID(canonicalBytes: [33] + [UInt8](repeating: 0x61, count: 33))
        }
    }

    @Test("Numbers are 64 bits, little-endian, in order")
    func numbers() throws {
        #expect(Height(258).canonicalBytes == [2, 1, 0, 0, 0, 0, 0, 0])
        #expect(try View(canonicalBytes: [2, 1, 0, 0, 0, 0, 0, 0]) == View(258))
        #expect(Epoch(1) < Epoch(2))
        #expect(Height(1).next == Height(2))
        #expect("\(View(7))" == "7")
    }

    @Test("Times stop at the ends of the range")
    func times() throws {
        let time = Timestamp(milliseconds: 1000)
        #expect(time.advanced(byMilliseconds: -1001) == Timestamp(milliseconds: -1))
        #expect(time.advanced(byMilliseconds: .max) == Timestamp(milliseconds: .max))
        #expect(Timestamp(milliseconds: -2).advanced(byMilliseconds: .min) == Timestamp(milliseconds: .min))
        #expect(Timestamp(milliseconds: -1) < Timestamp(milliseconds: 0))
        #expect(Timestamp(milliseconds: -2).canonicalBytes == [0xFE] + [UInt8](repeating: 0xFF, count: 7))
        #expect(try Timestamp(canonicalBytes: Timestamp(milliseconds: -2).canonicalBytes).milliseconds == -2)
    }
}
