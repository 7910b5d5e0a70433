import Primitives
package import Records

/// Reads dates and times as Chinese hospital systems export them.
///
/// `2026-05-10 08:30:00`, `2026/5/10 8:30`, `2026.05.10`, `2026年5月10日8时30分`, `20260510`, `202605100830`,
/// `20260510083000`, each with an optional fraction of a second after seconds and an optional offset (`Z`, `+08:00`,
/// `+0800`). The year comes first and has four digits: a text in which day and month could change places is refused, and so
/// is one without a day.
package enum WrittenTime {
    /// Longer than any of the forms.
    static let bytesMax = 64

    /// `offsetMinutes` is the source's own, for texts that have none; the result keeps the text as written.
    package static func read(_ text: String, offsetMinutes: Int? = nil) -> ClinicalTime? {
        guard text.utf8.count <= self.bytesMax else { return nil }
        var reader = WrittenTimeReader(text)
        guard let date = reader.date() else { return nil }
        var seconds = 0
        var milliseconds = 0
        var precision = ClinicalTime.Precision.day
        if !reader.isAtEnd {
            guard let time = reader.time() else { return nil }
            (seconds, milliseconds, precision) = (time.seconds, time.milliseconds, time.precision)
        }
        var offset: Int?
        if precision > .day {
            switch reader.offset() {
            case .none: offset = offsetMinutes
            case .minutes(let minutes): offset = minutes
            case .malformed: return nil
            }
        }
        guard reader.isAtEnd else { return nil }
        let instant = (Int64(date.daysSinceEpoch) * 86_400 + Int64(seconds - (offset ?? 0) * 60)) * 1000
        return ClinicalTime(
            text: text,
            precision: precision,
            offsetMinutes: offset,
            earliest: Timestamp(milliseconds: instant + Int64(milliseconds))
        )
    }
}

private struct WrittenTimeReader {
    private var rest: Substring
    /// Digits without separators, as in HL7 v2.
    private var isCompact = false
    /// A date that ends in 日, after which the hour may follow at once.
    private var isClosed = false

    init(_ text: String) {
        self.rest = text[...].drop { $0 == " " }
        while self.rest.last == " " { self.rest.removeLast() }
    }

    var isAtEnd: Bool { self.rest.isEmpty }

    private mutating func take(_ characters: Set<Character>) -> Bool {
        guard let first = self.rest.first, characters.contains(first) else { return false }
        self.rest.removeFirst()
        return true
    }

    private mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        let run = self.rest.utf8.prefix { JSONReader.isDigit($0) }.prefix(digits.upperBound)
        guard digits.contains(run.count) else { return nil }
        self.rest = self.rest.dropFirst(run.count)
        return run.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    mutating func date() -> GregorianDate? {
        guard let year = self.number(4...4), year >= 1 else { return nil }
        guard let separator = self.rest.first else { return nil }
        let close: Character
        switch separator {
        case "-", "/", ".": close = separator
        case "年": close = "月"
        default:
            self.isCompact = true
            guard let month = self.number(2...2), let day = self.number(2...2) else { return nil }
            return GregorianDate(year: year, month: month, day: day)
        }
        self.rest.removeFirst()
        guard let month = self.number(1...2), self.take([close]), let day = self.number(1...2) else { return nil }
        if close == "月" {
            guard self.take(["日", "号"]) else { return nil }
            self.isClosed = true
        }
        return GregorianDate(year: year, month: month, day: day)
    }

    mutating func time() -> (seconds: Int, milliseconds: Int, precision: ClinicalTime.Precision)? {
        var isSeparated = false
        while self.take([" "]) { isSeparated = true }
        isSeparated = self.take(["T"]) || isSeparated
        if self.isCompact, !isSeparated { return self.compactTime() }
        guard isSeparated || self.isClosed, let hour = self.number(1...2), hour <= 23 else { return nil }
        if self.take(["时", "点"]) {
            guard !self.isAtEnd, let minute = self.number(1...2) else { return (hour * 3600, 0, .hour) }
            guard minute <= 59, self.take(["分"]) else { return nil }
            guard let second = self.number(1...2) else { return (hour * 3600 + minute * 60, 0, .minute) }
            guard second <= 60, self.take(["秒"]) else { return nil }
            return (hour * 3600 + minute * 60 + second, 0, .second)
        }
        guard self.take([":", "\u{ff1a}"]), let minute = self.number(2...2), minute <= 59 else { return nil }
        guard self.take([":", "\u{ff1a}"]) else { return (hour * 3600 + minute * 60, 0, .minute) }
        guard let second = self.number(2...2), second <= 60 else { return nil }
        return self.fraction(after: hour * 3600 + minute * 60 + second)
    }

    private mutating func compactTime() -> (seconds: Int, milliseconds: Int, precision: ClinicalTime.Precision)? {
        guard let hour = self.number(2...2), hour <= 23 else { return nil }
        guard let first = self.rest.utf8.first, JSONReader.isDigit(first) else { return (hour * 3600, 0, .hour) }
        guard let minute = self.number(2...2), minute <= 59 else { return nil }
        guard let next = self.rest.utf8.first, JSONReader.isDigit(next) else {
            return (hour * 3600 + minute * 60, 0, .minute)
        }
        guard let second = self.number(2...2), second <= 60 else { return nil }
        return self.fraction(after: hour * 3600 + minute * 60 + second)
    }

    private mutating func fraction(
        after seconds: Int
    ) -> (seconds: Int, milliseconds: Int, precision: ClinicalTime.Precision)? {
        guard self.take(["."]) else { return (seconds, 0, .second) }
        guard let first = self.number(1...1) else { return nil }
        let second = self.number(1...1) ?? 0
        let third = self.number(1...1) ?? 0
        // Digits below a millisecond stay in the text.
        while self.number(1...1) != nil {}
        return (seconds, first * 100 + second * 10 + third, .fraction)
    }

    enum Offset {
        case none, malformed
        /// East of UTC.
        case minutes(Int)
    }

    mutating func offset() -> Offset {
        while self.take([" "]) {}
        if self.isAtEnd { return .none }
        if self.take(["Z"]) { return .minutes(0) }
        let isWest = self.rest.first == "-"
        guard self.take(["+", "-"]), let hours = self.number(2...2) else { return .malformed }
        _ = self.take([":"])
        guard let minutes = self.number(2...2), minutes <= 59, hours * 60 + minutes <= 14 * 60 else {
            return .malformed
        }
        return .minutes((isWest ? -1 : 1) * (hours * 60 + minutes))
    }
}
