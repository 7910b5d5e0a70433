package import Primitives

/// A point in time as a clinical source wrote it, which may know only the day, the month or the year.
package struct ClinicalTime: Hashable, Sendable {
    /// The smallest unit the source wrote.
    package enum Precision: UInt8, Hashable, Comparable, Sendable {
        case year, month, day, hour, minute, second, fraction

        package static func < (left: Precision, right: Precision) -> Bool { left.rawValue < right.rawValue }
    }

    /// Exactly as written, with its offset and its digits.
    package let text: String
    package let precision: Precision
    /// Minutes east of UTC, where the source wrote an offset.
    package let offsetMinutes: Int?
    /// The first instant that the text can mean, in UTC.
    ///
    /// A text without an offset is read as UTC, which may be up to 14 hours off. Sorting and searching use it, nothing shown to a reader does.
    package let earliest: Timestamp

    package init(text: String, precision: Precision, offsetMinutes: Int?, earliest: Timestamp) {
        self.text = text
        self.precision = precision
        self.offsetMinutes = offsetMinutes
        self.earliest = earliest
    }
}

/// When an examination took place: at one time, or over a period of which either end may be unknown.
package enum ClinicalPeriod: Hashable, Sendable {
    case time(ClinicalTime)
    case period(start: ClinicalTime?, end: ClinicalTime?)

    /// The time, the start of the period, or its end where only that is known.
    package var first: ClinicalTime? {
        switch self {
        case .time(let time): time
        case .period(let start, let end): start ?? end
        }
    }
}
