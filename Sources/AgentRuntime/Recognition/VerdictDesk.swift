import Formats
import Ledger
import LedgerStore
package import Primitives
import Recognition
package import Records
import Synchronization
import Vault

/// Judges orders against the exams that a clinician finds: what `find --order`, `why` and whoever records matches ask.
///
/// A verdict follows from the order, the chain as of the order's time and the records that are here. So the same question
/// about a past time has the same answer, to the byte, as long as the same records may be opened.
package struct VerdictDesk: Sendable {
    /// What is about to be ordered, as far as the caller says it.
    package struct Order: Sendable {
        /// Empty to judge each exam by an order of its own item.
        package var item: ItemReference
        /// `nil` for now.
        package var time: Timestamp?
        /// Of a past time: the last block that counts; `nil` for the last that had been made by then.
        package var knownAt: Height?
        /// Minutes east of UTC.
        package var offsetMinutes: Int64
        /// `nil` for the clinician's own.
        package var department: String?
        package var visitType: VisitType
        package var visit: String
        package var diagnoses: [String]
        package var birthDate: GregorianDate?
        package var flags: Set<ClinicalFlag>

        package init(
            item: ItemReference = ItemReference(code: ""),
            time: Timestamp? = nil,
            knownAt: Height? = nil,
            offsetMinutes: Int64 = 0,
            department: String? = nil,
            visitType: VisitType = .outpatient,
            visit: String = "",
            diagnoses: [String] = [],
            birthDate: GregorianDate? = nil,
            flags: Set<ClinicalFlag> = []
        ) {
            self.item = item
            self.time = time
            self.knownAt = knownAt
            self.offsetMinutes = offsetMinutes
            self.department = department
            self.visitType = visitType
            self.visit = visit
            self.diagnoses = diagnoses
            self.birthDate = birthDate
            self.flags = flags
        }
    }

    /// What an exam was judged by.
    package enum Basis: String, Sendable {
        /// Its record, opened by this agent.
        case record
        /// Its line in the index, because nobody may open it.
        case notGranted = "not-granted"
        /// Its line, because record or key have not arrived.
        case notHere = "not-here"
        /// Its line, because each opening is counted and judging must not use one up.
        case counted
        /// Its line, because the record cannot be read.
        case unreadable
    }

    /// From where the patient's age is known.
    package enum AgeSource: String, Sendable {
        case given, record
        /// Not known at all: see ``assumedAgeDays``.
        case assumed
    }

    /// What the rules say of one exam.
    package struct Judged: Sendable {
        package var found: Finder.Found
        package var basis: Basis
        /// The line of the report that came furthest.
        package var line: UInt32
        /// The first rule that it fails; `nil` for the chosen exam.
        package var reason: Verdict.Reason?
        /// The line's part of the trace.
        package var steps: [UInt8]
    }

    /// A verdict with all that it was made from.
    package struct Answer: Sendable {
        package var input: VerdictInput
        package var verdict: Verdict
        package var volume: PolicyShelf.Volume
        /// One for each exam that was judged, in the order in which they were found.
        package var exams: [Judged]
        package var age: AgeSource
        /// The last block that counted.
        package var knownAt: Height
        /// Exams that were left out because an order is judged against 256 lines at most.
        package var leftOut: Int

        /// The record that was chosen.
        package var chosen: Judged? { self.exams.first { $0.reason == nil } }
    }

    /// Forty years: no rule for children applies, nor one for the old.
    package static let assumedAgeDays: UInt32 = 14_610

    private let context: AgentContext
    private let finder: Finder
    private let index: RecordIndex
    private let moments: VerdictMoments
    private let exams: CandidateMaker
    package let shelf: PolicyShelf

    package init(context: AgentContext, finder: Finder, judge: AccessJudge) {
        self.context = context
        self.finder = finder
        self.index = RecordIndex(context: context)
        self.shelf = PolicyShelf(context: context)
        self.moments = VerdictMoments(context: context)
        self.exams = CandidateMaker(context: context, judge: judge)
    }

    /// The pack by which an order would be judged; `nil` if none is in force.
    package func volume(for order: Order) throws -> PolicyShelf.Volume? {
        let moment = try self.moments.moment(order.time, knownAt: order.knownAt)
        return try self.shelf.volume(asOf: moment.time, knownAt: moment.height)
    }

    /// Finds a patient's exams and judges one order against all of them.
    ///
    /// - Returns: `nil` if no policy pack is in force at the time of the order.
    /// - Throws: ``AgentFailure``; `RecognitionRefusal` for an order that is too long.
    package func answer(
        _ order: Order,
        patient text: String,
        credential: ClinicianCredential
    ) async throws -> Answer? {
        let found = try await self.finder.find(patient: text, credential: credential)
        return try self.answer(order, among: found, by: credential)
    }

    /// Judges one order against exams that were found for this clinician.
    ///
    /// `found`: all exams of the patient that ``Finder`` lists, and nobody else's.
    package func answer(
        _ order: Order,
        among found: [Finder.Found],
        by credential: ClinicianCredential
    ) throws -> Answer? {
        let moment = try self.moments.moment(order.time, knownAt: order.knownAt)
        guard let volume = try self.shelf.volume(asOf: moment.time, knownAt: moment.height) else { return nil }
        let prepared = try self.exams.prepare(found, for: credential, at: moment, by: volume)
        return try self.judge(order, prepared, credential, moment, volume)
    }

    /// Judges each exam as if its own item were ordered, and no other exam could answer.
    ///
    /// Of a report whose own item is not in the catalogue the result that comes furthest counts.
    ///
    /// - Returns: One answer for each exam that was there at the time, by record; `nil` if no pack is in force.
    package func glance(
        at found: [Finder.Found],
        like order: Order,
        by credential: ClinicianCredential
    ) throws -> [ContentAddress: Answer]? {
        let moment = try self.moments.moment(order.time, knownAt: order.knownAt)
        guard let volume = try self.shelf.volume(asOf: moment.time, knownAt: moment.height) else { return nil }
        let prepared = try self.exams.prepare(found, for: credential, at: moment, by: volume)
        let birthDay = prepared.exams.lazy.compactMap(\.reading.birthDay).first
        var answers: [ContentAddress: Answer] = [:]
        for exam in prepared.exams {
            var single = prepared
            single.exams = [exam]
            single.birthDay = birthDay
            var best: Answer?
            for code in exam.ownItems(volume.engine) {
                var order = order
                order.item.code = code
                let answer = try self.judge(order, single, credential, moment, volume)
                if best.map({ answer.isBetter(than: $0) }) ?? true { best = answer }
            }
            answers[exam.found.summary.record] = best
        }
        return answers
    }

    /// What is said of one record: by an order of its own item, or as one of the exams that could answer another order.
    ///
    /// - Throws: ``AgentFailure`` `recordUnknown`, in the same words whether there is none or it is not for this clinician
    ///   to know; `policyNone`.
    package func answer(
        _ order: Order,
        about record: ContentAddress,
        credential: ClinicianCredential
    ) throws -> Answer {
        let location = try self.index.location(of: record)
        let found = try self.finder.find(pseudonyms: [location.pseudonym], credential: credential)
        guard found.contains(where: { $0.summary.record == record }) else { throw RecordIndex.unknown }
        let answer: Answer?
        if order.item.code.isEmpty {
            // All are given, because the age may be known from another.
            guard let answers = try self.glance(at: found, like: order, by: credential) else { throw PolicyDesk.none }
            answer = answers[record]
        } else {
            guard let whole = try self.answer(order, among: found, by: credential) else { throw PolicyDesk.none }
            answer = whole
        }
        guard let answer, answer.exams.contains(where: { $0.found.summary.record == record }) else {
            throw AgentFailure(
                .recordUnknown,
                "the record was not on the chain at that time, or is not among the newest that an order is judged against",
                hint: "Choose a later time, or an order of its own item."
            )
        }
        return answer
    }

    /// Whether every record that an answer was judged by has been opened here, so that its results are known already.
    package func isOpened(_ answer: Answer) throws -> Bool {
        var records = Set(answer.exams.filter { $0.basis == .record }.map(\.found.summary.record))
        for pseudonym in Set(answer.exams.map(\.found.pseudonym)) where !records.isEmpty {
            let tag = self.context.secrets.tag(of: pseudonym)
            guard let patient = try self.context.custody.patients(tags: [tag])[0] else { continue }
            for stored in try self.context.custody.receipts(patient: patient.number) {
                records.remove(try self.context.secrets.openReceipt(stored.sealed).request.record)
            }
        }
        return records.isEmpty
    }

    /// Makes a recorded verdict again from its input and the pack that it names.
    ///
    /// - Throws: ``AgentFailure`` `policyUnknown` if the chain has adopted no such pack.
    package func again(_ input: VerdictInput) throws -> (verdict: Verdict, volume: PolicyShelf.Volume) {
        guard let volume = try self.shelf.volume(pack: input.policy) else {
            throw AgentFailure(
                .policyUnknown,
                "the chain has adopted no such policy pack",
                hint: "See entente policy list."
            )
        }
        return (
            try volume.engine.verdict(for: input.order, among: input.candidates, access: input.access), volume
        )
    }

    // MARK: Judging

    private func judge(
        _ order: Order,
        _ prepared: CandidateMaker.Prepared,
        _ credential: ClinicianCredential,
        _ moment: VerdictMoments.Moment,
        _ volume: PolicyShelf.Volume
    ) throws -> Answer {
        let engine = volume.engine
        var lines: [(exam: Int, candidate: Candidate)] = []
        for (index, exam) in prepared.exams.enumerated() {
            let answering = exam.reading.lines.filter { line in
                line.candidate.key.line > 0 && engine.answers(line.candidate.item.code, for: order.item.code)
            }
            let ordered = engine.item(order.item.code)?.code
            // A result that is what is ordered has a value, which its panel has not.
            let isResult = answering.contains { engine.item($0.candidate.item.code)?.code == ordered }
            let whole = exam.reading.lines[0]
            let isWhole = engine.item(whole.candidate.item.code)?.code == ordered
            if isWhole || !isResult { lines.append((index, whole.candidate)) }
            lines += answering.map { (index, $0.candidate) }
        }
        let count = lines.count
        if count > Verdict.candidatesMax {
            lines.sort { Self.isNewer($0.candidate, $1.candidate) }
            lines = Array(lines.prefix(Verdict.candidatesMax))
        }
        var entries: [RecognitionAccess.Entry] = []
        for index in Set(lines.map(\.exam)).sorted() { entries.append(prepared.exams[index].access) }
        entries.sort { ($0.report ?? "").utf8.lexicographicallyPrecedes(($1.report ?? "").utf8) }
        let (ageDays, age) = Self.age(order, moment, prepared.birthDay)
        let input = VerdictInput(
            policy: engine.policyHash,
            order: self.orderContext(order, ageDays, credential, moment, engine),
            candidates: lines.map { engine.attested($0.candidate, for: order.item) },
            access: RecognitionAccess(height: prepared.height.value, entries: entries)
        )
        let verdict = try engine.verdict(for: input.order, among: input.candidates, access: input.access)
        return Answer(
            input: input,
            verdict: verdict,
            volume: volume,
            exams: Self.judged(prepared.exams, verdict),
            age: age,
            knownAt: moment.height,
            leftOut: count - lines.count
        )
    }

    private static func isNewer(_ one: Candidate, _ other: Candidate) -> Bool {
        if one.reportTime != other.reportTime { return one.reportTime > other.reportTime }
        if one.key.report != other.key.report {
            return one.key.report.utf8.lexicographicallyPrecedes(other.key.report.utf8)
        }
        return one.key.line < other.key.line
    }

    /// Of each exam the line that was chosen, else the one that passed most steps.
    private static func judged(_ exams: [CandidateMaker.Exam], _ verdict: Verdict) -> [Judged] {
        var reasons: [CandidateKey: Verdict.Reason] = [:]
        for rejection in verdict.rejected { reasons[rejection.candidate] = rejection.reason }
        var best: [String: Verdict.Trace] = [:]
        func rank(_ key: CandidateKey) -> Int {
            guard key != verdict.chosen else { return .max }
            return Int(reasons[key]?.step.rawValue ?? 0)
        }
        for trace in verdict.trace {
            guard let known = best[trace.candidate.report] else {
                best[trace.candidate.report] = trace
                continue
            }
            if rank(trace.candidate) > rank(known.candidate) { best[trace.candidate.report] = trace }
        }
        return exams.compactMap { exam in
            guard let trace = best[exam.report] else { return nil }
            return Judged(
                found: exam.found,
                basis: exam.basis,
                line: trace.candidate.line,
                reason: trace.candidate == verdict.chosen ? nil : reasons[trace.candidate],
                steps: trace.findings
            )
        }
    }

    private static func age(
        _ order: Order,
        _ moment: VerdictMoments.Moment,
        _ birthDay: Int64?
    ) -> (days: UInt32, source: AgeSource) {
        let given = order.birthDate.map { Int64($0.daysSinceEpoch) }
        guard let birth = given ?? birthDay else { return (self.assumedAgeDays, .assumed) }
        let today = Seconds.day(moment.time.secondsDown + order.offsetMinutes * 60)
        return (UInt32(clamping: today - birth), given == nil ? .record : .given)
    }

    private func orderContext(
        _ order: Order,
        _ ageDays: UInt32,
        _ credential: ClinicianCredential,
        _ moment: VerdictMoments.Moment,
        _ engine: RecognitionEngine
    ) -> OrderContext {
        let own = Member(self.context.institution, self.context.board.tip.state, engine, at: moment.height)
        return OrderContext(
            // Who it is follows from the exams; nothing that names a person goes into an input.
            patient: "",
            item: order.item,
            time: moment.time.secondsDown,
            offsetMinutes: order.offsetMinutes,
            institution: own.name,
            level: own.level,
            area: own.area,
            consortia: own.consortia,
            department: order.department ?? credential.department,
            doctor: credential.clinician,
            visitType: order.visitType,
            visit: order.visit,
            diagnoses: order.diagnoses,
            ageDays: ageDays,
            flags: order.flags
        )
    }
}

extension VerdictDesk.Answer {
    /// The stronger outcome; of exams that are not eligible, the one that came further.
    fileprivate func isBetter(than other: VerdictDesk.Answer) -> Bool {
        let (own, others) = (self.verdict.outcome.rawValue, other.verdict.outcome.rawValue)
        guard own == others else { return own < others }
        func step(_ answer: VerdictDesk.Answer) -> UInt8 { answer.exams.compactMap(\.reason?.step.rawValue).max() ?? 0 }
        return step(self) > step(other)
    }
}
