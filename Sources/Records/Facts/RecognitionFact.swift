package import Primitives

/// One thing that happened on the way from a reminder to a decision, as every member may read it.
///
/// It names a sealed record, an item and a department key, never a patient, a visit or a doctor: those stand in the
/// ``RecognitionDetail`` that the institution keeps sealed and that `detail` binds. Rules over facts are the ledger's.
package struct RecognitionFact: Hashable, Sendable {
    package static let branchBytesMax = 16

    /// What happened.
    package enum Content: Hashable, Sendable {
        /// A doctor was reminded of others' results.
        case match(RecognitionMatch)
        /// These items of the match were opened.
        case view(MatchID, items: [UInt8])
        /// The reminder was put away.
        case closed(MatchID)
        /// The whole group was decided on, in one act.
        case decision(RecognitionDecision)
        /// The decision of that number is taken back: a fact of its own, the decision stays.
        case undo(MatchID, decision: UInt8)
        /// Adopted results went into the patient's record, all of them or none.
        case citation([CitedItem])
        /// The source says that its record must not be used any more.
        case void(ContentAddress, VoidReason)
        /// What the institution produced and committed on one day.
        case production(ProductionDay)
    }

    package var content: Content
    /// When it happened, by the institution's clock: figures belong to this time, however late the fact arrives.
    package var time: Timestamp
    /// The campus, as the institution calls it; empty where there is one.
    package var branch: String
    package var department: DepartmentKey
    /// ``RecognitionDetail/commitment(salt:)``.
    package var detail: Digest

    package init(content: Content, time: Timestamp, branch: String, department: DepartmentKey, detail: Digest) {
        self.content = content
        self.time = time
        self.branch = branch
        self.department = department
        self.detail = detail
    }
}

extension RecognitionFact.Content {
    /// What kind of fact it is, as lists and scripts name it.
    package var name: String {
        switch self {
        case .match: "match"
        case .view: "view"
        case .closed: "closed"
        case .decision: "decision"
        case .undo: "undo"
        case .citation: "citation"
        case .void: "void"
        case .production: "production"
        }
    }
}

extension RecognitionFact {
    /// The reminder, if the fact is one.
    package var match: RecognitionMatch? {
        if case .match(let match) = self.content { match } else { nil }
    }

    /// The matches that the fact is about.
    package var matches: [MatchID] {
        switch self.content {
        case .match(let match): [match.id]
        case .view(let id, _), .closed(let id), .undo(let id, _): [id]
        case .decision(let decision): [decision.match]
        case .citation(let items): Array(Set(items.map(\.match))).sorted()
        case .void, .production: []
        }
    }
}

/// The items of one order for which there are results elsewhere, and what the rules said.
package struct RecognitionMatch: Hashable, Sendable {
    package static let itemsMax = 32

    package var id: MatchID
    /// Digest of the verdicts over the whole group.
    package var verdict: Digest
    /// Digest of the policy pack that gave them.
    package var policy: Digest
    package var items: [Item]

    package init(id: MatchID, verdict: Digest, policy: Digest, items: [Item]) {
        self.id = id
        self.verdict = verdict
        self.policy = policy
        self.items = items
    }

    /// One item, and the result that could be used for it.
    package struct Item: Hashable, Sendable {
        package static let codeBytesMax = 32

        /// The item's code in the policy pack's catalogue.
        package var code: String
        package var itemClass: ItemClass
        package var eligibility: ItemEligibility
        /// The sealed record; every version of a report is a record of its own, so this is also its version.
        package var candidate: ContentAddress
        /// Who committed the candidate.
        package var source: InstitutionID

        package init(
            code: String,
            itemClass: ItemClass,
            eligibility: ItemEligibility,
            candidate: ContentAddress,
            source: InstitutionID
        ) {
            self.code = code
            self.itemClass = itemClass
            self.eligibility = eligibility
            self.candidate = candidate
            self.source = source
        }
    }
}

/// What the doctor decided about every item of a match.
package struct RecognitionDecision: Hashable, Sendable {
    package var match: MatchID
    /// 0 for the first decision of the match; one more after each undo.
    package var number: UInt8
    package var outcomes: [Outcome]

    package init(match: MatchID, number: UInt8, outcomes: [Outcome]) {
        self.match = match
        self.number = number
        self.outcomes = outcomes
    }

    /// What was decided about one item.
    package struct Outcome: Hashable, Sendable {
        package static let reasonBytesMax = 8

        /// Index among the match's items.
        package var item: UInt8
        package var isAdopted: Bool
        /// The name of a ``RefusalReason``; a refusal has one, an adoption has none.
        package var reason: String?
        /// ``RecognitionDetail/textCommitment(_:salt:)`` of what the reason says in words.
        package var text: Digest?
        /// What the examination would have cost, by the price list at the time of the decision; `nil` if none is set.
        package var amount: Fen?

        package init(item: UInt8, isAdopted: Bool, reason: String?, text: Digest?, amount: Fen?) {
            self.item = item
            self.isAdopted = isAdopted
            self.reason = reason
            self.text = text
            self.amount = amount
        }

        package static func adopted(_ item: UInt8, amount: Fen? = nil) -> Outcome {
            Outcome(item: item, isAdopted: true, reason: nil, text: nil, amount: amount)
        }

        package static func refused(_ item: UInt8, _ reason: String, text: Digest? = nil) -> Outcome {
            Outcome(item: item, isAdopted: false, reason: reason, text: text, amount: nil)
        }
    }
}

/// An item of a match that was written into a record.
package struct CitedItem: Hashable, Comparable, Sendable {
    package var match: MatchID
    package var item: UInt8

    package init(match: MatchID, item: UInt8) {
        self.match = match
        self.item = item
    }

    package static func < (left: CitedItem, right: CitedItem) -> Bool {
        (left.match, left.item) < (right.match, right.item)
    }
}

/// How much of one day's production an institution committed, and how soon.
///
/// Times of reports are sealed, so the institution states these numbers; the chain bounds them from above.
package struct ProductionDay: Hashable, Sendable {
    /// More than any hospital's laboratory reports in a day.
    package static let countMax: UInt32 = 1_000_000
    /// Ten years.
    package static let lagSecondsMax: UInt64 = 10 * 366 * 86_400
    /// 72 h: committed later than this after its release, a report counts as late.
    package static let lateSeconds: Int64 = 72 * 3600

    /// Days since 1970-01-01 by the institution's calendar.
    package var day: Int32
    /// Reports that its systems released on that day.
    package var produced: UInt32
    /// Those of them that it committed.
    package var committed: UInt32
    /// Sum over these of the seconds from release to commitment.
    package var lagSeconds: UInt64
    /// Those of them that were committed more than 72 h after their release.
    package var late: UInt32

    package init(day: Int32, produced: UInt32, committed: UInt32, lagSeconds: UInt64, late: UInt32) {
        self.day = day
        self.produced = produced
        self.committed = committed
        self.lagSeconds = lagSeconds
        self.late = late
    }

    package var isWellFormed: Bool {
        self.produced <= Self.countMax && self.committed <= self.produced && self.late <= self.committed
            && self.lagSeconds <= UInt64(self.committed) * Self.lagSecondsMax
    }
}
