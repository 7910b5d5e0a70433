import Formats
import Foundation
import Records
import TestSupport
import Testing

@Suite("Hostile CDA input is read without a trap, and within bounds")
struct CDAHostileTests {
    private static let vectors = ["laboratory", "wst500-6", "wst500-7", "wst500-7.gb18030"]

    /// Whatever comes out can be read again from its parts.
    private func expectSound(_ bytes: [UInt8], _ comment: String) -> Bool {
        switch CDAInput.read(bytes) {
        case .success(let parsed):
            guard case .success(let again) = CDAExamReader.read(parsed.parts), again.exam == parsed.exam,
                again.subject == parsed.subject, parsed.parts[0].bytes == bytes
            else {
                Issue.record("\(comment): an exam differs from its parts")
                return false
            }
        case .failure(let fault):
            guard (0...bytes.count).contains(fault.offset), fault.line > 0 else {
                Issue.record("\(comment): a fault outside the input")
                return false
            }
        }
        return true
    }

    @Test("A document cut off anywhere is refused", arguments: vectors)
    func truncation(_ name: String) throws {
        let bytes = try CDASample.vector(name)
        let end = try #require(bytes.lastIndex(of: UInt8(ascii: ">"))) + 1
        for length in stride(from: 0, to: end, by: 7) {
            guard CDASample.refusal(Array(bytes[..<length])) != nil else {
                Issue.record("accepted when cut to \(length) bytes")
                return
            }
        }
        #expect(CDASample.refusal(Array(bytes[..<end])) == nil)
    }

    @Test("Flipped, cut, inserted and doubled bytes never trap", arguments: 0..<8 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for name in Self.vectors {
            let vector = try CDASample.vector(name)
            for round in 0..<150 {
                var bytes = vector
                for _ in 0...Int.random(in: 0..<3, using: &generator) {
                    let start = Int.random(in: bytes.indices, using: &generator)
                    let range = start..<min(bytes.count, start + Int.random(in: 1..<60, using: &generator))
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                    case 1: bytes.removeSubrange(range)
                    case 2: bytes.insert(contentsOf: [UInt8].random(count: 3, using: &generator), at: start)
                    default:
                        bytes.insert(
                            contentsOf: Array(bytes[range]),
                            at: Int.random(in: bytes.indices, using: &generator)
                        )
                    }
                    if bytes.isEmpty { bytes = [0] }
                }
                guard self.expectSound(bytes, "seed \(seed), \(name), round \(round)") else { return }
            }
        }
    }

    /// What attribute values are replaced with: they reach the data types, which flipped bits seldom do.
    private static let values = [
        "", " ", "0", "-", "1e", "20260230", "#report", "#", "true", "urn:x", "2.16.156.10011.1.3", "&#x10FFFF;", "é",
    ]

    @Test("Exchanged attribute values never trap", arguments: 0..<4 as Range<UInt64>)
    func attributes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for name in ["laboratory", "wst500-6", "wst500-7"] {
            let pieces = String(decoding: try CDASample.vector(name), as: UTF8.self)
                .split(separator: "\"", omittingEmptySubsequences: false).map(String.init)
            for round in 0..<250 {
                var changed = pieces
                let index = Int.random(in: 0..<pieces.count / 2, using: &generator) * 2 + 1
                let other = Int.random(in: 0..<pieces.count / 2, using: &generator) * 2 + 1
                let value = Self.values.randomElement(using: &generator) ?? ""
                changed[index] = Bool.random(using: &generator) ? pieces[other] : value
                let bytes = Array(changed.joined(separator: "\"").utf8)
                guard self.expectSound(bytes, "seed \(seed), \(name), round \(round)") else { return }
            }
        }
    }

    // MARK: Entities

    @Test(
        "No document type declaration is obeyed, however it is written",
        arguments: [
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
            "<!DOCTYPE a SYSTEM \"http://127.0.0.1:9/a.dtd\">",
            "<!DOCTYPE a PUBLIC \"a\" \"b\">", "<!DOCTYPE a [<!ENTITY % p SYSTEM \"file:///dev/zero\"> %p;]>",
            "<!DOCTYPE a [<!ATTLIST id extension CDATA \"forged\">]>", "<!DOCTYPE a>", "<!ELEMENT a ANY>",
            "<!-- --><!DOCTYPE a [<!ENTITY x \"y\">]>", "<?p <x?><!DOCTYPE a>",
        ]
    )
    func documentTypes(_ declaration: String) throws {
        let text = try CDASample.laboratory().replacing("<ClinicalDocument", with: declaration + "<ClinicalDocument")
        #expect(CDASample.refusal(text) == .documentType)
        let utf16 = [UInt8](try #require(text.replacing("UTF-8", with: "UTF-16").data(using: .utf16)))
        #expect(CDASample.refusal(utf16) == .documentType)
    }

    @Test("A billion laughs end at the first")
    func billionLaughs() throws {
        let entities = (1..<40).map { "<!ENTITY l\($0) \"&l\($0 - 1);&l\($0 - 1);\">" }.joined()
        let declaration = "<!DOCTYPE a [<!ENTITY l0 \"ha\">\(entities)]>"
        let text = try CDASample.laboratory().replacing("<ClinicalDocument", with: declaration + "<ClinicalDocument")
            .replacing("Test Hospital", with: "&l39;")
        #expect(CDASample.refusal(text) == .documentType)
    }

    @Test("A declaration inside a comment or character data is a text")
    func harmless() throws {
        let text = try CDASample.laboratory().replacing(
            "<table>",
            with: "<!-- <!DOCTYPE a> --><![CDATA[<!DOCTYPE a>]]><table>"
        )
        #expect(CDASample.refusal(text) == nil)
    }

    // MARK: Bounds

    @Test("Nesting that is too deep is refused", arguments: [300, 200_000])
    func depth(_ levels: Int) throws {
        let open = String(repeating: "<content>", count: levels)
        let close = String(repeating: "</content>", count: levels)
        #expect(CDASample.refusal(CDASample.document("", narrative: open + "x" + close)) == .tooDeep)
        #expect(CDASample.refusal(CDASample.document("", narrative: open)) == .tooDeep)
    }

    @Test("Nesting as deep as documents need is read")
    func allowedDepth() throws {
        let open = String(repeating: "<content>", count: 150)
        let close = String(repeating: "</content>", count: 150)
        let text = CDASample.document("", narrative: open + "x" + close)
        #expect(try CDASample.read(text).exam.conclusion == "x")
    }

    @Test("Very many attributes of one element are refused before they are compared")
    func attributeCount() throws {
        let attributes = (0..<300_000).map { "a\($0)=\"\"" }.joined(separator: " ")
        let text = try CDASample.laboratory().replacing("<table>", with: "<table \(attributes)>")
        #expect(CDASample.refusal(text) == .tooManyAttributes)
        let spaces = (0..<300_000).map { "xmlns:a\($0)=\"u\"" }.joined(separator: " ")
        #expect(
            CDASample.refusal(try CDASample.laboratory().replacing("<table>", with: "<table \(spaces)>"))
                == .tooManyAttributes
        )
    }

    @Test("Namespaces that are declared over and over are counted where they are in force")
    func namespaces() throws {
        func declarations(_ level: Int) -> String {
            (0..<100).map { "xmlns:p\(level)_\($0)=\"u\"" }.joined(separator: " ")
        }
        let nested = (0..<150).map { "<content \(declarations($0))>" }.joined()
        let close = String(repeating: "</content>", count: 150)
        let elements = String(repeating: "<p0_0:a/>", count: 200_000)
        #expect(CDASample.refusal(CDASample.document("", narrative: nested + elements + close)) == .tooManyAttributes)
        let repeated = String(repeating: "<content \(declarations(0))>x</content>", count: 200)
        #expect(CDASample.refusal(CDASample.document("", narrative: repeated)) == nil)
    }

    @Test("Very many different names, elements and results are refused")
    func counts() throws {
        let names = (0..<5000).map { "<n\($0)/>" }.joined()
        #expect(CDASample.refusal(CDASample.document("", narrative: names)) == .tooLarge)
        let elements = String(repeating: "<br/>", count: 1_100_000)
        #expect(CDASample.refusal(CDASample.document("", narrative: elements)) == .tooLarge)
        let results = String(repeating: CDASample.observation(""), count: 9000)
        #expect(CDASample.refusal(CDASample.document(results)) == .tooManyItems)
    }

    @Test("A document larger than a record is refused before it is read")
    func size() {
        #expect(CDASample.refusal([UInt8](repeating: 0x20, count: CDAInput.bytesMax + 1)) == .tooLarge)
    }

    @Test("A very long attribute and a very long text are read, and the text is cut visibly")
    func longTexts() throws {
        let long = String(repeating: "检", count: 1 << 20)
        let item = try CDASample.item("<value xsi:type=\"ST\">\(long)</value>")
        guard case .text(let text) = item.value else {
            Issue.record("no text")
            return
        }
        #expect(text.hasSuffix("检 […]"))
        #expect(text.utf8.count <= 256 << 10 + 8)
        let number = String(repeating: "1", count: 1 << 20)
        #expect(
            CDASample.refusal(CDASample.document(CDASample.observation("<value xsi:type=\"PQ\" value=\"\(number)\"/>")))
                == .badNumber
        )
    }

    @Test("Many results that refer to one long text stay within memory")
    func sharedText() throws {
        let long = String(repeating: "x ", count: 100_000)
        let result = CDASample.observation(##"<value xsi:type="ED"><reference value="#n"/></value>"##)
        let text = CDASample.document(
            String(repeating: result, count: 8000),
            narrative: "<content ID=\"n\">\(long)</content>"
        )
        #expect(CDASample.refusal(text) == .tooLarge)
    }
}

@Suite("A document is read in the encoding that it is written in")
struct CDAEncodingTests {
    @Test("GB 18030 and UTF-8 give the same exam")
    func gb18030() throws {
        let utf8 = try CDAInput.read(try CDASample.vector("wst500-7")).get()
        let gb18030 = try CDAInput.read(try CDASample.vector("wst500-7.gb18030")).get()
        #expect(gb18030.exam == utf8.exam)
        #expect(gb18030.subject == utf8.subject)
        #expect(gb18030.parts[0].bytes != utf8.parts[0].bytes)
    }

    @Test("The old names of the Chinese set mean the large one", arguments: ["GBK", "gb2312", "cp936"])
    func labels(_ label: String) throws {
        var bytes = try CDASample.vector("wst500-7.gb18030")
        let place = try #require(bytes.firstRange(of: Array("GB18030".utf8)))
        bytes.replaceSubrange(place, with: Array(label.utf8))
        #expect(try CDAInput.read(bytes).get().exam == CDAInput.read(try CDASample.vector("wst500-7")).get().exam)
    }

    @Test(
        "UTF-16 is read in both orders, with and without a mark",
        arguments: [String.Encoding.utf16, .utf16BigEndian, .utf16LittleEndian]
    )
    func utf16(_ encoding: String.Encoding) throws {
        let text = String(decoding: try CDASample.vector("wst500-7"), as: UTF8.self).replacing("UTF-8", with: "UTF-16")
        let bytes = [UInt8](try #require(text.data(using: encoding)))
        #expect(CDAInput.isDocument(startingWith: bytes[...]))
        #expect(try CDAInput.read(bytes).get().exam == CDAInput.read(try CDASample.vector("wst500-7")).get().exam)
    }

    @Test("A byte order mark of UTF-8 is passed over; without a declaration UTF-8 is meant")
    func mark() throws {
        let bytes = try CDASample.vector("wst500-7")
        let exam = try CDAInput.read(bytes).get().exam
        #expect(try CDAInput.read([0xef, 0xbb, 0xbf] + bytes).get().exam == exam)
        let start = try #require(bytes.firstRange(of: Array("<Clinical".utf8)))
        #expect(try CDAInput.read(Array(bytes[start.lowerBound...])).get().exam == exam)
    }

    @Test("Bytes that are not in the declared encoding are refused, not guessed")
    func wrong() throws {
        func labelled(_ name: String, _ from: String, _ to: String) throws -> [UInt8] {
            var bytes = try CDASample.vector(name)
            let place = try #require(bytes.firstRange(of: Array(from.utf8)))
            bytes.replaceSubrange(place, with: Array(to.utf8))
            return bytes
        }
        #expect(CDASample.refusal(try labelled("wst500-7.gb18030", "GB18030", "UTF-8")) == .badEncoding)
        #expect(CDASample.refusal(try labelled("wst500-7", "UTF-8", "US-ASCII")) == .badEncoding)
        #expect(CDASample.refusal(try labelled("wst500-7", "UTF-8", "GB18030")) == .encodingConflict)
        #expect(CDASample.refusal(try labelled("wst500-7", "UTF-8", "ISO-8859-1")) == .encodingConflict)
        #expect(
            CDASample.refusal([0xef, 0xbb, 0xbf] + (try labelled("wst500-7", "UTF-8", "GBK"))) == .encodingConflict
        )
        #expect(CDASample.refusal([0xff, 0xfe, 0, 0] + (try CDASample.vector("wst500-7"))) == .unknownEncoding)
    }

    @Test("The place of a byte that is wrong is told")
    func place() throws {
        var bytes = try CDASample.vector("wst500-7")
        let start = try #require(bytes.firstRange(of: Array("测试患者".utf8))).lowerBound
        bytes[start + 1] = 0x20
        guard case .failure(let fault) = CDAInput.read(bytes) else {
            Issue.record("accepted")
            return
        }
        #expect(fault.refusal == .badEncoding)
        #expect(fault.offset == start)
        #expect(fault.line == 1 + bytes[..<start].count { $0 == 0x0a })
        var other = try CDASample.vector("wst500-7.gb18030")
        let name = try #require(other.firstRange(of: Array("<name>".utf8))).upperBound
        other[name] = 0xff
        guard case .failure(let second) = CDAInput.read(other) else {
            Issue.record("accepted")
            return
        }
        #expect(second.refusal == .badEncoding)
        #expect(second.line == 1 + other[..<name].count { $0 == 0x0a })
    }
}
