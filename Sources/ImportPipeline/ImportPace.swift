/// How fast an import may go, and at what times of the day.
package struct ImportPace: Hashable, Sendable {
    /// Exams a second at most; `nil` for as fast as the machine can.
    package var examsPerSecond: UInt32?
    /// `nil` for the whole day.
    package var window: DailyWindow?

    package init(examsPerSecond: UInt32? = nil, window: DailyWindow? = nil) {
        precondition(examsPerSecond != 0, "an import that never goes on is none")
        self.examsPerSecond = examsPerSecond
        self.window = window
    }

    /// Milliseconds to wait before the next exam when `exams` were given in `elapsed` milliseconds.
    package func delay(exams: UInt64, elapsed: Int64) -> Int64 {
        guard let rate = self.examsPerSecond else { return 0 }
        let due = exams.multipliedReportingOverflow(by: 1000)
        guard !due.overflow else { return .max }
        return max(0, Int64(clamping: due.partialValue / UInt64(rate)) - max(0, elapsed))
    }
}

/// A part of every day, to the minute, on the clock of the wall.
package struct DailyWindow: Hashable, Sendable {
    static let minutesOfDay = 24 * 60

    /// Minutes since midnight; the window ends before `end` and passes midnight if that is not after `start`.
    package let start: Int
    package let end: Int

    /// Reads `22:00-06:00`.
    ///
    /// - Returns: `nil` for anything else, and for a window without an end.
    package init?(_ text: String) {
        let sides = text.split(separator: "-", omittingEmptySubsequences: false)
        guard sides.count == 2, let start = Self.minutes(sides[0]), let end = Self.minutes(sides[1]), start != end
        else { return nil }
        self.start = start
        self.end = end
    }

    /// Minutes from `minute` of the day until the window is open; 0 while it is.
    package func wait(at minute: Int) -> Int {
        let isOpen =
            self.start < self.end
            ? self.start <= minute && minute < self.end : self.start <= minute || minute < self.end
        return isOpen ? 0 : (self.start - minute + Self.minutesOfDay) % Self.minutesOfDay
    }

    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        return hour * 60 + minute
    }
}
