package import Primitives

/// Of which kind of visit a record is: the law has them kept for different times.
package enum RecordClass: UInt8, Hashable, CaseIterable, Sendable, CanonicalCodable {
    case outpatient = 1
    case inpatient = 2

    package var name: String {
        switch self {
        case .outpatient: "outpatient"
        case .inpatient: "inpatient"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let known = RecordClass(rawValue: try decoder.decode()) else { throw .invalid }
        self = known
    }
}

/// For how long records are kept: the one place that holds the numbers.
///
/// Detailed rules of the Regulations on the Administration of Medical Institutions, article 53: outpatient records for at
/// least 15 years, inpatient records for at least 30.
package struct RetentionPolicy: Hashable, Sendable {
    package var outpatientYears: Int
    package var inpatientYears: Int

    package static let standard = RetentionPolicy(outpatientYears: 15, inpatientYears: 30)

    private static let dayMilliseconds: Int64 = 24 * 3600 * 1000
    /// China Standard Time knows no summer time.
    private static let zoneMilliseconds: Int64 = 8 * 3600 * 1000

    package init(outpatientYears: Int, inpatientYears: Int) {
        self.outpatientYears = outpatientYears
        self.inpatientYears = inpatientYears
    }

    /// A day as `YYYY-MM-DD`; empty outside the calendar.
    package static func text(day: Int) -> String {
        guard let date = GregorianDate(daysSinceEpoch: day) else { return "" }
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
    }

    /// The first instant at which a record of an exam at `time` may be erased: the beginning of the day after the same day
    /// so many years later.
    ///
    /// `nil` beyond the end of the calendar: never.
    package func ends(examAt time: Timestamp, _ recordClass: RecordClass) -> Timestamp? {
        let (local, overflow) = time.milliseconds.addingReportingOverflow(Self.zoneMilliseconds)
        guard !overflow, let date = GregorianDate(daysSinceEpoch: Int(local.floored(by: Self.dayMilliseconds))) else {
            return nil
        }
        let year = date.year + (recordClass == .outpatient ? self.outpatientYears : self.inpatientYears)
        let day = min(date.day, GregorianDate.days(inMonth: date.month, of: year))
        guard let last = GregorianDate(year: year, month: date.month, day: day) else { return nil }
        let midnight = Int64(last.daysSinceEpoch + 1) * Self.dayMilliseconds
        return Timestamp(milliseconds: midnight - Self.zoneMilliseconds)
    }
}

extension Int64 {
    fileprivate func floored(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = self.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension GregorianDate {
    /// The inverse of ``daysSinceEpoch``.
    fileprivate init?(daysSinceEpoch days: Int) {
        // Years 1 to 9999 and nothing that could overflow.
        guard (-719_162...2_932_896).contains(days) else { return nil }
        let shifted = days + 719_468
        let cycle = shifted / 146_097
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
        self.init(year: year, month: month, day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }
}
