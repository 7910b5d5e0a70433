import Formats
import TestSupport
import Testing

@Suite("Values are converted exactly and rounded once")
struct UnitConversionTests {
    private func convert(
        _ value: String,
        _ source: String,
        _ target: String,
        _ molarMass: String? = nil
    ) throws(UnitRefusal) -> ConvertedValue {
        let mass = molarMass.flatMap { MolarMass($0) }
        return try UnitConversion(from: UCUMUnit(source), to: UCUMUnit(target), molarMass: mass).convert(value)
    }

    @Test(
        "A factor that is a power of ten changes no digit",
        arguments: [
            ("12.5", "g/dL", "g/L", "125"), ("6.30", "10*3/uL", "10*9/L", "6.30"), ("0.45", "L/L", "%", "45"),
            ("125", "g/L", "g/dL", "12.5"), ("1.0", "mg/L", "ug/mL", "1.0"), ("0.00", "mg/dL", "g/L", "0.0000"),
            ("3", "mU/L", "uU/mL", "3"), ("5.0e2", "ng/mL", "ug/L", "5.0e2"), ("-2.50", "mmol/L", "umol/L", "-2500"),
            ("4.50", "10*12/L", "10*6/uL", "4.50"), ("6.3", "s.mm-1", "s.m-1", "6300"),
        ]
    )
    func digits(value: String, source: String, target: String, expected: String) throws {
        let result = try self.convert(value, source, target)
        #expect(result.text == expected)
        #expect(result.isExact)
    }

    @Test(
        "Other factors give the digits that the source supports",
        arguments: [
            ("5.5", "mmol/L", "mg/dL", "180.156", "99"), ("5.50", "mmol/L", "mg/dL", "180.156", "99.1"),
            ("9", "mmol/L", "mg/dL", "180.156", "160"), ("100", "mg/dL", "mmol/L", "180.156", "5.55"),
            ("1.0", "mg/dL", "umol/L", "113.12", "88"), ("88", "umol/L", "mg/dL", "113.12", "1.00"),
            ("200", "mg/dL", "mmol/L", "386.65", "5.17"), ("5.17", "mmol/L", "mg/dL", "386.65", "199.9"),
            ("6.30", "[in_i]", "m", "1", "0.1600"), ("70.0", "kg", "[lb_av]", "1", "154.3"),
            ("120", "mm[Hg]", "kPa", "1", "16.0"), ("1.0", "U/L", "nkat/L", "1", "17"),
            ("24", "h", "d", "1", "1.00"), ("1", "4.[pi].10*-7.s", "ns", "1", "1000"),
        ]
    )
    func rounded(value: String, source: String, target: String, molarMass: String, expected: String) throws {
        #expect(try self.convert(value, source, target, molarMass).text == expected)
    }

    @Test(
        "Halves go to the even digit",
        arguments: [
            ("1", "2.m", "4.m", "0.5"), ("0.5", "m", "4.m", "0.12"), ("1.5", "m", "4.m", "0.38"),
            ("2.5", "m", "4.m", "0.62"), ("-0.5", "m", "4.m", "-0.12"), ("-1.5", "m", "4.m", "-0.38"),
        ]
    )
    func halves(value: String, source: String, target: String, expected: String) throws {
        #expect(try self.convert(value, source, target).text == expected)
    }

    @Test(
        "Temperatures have their zero points",
        arguments: [
            ("37.0", "Cel", "[degF]", "98.6"), ("98.6", "[degF]", "Cel", "37.00"), ("-40", "Cel", "[degF]", "-40"),
            ("0.00", "Cel", "K", "273.15"), ("273.15", "K", "Cel", "0.00"), ("80", "[degRe]", "Cel", "100"),
            ("36600", "mCel", "Cel", "36.600"), ("-459.67", "[degF]", "K", "0.000"),
        ]
    )
    func temperatures(value: String, source: String, target: String, expected: String) throws {
        #expect(try self.convert(value, source, target).text == expected)
    }

    @Test("Where the value stays the same, its text stays as it is")
    func identity() throws {
        #expect(try self.convert("007.50", "mg/L", "ug/mL").text == "007.50")
        #expect(try UnitConversion(from: UCUMUnit("10*3/uL"), to: UCUMUnit("10*9/L")).isIdentity)
        #expect(try !UnitConversion(from: UCUMUnit("Cel"), to: UCUMUnit("K")).isIdentity)
    }

    @Test(
        "A conversion that would falsify a result is refused",
        arguments: [
            ("1", "mg/dL", "mmol/L", "", "unit.molar-mass-missing"), ("1", "mg", "mL", "", "unit.not-commensurable"),
            ("1", "meq/L", "mmol/L", "40.078", "unit.not-commensurable"),
            ("48", "mmol/mol", "%", "", "unit.amount-fraction"),
            ("6.5", "%", "mmol/mol", "16000", "unit.amount-fraction"),
            ("1.0", "{INR}", "%", "", "unit.annotations-differ"),
            ("3.2", "{Log_copies}/mL", "{copies}/mL", "", "unit.logarithmic"),
            ("3.2", "{Log_IU}/mL", "{Log_copies}/mL", "", "unit.logarithmic"),
            ("1", "/mL", "{Log}/mL", "", "unit.logarithmic"),
            ("7.4", "[pH]", "mol/L", "", "unit.not-commensurable"),
            ("1", "ug{FEU}/mL", "ug{DDU}/mL", "", "unit.annotations-differ"),
            ("30", "mg/mmol{creat}", "mg/g{creat}", "113.12", "unit.not-commensurable"),
            ("1", "mmol2/L", "mg/L", "100", "unit.not-commensurable"),
            ("1", "[IU]/L", "pmol/L", "5808", "unit.not-commensurable"),
            ("1,5", "mg", "g", "", "unit.bad-number"), ("<5", "mg", "g", "", "unit.bad-number"),
        ]
    )
    func refused(value: String, source: String, target: String, molarMass: String, refusal: String) throws {
        #expect(throws: try #require(UnitRefusal(rawValue: refusal))) {
            try self.convert(value, source, target, molarMass.isEmpty ? nil : molarMass)
        }
    }

    @Test("Annotations that only one side has do not stand in the way")
    func annotations() throws {
        #expect(try self.convert("250", "{cells}/uL", "10*9/L").text == "0.250")
        #expect(try self.convert("2.0", "10*3{copies}/mL", "{copies}/mL").text == "2000")
        #expect(try self.convert("1.1", "{INR}", "1").text == "1.1")
        #expect(try self.convert("10", "dB", "B").text == "1.0")
    }

    @Test("There and back again ends within the step of the way out", arguments: 0..<20 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let pairs = [("mmol/L", "mg/dL"), ("kPa", "mm[Hg]"), ("Cel", "[degF]"), ("U/L", "nkat/L"), ("g/dL", "mmol/L")]
        for _ in 0..<100 {
            let (source, target) = pairs[Int.random(in: 0..<pairs.count, using: &generator)]
            let digits = Natural(UInt64.random(in: 0...9_999_999, using: &generator))
            let exponent = -Int.random(in: 0...6, using: &generator)
            let value = DecimalNumber(isNegative: false, digits: digits, exponent: exponent).text
            let there = try self.convert(value, source, target, "180.156")
            let back = try self.convert(there.text, target, source, "180.156")
            let first = try #require(DecimalNumber(value)).ratio
            let second = try #require(DecimalNumber(back.text)).ratio
            // One step of the source: what the result was rounded to is never more.
            let distance = first + -second
            let size = distance.isNegative ? -distance : distance
            #expect(
                (size + -.powerOfTen(exponent)).isNegative,
                "\(value) \(source) \(there.text) \(target) \(back.text)"
            )
        }
    }

    @Test("A larger value never becomes a smaller one", arguments: 0..<10 as Range<UInt64>)
    func monotone(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let conversion = try UnitConversion(
            from: UCUMUnit("mg/dL"),
            to: UCUMUnit("mmol/L"),
            molarMass: MolarMass("386.65")
        )
        for _ in 0..<100 {
            let number = UInt64.random(in: 1...9_999, using: &generator)
            let low = try conversion.convert("\(number)")
            let high = try conversion.convert("\(number + 1)")
            let difference =
                try #require(DecimalNumber(high.text)).ratio + -(try #require(DecimalNumber(low.text)).ratio)
            #expect(!difference.isNegative)
            #expect(!difference.isZero, "neighbours stay apart")
        }
    }

    @Test(
        "Molar masses are decimals above zero",
        arguments: ["0", "0.0", "-18", "1e3", "+18", "18,0", "", "99999999999", "x"]
    )
    func badMolarMass(text: String) {
        #expect(MolarMass(text) == nil)
        #expect(MolarMass("180.156")?.text == "180.156")
    }
}
