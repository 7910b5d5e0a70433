import Primitives
import Records
import Testing

@Suite("Who decides for a child")
struct MinorRuleTests {
    /// 2000-01-01T00:00:00+08:00 is 946,656,000 seconds after 1970 began.
    private static let millennium: Int64 = 946_656_000_000
    private static let second: Int64 = 1000

    @Test("The guardian's word ends when the 14th, and the 18th, birthday is over")
    func stages() throws {
        let birth = try #require(GregorianDate(year: 1985, month: 12, day: 31))
        // 14 on 1999-12-31; the day after is the first of the new stage.
        let before = Timestamp(milliseconds: Self.millennium - Self.second)
        let after = Timestamp(milliseconds: Self.millennium)
        #expect(MinorRule.stage(born: birth, at: before) == .guardian)
        #expect(MinorRule.stage(born: birth, at: after) == .shared)
        #expect(MinorRule.guardianEnds(born: birth, at: before) == after)
        // 18 on 2003-12-31: four years and one leap day later.
        let adult = Timestamp(milliseconds: Self.millennium + (4 * 365 + 1) * 86_400_000)
        #expect(MinorRule.guardianEnds(born: birth, at: after) == adult)
        #expect(MinorRule.stage(born: birth, at: adult.advanced(byMilliseconds: -Self.second)) == .shared)
        #expect(MinorRule.stage(born: birth, at: adult) == .adult)
        #expect(MinorRule.guardianEnds(born: birth, at: adult) == nil)
    }

    @Test("Who was born on a leap day is a year older on 1 March")
    func leapDay() throws {
        let birth = try #require(GregorianDate(year: 1988, month: 2, day: 29))
        let march = try #require(GregorianDate(year: 2002, month: 3, day: 1))
        let midnight = Int64(march.daysSinceEpoch) * 86_400_000 - 8 * 3_600_000
        #expect(MinorRule.stage(born: birth, at: Timestamp(milliseconds: midnight - 1)) == .guardian)
        #expect(MinorRule.stage(born: birth, at: Timestamp(milliseconds: midnight)) == .shared)
    }

    @Test("A newborn is its guardian's, and a date at the calendar's end does not trap")
    func edges() throws {
        let birth = try #require(GregorianDate(year: 2000, month: 1, day: 1))
        #expect(MinorRule.stage(born: birth, at: Timestamp(milliseconds: Self.millennium)) == .guardian)
        let last = try #require(GregorianDate(year: 9999, month: 12, day: 31))
        #expect(MinorRule.guardianEnds(born: last, at: Timestamp(milliseconds: .max)) == nil)
    }
}
