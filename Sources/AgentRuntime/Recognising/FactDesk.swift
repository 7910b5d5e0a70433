package import Ledger
package import LedgerStore
package import Primitives
package import Records

/// Makes this institution's facts of recognition: each is tried out in the book, durable before its maker is answered,
/// and committed to the chain soon after.
///
/// Nothing here needs the network: what happens while the agent is cut off waits in the store, in the order in which it
/// happened. One fact is made at a time, so that what was tried out is still so when it is stored.
package struct FactDesk: Sendable {
    /// A match as this institution sees it, with what waits to be committed.
    package struct Seen: Sendable {
        package var state: MatchState
        /// Own facts about it, the reminder first, in the order in which they were made.
        package var facts: [StoredFact]
        /// Whether the call that is answered changed nothing.
        package var isRepeated = false
    }

    /// What a doctor is to be reminded of, as the rules have judged it.
    package struct Reminder: Sendable {
        package var verdict: Digest
        package var policy: Digest
        package var items: [RecognitionMatch.Item]

        package init(verdict: Digest, policy: Digest, items: [RecognitionMatch.Item]) {
            self.verdict = verdict
            self.policy = policy
            self.items = items
        }
    }

    /// What is decided about one item.
    package struct Choice: Hashable, Sendable {
        package var item: UInt8
        /// `nil` adopts.
        package var reason: String?

        package init(item: UInt8, reason: String?) {
            self.item = item
            self.reason = reason
        }
    }

    /// Matches that an opening is a look at; more never offer one record in practice.
    private static let viewedMatchesMax = 64

    package let maker: FactMaker
    private let context: AgentContext
    private let book: FactBook
    private let gate = AsyncGate()
    private let made: @Sendable () -> Void

    /// `made`: called when a fact waits to be committed.
    package init(context: AgentContext, book: FactBook, made: @escaping @Sendable () -> Void) {
        self.context = context
        self.book = book
        self.maker = FactMaker(context: context)
        self.made = made
    }

    // MARK: Reminders

    /// Reminds a doctor: makes the match of `key`, or returns it if it was made by the same question.
    ///
    /// `key` names the occasion: the visit and the order. `question` is what was asked, so that the same key with another
    /// question is refused. `reminder` judges the order, and is asked only when the match is new.
    package func remind(
        key: [UInt8],
        question: [UInt8],
        at time: Timestamp,
        by author: FactAuthor,
        _ reminder: () async throws -> Reminder
    ) async throws -> Seen {
        try await self.gate.through {
            let id = self.maker.match(key: key)
            let name = self.maker.name("match", id.canonicalBytes)
            let request = self.maker.request("match", question)
            if let known = try self.context.custody.fact(name: name) {
                guard known.request == request else { throw AgentFailure(rule: .matchConflict) }
                return try await self.seen(id, isRepeated: true)
            }
            let judged = try await reminder()
            let match = RecognitionMatch(id: id, verdict: judged.verdict, policy: judged.policy, items: judged.items)
            let fact = self.maker.make(name: name, request: request, at: time, by: author) { _ in .match(match) }
            let excerpt = try await self.book.excerpt(matches: [id], records: Set(match.items.map(\.candidate)))
            try self.store(fact, in: excerpt)
            return try await self.seen(id)
        }
    }

    /// The looks that an opening of `record` is, at matches that offer it and whose item nobody has opened.
    package func views(of record: ContentAddress, by credential: ClinicianCredential) async throws -> [NewFact] {
        let offering = try self.context.custody.matches(record: record, limit: Self.viewedMatchesMax)
        guard !offering.isEmpty else { return [] }
        let now = Clock.now
        var views: [NewFact] = []
        for stored in offering {
            guard let match = stored.entry.fact.match, stored.entry.fact.time <= now else { continue }
            let excerpt = try await self.book.excerpt(matches: [match.id])
            guard let state = excerpt.matches[match.id], state.institution == self.context.institution else { continue }
            var seen: Set<UInt8> = []
            for view in state.views {
                if case .view(_, let items) = view.fact.content { seen.formUnion(items) }
            }
            let items = match.items.indices.map { UInt8($0) }
                .filter { match.items[Int($0)].candidate == record && !seen.contains($0) }
            guard !items.isEmpty else { continue }
            let visit = try self.maker.detail(stored.entry).visitNumber
            views.append(
                self.maker.make(
                    name: self.maker.name("view", match.id.canonicalBytes, items),
                    request: self.maker.request("view", match.id.canonicalBytes, items),
                    at: now,
                    by: FactAuthor(credential, visit: visit, branch: stored.entry.fact.branch)
                ) { _ in .view(match.id, items: items) }
            )
        }
        return views
    }

    /// Called when facts were stored together with something else.
    package func stored() { self.made() }

    // MARK: Decisions

    /// Decides about every item of a match, in one act; the same decision again changes nothing.
    ///
    /// `at`: when it happened, of a decision that was queued; otherwise now.
    package func decide(
        _ id: MatchID,
        _ choices: [Choice],
        text: String?,
        isExplained: Bool,
        at time: Timestamp?,
        by credential: ClinicianCredential
    ) async throws -> Seen {
        try await self.gate.through {
            let excerpt = try await self.book.excerpt(matches: [id])
            let state = try self.own(id, in: excerpt)
            let author = try self.author(credential, of: id)
            let choices = choices.sorted { $0.item < $1.item }
            var asked = CanonicalEncoder()
            asked.encode(length: choices.count)
            for choice in choices {
                asked.encode(choice.item)
                asked.encode(choice.reason)
            }
            asked.encode(text)
            asked.encode(isExplained)
            asked.encode(credential.clinician)
            asked.encode(UInt64(bitPattern: time?.milliseconds ?? 0))
            let request = self.maker.request("decision", asked.bytes)
            if let standing = state.standing {
                let name = self.decisionName(id, standing.decision.number)
                guard try self.context.custody.fact(name: name)?.request == request else {
                    throw AgentFailure(rule: .decisionConflict)
                }
                return try await self.seen(id, isRepeated: true)
            }
            let number = UInt8(clamping: state.decisions.count)
            let happened = time ?? Clock.now
            let prices = try self.context.custody.prices()
            let fact = self.maker.make(
                name: self.decisionName(id, number),
                request: request,
                at: happened,
                by: author,
                isExplained: isExplained,
                text: text
            ) { salt in
                let outcomes = choices.map { choice in
                    guard let reason = choice.reason else {
                        let item =
                            state.match.items.indices.contains(Int(choice.item))
                            ? state.match.items[Int(choice.item)].code : ""
                        return RecognitionDecision.Outcome.adopted(
                            choice.item,
                            amount: prices.amount(of: item, branch: author.branch, at: happened)
                        )
                    }
                    let words = text.map { RecognitionDetail.textCommitment($0, salt: salt) }
                    return .refused(choice.item, reason, text: words)
                }
                return .decision(RecognitionDecision(match: id, number: number, outcomes: outcomes))
            }
            // Words without a refusal are words with an adoption.
            guard text == nil || choices.contains(where: { $0.reason != nil }) else {
                throw AgentFailure(rule: .reasonWithAdoption)
            }
            try self.store(fact, in: excerpt)
            return try await self.seen(id)
        }
    }

    /// Takes the standing decision back; said again, it changes nothing.
    package func undo(
        _ id: MatchID,
        at time: Timestamp?,
        by credential: ClinicianCredential
    ) async throws -> Seen {
        try await self.gate.through {
            let excerpt = try await self.book.excerpt(matches: [id])
            let state = try self.own(id, in: excerpt)
            guard let last = state.decisions.last else { throw AgentFailure(rule: .notDecided) }
            guard last.undo == nil else { return try await self.seen(id, isRepeated: true) }
            let number = last.decision.number
            let fact = self.maker.make(
                name: self.maker.name("undo", id.canonicalBytes, [number]),
                request: self.maker.request("undo", id.canonicalBytes, [number]),
                at: time ?? Clock.now,
                by: try self.author(credential, of: id)
            ) { _ in .undo(id, decision: number) }
            try self.store(fact, in: excerpt)
            return try await self.seen(id)
        }
    }

    /// Notes that adopted results were written into the patient's record; all adopted ones if `items` is empty.
    package func cite(
        _ id: MatchID,
        items: [UInt8],
        at time: Timestamp?,
        by credential: ClinicianCredential
    ) async throws -> Seen {
        try await self.gate.through {
            let excerpt = try await self.book.excerpt(matches: [id])
            let state = try self.own(id, in: excerpt)
            let adopted = state.standing?.decision.outcomes.filter(\.isAdopted).map(\.item) ?? []
            let cited = items.isEmpty ? adopted : items.sorted()
            guard !cited.isEmpty else { throw AgentFailure(rule: .notDecided) }
            if cited.allSatisfy({ state.citations[$0]?.isEmpty == false }) {
                return try await self.seen(id, isRepeated: true)
            }
            let fact = self.maker.make(
                name: self.maker.name("citation", id.canonicalBytes, cited),
                request: self.maker.request("citation", id.canonicalBytes, cited),
                at: time ?? Clock.now,
                by: try self.author(credential, of: id)
            ) { _ in .citation(cited.map { CitedItem(match: id, item: $0) }) }
            try self.store(fact, in: excerpt)
            return try await self.seen(id)
        }
    }

    /// Puts a reminder away; said again, it changes nothing.
    package func close(
        _ id: MatchID,
        at time: Timestamp?,
        by credential: ClinicianCredential
    ) async throws -> Seen {
        try await self.gate.through {
            let excerpt = try await self.book.excerpt(matches: [id])
            guard try self.own(id, in: excerpt).closed == nil else { return try await self.seen(id, isRepeated: true) }
            let fact = self.maker.make(
                name: self.maker.name("closed", id.canonicalBytes),
                request: self.maker.request("closed", id.canonicalBytes),
                at: time ?? Clock.now,
                by: try self.author(credential, of: id)
            ) { _ in .closed(id) }
            try self.store(fact, in: excerpt)
            return try await self.seen(id)
        }
    }

    /// Declares an own record void; said again with the same reason, it changes nothing.
    package func void(_ record: ContentAddress, _ reason: VoidReason, by author: FactAuthor) async throws {
        try await self.gate.through {
            let excerpt = try await self.book.excerpt(matches: [], records: [record])
            let fact = self.maker.make(
                name: self.maker.name("void", record.canonicalBytes),
                request: self.maker.request("void", [reason.rawValue]),
                at: Clock.now,
                by: author
            ) { _ in .void(record, reason) }
            try self.store(fact, in: excerpt)
        }
    }

    /// States what came of a day; `false` if the book would not have it.
    package func state(_ day: ProductionDay) async throws -> Bool {
        try await self.gate.through {
            var excerpt = try await self.book.excerpt(matches: [])
            let now = Clock.now
            let stated = "\(day.day)/\(now.milliseconds)"
            let fact = self.maker.make(
                name: self.maker.name("production", Array(stated.utf8)),
                request: self.maker.request("production", day.canonicalBytes),
                at: now,
                by: .none
            ) { _ in .production(day) }
            guard self.outcome(of: fact, in: &excerpt) == .accepted else { return false }
            try self.context.custody.state(day, fact)
            self.made()
            return true
        }
    }

    // MARK: Looking

    /// A match of this institution.
    package func match(_ id: MatchID) async throws -> Seen { try await self.seen(id) }

    /// The matches of this institution, the newest first.
    package func matches(limit: Int) async throws -> [Seen] {
        var all: [Seen] = []
        for stored in try self.context.custody.matches(limit: limit) {
            guard let match = stored.entry.fact.match else { continue }
            // One that the book refused counts for nobody; its own list of facts says why.
            guard let seen = try? await self.seen(match.id) else { continue }
            all.append(seen)
        }
        return all
    }

    /// Why a fact that is on the chain counts for nobody.
    package func refusal(of fact: StoredFact) async -> RecognitionCode? {
        guard let place = fact.place else { return nil }
        return await self.book.refusal(of: place)
    }

    private func seen(_ id: MatchID, isRepeated: Bool = false) async throws -> Seen {
        let excerpt = try await self.book.excerpt(matches: [id])
        let facts = try self.context.custody.facts(match: id)
        if excerpt.matches[id] == nil, let first = facts.first, let rule = await self.refusal(of: first) {
            throw AgentFailure(rule: rule)
        }
        return Seen(
            state: try self.own(id, in: excerpt),
            facts: facts,
            isRepeated: isRepeated
        )
    }

    private func own(_ id: MatchID, in book: RecognitionBook) throws -> MatchState {
        guard let state = book.matches[id] else { throw AgentFailure(rule: .unknownMatch) }
        guard state.institution == self.context.institution else { throw AgentFailure(rule: .wrongInstitution) }
        return state
    }

    /// The clinician, for the visit and at the campus of the match.
    private func author(_ credential: ClinicianCredential, of id: MatchID) throws -> FactAuthor {
        guard let reminder = try self.context.custody.facts(match: id).first else {
            throw AgentFailure(rule: .unknownMatch)
        }
        let visit = try self.maker.detail(reminder.entry).visitNumber
        return FactAuthor(credential, visit: visit, branch: reminder.entry.fact.branch)
    }

    private func decisionName(_ id: MatchID, _ number: UInt8) -> Digest {
        self.maker.name("decision", id.canonicalBytes, [number])
    }

    // MARK: Storing

    private func outcome(of fact: NewFact, in excerpt: inout RecognitionBook) -> FactOutcome {
        let outcomes = excerpt.record(
            [fact.entry.fact],
            by: self.context.institution,
            at: self.context.board.tip.height.next,
            transaction: 0,
            time: Clock.now
        )
        return outcomes.first ?? .refused(.malformed)
    }

    /// Makes a fact durable that counts by what the chain says now; otherwise it is refused here.
    private func store(_ fact: NewFact, in excerpt: RecognitionBook) throws {
        var excerpt = excerpt
        switch self.outcome(of: fact, in: &excerpt) {
        case .refused(let code): throw AgentFailure(rule: code)
        case .repeated: return
        case .accepted:
            do throws(LedgerStoreError) {
                _ = try self.context.custody.append(fact)
            } catch {
                guard error.code == .conflict else { throw error }
                throw AgentFailure(rule: fact.entry.fact.conflict)
            }
            self.made()
        }
    }
}

extension RecognitionFact {
    /// What it is called when another fact of this kind stands in its place.
    fileprivate var conflict: RecognitionCode {
        switch self.content {
        case .match: .matchConflict
        case .closed: .closedConflict
        case .undo: .undoConflict
        case .void: .voidConflict
        case .view, .decision, .citation, .production: .decisionConflict
        }
    }
}
