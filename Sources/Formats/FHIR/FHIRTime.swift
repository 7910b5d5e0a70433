import Primitives
package import Records

/// Reads the date and time types of FHIR R4 (section 2.24.0.1): no 24:00, leap seconds allowed, offsets up to 14:00.
package enum FHIRTime {
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    package static func date(_ text: String) -> ClinicalTime? { self.read(text, allowsTime: false) }

    /// A date, or a date with a time that has seconds and an offset.
    package static func dateTime(_ text: String) -> ClinicalTime? { self.read(text, allowsTime: true) }

    /// A full date with a time that has seconds and an offset.
    package static func instant(_ text: String) -> ClinicalTime? {
        self.read(text, allowsTime: true).flatMap { $0.precision >= .second ? $0 : nil }
    }

    /// Says whether `text` is `hh:mm:ss` with optional fractions.
    package static func isTimeOfDay(_ text: String) -> Bool {
        var scanner = Scanner(text)
        return scanner.timeOfDay() != nil && scanner.isAtEnd
    }

    private static func read(_ text: String, allowsTime: Bool) -> ClinicalTime? {
        var scanner = Scanner(text)
        guard let year = scanner.number(digits: 4) else { return nil }
        var (month, day) = (1, 1)
        var precision = ClinicalTime.Precision.year
        if scanner.take(UInt8(ascii: "-")) {
            guard let number = scanner.number(digits: 2) else { return nil }
            (month, precision) = (number, .month)
            if scanner.take(UInt8(ascii: "-")) {
                guard let number = scanner.number(digits: 2) else { return nil }
                (day, precision) = (number, .day)
            }
        }
        guard let date = GregorianDate(year: year, month: month, day: day) else { return nil }
        var milliseconds = Int64(date.daysSinceEpoch) * 86_400_000
        var offset: Int?
        if allowsTime, precision == .day, scanner.take(UInt8(ascii: "T")) {
            guard let time = scanner.timeOfDay(), let minutes = scanner.offset() else { return nil }
            milliseconds += time.milliseconds - Int64(minutes) * 60_000
            precision = time.hasFraction ? .fraction : .second
            offset = minutes
        }
        guard scanner.isAtEnd else { return nil }
        return ClinicalTime(
            text: text,
            precision: precision,
            offsetMinutes: offset,
            earliest: Timestamp(milliseconds: milliseconds)
        )
    }

    private struct Scanner {
        private var rest: Substring.UTF8View

        init(_ text: String) { self.rest = text[...].utf8 }

        var isAtEnd: Bool { self.rest.isEmpty }

        mutating func take(_ byte: UInt8) -> Bool {
            guard self.rest.first == byte else { return false }
            self.rest.removeFirst()
            return true
        }

        mutating func digit() -> Int? {
            guard let byte = self.rest.first, JSONReader.isDigit(byte) else { return nil }
            self.rest.removeFirst()
            return Int(byte - UInt8(ascii: "0"))
        }

        mutating func number(digits: Int) -> Int? {
            var number = 0
            for _ in 0..<digits {
                guard let digit = self.digit() else { return nil }
                number = number * 10 + digit
            }
            return number
        }

        mutating func timeOfDay() -> (milliseconds: Int64, hasFraction: Bool)? {
            guard let hour = self.number(digits: 2), hour <= 23, self.take(UInt8(ascii: ":")),
                let minute = self.number(digits: 2), minute <= 59, self.take(UInt8(ascii: ":")),
                let second = self.number(digits: 2), second <= 60
            else { return nil }
            var milliseconds = Int64((hour * 60 + minute) * 60 + second) * 1000
            guard self.take(UInt8(ascii: ".")) else { return (milliseconds, false) }
            guard let first = self.digit() else { return nil }
            milliseconds += Int64(first * 100)
            var weight = 10
            // Digits below a millisecond stay in the text.
            while let digit = self.digit() {
                milliseconds += Int64(digit * weight)
                weight /= 10
            }
            return (milliseconds, true)
        }

        /// `Z`, or a sign, hours and minutes up to 14:00; in minutes.
        mutating func offset() -> Int? {
            if self.take(UInt8(ascii: "Z")) { return 0 }
            let isWest = self.take(UInt8(ascii: "-"))
            guard isWest || self.take(UInt8(ascii: "+")), let hours = self.number(digits: 2),
                self.take(UInt8(ascii: ":")), let minutes = self.number(digits: 2), minutes <= 59,
                hours * 60 + minutes <= 14 * 60
            else { return nil }
            return (isWest ? -1 : 1) * (hours * 60 + minutes)
        }
    }
}
