import Formats
import TestSupport
import Testing

@Suite("JSON is read strictly and left as it is written")
struct JSONReaderTests {
    private func code(_ text: String, _ limits: JSONLimits = .standard) -> JSONError.Code? {
        self.code(Array(text.utf8), limits)
    }

    private func code(_ bytes: [UInt8], _ limits: JSONLimits = .standard) -> JSONError.Code? {
        do throws(JSONError) {
            _ = try JSONReader.read(bytes, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        "Valid texts are accepted",
        arguments: [
            "0", "-0", "1.0", "1E-22", "-1.000e+245", "[]", "{}", " [ ] ", "\"\"", "true", "false", "null",
            #"{"a":[1,{"b":null}],"c":"\u00e9\ud83d\ude00"}"#, "\u{feff}{}",
            "[\"\u{7f}\u{80}\u{7ff}\u{800}\u{fffd}\u{10ffff}\"]",
            "{\"\":1}", "\r\n\t 1 \n", #""\"\\\/\b\f\n\r\t""#,
        ]
    )
    func valid(_ text: String) { #expect(self.code(text) == nil) }

    @Test(
        "Invalid texts are refused with the place of the fault",
        arguments: [
            ("", JSONError.Code.truncated, 0), ("{", .truncated, 1), ("[1", .truncated, 2), ("[1,]", .syntax, 3),
            ("{\"a\"}", .syntax, 4), ("{\"a\":}", .syntax, 5), ("{\"a\":1,}", .syntax, 7), ("{a:1}", .syntax, 1),
            ("{'a':1}", .syntax, 1), ("[1}", .syntax, 2), ("01", .trailingData, 1), ("-", .truncated, 1),
            ("1.", .truncated, 2), (".5", .syntax, 0), ("+1", .syntax, 0), ("1e", .truncated, 2),
            ("1e+", .truncated, 3),
            ("0x10", .trailingData, 1), ("NaN", .syntax, 0), ("Infinity", .syntax, 0), ("tru", .truncated, 3),
            ("trux", .syntax, 3), ("True", .syntax, 0), ("// x\n1", .syntax, 0), ("1 /* x */", .trailingData, 2),
            ("{} {}", .trailingData, 3), ("\"a", .truncated, 2), ("\"a\u{1}\"", .controlCharacter, 2),
            ("\"a\nb\"", .controlCharacter, 2), (#""\x""#, .badEscape, 1), (#""\u12g4""#, .badEscape, 1),
            (#""\ud800""#, .badEscape, 7), (#""\ud800\u0041""#, .badEscape, 13), (#""\udc00""#, .badEscape, 7),
            (#"{"a":1,"b":2,"a":3}"#, .duplicateKey, 13), (#"{"a":1,"\u0061":3}"#, .duplicateKey, 7),
            ("[1]\u{feff}", .trailingData, 3), ("\u{feff}\u{feff}1", .syntax, 3), ("\u{a0}1", .syntax, 0),
        ]
    )
    func invalid(_ text: String, _ code: JSONError.Code, _ offset: Int) {
        do throws(JSONError) {
            _ = try JSONReader.read(Array(text.utf8))
            Issue.record("accepted")
        } catch {
            #expect(error == JSONError(code: code, offset: offset))
        }
    }

    @Test(
        "Bytes that are not UTF-8 are refused",
        arguments: [
            [0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80],
            [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe4, 0xb8], [0xff], [0xc3, 0x28],
        ] as [[UInt8]]
    )
    func notUTF8(_ bytes: [UInt8]) {
        #expect(self.code([0x22] + bytes + [0x22]) == .notUTF8)
        #expect(self.code([0x22] + Array("0123456789".utf8) + bytes + Array("0123456789\"".utf8)) == .notUTF8)
    }

    @Test("Every limit holds at its edge")
    func limits() {
        var limits = JSONLimits()
        limits.depthMax = 3
        #expect(self.code("[[[1]]]", limits) == nil)
        #expect(self.code("[[[[1]]]]", limits) == .tooDeep)
        limits.valuesMax = 4
        #expect(self.code("[1,2,3]", limits) == nil)
        #expect(self.code("[1,2,3,4]", limits) == .tooLarge)
        limits.bytesMax = 5
        #expect(self.code("[123]", limits) == nil)
        #expect(self.code("[1234]", limits) == .tooLarge)
        #expect(self.code(String(repeating: "[", count: 1_000_000)) == .tooDeep)
    }

    @Test("A large object with distinct names is accepted, one repeated name is found")
    func manyNames() {
        let names = (0..<20_000).map { "\"name\($0)\":0" }
        #expect(self.code("{\(names.joined(separator: ","))}") == nil)
        #expect(self.code("{\(names.joined(separator: ",")),\"name777\":0}") == .duplicateKey)
    }

    @Test("Lookups see through escapes, and equal fingerprints are not equal names")
    func lookup() throws {
        let root = try JSONReader.read(Array(#"{"\u0063ode":"\u00e9\ud83d\ude00\n","x":{"code":1},"nil":null}"#.utf8))
            .root
        #expect(root[JSONKey("code")]?.string == "é😀\n")
        #expect(root[JSONKey("x")]?[JSONKey("code")]?.kind == .number)
        #expect(root[JSONKey("nil")]?.kind == .null)
        #expect(root[JSONKey("cod")] == nil)
        #expect(root[JSONKey("code")]?[JSONKey("code")] == nil)
        #expect(root.count == 3)
    }

    @Test("The bytes of a value are exactly those of the text")
    func ranges() throws {
        let text = #" {"a" : [ 1.00 , {"b" : "é\/"} ] } "#
        let root = try JSONReader.read(Array(text.utf8)).root
        #expect(String(decoding: root.bytes, as: UTF8.self) == #"{"a" : [ 1.00 , {"b" : "é\/"} ] }"#)
        let elements = Array(root[JSONKey("a")]?.elements ?? root.elements)
        #expect(elements.map { String(decoding: $0.bytes, as: UTF8.self) } == ["1.00", #"{"b" : "é\/"}"#])
        #expect(elements[0].offset == 10)
    }

    @Test("A part of the bytes is read as if it stood alone")
    func slices() throws {
        let bytes = Array("[1,2] {\"a\":\"b\"}x".utf8)
        let root = try JSONReader.read(bytes, in: 6..<15).root
        #expect(root[JSONKey("a")]?.range == 11..<14)
        #expect(throws: JSONError(code: .truncated, offset: 14)) { try JSONReader.read(bytes, in: 6..<14) }
    }

    @Test("Strings of every length around a word end where they should")
    func wordBoundaries() throws {
        for length in 0..<40 {
            for special in ["", "é", "\\n", "\\\\", "字"] {
                let content =
                    String(repeating: "x", count: length) + special + String(repeating: "y", count: length % 9)
                let root = try JSONReader.read(Array("[\"\(content)\",1]".utf8)).root
                let expected = content.replacing("\\n", with: "\n").replacing("\\\\", with: "\\")
                #expect(Array(root.elements).first?.string == expected)
                #expect(root.count == 2)
            }
        }
    }

    @Test("Random bytes never trap", arguments: 0..<4 as Range<UInt64>)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\ue0-+.1 tfn\u{e9}".utf8)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<24, using: &generator)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            guard let document = try? JSONReader.read(bytes) else { continue }
            #expect(document.root.range.upperBound <= bytes.count)
        }
    }
}
