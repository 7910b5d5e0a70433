import AgentRuntime
import LedgerStore
import Primitives
import Records
import Testing

@Suite("Production is stated by the day")
struct ProductionDayTests {
    private static let day: Int64 = 86_400_000
    /// Noon of day 100 by the calendar of +08:00.
    private static let now = Timestamp(milliseconds: 100 * day + 4 * 3_600_000)

    private static func day(_ day: Int32, _ produced: UInt32, _ committed: UInt32) -> ProductionDay {
        ProductionDay(day: day, produced: produced, committed: committed, lagSeconds: 0, late: 0)
    }

    private func due(_ days: [ProducedDay], quarantined: [Int64] = []) -> [ProductionDay] {
        ProductionReporter.due(
            days,
            quarantined: quarantined.map { Timestamp(milliseconds: $0) },
            now: Self.now
        )
    }

    @Test("A day is stated when it is over, in order, and not again while nothing has changed")
    func over() {
        let days = [100, 99, 98].map { ProducedDay(now: Self.day($0, 3, 3)) }
        #expect(self.due(days).map(\.day) == [98, 99])
        let long = Self.now.advanced(byMilliseconds: -2 * 3_600_000)
        #expect(
            self.due([ProducedDay(now: Self.day(98, 3, 3), stated: Self.day(98, 3, 3), statedTime: long)]).isEmpty
        )
    }

    @Test("A day that changed is stated again, an hour after the last time at the earliest")
    func again() {
        func changed(_ ago: Int64) -> [ProducedDay] {
            [
                ProducedDay(
                    now: Self.day(98, 4, 4),
                    stated: Self.day(98, 3, 3),
                    statedTime: Self.now.advanced(byMilliseconds: -ago)
                )
            ]
        }
        #expect(self.due(changed(3_599_999)).isEmpty)
        #expect(self.due(changed(3_600_000)) == [Self.day(98, 4, 4)])
    }

    @Test("What waits in quarantine is produced and not committed, on the day on which it came")
    func quarantine() {
        // 23:59:59.999 of day 98 and 00:00 of day 99, by +08:00.
        let midnight = 99 * Self.day - 8 * 3_600_000
        let due = self.due([ProducedDay(now: Self.day(99, 1, 1))], quarantined: [midnight - 1, midnight, midnight])
        #expect(due == [Self.day(98, 1, 0), Self.day(99, 3, 1)])
    }
}
