/// A day of the proleptic Gregorian calendar, years 1 to 9999.
package struct GregorianDate: Hashable, Sendable {
    package let year: Int
    package let month: Int
    package let day: Int

    /// Returns `nil` for a day that does not exist, such as 30 February.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            (1...Self.days(inMonth: month, of: year)).contains(day)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    package static func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }

    /// `month` is 1 to 12.
    package static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: self.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01, negative before it.
    ///
    /// Counts in years that begin on 1 March, so that the leap day is a year's last, in cycles of 400 years
    /// (146,097 days).
    package var daysSinceEpoch: Int {
        let shiftedYear = self.month > 2 ? self.year : self.year - 1
        let cycle = shiftedYear / 400
        let yearOfCycle = shiftedYear - cycle * 400
        let monthFromMarch = (self.month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + self.day - 1
        let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
        return cycle * 146_097 + dayOfCycle - 719_468
    }
}
