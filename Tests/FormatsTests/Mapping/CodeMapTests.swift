import Formats
import Primitives
import Records
import TestSupport
import Testing

@Suite("A code map is one value with one byte form")
struct CodeMapTests {
    private static let entries = [
        CodeMapEntry(source: "a", system: "LN", code: "718-7", item: CodeMapSamples.hemoglobin.code),
        CodeMapEntry(
            source: "a",
            system: "L",
            code: "GLU",
            name: "血糖",
            specimen: "血清",
            item: CodeMapSamples.glucose.code
        ),
        CodeMapEntry(source: nil, system: "urn:oid:1.2.3", code: "x", item: CodeMapSamples.glucose.code),
    ]

    @Test("The example catalogue is a valid map")
    func example() throws {
        let map = try CodeMap(author: CodeMapSamples.example())
        #expect(map.items.count >= 60)
        #expect(map.entries.count >= 10)
        #expect(try CodeMap(canonicalBytes: map.canonicalBytes) == map)
        let index = CodeMapIndex(map)
        let local = LocalCode(source: "hospital-a", system: "L", code: "HGB")
        #expect(index.lookup(local).item?.display == "血红蛋白")
    }

    @Test("The author's order does not change bytes or digest, and content does")
    func order() throws {
        let map = try CodeMapSamples.small(Self.entries)
        let other = try CodeMapSamples.small(Self.entries, reversed: true)
        #expect(map == other)
        #expect(map.canonicalBytes == other.canonicalBytes)
        #expect(map.digest == other.digest)
        #expect(try CodeMapSamples.small(Array(Self.entries.dropLast())).digest != map.digest)
    }

    @Test("The bytes are pinned")
    func pinned() throws {
        let map = try CodeMapSamples.small([])
        // Computed from the layout in Documentation/Protocol/Codes-and-Units.md with Python's hashlib.
        #expect(map.digest.hex == "96f0dd08b619c09e22abf504d3fe03decdf054590430673d1c4436c868796896")
    }

    @Test("Bytes that are not canonical are refused: another order, a system under another name, a bad unit")
    func notCanonical() throws {
        let map = try CodeMapSamples.small(Self.entries)
        func encode(items: [CatalogueItem], entries: [CodeMapEntry]) -> [UInt8] {
            var encoder = CanonicalEncoder()
            encoder.encode("1")
            encoder.encode(UInt16(2026))
            encoder.encode(UInt8(1))
            encoder.encode(UInt8(31))
            encoder.encode(items)
            encoder.encode(entries)
            return encoder.bytes
        }
        #expect(encode(items: map.items, entries: map.entries) == map.canonicalBytes)
        #expect(throws: CanonicalError.notCanonical) {
            try CodeMap(canonicalBytes: encode(items: map.items.reversed(), entries: map.entries))
        }
        #expect(throws: CanonicalError.invalid) {
            try CodeMap(canonicalBytes: encode(items: map.items + map.items, entries: map.entries))
        }
        #expect(throws: CanonicalError.invalid) { try CodeMap(canonicalBytes: encode(items: [], entries: map.entries)) }
        let item = CatalogueItem(code: CodeMapSamples.glucose.code, display: "x", unit: "mmol/liter")
        #expect(throws: CanonicalError.invalid) { try CodeMap(canonicalBytes: encode(items: [item], entries: [])) }
        #expect(throws: CanonicalError.trailing) { try CodeMap(canonicalBytes: map.canonicalBytes + [0]) }
        var bytes = map.canonicalBytes
        // The entry's `http://loinc.org` under its OID.
        let uri = Array("http://loinc.org".utf8)
        let place = try #require(bytes.indices.last { bytes[$0...].starts(with: [1, 16] + uri + [5]) })
        let oid = Array("2.16.840.1.113883.6.1".utf8)
        bytes.replaceSubrange(place..<place + 18, with: [1, UInt8(oid.count)] + oid)
        #expect(throws: CanonicalError.notCanonical) { try CodeMap(canonicalBytes: bytes) }
    }

    @Test("Damaged bytes are refused or are a map's own bytes", arguments: 0..<4 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let original = try CodeMapSamples.small(Self.entries).canonicalBytes
        for _ in 0..<2000 {
            var bytes = original
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch UInt8.random(in: 0...2, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes.removeLast(place)
            default: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: place)
            }
            if let map = try? CodeMap(canonicalBytes: bytes) { #expect(map.canonicalBytes == bytes) }
        }
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let refusal: CodeMapRefusal
        let path: String
        let node: MappingNode

        var testDescription: String { "\(self.refusal.rawValue) at \(self.path)" }
    }

    static let faults: [Fault] = {
        let item = CodeMapSamples.map(("code", .text("718-7")), ("display", .text("Hb")))
        func map(
            _ items: [MappingNode] = [],
            _ entries: [MappingNode] = [],
            version: MappingNode = .text("1"),
            effective: String = "2026-01-01"
        ) -> MappingNode {
            CodeMapSamples.map(
                ("version", version),
                ("effective", .text(effective)),
                ("items", .list(items)),
                ("map", .list(entries))
            )
        }
        func changed(_ key: String, _ value: MappingNode, _ more: (String, MappingNode)...) -> MappingNode {
            var fields = [("code", MappingNode.text("718-7")), ("display", .text("Hb"))].filter { $0.0 != key }
            fields += [(key, value)] + more
            return .map(fields.map { MappingNode.Member($0.0, $0.1) })
        }
        let entry = CodeMapSamples.map(("source", .text("a")), ("code", .text("1")), ("item", .text("718-7")))
        return [
            Fault(refusal: .badShape, path: "", node: .text("x")),
            Fault(refusal: .missing, path: "effective", node: CodeMapSamples.map(("version", .text("1")))),
            Fault(refusal: .unknownKey, path: "", node: CodeMapSamples.map(("Version", .text("1")))),
            Fault(
                refusal: .duplicateKey,
                path: "version",
                node: CodeMapSamples.map(("version", .text("1")), ("version", .text("1")))
            ),
            Fault(refusal: .badShape, path: "version", node: map(version: .list([]))),
            Fault(refusal: .badText, path: "version", node: map(version: .text(" 1"))),
            Fault(refusal: .badDate, path: "effective", node: map(effective: "2026-02-30")),
            Fault(refusal: .badDate, path: "effective", node: map(effective: "2026-02")),
            Fault(refusal: .badShape, path: "items[1]", node: map([item, .list([])])),
            Fault(
                refusal: .missing,
                path: "items[0].display",
                node: map([CodeMapSamples.map(("code", .text("718-7")))])
            ),
            Fault(refusal: .unknownKey, path: "items[0]", node: map([changed("units", .text("g"))])),
            Fault(refusal: .badCode, path: "items[0].code", node: map([changed("code", .text("718-8"))])),
            Fault(refusal: .badUnit, path: "items[0].unit", node: map([changed("unit", .text("gm/L"))])),
            Fault(refusal: .badMolarMass, path: "items[0].molarMass", node: map([changed("molarMass", .text("18"))])),
            Fault(
                refusal: .badMolarMass,
                path: "items[0].molarMass",
                node: map([changed("molarMass", .text("-18"), ("unit", .text("g/L")))])
            ),
            Fault(
                refusal: .badMolarMass,
                path: "items[0].molarMass",
                node: map([changed("molarMass", .text("18"), ("unit", .text("U/mmol")))])
            ),
            Fault(refusal: .badText, path: "items[0].display", node: map([changed("display", .text(""))])),
            Fault(refusal: .badText, path: "items[0].display", node: map([changed("display", .text("a\u{7}"))])),
            Fault(refusal: .notComposed, path: "items[0].display", node: map([changed("display", .text("e\u{301}"))])),
            Fault(refusal: .notComposed, path: "items[0].display", node: map([changed("display", .text("\u{f900}"))])),
            Fault(refusal: .badShape, path: "items[0].names[0]", node: map([changed("names", .list([.list([])]))])),
            Fault(
                refusal: .tooLarge,
                path: "items[0].names",
                node: map([changed("names", .list(Array(repeating: .text("x"), count: 33)))])
            ),
            Fault(refusal: .duplicateItem, path: "items[1].code", node: map([item, item])),
            Fault(refusal: .unknownItem, path: "map[0].item", node: map([], [entry])),
            Fault(refusal: .duplicateEntry, path: "map[1].code", node: map([item], [entry, entry])),
            Fault(
                refusal: .missing,
                path: "map[0].source",
                node: map([item], [CodeMapSamples.map(("code", .text("1")), ("item", .text("718-7")))])
            ),
        ]
    }()

    @Test("A fault in an author's map is named with its path", arguments: faults)
    func fault(_ fault: Fault) {
        do {
            _ = try CodeMap(author: fault.node)
            Issue.record("the map was accepted")
        } catch {
            #expect(error.refusal == fault.refusal)
            #expect(error.path == fault.path)
        }
    }

    @Test("Every refusal of a map occurs in these tests")
    func coverage() {
        #expect(Set(Self.faults.map(\.refusal)) == Set(CodeMapRefusal.allCases))
    }
}
