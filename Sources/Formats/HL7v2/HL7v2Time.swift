import Primitives
import Records

/// Reads the date and time types of HL7 version 2 (v2.5.1 section 2.A.22, DTM, TM and TS).
enum HL7v2Time {
    /// What a text is: a point in time, one that does not exist, or nothing of the kind.
    enum Reading: Hashable, Sendable {
        case time(ClinicalTime)
        /// Digits in the form of a time, such as 30 February or 25 o'clock.
        case impossible
        case notATime
    }

    /// `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`.
    ///
    /// The second component of a TS of early versions (`Y`, `L`, `D`, `H`, `M`, `S`) limits how many of the digits were
    /// known.
    static func dateTime(_ bytes: ArraySlice<UInt8>, precision limit: UInt8? = nil) -> Reading {
        var rest = bytes
        let digits = Self.digits(&rest)
        guard digits.count >= 4, digits.count <= 14 else { return .notATime }
        guard digits.count.isMultiple(of: 2) else { return rest.isEmpty ? .impossible : .notATime }
        var fraction: Int64?
        if rest.first == UInt8(ascii: ".") {
            guard digits.count == 14 else { return .notATime }
            rest.removeFirst()
            let part = Self.digits(&rest)
            guard !part.isEmpty, part.count <= 9 else { return .notATime }
            fraction = Int64(Self.number(part.prefix(3)))
            for _ in part.count..<max(part.count, 3) { fraction = fraction.map { $0 * 10 } }
        }
        var offset: Int?
        if let sign = rest.first {
            guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), rest.count == 5 else { return .notATime }
            rest.removeFirst()
            let zone = Self.digits(&rest)
            guard zone.count == 4, rest.isEmpty else { return .notATime }
            let (hours, minutes) = (Self.number(zone.prefix(2)), Self.number(zone.suffix(2)))
            guard minutes <= 59, hours * 60 + minutes <= 14 * 60 else { return .impossible }
            offset = (sign == UInt8(ascii: "-") ? -1 : 1) * (hours * 60 + minutes)
        }
        func part(_ index: Int, or other: Int) -> Int {
            let start = digits.startIndex + index
            return digits.count >= index + 2 ? Self.number(digits[start..<(start + 2)]) : other
        }
        guard let date = GregorianDate(year: Self.number(digits.prefix(4)), month: part(4, or: 1), day: part(6, or: 1))
        else { return .impossible }
        let (hour, minute, second) = (part(8, or: 0), part(10, or: 0), part(12, or: 0))
        guard hour <= 23, minute <= 59, second <= 60 else { return .impossible }
        var milliseconds = Int64(date.daysSinceEpoch) * 86_400_000 + (fraction ?? 0)
        milliseconds += Int64((hour * 60 + minute) * 60 + second) * 1000 - Int64(offset ?? 0) * 60_000
        let written = fraction != nil ? .fraction : Self.precisions[digits.count / 2 - 2]
        return .time(
            ClinicalTime(
                text: String(decoding: bytes, as: UTF8.self),
                precision: min(written, limit.flatMap(Self.precision) ?? .fraction),
                offsetMinutes: offset,
                earliest: Timestamp(milliseconds: milliseconds)
            )
        )
    }

    /// `HH[MM[SS[.S[S[S[S]]]]]]`, given back as `hh:mm:ss` with fractions; `notATime` where seconds are missing or a
    /// zone is given, which that form cannot hold.
    static func timeOfDay(_ bytes: ArraySlice<UInt8>) -> (text: String?, isImpossible: Bool) {
        var rest = bytes
        let digits = Self.digits(&rest)
        guard digits.count == 2 || digits.count == 4 || digits.count == 6 else { return (nil, false) }
        let parts = stride(from: digits.startIndex, to: digits.endIndex, by: 2).map {
            Self.number(digits[$0..<($0 + 2)])
        }
        guard parts[0] <= 23, parts.dropFirst().first ?? 0 <= 59, parts.dropFirst(2).first ?? 0 <= 60 else {
            return (nil, true)
        }
        guard parts.count == 3 else { return (nil, false) }
        var fraction = ""
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            let part = Self.digits(&rest)
            guard !part.isEmpty, part.count <= 9 else { return (nil, false) }
            fraction = "." + String(decoding: part, as: UTF8.self)
        }
        guard rest.isEmpty else { return (nil, false) }
        let text = stride(from: digits.startIndex, to: digits.endIndex, by: 2)
            .map { String(decoding: digits[$0..<($0 + 2)], as: UTF8.self) }
        return (text.joined(separator: ":") + fraction, false)
    }

    private static let precisions: [ClinicalTime.Precision] = [.year, .month, .day, .hour, .minute, .second]

    private static func precision(_ code: UInt8) -> ClinicalTime.Precision? {
        switch code {
        case UInt8(ascii: "Y"): .year
        case UInt8(ascii: "L"): .month
        case UInt8(ascii: "D"): .day
        case UInt8(ascii: "H"): .hour
        case UInt8(ascii: "M"): .minute
        case UInt8(ascii: "S"): .second
        default: nil
        }
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let digits = rest.prefix { JSONReader.isDigit($0) }
        rest = rest.dropFirst(digits.count)
        return digits
    }

    /// At most nine digits.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int {
        digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }
}
