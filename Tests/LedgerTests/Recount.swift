import Ledger
import Primitives
import Records

/// The same figures by the longest way: lists that are read from end to end for every question, and no state.
///
/// Written from the rules as documented, not from the code that it checks.
struct Recount {
    struct Line {
        var id: FactID
        var by: InstitutionID
        var fact: RecognitionFact
        var block: Timestamp
    }

    struct Leaf {
        var id: FactID
        var by: InstitutionID
        var leaf: ExamLeaf
        var block: Timestamp
    }

    /// One thing to count.
    struct Count {
        var measure: Measure
        var by: InstitutionID
        var department: DepartmentKey?
        var item: RecognitionMatch.Item?
        var reason: String?
        var time: Timestamp
        var quantity: Int64
        var facts: Set<FactID>
    }

    private(set) var lines: [Line] = []
    private(set) var leaves: [Leaf] = []

    init(_ steps: [(step: StreamStep, block: Int64)]) {
        for (index, step) in steps.enumerated() {
            let id = FactID(height: Height(UInt64(index + 1)), transaction: 0, row: 0)
            let block = Timestamp(milliseconds: step.block)
            switch step.step {
            case .leaf(let leaf, let name):
                if !self.leaves.contains(where: { $0.leaf.record == leaf.record }) {
                    self.leaves.append(Leaf(id: id, by: institution(name), leaf: leaf, block: block))
                }
            case .fact(let fact, let name):
                let line = Line(id: id, by: institution(name), fact: fact, block: block)
                if self.isNew(line), self.isGood(line) { self.lines.append(line) }
            }
        }
    }

    // MARK: Which facts count

    private func isNew(_ line: Line) -> Bool {
        !self.lines.contains { old in
            guard old.by == line.by else { return false }
            if case .void(let mine, let why) = line.fact.content, case .void(let its, let because) = old.fact.content {
                return mine == its && why == because
            }
            return old.fact == line.fact
        }
    }

    private func matchLine(_ id: MatchID) -> (line: Line, match: RecognitionMatch)? {
        for line in self.lines {
            if case .match(let match) = line.fact.content, match.id == id { return (line, match) }
        }
        return nil
    }

    private func undoLine(_ id: MatchID, _ number: UInt8) -> Line? {
        self.lines.first {
            if case .undo(let of, let which) = $0.fact.content { return of == id && which == number }
            return false
        }
    }

    private func decisions(_ id: MatchID) -> [(line: Line, decision: RecognitionDecision)] {
        self.lines.compactMap {
            if case .decision(let decision) = $0.fact.content, decision.match == id { return ($0, decision) }
            return nil
        }
    }

    private func standing(_ id: MatchID) -> (line: Line, decision: RecognitionDecision)? {
        self.decisions(id).first { self.undoLine(id, $0.decision.number) == nil }
    }

    /// When the record became void, following its versions back to the first.
    private func voidTime(_ record: ContentAddress) -> Timestamp? {
        for line in self.lines {
            if case .void(let which, _) = line.fact.content, which == record { return line.block }
        }
        guard let leaf = self.leaves.first(where: { $0.leaf.record == record }), let old = leaf.leaf.supersedes,
            let earlier = self.leaves.first(where: { $0.leaf.record == old }), earlier.by == leaf.by,
            earlier.id < leaf.id,
            let inherited = self.lines(voiding: old, before: leaf.id), inherited
        else { return nil }
        return leaf.block
    }

    private func lines(voiding record: ContentAddress, before id: FactID) -> Bool? {
        for line in self.lines where line.id < id {
            if case .void(let which, _) = line.fact.content, which == record { return true }
        }
        guard let leaf = self.leaves.first(where: { $0.leaf.record == record }), let old = leaf.leaf.supersedes else {
            return false
        }
        return self.lines(voiding: old, before: leaf.id)
    }

    private func isUsable(_ record: ContentAddress, at time: Timestamp) -> Bool {
        guard let own = self.leaves.first(where: { $0.leaf.record == record }) else { return false }
        let replaced = self.leaves.contains {
            $0.leaf.supersedes == record && $0.by == own.by && $0.id > own.id && $0.block <= time
        }
        return !replaced && !(self.voidTime(record).map { $0 <= time } ?? false)
    }

    private func isGood(_ line: Line) -> Bool {
        guard line.fact.time.milliseconds <= line.block.milliseconds + 5000 else { return false }
        func own(_ id: MatchID) -> RecognitionMatch? {
            guard let (first, match) = self.matchLine(id), first.by == line.by, first.fact.time <= line.fact.time else {
                return nil
            }
            return match
        }
        switch line.fact.content {
        case .match(let match):
            let uses = Set(match.items.map { "\($0.code) \($0.candidate)" })
            return self.matchLine(match.id) == nil && uses.count == match.items.count
                && match.items.allSatisfy { item in
                    self.leaves.contains { $0.leaf.record == item.candidate && $0.by == item.source }
                        && self.isUsable(item.candidate, at: line.fact.time)
                }
        case .view(let id, let items):
            guard let match = own(id) else { return false }
            return items.allSatisfy { Int($0) < match.items.count }
        case .closed(let id):
            let isOpen = !self.lines.contains { if case .closed(id) = $0.fact.content { true } else { false } }
            return own(id) != nil && isOpen
        case .decision(let decision): return own(decision.match).map { self.isGood(decision, of: $0, line) } ?? false
        case .undo(let id, let number):
            guard own(id) != nil, self.undoLine(id, number) == nil,
                let made = self.decisions(id).first(where: { $0.decision.number == number })
            else { return false }
            let lag = line.fact.time.milliseconds - made.line.fact.time.milliseconds
            let isCited = self.lines.contains {
                if case .citation(let items) = $0.fact.content { items.contains { $0.match == id } } else { false }
            }
            return (0...30 * 60_000).contains(lag) && !isCited
        case .citation(let items):
            return items.allSatisfy { cited in
                guard let match = own(cited.match), let made = self.standing(cited.match) else { return false }
                return Int(cited.item) < match.items.count && made.decision.outcomes[Int(cited.item)].isAdopted
                    && made.line.fact.time <= line.fact.time
                    && self.isUsable(match.items[Int(cited.item)].candidate, at: line.fact.time)
            }
        case .void(let record, _):
            return self.leaves.contains { $0.leaf.record == record && $0.by == line.by }
                && self.lines(voiding: record, before: line.id) == false
        case .production(let day): return self.isGood(day, line)
        }
    }

    private func isGood(_ decision: RecognitionDecision, of match: RecognitionMatch, _ line: Line) -> Bool {
        let earlier = self.decisions(match.id)
        guard self.standing(match.id) == nil, Int(decision.number) == earlier.count,
            decision.outcomes.map({ Int($0.item) }) == Array(match.items.indices)
        else { return false }
        for old in earlier {
            guard let undone = self.undoLine(match.id, old.decision.number), undone.fact.time <= line.fact.time else {
                return false
            }
        }
        return match.items.allSatisfy { self.isUsable($0.candidate, at: line.fact.time) }
            && decision.outcomes.allSatisfy { $0.isAdopted || !["D06", "D99"].contains($0.reason) || $0.text != nil }
    }

    private func isGood(_ day: ProductionDay, _ line: Line) -> Bool {
        let mine = self.production(line.by)
        if let known = mine.first(where: { $0.day.day == day.day }), known.line.fact.time >= line.fact.time {
            return false
        }
        let others = mine.filter { $0.day.day != day.day }.reduce(0) { $0 + Int($1.day.committed) }
        return others + Int(day.committed) <= self.leaves.filter { $0.by == line.by }.count
    }

    /// The newest statement about each day.
    private func production(_ by: InstitutionID) -> [(line: Line, day: ProductionDay)] {
        let all = self.lines.compactMap { line -> (line: Line, day: ProductionDay)? in
            if case .production(let day) = line.fact.content, line.by == by { return (line, day) }
            return nil
        }
        return all.filter { one in
            !all.contains { $0.day.day == one.day.day && $0.line.fact.time > one.line.fact.time }
        }
    }

    // MARK: What they count for

    var counts: [Count] {
        var counts: [Count] = []
        for leaf in self.leaves where leaf.leaf.supersedes == nil {
            counts.append(Count(measure: .reported, by: leaf.by, time: leaf.block, quantity: 1, facts: [leaf.id]))
        }
        for name in Bench.members {
            for (line, day) in self.production(institution(name)) {
                let time = Timestamp(milliseconds: (Int64(day.day) * 24 - 8) * 3_600_000)
                for (measure, quantity) in [
                    (Measure.produced, Int64(day.produced)), (.committed, Int64(day.committed)),
                    (.lagSeconds, Int64(day.lagSeconds)), (.late, Int64(day.late)),
                ] {
                    counts.append(
                        Count(measure: measure, by: line.by, time: time, quantity: quantity, facts: [line.id])
                    )
                }
            }
        }
        for line in self.lines {
            guard case .match(let match) = line.fact.content else { continue }
            for (index, item) in match.items.enumerated() { counts += self.counts(of: item, index, match, line) }
        }
        return counts
    }

    private func counts(
        of item: RecognitionMatch.Item,
        _ index: Int,
        _ match: RecognitionMatch,
        _ reminder: Line
    ) -> [Count] {
        var counts: [Count] = []
        func add(_ measure: Measure, _ line: Line, _ others: [Line] = [], reason: String? = nil, quantity: Int64 = 1) {
            counts.append(
                Count(
                    measure: measure,
                    by: measure == .contributed ? item.source : reminder.by,
                    department: measure == .contributed ? nil : line.fact.department,
                    item: item,
                    reason: reason,
                    time: line.fact.time,
                    quantity: quantity,
                    facts: Set([line.id, reminder.id] + others.map(\.id))
                )
            )
        }
        add(.reminded, reminder)
        if item.eligibility == .mustRecognise || item.eligibility == .mayRecognise { add(.eligible, reminder) }
        let looks = self.lines.filter {
            if case .view(match.id, let items) = $0.fact.content { items.contains(UInt8(index)) } else { false }
        }.sorted { ($0.fact.time, $0.id) < ($1.fact.time, $1.id) }
        if let look = looks.first { add(.viewed, look) }
        for line in self.lines {
            guard case .closed(match.id) = line.fact.content else { continue }
            add(.closed, line)
            if !looks.contains(where: { $0.fact.time <= line.fact.time }) { add(.overlooked, line) }
        }
        for (line, decision) in self.decisions(match.id) {
            let outcome = decision.outcomes[index]
            if let undo = self.undoLine(match.id, decision.number) {
                add(.undone, undo, [line])
                continue
            }
            guard outcome.isAdopted else {
                let isApart = outcome.reason == "D98" || outcome.reason == "D99"
                add(isApart ? .refusedApart : .refused, line, reason: outcome.reason)
                continue
            }
            add(.adopted, line)
            add(.contributed, line)
            if let amount = outcome.amount { add(.saved, line, quantity: amount.value) } else { add(.unpriced, line) }
            let citations = self.lines.filter {
                guard case .citation(let items) = $0.fact.content else { return false }
                return items.contains(CitedItem(match: match.id, item: UInt8(index)))
            }.sorted { ($0.fact.time, $0.id) < ($1.fact.time, $1.id) }
            if let citation = citations.first { add(.cited, citation, [line]) }
        }
        return counts
    }
}
