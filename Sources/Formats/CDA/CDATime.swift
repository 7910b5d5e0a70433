import Primitives
package import Records

/// Reads points in time as HL7 version 3 writes them (data type TS): `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZ[ZZ]]`.
package enum CDATime {
    /// No clock writes more; what is longer is no time.
    private static let textBytesMax = 64

    /// Returns `nil` for what does not exist, such as 30 February or hour 24, and for what is written otherwise.
    package static func read(_ text: String) -> ClinicalTime? {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.textBytesMax else { return nil }
        let digits = bytes.prefix(while: Self.isDigit)
        guard [4, 6, 8, 10, 12, 14].contains(digits.count) else { return nil }
        var rest = bytes.dropFirst(digits.count)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= digits.count else { return nil }
            return digits[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        }
        let (hour, minute, second) = (number(8..<10), number(10..<12), number(12..<14))
        guard let year = number(0..<4),
            let date = GregorianDate(year: year, month: number(4..<6) ?? 1, day: number(6..<8) ?? 1),
            hour ?? 0 <= 23, minute ?? 0 <= 59, second ?? 0 <= 60
        else { return nil }
        var milliseconds = Int64(date.daysSinceEpoch) * 86_400_000
        milliseconds += Int64(((hour ?? 0) * 60 + (minute ?? 0)) * 60 + (second ?? 0)) * 1000
        let units: [ClinicalTime.Precision] = [.year, .month, .day, .hour, .minute, .second]
        var precision = units[(digits.count - 4) / 2]
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: Self.isDigit)
            guard precision == .second, !fraction.isEmpty else { return nil }
            for (digit, weight) in zip(fraction, [100, 10, 1]) {
                milliseconds += Int64(Int(digit - UInt8(ascii: "0")) * weight)
            }
            precision = .fraction
            rest = rest.dropFirst(1 + fraction.count)
        }
        var offset: Int?
        if !rest.isEmpty {
            guard let minutes = Self.offset(Array(rest)) else { return nil }
            milliseconds -= Int64(minutes) * 60_000
            offset = minutes
        }
        return ClinicalTime(
            text: text,
            precision: precision,
            offsetMinutes: offset,
            earliest: Timestamp(milliseconds: milliseconds)
        )
    }

    /// A sign, hours and perhaps minutes, up to 14:00; in minutes.
    private static func offset(_ bytes: [UInt8]) -> Int? {
        let digits = bytes.dropFirst()
        guard let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            digits.count == 2 || digits.count == 4, digits.allSatisfy(Self.isDigit)
        else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        let (hours, minutes) = digits.count == 2 ? (number, 0) : (number / 100, number % 100)
        guard minutes <= 59, hours * 60 + minutes <= 14 * 60 else { return nil }
        return (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
    }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
