package import Records

/// Why a decision, citation or undoing is not taken.
package enum DecisionRefusal: String, Error, CaseIterable, Hashable, Sendable {
    case fieldMissing = "decision.field-missing"
    case unknownItem = "decision.unknown-item"
    case duplicateItem = "decision.duplicate-item"
    case incomplete = "decision.incomplete"
    case reasonUnexpected = "decision.reason-unexpected"
    case reasonMissing = "decision.reason-missing"
    case textMissing = "decision.text-missing"
    case beforeMatch = "decision.before-match"
    case inFuture = "decision.in-future"
    case reportChanged = "decision.report-changed"
    case conflict = "decision.conflict"
    case notAdopted = "citation.not-adopted"
    case citedBeforeDecision = "citation.before-decision"
    case citedInFuture = "citation.in-future"
    case citedAfterVoid = "citation.report-changed"
    case undoneBeforeDecision = "undo.before-decision"
    case undoneTooLate = "undo.too-late"

    package var message: String {
        switch self {
        case .fieldMissing: "A decision names the doctor, the department and the visit."
        case .unknownItem: "The match has no such item."
        case .duplicateItem: "An item is decided twice."
        case .incomplete: "A decision is about all items of a match, or none."
        case .reasonUnexpected: "An adoption has no reason."
        case .reasonMissing: "A refusal has a reason."
        case .textMissing: "This reason says nothing without a text."
        case .beforeMatch: "The decision is older than the match."
        case .inFuture: "The decision lies in the future."
        case .reportChanged: "A report has a new version or was voided since the match: match again."
        case .conflict: "The match was decided otherwise; a decision is not changed."
        case .notAdopted: "The item was not adopted."
        case .citedBeforeDecision: "The citation is older than the decision."
        case .citedInFuture: "The citation lies in the future."
        case .citedAfterVoid: "The report has a new version or was voided since the decision."
        case .undoneBeforeDecision: "The undoing is older than the decision."
        case .undoneTooLate: "A decision can be taken back within the policy's time only."
        }
    }
}

/// What a doctor says about one match, about all of its items at once.
package struct DecisionDraft: Hashable, Sendable {
    /// What is said about one item.
    package struct Choice: Hashable, Sendable {
        /// Position among the lines of the match, from 0.
        package var line: Int
        package var adopts: Bool
        package var reason: RefusalReason?
        package var text: String?

        package init(line: Int, adopts: Bool, reason: RefusalReason? = nil, text: String? = nil) {
            self.line = line
            self.adopts = adopts
            self.reason = reason
            self.text = text
        }
    }

    package var choices: [Choice]
    /// Seconds since 1970-01-01T00:00:00Z.
    package var time: Int64
    package var doctor: String
    package var doctorName: String
    package var department: String
    package var departmentName: String
    package var visit: String
    /// Whether the patient was told why.
    package var explained: Bool

    package init(
        choices: [Choice],
        time: Int64,
        doctor: String,
        doctorName: String,
        department: String,
        departmentName: String,
        visit: String,
        explained: Bool
    ) {
        self.choices = choices
        self.time = time
        self.doctor = doctor
        self.doctorName = doctorName
        self.department = department
        self.departmentName = departmentName
        self.visit = visit
        self.explained = explained
    }
}

/// What may be done with a match, as functions of values: who keeps them is another's business.
///
/// Times have no tolerance here: match, decision and now come from one institution's clock. What became of the catalogue
/// since the match does not matter.
package enum DecisionRules {
    /// What a decision that is taken means.
    package enum Acceptance: Hashable, Sendable {
        case new
        /// Sent again as it was: nothing changes.
        case repeated
    }

    /// How a report of the match stands now.
    package struct ReportNow: Hashable, Sendable {
        package var report: String
        package var newestVersion: UInt32
        package var isVoided: Bool

        package init(report: String, newestVersion: UInt32, isVoided: Bool) {
            self.report = report
            self.newestVersion = newestVersion
            self.isVoided = isVoided
        }

        func changes(_ key: CandidateKey) -> Bool {
            self.report == key.report && (self.isVoided || self.newestVersion > key.version)
        }
    }

    /// Checks a decision about a match.
    ///
    /// A decision that was taken before is compared before anything else, so that a resend succeeds also after a report
    /// changed.
    package static func accept(
        _ draft: DecisionDraft,
        for match: MatchGroup,
        decided: DecisionDraft?,
        reports: [ReportNow],
        now: Int64
    ) throws(DecisionRefusal) -> Acceptance {
        if let decided {
            guard self.ordered(decided) == self.ordered(draft) else { throw .conflict }
            return .repeated
        }
        let names = [draft.doctor, draft.doctorName, draft.department, draft.departmentName, draft.visit]
        guard names.allSatisfy({ !$0.isEmpty }) else { throw .fieldMissing }
        var lines: Set<Int> = []
        for choice in draft.choices {
            guard match.lines.indices.contains(choice.line) else { throw .unknownItem }
            guard lines.insert(choice.line).inserted else { throw .duplicateItem }
        }
        guard lines.count == match.lines.count else { throw .incomplete }
        for choice in draft.choices {
            if choice.adopts {
                guard choice.reason == nil, choice.text == nil else { throw .reasonUnexpected }
            } else {
                guard let reason = choice.reason else { throw .reasonMissing }
                guard !reason.needsText || self.hasContent(choice.text) else { throw .textMissing }
            }
        }
        guard match.time <= draft.time else { throw .beforeMatch }
        guard draft.time <= now else { throw .inFuture }
        // One changed report makes the whole group another: what one item is decided may depend on the next.
        for key in match.lines.compactMap(\.verdict.chosen) where reports.contains(where: { $0.changes(key) }) {
            throw .reportChanged
        }
        return .new
    }

    /// Checks that the chosen exams of several lines may be cited in the local record; one that may not stops all.
    package static func cite(
        _ lines: [Int],
        of match: MatchGroup,
        decided: DecisionDraft,
        reports: [ReportNow],
        time: Int64,
        now: Int64
    ) throws(DecisionRefusal) {
        guard decided.time <= time else { throw .citedBeforeDecision }
        guard time <= now else { throw .citedInFuture }
        for line in lines {
            guard match.lines.indices.contains(line), let key = match.lines[line].verdict.chosen else {
                throw .unknownItem
            }
            guard decided.choices.contains(where: { $0.line == line && $0.adopts }) else { throw .notAdopted }
            if reports.contains(where: { $0.changes(key) }) { throw .citedAfterVoid }
        }
    }

    /// Checks that a decision may be taken back by a compensation; the decision itself stays where it is.
    package static func undo(
        _ decided: DecisionDraft,
        at time: Int64,
        undoMinutes: UInt32
    ) throws(DecisionRefusal) {
        guard decided.time <= time else { throw .undoneBeforeDecision }
        guard Seconds.between(decided.time, time) <= Int64(undoMinutes) * 60 else { throw .undoneTooLate }
    }

    private static func ordered(_ draft: DecisionDraft) -> DecisionDraft {
        var draft = draft
        draft.choices.sort { $0.line < $1.line }
        return draft
    }

    private static func hasContent(_ text: String?) -> Bool {
        text?.unicodeScalars.contains { !$0.properties.isWhitespace } ?? false
    }
}
