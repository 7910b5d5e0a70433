/// A decimal number with the digits of its source: 1.0 and 1.00 differ.
package struct DecimalNumber: Hashable, Sendable {
    /// More digits than any instrument gives; FHIR R4 asks for 18.
    package static let digitsMax = 128
    /// Powers of ten beyond any amount in a laboratory.
    package static let exponentMax = 99

    package let isNegative: Bool
    /// All digits as one whole number.
    package let digits: Natural
    /// Power of ten of the last digit: -2 for 1.00.
    package let exponent: Int

    package init(isNegative: Bool, digits: Natural, exponent: Int) {
        self.isNegative = isNegative && !digits.isZero
        self.digits = digits
        self.exponent = exponent
    }

    /// Reads an optional sign, digits with at most one point among or before them, and an optional exponent.
    ///
    /// Covers the decimals of FHIR, HL7 v2 (NM) and XML Schema. No thousands separators and no decimal comma: a comma
    /// means either. Returns `nil` for everything else.
    package init?(_ text: some StringProtocol) {
        var rest = Substring(text).utf8
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        var digits = Natural.zero
        var (count, fraction) = (0, 0)
        var hasPoint = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if JSONReader.isDigit(byte) {
                digits.multiply(by: 10, adding: UInt32(byte - UInt8(ascii: "0")))
                count += 1
                fraction += hasPoint ? 1 : 0
                guard count <= Self.digitsMax else { return nil }
            } else {
                break
            }
            rest.removeFirst()
        }
        guard count > 0, !hasPoint || fraction > 0, let exponent = Self.exponent(rest) else { return nil }
        self.init(isNegative: isNegative, digits: digits, exponent: exponent - fraction)
    }

    /// `e` or `E` with a whole number; 0 if nothing is left.
    private static func exponent(_ text: Substring.UTF8View) -> Int? {
        guard let mark = text.first else { return 0 }
        guard mark | 0x20 == UInt8(ascii: "e") else { return nil }
        var rest = text.dropFirst()
        var sign = 1
        if let byte = rest.first, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
            sign = byte == UInt8(ascii: "-") ? -1 : 1
            rest.removeFirst()
        }
        guard !rest.isEmpty, rest.count <= 4, rest.allSatisfy(JSONReader.isDigit) else { return nil }
        let value = rest.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        return value <= Self.exponentMax ? sign * value : nil
    }

    package var ratio: Ratio {
        let power = Natural.powerOfTen(abs(self.exponent))
        if self.exponent >= 0 { return Ratio(self.digits * power, isNegative: self.isNegative) }
        return Ratio(self.digits, over: power, isNegative: self.isNegative) ?? .zero
    }

    /// Zeros that a number may have before or after its digits before it is written with an exponent.
    private static let zerosMax = 24

    /// With a point where there are decimals, and an exponent only where very many zeros would be needed.
    package var text: String {
        let digits = self.digits.decimalText
        let sign = self.isNegative ? "-" : ""
        if self.exponent > Self.zerosMax || -self.exponent > digits.utf8.count + Self.zerosMax {
            let fraction = digits.dropFirst()
            let power = self.exponent + fraction.utf8.count
            return sign + digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction) + "e\(power)"
        }
        if self.exponent >= 0 {
            return sign + digits + (self.digits.isZero ? "" : String(repeating: "0", count: self.exponent))
        }
        let padded = String(repeating: "0", count: max(0, 1 - self.exponent - digits.utf8.count)) + digits
        return sign + padded.dropLast(-self.exponent) + "." + padded.suffix(-self.exponent)
    }
}
