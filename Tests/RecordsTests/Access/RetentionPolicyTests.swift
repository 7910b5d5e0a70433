import Primitives
import Records
import TestSupport
import Testing

@Suite("For how long records are kept")
struct RetentionPolicyTests {
    private static let day: Int64 = 24 * 3600 * 1000

    /// Midnight in China at the beginning of a day.
    private static func midnight(_ year: Int, _ month: Int, _ day: Int) throws -> Int64 {
        Int64(try #require(GregorianDate(year: year, month: month, day: day)).daysSinceEpoch) * Self.day - 8 * 3_600_000
    }

    private static func ends(_ time: Int64, _ recordClass: RecordClass) -> Int64? {
        RetentionPolicy.standard.ends(examAt: Timestamp(milliseconds: time), recordClass)?.milliseconds
    }

    @Test("Fifteen years for outpatients, thirty for inpatients, to the end of the day in China")
    func years() throws {
        for hour in 0..<24 as Range<Int64> {
            let exam = try Self.midnight(1996, 3, 11) + hour * 3_600_000
            #expect(try Self.ends(exam, .outpatient) == Self.midnight(2011, 3, 12))
            #expect(try Self.ends(exam, .inpatient) == Self.midnight(2026, 3, 12))
        }
    }

    @Test("An exam of 29 February is kept to the end of February where there is none")
    func leapDay() throws {
        #expect(try Self.ends(Self.midnight(2000, 2, 29), .outpatient) == Self.midnight(2015, 3, 1))
        #expect(try Self.ends(Self.midnight(1988, 2, 29), .inpatient) == Self.midnight(2018, 3, 1))
    }

    @Test("Any day goes over into the same day, years later, and a later exam never ends sooner")
    func anyDay() throws {
        var generator = SeededGenerator(seed: 15)
        for _ in 0..<5000 {
            let year = Int.random(in: 1...9960, using: &generator)
            let month = Int.random(in: 1...12, using: &generator)
            let day = Int.random(in: 1...28, using: &generator)
            let exam = try Self.midnight(year, month, day)
            #expect(try Self.ends(exam, .outpatient) == Self.midnight(year + 15, month, day) + Self.day)
            let next = try #require(Self.ends(exam + Self.day, .outpatient))
            #expect(try next >= #require(Self.ends(exam, .outpatient)))
        }
    }

    @Test("Times outside the calendar are kept for ever, and none traps")
    func extremes() throws {
        for time in [Int64.min, .max, .max - 8 * 3_600_000, try Self.midnight(9999, 12, 31)] {
            #expect(Self.ends(time, .outpatient) == nil)
        }
    }
}
