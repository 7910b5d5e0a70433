import Formats
import Primitives
import Recognition
import Records

/// What an exam says of itself, in the words of one policy pack: the report as a whole, and each of its results.
///
/// Documentation/Protocol/Recognition.md says from where each part is taken.
struct ExamReading: Sendable {
    /// Results of one report that are judged by themselves; a laboratory report has fewer.
    static let linesMax = 128

    /// One line, and all codes that its source gives it: by them a grant hides results.
    struct Line: Sendable {
        var candidate: Candidate
        var codes: Set<String>
    }

    /// The report first.
    var lines: [Line]
    /// Days since 1970-01-01, where the source knows the patient's day of birth.
    var birthDay: Int64?

    /// What can be said without opening the record.
    init(listing base: Candidate, _ summary: LocatorSummary, code: String, _ words: PackWords) {
        var candidate = base
        candidate.item = ItemReference(code: code)
        candidate.state = ReportState(summary.status)
        candidate.examTime = (summary.examTime ?? summary.reportTime)?.secondsDown ?? 0
        candidate.reportTime = (summary.reportTime ?? summary.examTime)?.secondsDown ?? 0
        if summary.kind == .laboratory || words.isLaboratory(code) {
            candidate.specimenTime = summary.examTime?.secondsDown
        }
        candidate.imagesExpected = summary.imageCount == 0 ? nil : summary.imageCount
        candidate.imagesHeld = summary.imageCount
        self.lines = [Line(candidate: candidate, codes: [summary.itemCode])]
        self.birthDay = nil
    }

    init(record base: Candidate, _ parsed: ParsedExam, _ words: PackWords) {
        let exam = parsed.exam
        var whole = base
        whole.state = ReportState(exam.status)
        whole.examTime = exam.time?.earliest.secondsDown ?? base.examTime
        whole.reportTime = exam.issued?.earliest.secondsDown ?? whole.examTime
        whole.item = words.item(exam.code)
        whole.specimenTime = Self.collected(exam.specimens.first, exam, words, whole.item.code)
        whole.item.specimen = exam.specimens.lazy.compactMap { words.specimen($0) }.first
        Self.images(of: exam, words, into: &whole)
        var lines = [Line(candidate: whole, codes: Self.codes(exam.code))]
        var open = Array(exam.items.reversed())
        var number: UInt32 = 0
        while let item = open.popLast(), number < Self.linesMax {
            open += item.components.reversed()
            number += 1
            var line = whole
            line.key.line = number
            // Only the whole has images.
            (line.item.modality, line.item.bodySites, line.imagesExpected, line.imagesHeld) = (nil, [], nil, 0)
            Self.read(item, exam, words, into: &line)
            if line.critical == .open { lines[0].candidate.critical = .open }
            let isWhole = words.isSame(line.item.code, whole.item.code)
            if isWhole, lines[0].candidate.value == nil {
                // A report of one result is that result.
                line.key.line = 0
                line.critical = lines[0].candidate.critical
                lines[0] = Line(candidate: line, codes: lines[0].codes.union(Self.codes(item.code)))
            } else {
                lines.append(Line(candidate: line, codes: Self.codes(item.code)))
            }
        }
        self.lines = lines
        self.birthDay = nil
        if case .patient(let patient) = parsed.subject, let birth = patient.birthDate, birth.precision >= .day {
            self.birthDay = Seconds.day(birth.earliest.secondsDown)
        }
    }

    private static func codes(_ concept: CodedConcept) -> Set<String> { Set(concept.codings.compactMap(\.code)) }

    private static func read(_ item: ExamItem, _ exam: Exam, _ words: PackWords, into line: inout Candidate) {
        let report = line.item
        line.item = words.item(item.code)
        line.item.specimen = item.specimen.flatMap { words.specimen($0) } ?? report.specimen
        line.item.method = item.method.flatMap { words.method($0) }
        if let site = item.bodySite.flatMap({ words.bodySite($0) }) { line.item.bodySites = [site] }
        switch ReportState(item.status) {
        // Of a final report a single result may still be open, or withdrawn.
        case .preliminary where item.status != .unknown: line.state = .preliminary
        case .voided: line.state = .voided
        default: break
        }
        line.specimenTime = Self.collected(item.specimen ?? exam.specimens.first, exam, words, line.item.code)
        (line.value, line.unit) = words.value(of: item, code: line.item.code)
        line.referenceRange = item.referenceRanges.first?.text.map { PackWords.cut($0, Candidate.valueBytesMax) }
        let flags = Set(item.interpretations.flatMap(\.codings).compactMap(\.code))
        line.critical = flags.isDisjoint(with: Self.criticalFlags) ? .none : .open
    }

    /// HL7 table 0078: beyond the panic limits, or very abnormal.
    ///
    /// No source says that somebody took note.
    private static let criticalFlags: Set<String> = ["HH", "LL", "AA"]

    /// In laboratory reports the exam's own time is that of the specimen (FHIR `effective`).
    private static func collected(
        _ specimen: ExamSpecimen?,
        _ exam: Exam,
        _ words: PackWords,
        _ code: String
    ) -> Int64? {
        if let time = specimen?.collected?.first { return time.earliest.secondsDown }
        // A source need not say that a result is one of a laboratory; the pack does.
        guard exam.kind == .laboratory || words.isLaboratory(code) else { return nil }
        return exam.effective?.first?.earliest.secondsDown
    }

    /// Images stay at their source: those count as held that the record lists, and of a study that lists none, those that
    /// it counts.
    private static func images(of exam: Exam, _ words: PackWords, into whole: inout Candidate) {
        let series = exam.imaging.flatMap(\.series)
        whole.item.modality =
            (exam.imaging.lazy.flatMap(\.modalities).compactMap(\.code).first
            ?? series.lazy.compactMap(\.modality.code).first).map { PackWords.cut($0, ItemReference.textBytesMax) }
        whole.item.bodySites = Array(
            series.compactMap { $0.bodySite.flatMap { words.bodySite($0) } }.uniqued.prefix(ItemReference.sitesMax)
        )
        let listed = series.reduce(0) { $0 + $1.instances.count }
        let inSeries = series.compactMap(\.numberOfInstances).reduce(UInt32(0)) { $0.addingClamped($1) }
        let inStudies = exam.imaging.compactMap(\.numberOfInstances).reduce(UInt32(0)) { $0.addingClamped($1) }
        let expected = [inStudies, inSeries, UInt32(clamping: listed)].first { $0 > 0 }
        whole.imagesExpected = expected
        whole.imagesHeld = listed > 0 ? UInt32(clamping: listed) : (inSeries > 0 ? inSeries : inStudies)
    }
}

/// A pack's words for what sources write.
///
/// What the pack has no word for is left out, so that the exam's item speaks for it.
struct PackWords: Sendable {
    let engine: RecognitionEngine
    let codes: CodeView
    let source: InstitutionID

    func item(_ concept: CodedConcept) -> ItemReference {
        ItemReference(code: self.code(concept.codings.map { ($0.system, $0.code) }))
    }

    /// The first code that the pack knows, else the first that the code map leads to one; else the source's own.
    func code(_ codings: [(system: String?, code: String?)]) -> String {
        for case (let system, let code?) in codings
        where self.engine.item(code) != nil && Self.mayBeNamed(code, system) { return code }
        for case (let system, let code?) in codings {
            let local = LocalCode(source: self.source.text, system: system, code: code)
            if let item = self.codes.index?.lookup(local).item, self.engine.item(item.code.code) != nil {
                return item.code.code
            }
        }
        return codings.lazy.compactMap(\.code).first.map { Self.cut($0, ItemReference.codeBytesMax) } ?? ""
    }

    /// A laboratory's own 718-7 is not LOINC's 718-7.
    private static func mayBeNamed(_ code: String, _ system: String?) -> Bool {
        let parts = code.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let looksLikeLOINC =
            parts.count == 2 && parts[1].count == 1 && !parts[0].isEmpty
            && parts.joined().allSatisfy { (0x30...0x39).contains($0) }
        guard looksLikeLOINC, let system, !system.isEmpty else { return true }
        return CodeSystem(recognising: system).name == CodeSystem.loinc
    }

    func isLaboratory(_ code: String) -> Bool { self.engine.item(code)?.category == .laboratory }

    func isSame(_ one: String, _ other: String) -> Bool {
        if one == other { return !one.isEmpty }
        return self.engine.item(one).map { $0.code == self.engine.item(other)?.code } ?? false
    }

    func specimen(_ specimen: ExamSpecimen) -> String? {
        self.word(specimen.type, self.engine.specimen)
            ?? specimen.display.flatMap { self.engine.specimen($0) }
    }

    func method(_ method: CodedConcept) -> String? {
        self.word(method, self.engine.method) ?? method.label.map { Self.cut($0, ItemReference.textBytesMax) }
    }

    func bodySite(_ site: CodedConcept) -> String? { self.word(site, self.engine.bodySite) }

    func bodySite(_ site: Coding) -> String? {
        self.bodySite(CodedConcept(text: nil, codings: [site]))
    }

    private func word(_ concept: CodedConcept?, _ look: (String) -> String?) -> String? {
        guard let concept else { return nil }
        let texts = concept.codings.flatMap { [$0.code, $0.display] } + [concept.text]
        for case let text? in texts { if let word = look(text) { return word } }
        return nil
    }

    /// A result in a unit that the pack can compare, if there is one.
    func value(of item: ExamItem, code: String) -> (value: String?, unit: String?) {
        func text(_ text: String?) -> String? { text.map { Self.cut($0, Candidate.valueBytesMax) } }
        switch item.value {
        case .quantity(let amount):
            let amounts = [amount, item.canonical].compactMap { $0 }
            let units = amounts.map { self.unit(of: $0, code: code) }
            let index = units.firstIndex { unit in unit.map { self.engine.isComparable(unit: $0, of: code) } ?? false }
            let chosen = amounts[index ?? 0]
            let value = chosen.value.map { (chosen.comparator?.rawValue ?? "") + $0 }
            return (text(value), units[index ?? 0])
        case .coded(let concept): return (text(concept.label), nil)
        case .text(let value): return (text(value), nil)
        case .integer(let value): return ("\(value)", nil)
        case .ratio(let numerator?, let denominator?):
            guard let one = numerator.value, let other = denominator.value else { return (nil, nil) }
            return (text(one + ":" + other), nil)
        default: return (nil, nil)
        }
    }

    private func unit(of amount: Quantity, code: String) -> String? {
        let units = [amount.code, amount.unit].compactMap { $0 }
        let unit = units.first { self.engine.isComparable(unit: $0, of: code) } ?? units.first
        return unit.map { Self.cut($0, Candidate.textBytesMax) }
    }

    /// The text as far as it fits, to the end of a character.
    static func cut(_ text: String, _ max: Int) -> String {
        guard text.utf8.count > max else { return text }
        var rest = Substring(text)
        while rest.utf8.count > max { rest = rest.dropLast() }
        return String(rest)
    }
}

extension ReportState {
    /// What is not known to be final is not.
    init(_ status: ExamStatus) {
        self =
            switch status {
            case .registered, .partial, .preliminary, .unknown: .preliminary
            case .final, .available: .final
            case .amended, .corrected, .appended: .corrected
            case .cancelled, .enteredInError, .inactive: .voided
            }
    }
}

extension Array where Element: Hashable {
    /// Each element once, at its first place.
    fileprivate var uniqued: [Element] {
        var seen: Set<Element> = []
        return self.filter { seen.insert($0).inserted }
    }
}

extension UInt32 {
    fileprivate func addingClamped(_ other: UInt32) -> UInt32 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// Days of seconds.
enum Seconds {
    /// Days since 1970-01-01, rounded down also before it.
    static func day(_ seconds: Int64) -> Int64 {
        let (quotient, remainder) = seconds.quotientAndRemainder(dividingBy: 86_400)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
