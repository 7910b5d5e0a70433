import Foundation

/// Times and spans as people write them.
enum Times {
    /// Milliseconds since 1970 of `2026-11-24T08:00:00+08:00` or, for the start of a day in UTC, `2026-11-24`.
    static func parse(_ text: String, option: String) throws(CommandFailure) -> Int64 {
        let complete = ISO8601DateFormatter()
        let fractions = ISO8601DateFormatter()
        fractions.formatOptions.insert(.withFractionalSeconds)
        let day = ISO8601DateFormatter()
        day.formatOptions = [.withFullDate]
        for formatter in [complete, fractions] {
            if let date = formatter.date(from: text) { return Int64((date.timeIntervalSince1970 * 1000).rounded()) }
        }
        if text.utf8.count == 10, let date = day.date(from: text) { return Int64(date.timeIntervalSince1970) * 1000 }
        throw .usage("time", "\(option) takes a time", hint: "Write 2026-11-24 or 2026-11-24T08:00:00+08:00.")
    }

    /// RFC 3339 in UTC.
    static func format(_ milliseconds: Int64) -> String {
        let formatter = ISO8601DateFormatter()
        if milliseconds % 1000 != 0 { formatter.formatOptions.insert(.withFractionalSeconds) }
        return formatter.string(from: Date(timeIntervalSince1970: Double(milliseconds) / 1000))
    }

    /// Seconds of `90s`, `30m`, `24h`, `7d`, or of a plain number of hours.
    static func parseSpan(_ text: String, option: String) throws(CommandFailure) -> Int64 {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? text : String(text.dropLast())), number > 0, number < 1e9 else {
            throw .usage("span", "\(option) takes a span of time", hint: "Write 90s, 30m, 24h or 7d.")
        }
        return Int64((number * (unit ?? 3600)).rounded(.up))
    }
}
