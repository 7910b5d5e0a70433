package import Primitives

/// The rules that one exam must keep by itself.
///
/// They flag what cannot be true or what nobody can check later; nothing is refused because of them. Where a source is
/// vague, as with a day in place of a time, the reading that is possible counts.
package enum ExamChecks {
    /// What an exam is judged by besides itself.
    package struct Circumstances: Sendable {
        package var now: Timestamp
        package var birthDate: ClinicalTime?
        package var format: SourceFormat

        package init(now: Timestamp, birthDate: ClinicalTime?, format: SourceFormat) {
            self.now = now
            self.birthDate = birthDate
            self.format = format
        }
    }

    /// A rule that an exam breaks.
    package struct Finding: Hashable, Sendable {
        package var kind: AnomalyKind
        package var facts: [AnomalyDetail.Fact]

        package init(_ kind: AnomalyKind, _ facts: [AnomalyDetail.Fact]) {
            self.kind = kind
            self.facts = facts
        }
    }

    /// Clocks of devices and of systems beside them differ by minutes; this is far above it and below any examination.
    package static let clockToleranceMilliseconds: Int64 = 15 * 60_000
    /// A report is committed within this time of its release: one weekend and a day.
    package static let attestationLagMaxMilliseconds: Int64 = 72 * 3_600_000

    /// What the exam breaks, each kind once at most.
    package static func findings(_ exam: Exam, _ circumstances: Circumstances) -> [Finding] {
        [
            self.timeImpossible(exam, circumstances), self.resultBeforeExam(exam),
            self.orderMissing(exam, circumstances),
            self.noSeries(exam), self.late(exam, circumstances),
        ].compactMap { $0 }
    }

    private static func timeImpossible(_ exam: Exam, _ circumstances: Circumstances) -> Finding? {
        let limit = circumstances.now.milliseconds + self.clockToleranceMilliseconds
        let times: [(AnomalyDetail.Name, ClinicalTime?)] =
            [(.examined, exam.effective?.start), (.released, exam.issued)]
            + exam.specimens.map { (.collected, $0.collected?.start) } + exam.imaging.map { (.examined, $0.started) }
        for (name, time) in times {
            if let time, time.firstPossible > limit { return Finding(.timeImpossible, [.init(name, time.text)]) }
        }
        guard let birth = circumstances.birthDate, let examined = exam.effective?.start ?? exam.imaging.first?.started,
            examined.lastPossible < birth.firstPossible
        else { return nil }
        return Finding(.timeImpossible, [.init(.examined, examined.text), .init(.born, birth.text)])
    }

    private static func resultBeforeExam(_ exam: Exam) -> Finding? {
        guard let issued = exam.issued else { return nil }
        let times: [(AnomalyDetail.Name, ClinicalTime?)] =
            [(.examined, exam.effective?.start)] + exam.specimens.map { (.collected, $0.collected?.start) }
            + exam.imaging.map { (.examined, $0.started) }
        for (name, time) in times {
            guard let time, issued.lastPossible + self.clockToleranceMilliseconds < time.firstPossible else { continue }
            return Finding(.resultBeforeExam, [.init(.released, issued.text), .init(name, time.text)])
        }
        return nil
    }

    private static func orderMissing(_ exam: Exam, _ circumstances: Circumstances) -> Finding? {
        // Of the formats read here only HL7 version 2 has fields for an order in every result.
        guard circumstances.format == .hl7v2, exam.kind == .laboratory,
            !exam.identifiers.contains(where: { $0.isOfType(["FILL", "PLAC"]) })
        else { return nil }
        return Finding(.orderMissing, [])
    }

    private static func noSeries(_ exam: Exam) -> Finding? {
        guard exam.kind == .imaging, ExamStanding(exam.status) != .withdrawn,
            exam.imaging.allSatisfy({ $0.series.isEmpty && ($0.numberOfSeries ?? 0) == 0 })
        else { return nil }
        return Finding(.imagingNoSeries, [])
    }

    private static func late(_ exam: Exam, _ circumstances: Circumstances) -> Finding? {
        guard let issued = exam.issued,
            issued.lastPossible + self.attestationLagMaxMilliseconds < circumstances.now.milliseconds
        else { return nil }
        return Finding(.attestationLate, [.init(.released, issued.text)])
    }
}

extension ClinicalPeriod {
    /// The time or the beginning; an end alone does not tell when the examination began.
    fileprivate var start: ClinicalTime? {
        switch self {
        case .time(let time): time
        case .period(let start, _): start
        }
    }
}

extension ClinicalTime {
    /// Clocks are at most 14 hours east of UTC, and 12 west of it.
    private static let offsetMaxMilliseconds: Int64 = 14 * 3_600_000

    private var slackMilliseconds: Int64 { self.offsetMinutes == nil ? Self.offsetMaxMilliseconds : 0 }

    /// The longest time that the text can mean.
    private var spanMilliseconds: Int64 {
        switch self.precision {
        case .year: 366 * 86_400_000
        case .month: 31 * 86_400_000
        case .day: 86_400_000
        case .hour: 3_600_000
        case .minute: 60_000
        case .second: 1000
        case .fraction: 0
        }
    }

    /// The first instant, in milliseconds since 1970, that the text can mean anywhere on earth.
    fileprivate var firstPossible: Int64 { self.earliest.milliseconds - self.slackMilliseconds }
    /// The last one.
    fileprivate var lastPossible: Int64 {
        self.earliest.milliseconds + self.spanMilliseconds + self.slackMilliseconds
    }
}

extension SourceIdentifier {
    /// Whether its type has one of these codes of HL7 table 0203.
    func isOfType(_ codes: Set<String>) -> Bool {
        self.type?.codings.contains { $0.code.map(codes.contains) ?? false } ?? false
    }
}
