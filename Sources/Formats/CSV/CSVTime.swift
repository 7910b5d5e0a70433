import Primitives
import Records

/// Reads the dates and times of tables.
enum CSVTime {
    /// Reads `text`, which is UTF-8 without spaces around it.
    ///
    /// With formats, one of them must fit, and all that fit must mean the same. Without any, a date must start with
    /// a year of four digits: `2026-05-10`, `2026/5/10`, `2026.5.10`, `20260510`, `2026年5月10日`, `2026-05` or `2026`,
    /// and, after a space or `T`, a time. Day and month in another order are never guessed. `offsetMinutes`, east of
    /// UTC, is for times without an offset of their own.
    static func read(_ text: ArraySlice<UInt8>, _ formats: [CSVTimeFormat], offsetMinutes: Int?) -> ClinicalTime? {
        guard text.count <= Self.bytesMax else { return nil }
        guard !formats.isEmpty else {
            var scanner = CSVTimeScanner(text)
            guard scanner.scanYearFirst() else { return nil }
            return scanner.time(offsetMinutes: offsetMinutes)
        }
        var found: ClinicalTime?
        for format in formats {
            var scanner = CSVTimeScanner(text)
            guard scanner.scan(format), let time = scanner.time(offsetMinutes: offsetMinutes) else { continue }
            guard found == nil || found == time else { return nil }
            found = time
        }
        return found
    }

    /// No date is longer.
    private static let bytesMax = 64

    /// `+08:00`, `-05:30` or `Z`, in minutes east of UTC.
    static func offset(_ text: String) -> Int? {
        var scanner = CSVTimeScanner(Array(text.utf8)[...])
        guard let offset = scanner.scanOffset(), scanner.isAtEnd else { return nil }
        return offset
    }
}

/// Reads one text and holds the units found so far.
struct CSVTimeScanner {
    private let text: ArraySlice<UInt8>
    private var rest: ArraySlice<UInt8>
    private var year = 0
    private var month: Int?
    private var day: Int?
    private var hour: Int?
    private var minute: Int?
    private var second: Int?
    private var milliseconds = 0
    private var hasFraction = false
    private var isAfternoon: Bool?
    private var offset: Int?

    init(_ text: ArraySlice<UInt8>) {
        self.text = text
        self.rest = text
    }

    var isAtEnd: Bool { self.rest.isEmpty }

    /// The time, if all of the text was read and the day exists.
    func time(offsetMinutes: Int?) -> ClinicalTime? {
        guard self.rest.isEmpty, let date = GregorianDate(year: self.year, month: self.month ?? 1, day: self.day ?? 1)
        else { return nil }
        var hour = self.hour ?? 0
        if let isAfternoon = self.isAfternoon {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (isAfternoon ? 12 : 0)
        }
        // A leap second is written as 60.
        guard hour <= 23, self.minute ?? 0 <= 59, self.second ?? 0 <= 60 else { return nil }
        let precision: ClinicalTime.Precision =
            if self.hasFraction { .fraction } else if self.second != nil { .second } else if self.minute != nil {
                .minute
            } else if self.day != nil { .day } else if self.month != nil { .month } else { .year }
        // A day has no offset: it is not a time.
        let offset = self.hour == nil ? nil : self.offset ?? offsetMinutes
        let seconds = (hour * 60 + (self.minute ?? 0) - (offset ?? 0)) * 60 + (self.second ?? 0)
        let milliseconds = (date.daysSinceEpoch * 86_400 + seconds) * 1000 + self.milliseconds
        return ClinicalTime(
            text: String(decoding: self.text, as: UTF8.self),
            precision: precision,
            offsetMinutes: offset,
            earliest: Timestamp(milliseconds: Int64(milliseconds))
        )
    }

    // MARK: Patterns

    /// Reads by a pattern; what stands there may still be no time.
    mutating func scan(_ format: CSVTimeFormat) -> Bool {
        for token in format.tokens {
            switch token {
            case .year:
                guard let number = self.number(4, 4) else { return false }
                self.year = number
            case .shortYear:
                guard let number = self.number(2, 2) else { return false }
                self.year = 2000 + number
            case .month(let isPadded): self.month = self.number(isPadded ? 2 : 1, 2)
            case .day(let isPadded): self.day = self.number(isPadded ? 2 : 1, 2)
            case .hour(let isPadded), .halfDayHour(let isPadded): self.hour = self.number(isPadded ? 2 : 1, 2)
            case .minute: self.minute = self.number(2, 2)
            case .second: self.second = self.number(2, 2)
            case .fraction:
                guard self.scanFraction() else { return false }
            case .halfDay:
                guard let letter = self.rest.popFirst(), let second = self.rest.popFirst(), second | 0x20 == 0x6d else {
                    return false
                }
                guard letter | 0x20 == 0x61 || letter | 0x20 == 0x70 else { return false }
                self.isAfternoon = letter | 0x20 == 0x70
            case .offset:
                guard let offset = self.scanOffset() else { return false }
                self.offset = offset
            case .literal(let byte):
                guard self.take(byte) else { return false }
            }
        }
        return self.hasAll(format)
    }

    /// Whether every unit that the pattern names was there.
    private func hasAll(_ format: CSVTimeFormat) -> Bool {
        format.tokens.allSatisfy { token in
            switch token {
            case .month: self.month != nil
            case .day: self.day != nil
            case .hour, .halfDayHour: self.hour != nil
            case .minute: self.minute != nil
            case .second: self.second != nil
            default: true
            }
        }
    }

    // MARK: Year first

    private static let characterOfYear = Array("年".utf8)
    private static let characterOfMonth = Array("月".utf8)
    private static let characterOfDay = Array("日".utf8)

    mutating func scanYearFirst() -> Bool {
        guard let year = self.number(4, 4) else { return false }
        self.year = year
        guard let separator = self.rest.first else { return true }
        switch separator {
        case UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."):
            self.rest.removeFirst()
            self.month = self.number(1, 2)
            guard self.month != nil else { return false }
            if self.isAtEnd { return separator == UInt8(ascii: "-") }
            guard self.take(separator) else { return false }
            self.day = self.number(1, 2)
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            self.month = self.number(2, 2)
            self.day = self.number(2, 2)
            guard self.day != nil else { return false }
            return self.isAtEnd || self.scanCompactTime()
        default:
            guard self.take(Self.characterOfYear) else { return false }
            self.month = self.number(1, 2)
            guard self.month != nil, self.take(Self.characterOfMonth) else { return false }
            if self.isAtEnd { return true }
            self.day = self.number(1, 2)
            guard self.day != nil, self.take(Self.characterOfDay) else { return false }
            _ = self.take(0x20)
            return self.isAtEnd || self.scanTimeOfDay()
        }
        guard self.day != nil else { return false }
        if self.isAtEnd { return true }
        guard self.take(UInt8(ascii: "T")) || self.take(0x20) else { return false }
        while self.take(0x20) {}
        return self.scanTimeOfDay()
    }

    /// `H:mm`, seconds, fraction and offset after a date with separators.
    private mutating func scanTimeOfDay() -> Bool {
        self.hour = self.number(1, 2)
        guard self.hour != nil, self.take(UInt8(ascii: ":")) else { return false }
        self.minute = self.number(2, 2)
        guard self.minute != nil else { return false }
        if self.take(UInt8(ascii: ":")) {
            self.second = self.number(2, 2)
            guard self.second != nil else { return false }
            if self.take(UInt8(ascii: ".")), !self.scanFraction() { return false }
        }
        return self.scanEnd()
    }

    /// `HHmm`, seconds, fraction and offset after eight digits, directly or after `T` or a space (HL7 v2, ISO 8601).
    private mutating func scanCompactTime() -> Bool {
        if self.take(UInt8(ascii: "T")) || self.take(0x20), self.rest.dropFirst(2).first == UInt8(ascii: ":") {
            return self.scanTimeOfDay()
        }
        self.hour = self.number(2, 2)
        self.minute = self.number(2, 2)
        guard self.minute != nil else { return false }
        if let first = self.rest.first, (0x30...0x39).contains(first) {
            self.second = self.number(2, 2)
            guard self.second != nil else { return false }
            if self.take(UInt8(ascii: ".")), !self.scanFraction() { return false }
        }
        return self.scanEnd()
    }

    private mutating func scanEnd() -> Bool {
        if self.isAtEnd { return true }
        _ = self.take(0x20)
        self.offset = self.scanOffset()
        return self.offset != nil
    }

    // MARK: Pieces

    /// `Z`, or a sign, two digits of hours and two of minutes, up to 14:00.
    mutating func scanOffset() -> Int? {
        if self.take(UInt8(ascii: "Z")) { return 0 }
        let isWest = self.take(UInt8(ascii: "-"))
        guard isWest || self.take(UInt8(ascii: "+")), let hours = self.number(2, 2) else { return nil }
        let hasColon = self.take(UInt8(ascii: ":"))
        var minutes = 0
        if hasColon || !self.isAtEnd {
            guard let number = self.number(2, 2), number <= 59 else { return nil }
            minutes = number
        }
        guard hours * 60 + minutes <= 14 * 60 else { return nil }
        return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }

    private mutating func scanFraction() -> Bool {
        var weight = 100
        var count = 0
        while let byte = self.rest.first, (0x30...0x39).contains(byte) {
            self.rest.removeFirst()
            // Digits below a millisecond stay in the text.
            self.milliseconds += Int(byte - 0x30) * weight
            weight /= 10
            count += 1
        }
        self.hasFraction = count > 0
        return count > 0
    }

    private mutating func number(_ digitsMin: Int, _ digitsMax: Int) -> Int? {
        var number = 0
        var count = 0
        while count < digitsMax, let byte = self.rest.first, (0x30...0x39).contains(byte) {
            number = number * 10 + Int(byte - 0x30)
            self.rest.removeFirst()
            count += 1
        }
        return count >= digitsMin ? number : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.rest.first == byte else { return false }
        self.rest.removeFirst()
        return true
    }

    private mutating func take(_ bytes: [UInt8]) -> Bool {
        guard self.rest.starts(with: bytes) else { return false }
        self.rest = self.rest.dropFirst(bytes.count)
        return true
    }
}
