package import Primitives
package import Records

/// All facts that count, as the chain's order and the manifests make them: the same for everyone who holds these.
///
/// Rules, each with a code: a reminder is made once; a group is decided on as a whole, in one act, and the act never
/// changes; what is taken back stays and is compensated; a newer version or a void record blocks new decisions and
/// citations from the time of its block on and leaves earlier ones alone. Times are the institution's own, at most as
/// late as the block, so facts that an agent recorded while it was cut off count for the time at which they happened,
/// and it makes no difference in which order the facts of different matches arrive.
package struct RecognitionBook: Sendable {
    /// How far the clock of an institution may be ahead of a block: as far as a block may be ahead of other clocks.
    package static let futureToleranceMilliseconds: Int64 = 5000
    /// For so long after a new pack took effect an agent that was cut off may still have used the one before.
    package static let policyGraceMilliseconds: Int64 = 24 * 3_600_000

    package private(set) var matches: [MatchID: MatchState] = [:]
    package private(set) var candidates: [ContentAddress: CandidateState] = [:]
    package private(set) var exams: [CommittedExam] = []
    /// The newest statement of each institution about each day.
    package private(set) var production: [InstitutionID: [Int32: PlacedFact]] = [:]
    /// The records that are void, and since when.
    package private(set) var voided: [ContentAddress: Timestamp] = [:]
    /// What institutions stated that they committed, over all days.
    private var stated: [InstitutionID: UInt64] = [:]
    private var committed: [InstitutionID: UInt64] = [:]
    /// The chain's packs, at least those adopted up to the block that is taken next.
    ///
    /// A fact is judged by what was adopted up to its own block, so a list that goes on serves as well.
    package var policies: PolicyTimeline

    /// A book without facts, for a chain with these policy packs.
    package init(policies: PolicyTimeline) { self.policies = policies }

    /// A book of these matches and records and of what `institution` stated, and of nothing else: small enough to try
    /// out in it what would become of a fact about them.
    package func excerpt(
        matches: Set<MatchID>,
        records: Set<ContentAddress>,
        of institution: InstitutionID
    ) -> RecognitionBook {
        var excerpt = RecognitionBook(policies: self.policies)
        var records = records
        for id in matches {
            guard let state = self.matches[id] else { continue }
            excerpt.matches[id] = state
            records.formUnion(state.match.items.map(\.candidate))
        }
        for record in records { excerpt.candidates[record] = self.candidates[record] }
        excerpt.production[institution] = self.production[institution]
        excerpt.stated[institution] = self.stated[institution]
        excerpt.committed[institution] = self.committed[institution]
        return excerpt
    }

    /// Takes a batch of exams that the chain committed in a block of time `time`.
    package mutating func commit(
        _ leaves: [ExamLeaf],
        by institution: InstitutionID,
        at height: Height,
        transaction: UInt32,
        time: Timestamp
    ) {
        for (row, leaf) in leaves.enumerated() where self.candidates[leaf.record] == nil {
            let id = FactID(height: height, transaction: transaction, row: UInt32(row))
            var state = CandidateState(
                institution: institution,
                committed: id,
                committedTime: time,
                isNewVersion: leaf.supersedes != nil
            )
            // Only its own institution can replace a record.
            if let old = leaf.supersedes, self.candidates[old]?.institution == institution {
                if self.candidates[old]?.replacedTime == nil { self.candidates[old]?.replacedTime = time }
                if let voidReason = self.candidates[old]?.voidReason {
                    state.voidReason = voidReason
                    state.voidTime = time
                    self.voided[leaf.record] = time
                }
            }
            self.candidates[leaf.record] = state
            self.committed[institution, default: 0] += 1
            let exam = CommittedExam(id: id, institution: institution, time: time, isFirstVersion: !state.isNewVersion)
            self.exams.append(exam)
        }
    }

    /// Takes a batch of facts that the chain anchored in a block of time `time`; what became of each.
    package mutating func record(
        _ facts: [RecognitionFact],
        by institution: InstitutionID,
        at height: Height,
        transaction: UInt32,
        time: Timestamp
    ) -> [FactOutcome] {
        facts.enumerated().map { row, fact in
            let id = FactID(height: height, transaction: transaction, row: UInt32(row))
            do throws(RecognitionCode) {
                let placed = PlacedFact(id: id, fact: fact)
                return try self.record(placed, by: institution, time: time) ? .accepted : .repeated
            } catch {
                return .refused(error)
            }
        }
    }

    /// Takes one fact; `false` if it was taken before.
    private mutating func record(
        _ placed: PlacedFact,
        by institution: InstitutionID,
        time: Timestamp
    ) throws(RecognitionCode) -> Bool {
        guard placed.fact.time <= time.advanced(byMilliseconds: Self.futureToleranceMilliseconds) else {
            throw .future
        }
        switch placed.fact.content {
        case .match(let match): return try self.remind(match, placed, by: institution)
        case .view(let id, let items): return try self.view(items, of: id, placed, by: institution)
        case .closed(let id): return try self.close(id, placed, by: institution)
        case .decision(let decision): return try self.decide(decision, placed, by: institution)
        case .undo(let id, let number): return try self.undo(number, of: id, placed, by: institution)
        case .citation(let items): return try self.cite(items, placed, by: institution)
        case .void(let record, let reason): return try self.void(record, reason, by: institution, time: time)
        case .production(let day): return try self.produce(day, placed, by: institution)
        }
    }

    private mutating func remind(
        _ match: RecognitionMatch,
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> Bool {
        if let known = self.matches[match.id] {
            guard known.institution == institution, known.placed.fact == placed.fact else { throw .matchConflict }
            return false
        }
        guard !match.items.isEmpty, match.items.count <= RecognitionMatch.itemsMax else { throw .malformed }
        var seen: Set<CandidateUse> = []
        for item in match.items {
            guard seen.insert(CandidateUse(code: item.code, candidate: item.candidate)).inserted else {
                throw .duplicateItem
            }
            guard let candidate = self.candidates[item.candidate], candidate.institution == item.source else {
                throw .unknownCandidate
            }
            if let obstacle = candidate.obstacle(at: placed.fact.time) { throw obstacle }
        }
        let pack = try self.pack(match.policy, at: placed.fact.time, knownAt: placed.id.height)
        self.matches[match.id] = MatchState(
            institution: institution,
            placed: placed,
            match: match,
            undoMinutes: pack.proposal.undoMinutes
        )
        return true
    }

    /// The pack with this digest, if it was the rules at `time` or had been so until shortly before.
    private func pack(
        _ digest: Digest,
        at time: Timestamp,
        knownAt height: Height
    ) throws(RecognitionCode) -> PolicyState {
        // Not what was adopted after the fact's block: every book must say the same, however far it has read.
        guard let current = self.policies.pack(asOf: time, knownAt: height) else { throw .policyNotInForce }
        if current.proposal.pack == digest { return current }
        let before = current.effective.advanced(byMilliseconds: -1)
        guard time < current.effective.advanced(byMilliseconds: Self.policyGraceMilliseconds),
            let old = self.policies.pack(asOf: before, knownAt: height), old.proposal.pack == digest
        else { throw .policyNotInForce }
        return old
    }

    /// The match of this institution that a fact is about.
    private func match(
        _ id: MatchID,
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> MatchState {
        guard let state = self.matches[id] else { throw .unknownMatch }
        guard state.institution == institution else { throw .wrongInstitution }
        guard state.placed.fact.time <= placed.fact.time else { throw .beforeMatch }
        return state
    }

    private mutating func view(
        _ items: [UInt8],
        of id: MatchID,
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> Bool {
        let state = try self.match(id, placed, by: institution)
        guard !items.isEmpty, zip(items, items.dropFirst()).allSatisfy(<),
            items.allSatisfy({ Int($0) < state.match.items.count })
        else { throw .malformed }
        guard !state.views.contains(where: { $0.fact == placed.fact }) else { return false }
        self.matches[id]?.views.append(placed)
        return true
    }

    private mutating func close(
        _ id: MatchID,
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> Bool {
        let state = try self.match(id, placed, by: institution)
        if let closed = state.closed {
            guard closed.fact == placed.fact else { throw .closedConflict }
            return false
        }
        self.matches[id]?.closed = placed
        return true
    }

    private mutating func decide(
        _ decision: RecognitionDecision,
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> Bool {
        let state = try self.match(decision.match, placed, by: institution)
        if Int(decision.number) < state.decisions.count {
            guard state.decisions[Int(decision.number)].placed.fact == placed.fact else { throw .decisionConflict }
            return false
        }
        guard state.standing == nil, Int(decision.number) == state.decisions.count else { throw .decisionConflict }
        if let undone = state.decisions.last?.undo, placed.fact.time < undone.fact.time { throw .beforeDecision }
        let items = decision.outcomes.map(\.item)
        guard zip(items, items.dropFirst()).allSatisfy(<), items.allSatisfy({ Int($0) < state.match.items.count })
        else { throw .malformed }
        guard items.count == state.match.items.count else { throw .partialGroup }
        for outcome in decision.outcomes { try Self.check(outcome) }
        for item in state.match.items {
            if let obstacle = self.candidates[item.candidate]?.obstacle(at: placed.fact.time) { throw obstacle }
        }
        self.matches[decision.match]?.decisions.append(DecisionState(placed: placed, decision: decision))
        return true
    }

    private static func check(_ outcome: RecognitionDecision.Outcome) throws(RecognitionCode) {
        if outcome.isAdopted {
            guard outcome.reason == nil, outcome.text == nil else { throw .reasonWithAdoption }
            guard outcome.amount?.isWithinBounds ?? true else { throw .badAmount }
            return
        }
        guard let reason = outcome.reason else { throw .reasonMissing }
        guard let known = RefusalReason(name: reason) else { throw .badReason }
        guard outcome.text != nil || !known.needsText else { throw .textMissing }
        guard outcome.amount == nil else { throw .badAmount }
    }

    private mutating func undo(
        _ number: UInt8,
        of id: MatchID,
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> Bool {
        let state = try self.match(id, placed, by: institution)
        guard Int(number) < state.decisions.count else { throw .notDecided }
        let decided = state.decisions[Int(number)]
        if let undo = decided.undo {
            guard undo.fact == placed.fact else { throw .undoConflict }
            return false
        }
        guard decided.placed.fact.time <= placed.fact.time else { throw .beforeDecision }
        let limit = decided.placed.fact.time.advanced(byMilliseconds: Int64(state.undoMinutes) * 60_000)
        guard placed.fact.time <= limit else { throw .undoLate }
        guard state.citations.isEmpty else { throw .undoCited }
        self.matches[id]?.decisions[Int(number)].undo = placed
        return true
    }

    private mutating func cite(
        _ items: [CitedItem],
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> Bool {
        guard !items.isEmpty, zip(items, items.dropFirst()).allSatisfy(<) else { throw .malformed }
        var isNew = false
        for cited in items {
            let state = try self.match(cited.match, placed, by: institution)
            guard Int(cited.item) < state.match.items.count else { throw .malformed }
            if state.citations[cited.item]?.contains(where: { $0.fact == placed.fact }) == true { continue }
            guard let standing = state.standing, standing.decision.outcomes[Int(cited.item)].isAdopted else {
                throw .notDecided
            }
            guard standing.placed.fact.time <= placed.fact.time else { throw .beforeDecision }
            let candidate = self.candidates[state.match.items[Int(cited.item)].candidate]
            if let obstacle = candidate?.obstacle(at: placed.fact.time) { throw obstacle }
            isNew = true
        }
        // Nothing was written before the last item was found good: all or none.
        guard isNew else { return false }
        for cited in items { self.matches[cited.match]?.citations[cited.item, default: []].append(placed) }
        return true
    }

    private mutating func void(
        _ record: ContentAddress,
        _ reason: VoidReason,
        by institution: InstitutionID,
        time: Timestamp
    ) throws(RecognitionCode) -> Bool {
        guard let candidate = self.candidates[record], candidate.institution == institution else { throw .notSource }
        if let known = candidate.voidReason {
            guard known == reason else { throw .voidConflict }
            return false
        }
        self.candidates[record]?.voidReason = reason
        self.candidates[record]?.voidTime = time
        self.voided[record] = time
        return true
    }

    private mutating func produce(
        _ day: ProductionDay,
        _ placed: PlacedFact,
        by institution: InstitutionID
    ) throws(RecognitionCode) -> Bool {
        guard day.isWellFormed else { throw .badProduction }
        let known = self.production[institution]?[day.day]
        if let known {
            // Of two statements the one that the institution made later counts, whichever arrives first.
            guard known.fact != placed.fact, known.fact.time <= placed.fact.time else { return false }
            guard known.fact.time != placed.fact.time else { throw .badProduction }
        }
        var before: UInt64 = 0
        if case .production(let old) = known?.fact.content { before = UInt64(old.committed) }
        // A statement may be corrected, never to more than the chain has seen.
        let total = self.stated[institution, default: 0] - before + UInt64(day.committed)
        guard total <= self.committed[institution, default: 0] else { throw .badProduction }
        self.stated[institution] = total
        self.production[institution, default: [:]][day.day] = placed
        return true
    }
}

/// An item with a result that could be used for it.
private struct CandidateUse: Hashable {
    var code: String
    var candidate: ContentAddress
}
