import Primitives

/// Counting what evaluators serve.
extension PseudonymKeysCall {
    static func count(
        _ entries: [PseudonymServed],
        by evaluator: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        guard let key: PseudonymKeyState = try context.value(at: .pseudonymKey) else {
            throw TransactionRefusal(.pseudonymsNoKey)
        }
        guard key.index(of: evaluator) != nil else { throw TransactionRefusal(.pseudonymsNotHolder) }
        let requesters = entries.map(\.requester)
        guard (1...Self.servedMax).contains(entries.count),
            zip(requesters, requesters.dropFirst()).allSatisfy(<)
        else { throw TransactionRefusal(.pseudonymsBadReport) }
        let today = context.time.pseudonymDay
        for entry in entries {
            guard try context.exists(.institution(entry.requester)) else {
                throw TransactionRefusal(.pseudonymsBadReport)
            }
            guard entry.day == today || today > 0 && entry.day == today - 1 else {
                throw TransactionRefusal(.pseudonymsWrongDay)
            }
            var usage: PseudonymUsage = try context.value(at: .pseudonymUsage(entry.requester)) ?? PseudonymUsage()
            guard usage.raise(to: entry, by: evaluator) else { throw TransactionRefusal(.pseudonymsNotMore) }
            try context.write(usage, at: .pseudonymUsage(entry.requester))
        }
    }
}

extension PseudonymUsage {
    /// Counts what `evaluator` says; `false` if it has said as much before, or the day is full or forgotten.
    fileprivate mutating func raise(to entry: PseudonymServed, by evaluator: InstitutionID) -> Bool {
        var day = self.days.first { $0.day == entry.day } ?? Day(day: entry.day, counts: [])
        if let position = day.counts.firstIndex(where: { $0.evaluator == evaluator }) {
            guard day.counts[position].total < entry.total else { return false }
            day.counts[position].total = entry.total
        } else {
            guard entry.total > 0, day.counts.count < Self.evaluatorsMax else { return false }
            day.counts.append(Count(evaluator: evaluator, total: entry.total))
        }
        let others = self.days.filter { $0.day != entry.day }
        self.days = Array((others + [day]).sorted { $0.day < $1.day }.suffix(Self.daysMax))
        return self.days.contains { $0.day == entry.day }
    }
}
