package import Primitives

/// Which day and month a time belongs to: a fixed distance from UTC, without summer time.
package struct StatisticsCalendar: Hashable, Sendable {
    package static let china = StatisticsCalendar(offsetMinutes: 8 * 60)
    private static let dayMilliseconds: Int64 = 86_400_000

    /// At most 14 h either way.
    package let offsetMinutes: Int32

    package init(offsetMinutes: Int32) {
        precondition((-14 * 60...14 * 60).contains(offsetMinutes), "no clock is farther from UTC")
        self.offsetMinutes = offsetMinutes
    }

    /// Days since 1970-01-01 by this calendar.
    package func day(of time: Timestamp) -> Int64 {
        let local = time.advanced(byMilliseconds: Int64(self.offsetMinutes) * 60_000).milliseconds
        let (quotient, rest) = local.quotientAndRemainder(dividingBy: Self.dayMilliseconds)
        return rest < 0 ? quotient - 1 : quotient
    }

    /// The first moment of a day; `day` is within 2^32 of 1970.
    package func start(ofDay day: Int64) -> Timestamp {
        Timestamp(milliseconds: day * Self.dayMilliseconds - Int64(self.offsetMinutes) * 60_000)
    }

    /// `2026-11-24`.
    package func dayText(_ time: Timestamp) -> String {
        let (year, month, day) = Self.civil(self.day(of: time))
        return "\(year)-\(Self.twoDigits(month))-\(Self.twoDigits(day))"
    }

    /// `2026-11`.
    package func monthText(_ time: Timestamp) -> String {
        let (year, month, _) = Self.civil(self.day(of: time))
        return "\(year)-\(Self.twoDigits(month))"
    }

    private static func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Year, month and day of a day, in cycles of 400 years (146,097 days) whose years begin on 1 March.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let cycle = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
