package import Primitives

/// What is unusual about the number of emergency accesses.
package struct EmergencyAlarms: OptionSet, Hashable, Sendable, CanonicalCodable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The clinician opened for more patients than ever.
    package static let user = EmergencyAlarms(rawValue: 1)
    /// The institution did.
    package static let institution = EmergencyAlarms(rawValue: 2)

    package static let all: EmergencyAlarms = [.user, .institution]

    /// The stable names that answers and scripts use.
    package var names: [String] {
        (self.contains(.user) ? ["clinician"] : []) + (self.contains(.institution) ? ["institution"] : [])
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.init(rawValue: try decoder.decode())
        guard Self.all.contains(self) else { throw .invalid }
    }
}

/// How often emergencies were declared: the last day exactly, and four weeks by day.
///
/// Alarms never refuse: whoever has a real emergency opens, and others look sooner.
package struct EmergencyRate: Hashable, Sendable {
    /// What one day may hold, however quiet the weeks before were.
    package enum Threshold: Int, Sendable {
        case user = 3
        case institution = 12
    }

    /// A day counts as unusual from so many times the mean of the days before.
    package static let factor = 4
    package static let historyDays: Int64 = 28
    /// Of the last day so many are told apart; far more than either threshold.
    package static let recentMax = 64
    private static let dayMilliseconds: Int64 = 24 * 3600 * 1000

    private struct Day: Hashable, Sendable, CanonicalCodable {
        /// Since 1970 (UTC).
        var day: Int64
        var count: UInt32

        init(day: Int64, count: UInt32) {
            self.day = day
            self.count = count
        }

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.day)
            encoder.encode(self.count)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.day = try decoder.decode()
            self.count = try decoder.decode()
        }
    }

    /// The newest last; in the order in which they were added.
    private var recent: [Timestamp] = []
    /// Sorted by day; those of the last four weeks.
    private var days: [Day] = []

    package init() {}

    /// Adds an access declared at `time`, which may be earlier than others.
    ///
    /// Returns whether the 24 hours that end with it hold more than the threshold and more than ``factor`` times the mean
    /// of the four weeks before.
    package mutating func add(_ time: Timestamp, _ threshold: Threshold) -> Bool {
        let dayBefore = Self.before(time)
        let count = self.recent.count { $0 > dayBefore && $0 <= time } + 1
        let day = Self.day(time)
        let earlier = self.days.reduce(into: UInt64(0)) { sum, other in
            if other.day < day, day - other.day <= Self.historyDays { sum += UInt64(other.count) }
        }
        self.note(time, day)
        return count > threshold.rawValue
            && UInt64(count) * UInt64(Self.historyDays) > UInt64(Self.factor) * earlier
    }

    private mutating func note(_ time: Timestamp, _ day: Int64) {
        self.recent.append(time)
        let newest = self.recent.max() ?? time
        let dayBefore = Self.before(newest)
        self.recent.removeAll { $0 <= dayBefore }
        if self.recent.count > Self.recentMax { self.recent.removeFirst(self.recent.count - Self.recentMax) }
        if let index = self.days.firstIndex(where: { $0.day == day }) {
            self.days[index].count = self.days[index].count.addingReportingOverflow(1).partialValue
        } else {
            self.days.append(Day(day: day, count: 1))
            self.days.sort { $0.day < $1.day }
        }
        let last = self.days.last?.day ?? day
        self.days.removeAll { last - $0.day > Self.historyDays }
    }

    private static func before(_ time: Timestamp) -> Timestamp {
        let (value, overflow) = time.milliseconds.subtractingReportingOverflow(Self.dayMilliseconds)
        return Timestamp(milliseconds: overflow ? .min : value)
    }

    private static func day(_ time: Timestamp) -> Int64 {
        let (quotient, remainder) = time.milliseconds.quotientAndRemainder(dividingBy: Self.dayMilliseconds)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

extension EmergencyRate: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.recent)
        encoder.encode(self.days)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.recent = try decoder.decodeArray(max: Self.recentMax)
        self.days = try decoder.decodeArray(max: Int(Self.historyDays) + 1)
    }
}
