internal import Records

/// The steps 1 to 12 for each exam of one order.
///
/// Every step is evaluated and traced; the first that fails is the one that is reported.
struct Evaluation {
    typealias Reason = Verdict.Reason

    /// What the steps found about one exam.
    struct Finding {
        /// Of the steps 1 to 12.
        var steps = [UInt8](repeating: Verdict.Trace.passed, count: Verdict.Trace.steps)
        /// The first failing rule; `nil` for an eligible exam.
        var failure: Reason?
        /// Why an eligible exam need not be recognised.
        var limit: Reason?
        var isBreakGlass = false

        fileprivate mutating func note(_ reason: Reason?, at step: RecognitionStep) {
            guard let reason, case .ineligible(let code) = reason.code else { return }
            self.steps[Int(step.rawValue) - 1] = code.rawValue
            if self.failure == nil { self.failure = reason }
        }

        fileprivate mutating func leaveOpen(_ step: RecognitionStep) {
            self.steps[Int(step.rawValue) - 1] = Verdict.Trace.open
        }
    }

    let index: PolicyIndex
    let order: OrderContext
    /// By report, the newest version among the candidates.
    let newest: [String: UInt32]
    let ordered: PolicyPack.Item?
    private let window: PolicyPack.Window?
    private let level: PolicyPack.LevelRule?

    init(index: PolicyIndex, order: OrderContext, newest: [String: UInt32]) {
        self.index = index
        self.order = order
        self.newest = newest
        let ordered = index.item(order.item.code)
        self.ordered = ordered
        // Both depend on the order alone.
        self.window = ordered.flatMap { item in
            index.windows(of: item).first { $0.selector.matches(item: item, order: order) }
        }
        self.level = ordered.flatMap { item in
            index.pack.levels.first {
                $0.receiverFrom <= order.level && $0.selector.matches(item: item, order: order)
            }
        }
    }

    func judge(_ candidate: Candidate, access: RecognitionAccess.Entry?) -> Finding {
        var finding = Finding()
        finding.isBreakGlass = access?.access == .breakGlass
        finding.note(self.accessReason(access), at: .access)
        finding.note(self.identityReason(candidate), at: .identity)
        finding.note(self.lifecycleReason(candidate), at: .lifecycle)
        finding.note(self.integrityReason(candidate), at: .integrity)
        let examined = self.index.item(candidate.item.code)
        finding.note(self.catalogueReason(candidate, examined), at: .catalogue)
        if let ordered = self.ordered, let examined {
            finding.note(self.negativeReason(candidate, ordered, examined), at: .negativeList)
            finding.note(self.equivalenceReason(candidate, ordered, examined), at: .equivalence)
        } else {
            finding.leaveOpen(.negativeList)
            finding.leaveOpen(.equivalence)
        }
        finding.note(self.timeReason(candidate), at: .time)
        if let ordered = self.ordered, let examined {
            finding.note(self.windowReason(candidate, self.window), at: .window)
            self.judgeMarks(candidate, ordered, examined, &finding)
            finding.note(self.levelReason(candidate, self.level), at: .level)
        } else {
            finding.leaveOpen(.window)
            finding.leaveOpen(.marks)
            finding.leaveOpen(.level)
        }
        finding.note(self.labelReason(candidate), at: .label)
        return finding
    }

    /// The scope of a mark is no failure: outside it recognition is encouraged, not refused.
    private func judgeMarks(
        _ candidate: Candidate,
        _ ordered: PolicyPack.Item,
        _ examined: PolicyPack.Item,
        _ finding: inout Finding
    ) {
        switch self.marks(candidate, ordered, examined) {
        case .covered: break
        case .failed(let reason): finding.note(reason, at: .marks)
        case .outside(let reason):
            finding.steps[Int(RecognitionStep.marks.rawValue) - 1] = IneligibilityCode.markScope.rawValue
            finding.limit = reason
        }
    }

    // MARK: Steps 1 to 4

    private func accessReason(_ entry: RecognitionAccess.Entry?) -> Reason? {
        guard let entry else { return Reason(.ineligible(.noGrant), step: .access, required: "grant") }
        switch entry.access {
        case .none: return Reason(.ineligible(.noGrant), step: .access, observed: "none", required: "grant")
        case .expired, .revoked:
            return Reason(.ineligible(.grantEnded), step: .access, observed: entry.access.name, required: "grant")
        case .own, .granted, .breakGlass: break
        }
        let age = Seconds.between(entry.checkedAt, self.order.time)
        let limit = Int64(self.index.pack.staleAfterSeconds)
        guard !entry.sourceOnline, age > limit, entry.access != .own else { return nil }
        return Reason(.ineligible(.evidenceStale), step: .access, observed: "\(age)s", required: "<=\(limit)s")
    }

    private func identityReason(_ candidate: Candidate) -> Reason? {
        guard candidate.identity != .match else { return nil }
        return Reason(.ineligible(.identity), step: .identity, observed: candidate.identity.name, required: "match")
    }

    private func lifecycleReason(_ candidate: Candidate) -> Reason? {
        if candidate.state == .preliminary {
            return Reason(.ineligible(.notFinal), step: .lifecycle, observed: "preliminary", required: "final")
        }
        let newest = max(candidate.newestVersion, self.newest[candidate.key.report] ?? 0)
        if newest > candidate.key.version {
            let observed = "\(candidate.key.version)"
            return Reason(.ineligible(.superseded), step: .lifecycle, observed: observed, required: "\(newest)")
        }
        if candidate.state == .voided {
            return Reason(.ineligible(.voided), step: .lifecycle, observed: "voided", required: "final")
        }
        return nil
    }

    private func integrityReason(_ candidate: Candidate) -> Reason? {
        guard candidate.signatureOK else {
            return Reason(.ineligible(.proofInvalid), step: .integrity, observed: "signature", required: "valid")
        }
        guard candidate.anchor != nil else {
            return Reason(.ineligible(.proofInvalid), step: .integrity, observed: "anchor", required: "valid")
        }
        // A study that its source does not count cannot be shown to be whole.
        guard candidate.item.modality != nil else { return nil }
        let expected = candidate.imagesExpected ?? 0
        guard expected > 0, candidate.imagesHeld >= expected else {
            let observed = "\(candidate.imagesHeld)"
            let required = candidate.imagesExpected.map { "\($0)" } ?? "counted"
            return Reason(.ineligible(.imagesIncomplete), step: .integrity, observed: observed, required: required)
        }
        return nil
    }

    // MARK: Steps 8, 9, 11 and 12

    private func timeReason(_ candidate: Candidate) -> Reason? {
        func anomaly(_ observed: String, _ required: String) -> Reason {
            Reason(.ineligible(.timeAnomaly), step: .time, observed: observed, required: required)
        }
        let latest = Seconds.sum(self.order.time, Int64(self.index.pack.clockSkewSeconds))
        let times = [candidate.specimenTime, candidate.examTime, candidate.reportTime, candidate.auditTime]
        if times.contains(where: { ($0 ?? .min) > latest }) { return anomaly("future", "<=order+skew") }
        if let specimen = candidate.specimenTime, specimen > candidate.examTime {
            return anomaly("specimen>exam", "specimen<=exam")
        }
        if candidate.examTime > candidate.reportTime { return anomaly("exam>report", "exam<=report") }
        if let audit = candidate.auditTime, audit < candidate.examTime { return anomaly("audit<exam", "audit>=exam") }
        // Born after (age + 1) days before the order, by what completed days mean.
        let oldest = (Int64(self.order.ageDays) + 1) * Seconds.perDay
        if Seconds.between(candidate.specimenTime ?? candidate.examTime, self.order.time) >= oldest {
            return anomaly("before-birth", ">=birth")
        }
        return nil
    }

    private func windowReason(_ candidate: Candidate, _ window: PolicyPack.Window?) -> Reason? {
        guard let window else { return Reason(.ineligible(.windowExpired), step: .window, observed: "no-rule") }
        func expired(_ observed: String) -> Reason {
            Reason(
                .ineligible(.windowExpired),
                step: .window,
                rule: window.rule,
                clause: window.clause,
                observed: observed,
                required: "<=\(window.amount) \(window.unit.name)"
            )
        }
        let start: Int64? =
            switch window.basis {
            case .specimen: candidate.specimenTime
            case .exam: candidate.examTime
            case .report: candidate.reportTime
            }
        guard let start else { return expired("no-\(window.basis.name)-time") }
        switch window.unit {
        case .hours:
            let age = Seconds.between(start, self.order.time)
            return age <= Int64(window.amount) * Seconds.perHour ? nil : expired("\(age)s")
        case .days:
            let offset = self.order.offsetMinutes * 60
            let days = Seconds.between(
                Seconds.day(Seconds.sum(start, offset)),
                Seconds.day(Seconds.sum(self.order.time, offset))
            )
            return days <= Int64(window.amount) ? nil : expired("\(days)d")
        }
    }

    private func levelReason(_ candidate: Candidate, _ rule: PolicyPack.LevelRule?) -> Reason? {
        guard let rule, candidate.performerLevel < rule.performerFrom else { return nil }
        if rule.exemptsConsortium, candidate.performerConsortia.contains(where: self.order.consortia.contains) {
            return nil
        }
        return Reason(
            .ineligible(.level),
            step: .level,
            rule: rule.rule,
            clause: rule.clause,
            observed: "\(candidate.performerLevel)",
            required: ">=\(rule.performerFrom)"
        )
    }

    private func labelReason(_ candidate: Candidate) -> Reason? {
        guard let rule = self.index.label(candidate.label), !rule.departments.contains(self.order.department) else {
            return nil
        }
        return Reason(
            .ineligible(.securityLabel),
            step: .label,
            clause: rule.clause,
            observed: candidate.label,
            required: rule.departments.isEmpty ? "none" : "department"
        )
    }
}

/// Arithmetic on times from files: it stops at the ends of the range in place of trapping.
enum Seconds {
    static let perHour: Int64 = 3600
    static let perDay: Int64 = 86_400

    static func between(_ start: Int64, _ end: Int64) -> Int64 {
        let (difference, overflow) = end.subtractingReportingOverflow(start)
        return overflow ? (end < start ? .min : .max) : difference
    }

    static func sum(_ one: Int64, _ other: Int64) -> Int64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? (one < 0 ? .min : .max) : sum
    }

    /// Days since 1970-01-01, rounded down also before it.
    static func day(_ seconds: Int64) -> Int64 {
        let (quotient, remainder) = seconds.quotientAndRemainder(dividingBy: self.perDay)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
