package import Primitives

/// A decimal number of at most 18 digits, exactly: no floating point and no rounding.
///
/// Policy packs carry conversion factors in it, and results are compared in it.
package struct ExactDecimal: Hashable, Sendable {
    /// What fits a 64-bit number in every case.
    package static let digitsMax = 18
    package static let scaleMax: UInt8 = 18

    /// All digits as one whole number, with the sign.
    package let digits: Int64
    /// Digits after the point, 0 to 18.
    package let scale: UInt8

    private init(digits: Int64, scale: UInt8) {
        self.digits = digits
        self.scale = scale
    }

    /// Reads an optional minus, digits, and a point with digits after it; nothing else.
    ///
    /// No exponent, no plus, no comma. Zeros at the end of the fraction and before the number are dropped, so that equal
    /// numbers are equal values.
    package init?(_ text: Substring) {
        var digits: Int64 = 0
        var (count, scale) = (0, 0)
        var (hasPoint, isNegative) = (false, false)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-") where count == 0 && !isNegative: isNegative = true
            case UInt8(ascii: ".") where !hasPoint && count > 0: hasPoint = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                count += 1
                scale += hasPoint ? 1 : 0
                guard count <= Self.digitsMax else { return nil }
                digits = digits * 10 + Int64(byte - UInt8(ascii: "0"))
            default: return nil
            }
        }
        guard count > 0, !hasPoint || scale > 0 else { return nil }
        self.init(trimming: Int128(isNegative ? -digits : digits), scale: scale)
    }

    package init?(_ text: String) { self.init(Substring(text)) }

    /// Returns `nil` if the number has more digits than a value of this type.
    private init?(trimming digits: Int128, scale: Int) {
        var (digits, scale) = (digits, scale)
        while scale > 0, digits % 10 == 0 {
            digits /= 10
            scale -= 1
        }
        guard scale <= Int(Self.scaleMax), digits.magnitude < 1_000_000_000_000_000_000 else { return nil }
        self.init(digits: Int64(digits), scale: UInt8(scale))
    }

    package static let zero = ExactDecimal(digits: 0, scale: 0)
    package static let one = ExactDecimal(digits: 1, scale: 0)

    /// `self * factor + offset`, or `nil` where the result has more than 18 digits.
    package func converted(factor: ExactDecimal, offset: ExactDecimal) -> ExactDecimal? {
        // Each at most 10^36, which is far below 2^127.
        guard
            let product = ExactDecimal(
                trimming: Int128(self.digits) * Int128(factor.digits),
                scale: Int(self.scale) + Int(factor.scale)
            )
        else { return nil }
        let scale = max(product.scale, offset.scale)
        let sum = product.scaled(to: scale) + offset.scaled(to: scale)
        return ExactDecimal(trimming: sum, scale: Int(scale))
    }

    private func scaled(to scale: UInt8) -> Int128 {
        var value = Int128(self.digits)
        for _ in self.scale..<scale { value *= 10 }
        return value
    }

    package var text: String {
        let digits = String(self.digits.magnitude)
        let sign = self.digits < 0 ? "-" : ""
        guard self.scale > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, Int(self.scale) + 1 - digits.utf8.count)) + digits
        return sign + padded.dropLast(Int(self.scale)) + "." + padded.suffix(Int(self.scale))
    }
}

extension ExactDecimal: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.digits)
        encoder.encode(self.scale)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let digits = try decoder.decode(Int64.self)
        let scale = try decoder.decode(UInt8.self)
        guard scale <= Self.scaleMax, digits.magnitude < 1_000_000_000_000_000_000 else { throw .invalid }
        guard scale == 0 || digits % 10 != 0 else { throw .notCanonical }
        self.init(digits: digits, scale: scale)
    }
}
