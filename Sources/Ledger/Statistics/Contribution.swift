package import Primitives
package import Records

/// What is counted or summed.
///
/// Every figure is made of these, and each knows the facts that made it.
package enum Measure: String, CaseIterable, Hashable, Sendable {
    /// Items of reminders.
    case reminded
    /// Items of which the rules say that they must or may be recognised.
    case eligible
    case viewed
    /// Items of reminders that were put away.
    case closed
    /// Of those the items that nobody had opened before.
    case overlooked
    case adopted
    /// Refusals that count as such.
    case refused
    /// Refusals because no image could be had or the patient is monitored.
    case refusedApart = "refused-apart"
    /// Decisions over items that were taken back.
    case undone
    case cited
    /// Items adopted elsewhere, for the institution whose results they were.
    case contributed
    /// Fen.
    case saved
    /// Adopted items for which no price is set: they save nothing in ``saved``.
    case unpriced
    /// First versions of reports that the institution committed.
    case reported
    /// As the institution states for its days.
    case produced
    case committed
    case lagSeconds = "lag-seconds"
    /// Committed more than 72 h after their release.
    case late
}

/// One unit of one measure, where and when it counts, and the facts that made it.
package struct Contribution: Hashable, Sendable {
    package var measure: Measure
    package var institution: InstitutionID
    package var department: DepartmentKey?
    package var item: String?
    package var itemClass: ItemClass?
    package var reason: String?
    /// When it happened, not when it became known: what arrives late changes the past.
    package var time: Timestamp
    package var quantity: Int64
    /// Ascending, each once.
    package var facts: [FactID]
}

extension RecognitionBook {
    /// Everything that can be counted, in the order of the facts; days of production begin as `calendar` says.
    package func contributions(_ calendar: StatisticsCalendar) -> [Contribution] {
        var all: [Contribution] = []
        for state in self.matches.values.sorted(by: { $0.placed.id < $1.placed.id }) {
            for index in state.match.items.indices { state.contribute(UInt8(index), to: &all) }
        }
        for exam in self.exams where exam.isFirstVersion {
            all.append(
                Contribution(
                    measure: .reported,
                    institution: exam.institution,
                    time: exam.time,
                    quantity: 1,
                    facts: [exam.id]
                )
            )
        }
        for institution in self.production.keys.sorted() {
            let days = (self.production[institution] ?? [:]).values.sorted { $0.id < $1.id }
            for placed in days {
                guard case .production(let day) = placed.fact.content else { continue }
                let quantities: [(Measure, Int64)] = [
                    (.produced, Int64(day.produced)), (.committed, Int64(day.committed)),
                    (.lagSeconds, Int64(clamping: day.lagSeconds)), (.late, Int64(day.late)),
                ]
                for (measure, quantity) in quantities {
                    all.append(
                        Contribution(
                            measure: measure,
                            institution: institution,
                            time: calendar.start(ofDay: Int64(day.day)),
                            quantity: quantity,
                            facts: [placed.id]
                        )
                    )
                }
            }
        }
        return all
    }
}

extension MatchState {
    /// Appends what one item of the match counts for.
    fileprivate func contribute(_ index: UInt8, to all: inout [Contribution]) {
        let item = self.match.items[Int(index)]
        func add(_ measure: Measure, _ facts: [PlacedFact], quantity: Int64 = 1, reason: String? = nil) {
            guard let last = facts.last else { return }
            all.append(
                Contribution(
                    measure: measure,
                    institution: measure == .contributed ? item.source : self.institution,
                    // A department of another institution means nothing to the source.
                    department: measure == .contributed ? nil : last.fact.department,
                    item: item.code,
                    itemClass: item.itemClass,
                    reason: reason,
                    time: last.fact.time,
                    quantity: quantity,
                    facts: facts.map(\.id).sorted()
                )
            )
        }
        add(.reminded, [self.placed])
        if item.eligibility.isEligible { add(.eligible, [self.placed]) }
        let views = self.views.filter { view in
            guard case .view(_, let items) = view.fact.content else { return false }
            return items.contains(index)
        }
        // The earliest by the clock, so that the order of arrival changes nothing.
        let view = views.min { ($0.fact.time, $0.id) < ($1.fact.time, $1.id) }
        if let view { add(.viewed, [self.placed, view]) }
        if let closed {
            add(.closed, [self.placed, closed])
            if view.map({ $0.fact.time > closed.fact.time }) ?? true { add(.overlooked, [self.placed, closed]) }
        }
        for decided in self.decisions {
            let outcome = decided.decision.outcomes[Int(index)]
            if let undo = decided.undo {
                add(.undone, [self.placed, decided.placed, undo])
            } else if outcome.isAdopted {
                add(.adopted, [self.placed, decided.placed])
                add(.contributed, [self.placed, decided.placed])
                if let amount = outcome.amount {
                    add(.saved, [self.placed, decided.placed], quantity: amount.value)
                } else {
                    add(.unpriced, [self.placed, decided.placed])
                }
            } else if let reason = outcome.reason {
                let measure: Measure = RefusalReason(name: reason)?.isUncounted ?? false ? .refusedApart : .refused
                add(measure, [self.placed, decided.placed], reason: reason)
            }
        }
        let citations = self.citations[index] ?? []
        if let decided = self.standing,
            let citation = citations.min(by: { ($0.fact.time, $0.id) < ($1.fact.time, $1.id) })
        {
            add(.cited, [self.placed, decided.placed, citation])
        }
    }
}
