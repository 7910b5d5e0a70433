package import Primitives

/// Who decides for a child, from the day of birth alone (PIPL 31, Civil Code 17 to 20).
///
/// An age is reached when the birthday is over: the day after it is the first of the new stage. Days are those of China
/// Standard Time, which knows no summer time.
package enum MinorRule {
    /// Who decides.
    package enum Stage: Hashable, Sendable {
        /// Under 14: the guardian, with a consent of its own.
        case guardian
        /// From 14 to 18: the young person, with a guardian at hand.
        case shared
        /// 18 and over: nobody else.
        case adult
    }

    private static let youthYears = 14
    private static let adultYears = 18
    private static let dayMilliseconds: Int64 = 24 * 3600 * 1000
    private static let zoneMilliseconds: Int64 = 8 * 3600 * 1000

    package static func stage(born birth: GregorianDate, at time: Timestamp) -> Stage {
        if time < Self.reaches(Self.youthYears, born: birth) { return .guardian }
        return time < Self.reaches(Self.adultYears, born: birth) ? .shared : .adult
    }

    /// The first instant at which a guardian's delegation lapses and the young person is to confirm; `nil` for adults.
    package static func guardianEnds(born birth: GregorianDate, at time: Timestamp) -> Timestamp? {
        switch Self.stage(born: birth, at: time) {
        case .guardian: Self.reaches(Self.youthYears, born: birth)
        case .shared: Self.reaches(Self.adultYears, born: birth)
        case .adult: nil
        }
    }

    /// The beginning of the day after the birthday; one of 29 February is over on 28 February in other years.
    private static func reaches(_ years: Int, born birth: GregorianDate) -> Timestamp {
        let year = birth.year + years
        let day = min(birth.day, GregorianDate.days(inMonth: birth.month, of: year))
        // Beyond the calendar's end nobody is a minor any more.
        guard let birthday = GregorianDate(year: year, month: birth.month, day: day) else {
            return Timestamp(milliseconds: .min)
        }
        let midnight = Int64(birthday.daysSinceEpoch + 1) * Self.dayMilliseconds
        return Timestamp(milliseconds: midnight - Self.zoneMilliseconds)
    }
}
