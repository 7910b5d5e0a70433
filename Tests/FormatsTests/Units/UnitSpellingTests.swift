import Formats
import Foundation
import TestSupport
import Testing

@Suite("Hospitals' spellings become units")
struct UnitSpellingTests {
    struct Line: Sendable, CustomTestStringConvertible {
        let spelling: String
        let expected: String
        let isRefused: Bool

        var testDescription: String { self.spelling }
    }

    static let lines: [Line] = {
        guard let data = try? TestData.vector("units/spellings.txt") else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
            for (mark, isRefused) in [(" = ", false), (" ! ", true)] {
                guard let range = line.range(of: mark, options: .backwards) else { continue }
                return Line(
                    spelling: String(line[..<range.lowerBound]),
                    expected: String(line[range.upperBound...]),
                    isRefused: isRefused
                )
            }
            return nil
        }
    }()

    @Test("The list is there")
    func list() {
        #expect(Self.lines.count > 100)
    }

    @Test("A spelling means what the list says, or is refused as it says", arguments: lines)
    func spelling(_ line: Line) throws {
        if line.isRefused {
            #expect(throws: try #require(UnitRefusal(rawValue: line.expected))) { try UnitSpelling.read(line.spelling) }
        } else {
            let reading = try UnitSpelling.read(line.spelling)
            #expect(reading.unit.code == line.expected)
            #expect(reading.original == line.spelling)
            #expect((reading.origin == .ucum) == (line.spelling == line.expected))
        }
    }

    @Test(
        "Units of UCUM in LOINC's spelling stay as they are",
        arguments: ["mmol/L", "10*9/L", "m[IU]/L", "{INR}", "mm[Hg]"]
    )
    func unchanged(code: String) throws {
        #expect(try UnitSpelling.read(code).unit.code == code)
        #expect(try UnitSpelling.read(code).origin == .ucum)
    }

    @Test(
        "The unit that is expected of an item settles what is ambiguous",
        arguments: [
            ("G/L", "10*9/L", "", "10*9/L"), ("G/L", "g/L", "", "g/L"), ("G/L", "mmol/L", "16114", "g/L"),
            ("IU/L", "U/L", "", "U/L"), ("IU/L", "[IU]/L", "", "[IU]/L"), ("U/mL", "[arb'U]/mL", "", "[arb'U]/mL"),
            ("mU/L", "m[IU]/L", "", "m[IU]/L"),
        ]
    )
    func settled(spelling: String, target: String, molarMass: String, meaning: String) throws {
        let reading = try UnitSpelling.read(spelling)
        let found = try reading.meaning(for: UCUMUnit(target), molarMass: MolarMass(molarMass))
        #expect(found.unit.code == meaning)
    }

    @Test("No meaning that fits is no conversion")
    func noMeaning() throws {
        let reading = try UnitSpelling.read("G/L")
        #expect(throws: UnitRefusal.notCommensurable) { try reading.meaning(for: UCUMUnit("U/L")) }
        #expect(throws: UnitRefusal.molarMassMissing) {
            try UnitSpelling.read("mg/dL").meaning(for: UCUMUnit("mmol/L"))
        }
    }

    @Test(
        "Damaged spellings and expressions never stop the reader, and what is read is read again",
        arguments: 0..<8 as Range<UInt64>
    )
    func damaged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let seeds =
            Self.lines.map { Array($0.spelling.utf8) }
            + ["[m/s2/Hz^(1/2)]", "4.[pi].10*-7.N/A2"].map { Array($0.utf8) }
        var read = 0
        for _ in 0..<4000 {
            var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0...bytes.count, using: &generator)
                switch UInt8.random(in: 0...4, using: &generator) {
                case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                case 1 where place < bytes.count: bytes.remove(at: place)
                case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: place)
                case 3: bytes += bytes.prefix(place)
                default:
                    bytes.insert(Array("0123456789./*^(){}[]-+x".utf8).randomElement(using: &generator) ?? 0, at: place)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if let unit = try? UCUMUnit(text) { #expect(!unit.factor.isZero && !unit.factor.isNegative) }
            guard let reading = try? UnitSpelling.read(text) else { continue }
            read += 1
            let again = try UCUMUnit(reading.unit.code)
            #expect(again == reading.unit)
            #expect(try UnitConversion(from: again, to: reading.unit).isIdentity)
        }
        #expect(read > 200)
    }

    @Test("Long texts are refused before they cost anything")
    func long() {
        #expect(throws: UnitRefusal.tooLong) { try UnitSpelling.read(String(repeating: "m", count: 129)) }
        #expect(throws: UnitRefusal.empty) { try UnitSpelling.read(" \u{3000}\t") }
    }
}
