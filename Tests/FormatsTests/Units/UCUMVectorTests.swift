import Formats
import Foundation
import TestSupport
import Testing

@Suite("Units mean what independent software says")
struct UCUMVectorTests {
    struct Vector: Decodable, Sendable, CustomTestStringConvertible {
        let code: String
        let factor: String
        let dimension: [String: Int]

        var testDescription: String { self.code }
    }

    private struct File: Decodable {
        let units: [Vector]
    }

    private static func vectors() throws -> [Vector] {
        try JSONDecoder().decode(File.self, from: TestData.vector("units/ucumvert.json")).units
    }

    /// Without what pint does not count: angles and UCUM's own units; and with its mole for all amounts.
    private func comparable(_ dimension: UnitDimension) -> [String: Int] {
        var powers: [String: Int] = [:]
        for power in dimension.powers where power.base != "rad" && !power.base.hasPrefix("[") {
            powers[["eq", "osm"].contains(power.base) ? "mol" : power.base, default: 0] += power.exponent
        }
        return powers.filter { $0.value != 0 }
    }

    @Test("Factors and dimensions agree for the tables of units and of examples")
    func agreement() throws {
        let vectors = try Self.vectors()
        #expect(vectors.count > 900)
        for vector in vectors {
            let unit = try UCUMUnit(vector.code)
            #expect(self.comparable(unit.dimension) == vector.dimension, "\(vector.code)")
            let numerator = try #require(Double(unit.factor.numerator.decimalText))
            let denominator = try #require(Double(unit.factor.denominator.decimalText))
            let expected = try #require(Double(vector.factor))
            #expect(abs(numerator / denominator / expected - 1) < 1e-9, "\(vector.code)")
        }
    }

    @Test("A prefix before a unit is that prefix and that unit, and nothing else")
    func prefixes() throws {
        let powers = [
            "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2,
            "m": -3,
            "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
        ]
        let codes = try Self.vectors().map(\.code).filter { !$0.contains { "./(){}-0123456789*".contains($0) } }
        // The candela is no centiday: a day takes no prefix.
        let units = Set(codes).union(["cd"])
        var count = 0
        for code in units {
            for (prefix, power) in powers where !units.contains(prefix + code) {
                guard let unit = try? UCUMUnit(prefix + code) else { continue }
                count += 1
                let base = try UCUMUnit(code)
                #expect(unit.dimension == base.dimension, "\(prefix) \(code)")
                #expect(unit.factor == base.factor * .powerOfTen(power), "\(prefix) \(code)")
            }
        }
        #expect(count > 1000)
    }

    @Test(
        "Codes outside the grammar are refused with their reason",
        arguments: [
            ("", "unit.empty"), ("/", "unit.syntax"), ("m/", "unit.syntax"), ("m..s", "unit.syntax"),
            ("(m", "unit.syntax"), ("m)", "unit.syntax"), ("()", "unit.syntax"), ("(/s)", "unit.syntax"),
            ("2m", "unit.syntax"), ("m2s", "unit.syntax"), ("m s", "unit.syntax"), ("10*3 /L", "unit.syntax"),
            ("mmol/l\u{e9}", "unit.syntax"), ("\u{b5}g/L", "unit.syntax"), ("100*3", "unit.syntax"),
            ("foo", "unit.unknown"), ("IU/L", "unit.unknown"), ("mmin", "unit.unknown"), ("[iu]", "unit.unknown"),
            ("k10*3", "unit.unknown"), ("[in_i", "unit.unknown"), ("=", "unit.unknown"), ("-", "unit.syntax"),
            ("m+", "unit.bad-exponent"), ("m0", "unit.bad-exponent"), ("m100", "unit.bad-exponent"),
            ("m{", "unit.bad-annotation"), ("m{a{b}}", "unit.bad-annotation"), ("m{a b}", "unit.bad-annotation"),
            ("{\u{6b21}}/min", "unit.bad-annotation"), ("m/0", "unit.zero-factor"), ("0", "unit.zero-factor"),
            ("Cel2", "unit.special-in-product"), ("Cel/s", "unit.special-in-product"),
            ("/Cel", "unit.special-in-product"),
            ("2.[degF]", "unit.special-in-product"), ("mol.[pH]", "unit.special-in-product"),
            ("Ym99", "unit.too-large"),
            ("Ym40.Ym40.Ym40", "unit.too-large"), ("9999999999999999999999999999999", "unit.too-large"),
            ("((((((((((m))))))))))", "unit.too-deep"), (String(repeating: "m.", count: 200) + "m", "unit.too-long"),
        ] as [(String, String)]
    )
    func refused(code: String, refusal: String) throws {
        #expect(throws: try #require(UnitRefusal(rawValue: refusal))) { try UCUMUnit(code) }
    }

    @Test(
        "Expressions that look different are the same unit",
        arguments: [
            ("m/s", "m.s-1"), ("10*3/uL", "10*9/L"), ("10^9/L", "10*9/L"), ("mm3", "uL"), ("l", "L"), ("[iU]", "[IU]"),
            ("mg/(kg.d)", "mg/kg/d"), ("/m.s", "s/m"), ("kat", "60000000.U"), ("g%", "g/dL"), ("4.a", "1461.d"),
            ("(m)", "m"), ("m+2", "m2"), ("((m.s))/(((g)))", "m.s.g-1"), ("4.L/(8.h)", "L/(2.h)"),
        ] as [(String, String)]
    )
    func equal(left: String, right: String) throws {
        let (first, second) = (try UCUMUnit(left), try UCUMUnit(right))
        #expect(first.dimension == second.dimension)
        #expect(first.factor == second.factor)
    }

    @Test(
        "What must not be taken for one another has different dimensions",
        arguments: [
            ("mmol/L", "/L"), ("meq/L", "mmol/L"), ("mosm/kg", "mmol/kg"), ("[IU]/L", "U/L"), ("[arb'U]/mL", "[IU]/mL"),
            ("/[HPF]", "/[LPF]"), ("/[HPF]", "1"), ("[CFU]/mL", "/mL"), ("[pH]", "mol/L"), ("g", "mol"), ("Cel", "s"),
        ] as [(String, String)]
    )
    func apart(left: String, right: String) throws {
        #expect(try !UCUMUnit(left).isCommensurable(with: UCUMUnit(right)))
    }
}
