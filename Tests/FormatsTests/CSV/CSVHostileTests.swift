import Formats
import Records
import TestSupport
import Testing

@Suite("Hostile tables are read without a trap, and within bounds")
struct CSVHostileTests {
    private static func vectors() throws -> [(bytes: [UInt8], mapping: CSVMapping)] {
        [
            (try CSVVectors.bytes("orders.csv"), try CSVVectors.orders()),
            (try CSVVectors.bytes("faults.csv"), try CSVVectors.orders()),
            (try CSVVectors.bytes("wide.tsv"), try CSVVectors.wide()),
            (try CSVVectors.bytes("lines.ndjson"), try CSVVectors.lines()),
        ]
    }

    /// Bytes that matter to a reader of tables.
    private static let special = Array("\",;\t|\r\n\0=+-.0<{}[]:\u{feff}年".utf8) + [0xff, 0xfe, 0x81, 0x30]

    private static func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0..<4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: bytes.indices, using: &generator)
            let end = min(bytes.count, place + Int.random(in: 1..<120, using: &generator))
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(special[Int.random(in: special.indices, using: &generator)], at: place)
            case 3:
                bytes.insert(
                    contentsOf: Array(bytes[place..<end]),
                    at: Int.random(in: bytes.indices, using: &generator)
                )
            default: bytes[place] = special[Int.random(in: special.indices, using: &generator)]
            }
        }
        return bytes
    }

    /// What must hold whatever the input was.
    private static func check(_ bytes: [UInt8], _ mapping: CSVMapping) -> String? {
        let input = CSVInput(bytes, mapping: mapping)
        for refusal in input.refused where refusal.piece.range.upperBound > bytes.count || refusal.line < 1 {
            return "a refusal outside the input"
        }
        for parsed in input.exams {
            guard case .success(let again) = CSVExamReader.read(parsed.parts) else {
                return "an exam is not read again"
            }
            guard again.exam == parsed.exam, again.subject == parsed.subject, again.parts == parsed.parts else {
                return "an exam differs from its parts"
            }
            guard bytes[parsed.offset...].starts(with: parsed.parts[0].bytes) else { return "a part is no slice" }
            guard parsed.subject.refusal == nil, !parsed.exam.items.isEmpty else {
                return "an exam of nobody or nothing"
            }
        }
        return nil
    }

    @Test("What mutated tables still hold can be read again", arguments: 0..<8 as Range<UInt64>)
    func mutations(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for (bytes, mapping) in try Self.vectors() {
            for _ in 0..<400 {
                let fault = Self.check(Self.mutated(bytes, &generator), mapping)
                guard fault == nil else {
                    Issue.record("seed \(seed): \(fault ?? "")")
                    return
                }
            }
        }
    }

    @Test("A mutated row spoils at most the lines it touches, and their orders")
    func locality() throws {
        var generator = SeededGenerator(seed: 99)
        let rows = (0..<200).map { "P\($0),n,o\($0),2026-05-10,\"item \($0)\",1.0,u" }
        let mapping = try CSVVectors.small()
        for _ in 0..<300 {
            var damaged = rows
            let place = Int.random(in: rows.indices, using: &generator)
            var row = Array(rows[place].utf8)
            let index = Int.random(in: row.indices, using: &generator)
            row.insert(Self.special[Int.random(in: 0..<20, using: &generator)], at: index)
            damaged[place] = String(decoding: row, as: UTF8.self)
            let text = CSVVectors.smallHeader + damaged.joined(separator: "\n") + "\n"
            let exams = CSVVectors.input(text, mapping).exams
            let known = Set(exams.map(\.exam.source.value))
            // A quote that opens a cell may also take the next line with it.
            #expect(known.count >= rows.count - 2)
            #expect(rows.indices.allSatisfy { abs($0 - place) <= 1 || known.contains("o\($0)") })
        }
    }

    @Test("Suggesting a mapping for a mutated table never traps", arguments: 0..<4 as Range<UInt64>)
    func suggestions(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for (bytes, _) in try Self.vectors() {
            for _ in 0..<100 {
                let mutated = Self.mutated(bytes, &generator)
                guard let suggestion = try? CSVSuggestion(mutated[...], isWhole: true), let mapping = suggestion.mapping
                else { continue }
                #expect(CSVMapping.read(canonical: mapping.canonicalBytes) == .success(mapping))
                #expect(Self.check(mutated, mapping) == nil)
            }
        }
    }

    @Test(
        "Mutated mappings are mappings or are refused, and parts with them are read or refused",
        arguments: 0..<4 as Range<UInt64>
    )
    func mappings(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for (bytes, mapping) in try Self.vectors() {
            guard let parsed = CSVInput(bytes, mapping: mapping).exams.first else { continue }
            for _ in 0..<300 {
                var parts = parsed.parts
                let place = Int.random(in: parts.indices, using: &generator)
                parts[place].bytes = Self.mutated(parts[place].bytes, &generator)
                if case .success(let again) = CSVExamReader.read(parts) { #expect(!again.exam.items.isEmpty) }
                if case .success(let read) = CSVMapping.read(canonical: parts[parts.count - 1].bytes) {
                    #expect(try CSVMapping(read.node) == read)
                }
            }
        }
    }

    @Test("A line of JSON with very many keys and results is read in time that grows with its length alone")
    func wideLine() throws {
        let mapping = try CSVMapping(
            CSVVectors.map([
                "mapping": CSVVectors.version, "file": CSVVectors.texts(["layout": "jsonLines", "results": "r"]),
                "group": .list([.text("row")]), "patient": CSVVectors.map(["identifiers": .list([.text("pid")])]),
                "results": .list([
                    CSVVectors.texts(["name": "name", "value": "r.v", "unit": "unit", "device": "device"])
                ]),
            ])
        )
        // Looking through all keys for each result would be 10^9 comparisons a line.
        let keys = (0..<20_000).map { "\"k\($0)\":1" }.joined(separator: ",")
        let results = Array(repeating: "{\"v\":1}", count: 16_000).joined(separator: ",")
        let line = "{\(keys),\"pid\":\"P1\",\"name\":\"K\",\"unit\":\"u\",\"device\":\"d\",\"r\":[\(results)]}\n"
        let input = CSVVectors.input(String(repeating: line, count: 4), mapping)
        #expect(input.exams.map(\.exam.items.count) == [16_000])
        #expect(input.duplicateCount == 3)
    }
}
