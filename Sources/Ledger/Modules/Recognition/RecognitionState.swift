package import Primitives
package import Records

/// Where a fact stands: what a figure names as one of the things that made it.
package struct FactID: Hashable, Comparable, Sendable {
    package var height: Height
    /// Index of the transaction in its block.
    package var transaction: UInt32
    /// Index in the manifest that the transaction anchors.
    package var row: UInt32

    package init(height: Height, transaction: UInt32, row: UInt32) {
        self.height = height
        self.transaction = transaction
        self.row = row
    }

    package static func < (left: FactID, right: FactID) -> Bool {
        (left.height, left.transaction, left.row) < (right.height, right.transaction, right.row)
    }

    package var text: String { "\(self.height.value)/\(self.transaction)/\(self.row)" }
}

/// A fact that counts, with its place.
package struct PlacedFact: Hashable, Sendable {
    package var id: FactID
    package var fact: RecognitionFact

    package init(id: FactID, fact: RecognitionFact) {
        self.id = id
        self.fact = fact
    }
}

/// A committed record as it may be used: facts refer to it.
package struct CandidateState: Hashable, Sendable {
    package var institution: InstitutionID
    package var committed: FactID
    package var committedTime: Timestamp
    /// Whether it replaces an earlier version.
    package var isNewVersion: Bool
    /// Time of the block that holds the next version.
    package var replacedTime: Timestamp?
    /// Time of the block that holds the declaration; a new version of a void record is void with it.
    package var voidTime: Timestamp?
    package var voidReason: VoidReason?

    /// Why the record cannot be used at `time`.
    package func obstacle(at time: Timestamp) -> RecognitionCode? {
        if let voidTime, voidTime <= time { return .candidateVoid }
        if let replacedTime, replacedTime <= time { return .candidateReplaced }
        return nil
    }
}

/// A decision and what became of it.
package struct DecisionState: Hashable, Sendable {
    package var placed: PlacedFact
    package var decision: RecognitionDecision
    package var undo: PlacedFact?

    package init(placed: PlacedFact, decision: RecognitionDecision) {
        self.placed = placed
        self.decision = decision
    }
}

/// A reminder and everything that followed it.
package struct MatchState: Hashable, Sendable {
    package var institution: InstitutionID
    package var placed: PlacedFact
    package var match: RecognitionMatch
    /// From the policy pack under which the match was made.
    package var undoMinutes: UInt16
    package var views: [PlacedFact] = []
    package var closed: PlacedFact?
    /// In the order of their numbers; all but the last are undone.
    package var decisions: [DecisionState] = []
    /// Facts that cite an item, by item; the first is the one that counts.
    package var citations: [UInt8: [PlacedFact]] = [:]

    package init(institution: InstitutionID, placed: PlacedFact, match: RecognitionMatch, undoMinutes: UInt16) {
        self.institution = institution
        self.placed = placed
        self.match = match
        self.undoMinutes = undoMinutes
    }

    /// The decision that stands.
    package var standing: DecisionState? { self.decisions.last.flatMap { $0.undo == nil ? $0 : nil } }
}

/// One committed exam, for figures about production.
package struct CommittedExam: Hashable, Sendable {
    package var id: FactID
    package var institution: InstitutionID
    package var time: Timestamp
    /// Whether it is the first version of its report.
    package var isFirstVersion: Bool
}

/// What became of one fact of a batch.
package enum FactOutcome: Hashable, Sendable {
    case accepted
    /// The same fact was accepted before; nothing changed.
    case repeated
    case refused(RecognitionCode)
}
