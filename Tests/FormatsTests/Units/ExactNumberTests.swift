import Formats
import TestSupport
import Testing

@Suite("Numbers of any size are exact")
struct ExactNumberTests {
    private func natural(limbs: Int, _ generator: inout SeededGenerator) -> Natural {
        var value = Natural.zero
        for _ in 0..<limbs {
            // Long runs of ones and zeros reach the rare corrections of long division.
            let limb: UInt32 =
                switch UInt8.random(in: 0...3, using: &generator) {
                case 0: .max
                case 1: 0
                case 2: 0x8000_0000
                default: UInt32.random(in: .min ... .max, using: &generator)
                }
            value = value * Natural(1 << 32) + Natural(UInt64(limb))
        }
        return value
    }

    @Test("Quotient times divisor plus remainder is the dividend", arguments: 0..<40 as Range<UInt64>)
    func division(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let dividend = self.natural(limbs: Int.random(in: 0...9, using: &generator), &generator)
            let divisor = self.natural(limbs: Int.random(in: 0...5, using: &generator), &generator)
            guard !divisor.isZero else { continue }
            let (quotient, remainder) = dividend.divided(by: divisor)
            #expect(remainder < divisor)
            #expect(quotient * divisor + remainder == dividend)
            #expect((dividend + divisor).distance(to: divisor) == dividend)
            let divided = dividend.isZero ? divisor : dividend.greatestCommonDivisor(with: divisor)
            #expect(divisor.divided(by: divided).remainder.isZero)
            #expect(dividend.divided(by: divided).remainder.isZero)
        }
    }

    @Test("Small numbers agree with the machine's arithmetic", arguments: 0..<10 as Range<UInt64>)
    func machine(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let a = UInt64.random(in: .min ... .max, using: &generator) >> UInt64.random(in: 0...63, using: &generator)
            let b = UInt64.random(in: 1 ... .max, using: &generator) >> UInt64.random(in: 0...62, using: &generator)
            guard b > 0 else { continue }
            #expect(Natural(a).divided(by: Natural(b)).quotient == Natural(a / b))
            #expect(Natural(a).divided(by: Natural(b)).remainder == Natural(a % b))
            #expect((Natural(a) < Natural(b)) == (a < b))
            #expect(Natural(a).decimalText == String(a))
            #expect(Natural(a).bitCount == 64 - a.leadingZeroBitCount)
            let (high, low) = a.multipliedFullWidth(by: b)
            #expect(Natural(a) * Natural(b) == Natural(high) * Natural(1 << 32) * Natural(1 << 32) + Natural(low))
        }
    }

    @Test("Fractions are in lowest terms, with their sign")
    func fractions() throws {
        let half = try #require(Ratio(Natural(6), over: Natural(12)))
        #expect(half.numerator == .one)
        #expect(half.denominator == Natural(2))
        #expect(half + -half == .zero)
        #expect(half + half == .one)
        #expect(-half * -half == Ratio(Natural(1), over: Natural(4)))
        #expect((-half + .one).isNegative == false)
        #expect((half + -Ratio.one).isNegative)
        #expect(half.inverse == Ratio(Natural(2)))
        #expect(Ratio.zero.inverse == nil)
        #expect((-Ratio.zero).isNegative == false)
        #expect(Ratio(.one, over: .zero) == nil)
    }

    @Test(
        "The power of ten below a number is found at both edges",
        arguments: [("1", 0), ("9.99", 0), ("10", 1), ("0.1", -1), ("0.0999", -2), ("99999999999999999999", 19)]
    )
    func powers(text: String, power: Int) throws {
        #expect(try #require(DecimalNumber(text)).ratio.powerOfTenBelow == power)
        #expect(DecimalNumber("-1")?.ratio.powerOfTenBelow == nil)
        #expect(DecimalNumber("0")?.ratio.powerOfTenBelow == nil)
    }

    @Test(
        "Decimal numbers keep their digits",
        arguments: [
            ("1.00", "1.00"), ("-0.5", "-0.5"), ("+7", "7"), (".5", "0.5"), ("007", "7"), ("1e3", "1000"),
            ("1.50E-2", "0.0150"), ("0", "0"), ("-0.0", "0.0"), ("12345678901234567890.5", "12345678901234567890.5"),
            ("1e50", "1e50"), ("1.25e-60", "1.25e-60"), ("0e5", "0"),
        ]
    )
    func decimals(text: String, written: String) {
        #expect(DecimalNumber(text)?.text == written)
    }

    @Test(
        "What is no decimal number, or could be two, is refused",
        arguments: [
            "", "-", ".", "5.", "1,5", "1.2.3", "1e", "1e+", "1e100", "e5", "0x10", " 1", "1 ", "--1", "\u{ff11}",
            "1_000",
            "inf", "nan", String(repeating: "1", count: 129),
        ]
    )
    func notDecimal(text: String) {
        #expect(DecimalNumber(text) == nil)
    }
}
