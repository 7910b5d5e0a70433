import Ledger
package import LedgerStore
import Logging
package import Primitives
package import Records

/// States, day by day, how many reports this institution's systems released, how many of them it committed, and how
/// soon: from what it imported and what became final.
///
/// A day is stated when it is over, and again when its numbers have changed. What waits in quarantine counts as produced
/// on the day on which it came, since nobody could read when it was released.
package struct ProductionReporter: Sendable {
    private static let look: Duration = .seconds(10)
    /// A day is stated again after this time at the earliest: an import of years touches each day many times.
    private static let restatingMilliseconds: Int64 = 3_600_000
    /// Statements made in one look.
    private static let statedMax = 1024

    private let context: AgentContext
    private let desk: FactDesk

    package init(context: AgentContext, desk: FactDesk) {
        self.context = context
        self.desk = desk
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                try await self.stateDue()
            } catch {
                self.context.logger.error("production waits to be stated", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.look)
        }
    }

    private func stateDue() async throws {
        // Half an import is no day.
        guard try self.context.custody.openBatches(.exams).isEmpty else { return }
        for day in Self.due(
            try self.context.custody.production(),
            quarantined: try self.context.custody.quarantineTimes(),
            now: Clock.now
        ).prefix(Self.statedMax) {
            guard !Task.isCancelled else { return }
            guard try await self.desk.state(day) else {
                self.context.logger.warning("a day of production is not stated: the chain holds fewer exams")
                return
            }
        }
    }

    /// The days that are over and of which what was last stated is not so, the oldest first.
    package static func due(
        _ days: [ProducedDay],
        quarantined: [Timestamp],
        now: Timestamp
    ) -> [ProductionDay] {
        let calendar = StatisticsCalendar.china
        let today = calendar.day(of: now)
        var waiting: [Int32: UInt32] = [:]
        for time in quarantined { waiting[Int32(clamping: calendar.day(of: time)), default: 0] += 1 }
        var known = Dictionary(uniqueKeysWithValues: days.map { ($0.now.day, $0) })
        for day in waiting.keys where known[day] == nil {
            let empty = ProductionDay(day: day, produced: 0, committed: 0, lagSeconds: 0, late: 0)
            known[day] = ProducedDay(now: empty)
        }
        return known.values.sorted { $0.now.day < $1.now.day }.compactMap { day in
            guard Int64(day.now.day) < today else { return nil }
            var current = day.now
            let (produced, overflow) = current.produced.addingReportingOverflow(waiting[current.day] ?? 0)
            current.produced = overflow ? .max : produced
            guard current.isWellFormed, current != day.stated else { return nil }
            if let stated = day.statedTime, now < stated.advanced(byMilliseconds: Self.restatingMilliseconds) {
                return nil
            }
            return current
        }
    }
}

extension ExamRelease {
    /// The release of a version of an exam: when its report was issued, or the exam took place.
    package init?(of exam: Exam) {
        guard let time = exam.issued?.earliest ?? exam.time?.earliest,
            let day = Int32(exactly: StatisticsCalendar.china.day(of: time))
        else { return nil }
        self.init(time: time, day: day)
    }
}
