import Records
import Testing

@Suite("The calendar")
struct GregorianDateTests {
    @Test("Days follow each other without gap over more than four centuries")
    func continuity() throws {
        var expected = try #require(GregorianDate(year: 1599, month: 1, day: 1)).daysSinceEpoch
        #expect(expected == -135_505)
        for year in 1599...2101 {
            for month in 1...12 {
                for day in 1...GregorianDate.days(inMonth: month, of: year) {
                    let date = try #require(GregorianDate(year: year, month: month, day: day))
                    guard date.daysSinceEpoch == expected else {
                        Issue.record("\(year)-\(month)-\(day)")
                        return
                    }
                    expected += 1
                }
            }
        }
    }

    @Test("Days that do not exist are refused")
    func refused() {
        for (year, month, day) in [
            (0, 1, 1), (10_000, 1, 1), (2026, 0, 1), (2026, 13, 1), (2026, 2, 29), (1900, 2, 29), (2026, 4, 31),
            (2026, 1, 0),
        ] {
            #expect(GregorianDate(year: year, month: month, day: day) == nil)
        }
        #expect(GregorianDate(year: 2000, month: 2, day: 29) != nil)
        #expect(GregorianDate(year: 1970, month: 1, day: 1)?.daysSinceEpoch == 0)
    }

    @Test("A name is shown as the source writes it, else family name first")
    func names() {
        #expect(PersonName(text: "A B", family: "C", given: ["D"]).label == "A B")
        #expect(PersonName(text: nil, family: "C", given: ["D", "E"]).label == "C D E")
        #expect(PersonName(text: nil, family: nil, given: []).label == nil)
    }
}
