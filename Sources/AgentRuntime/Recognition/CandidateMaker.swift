import Formats
import Ledger
import LedgerStore
import Primitives
import Recognition
import Records
import Synchronization
import Vault

/// Makes of exams that were found what the rules judge.
///
/// A record is read where the clinician may open it and it is here. Nothing that it holds is shown by that: whoever wants to
/// see a result opens the record, and that is recorded (Documentation/Decisions/0012-verdicts-read-records.md).
final class CandidateMaker: Sendable {
    /// An exam with what it says of itself.
    struct Exam: Sendable {
        var found: Finder.Found
        var basis: VerdictDesk.Basis
        var reading: ExamReading
        var access: RecognitionAccess.Entry
        /// The name under which the verdict speaks of it: its record.
        var report: String

        /// The items by whose orders it is judged when nothing is ordered.
        func ownItems(_ engine: RecognitionEngine) -> [String] {
            let own = self.reading.lines[0].candidate.item.code
            guard engine.item(own) == nil else { return [own] }
            var codes: [String] = []
            for line in self.reading.lines.dropFirst() {
                let code = line.candidate.item.code
                if engine.item(code) != nil, !codes.contains(code) { codes.append(code) }
                guard codes.count < Self.ownItemsMax else { break }
            }
            return codes.isEmpty ? [own] : codes
        }

        private static let ownItemsMax = 32
    }

    /// Exams as of one moment.
    struct Prepared: Sendable {
        var exams: [Exam]
        /// The newest block that says anything of the person's grants.
        var height: Height
        var birthDay: Int64?
    }

    private struct CacheKey: Hashable {
        var record: ContentAddress
        var policy: Digest
    }

    /// Readings that are remembered; each access is judged anew.
    private static let readingsMax = 1024

    private let context: AgentContext
    private let judge: AccessJudge
    private let opener: RecordOpener
    private let readings = Mutex<[CacheKey: ExamReading]>([:])

    init(context: AgentContext, judge: AccessJudge) {
        self.context = context
        self.judge = judge
        self.opener = RecordOpener(context: context)
    }

    func prepare(
        _ found: [Finder.Found],
        for credential: ClinicianCredential,
        at moment: VerdictMoments.Moment,
        by volume: PolicyShelf.Volume
    ) throws -> Prepared {
        let tip = self.context.board.tip
        var accesses: [Digest: PersonAccess] = [:]
        var members: [InstitutionID: Member] = [:]
        var batches: [BatchName: BatchState?] = [:]
        func batch(_ row: LocatorRow) -> BatchState? {
            let name = BatchName(institution: row.institution, number: row.batch)
            if let known = batches[name] { return known }
            let state = tip.state.commitmentBatch(row.institution, row.batch)
            batches[name] = .some(state)
            return state
        }
        var prepared = Prepared(exams: [], height: Height(0), birthDay: nil)
        for exam in found {
            let committed = batch(exam.row)
            // An order knows nothing of what came after it.
            if moment.isPast, committed.map({ $0.time > moment.time }) ?? true { continue }
            let access: PersonAccess
            if let known = accesses[exam.pseudonym.digest] {
                access = known
            } else {
                access = try PersonAccess(exam.pseudonym, judge: self.judge, credential, moment, tip)
                accesses[exam.pseudonym.digest] = access
                prepared.height = max(prepared.height, access.height)
            }
            let institution = exam.row.institution
            let performer =
                members[institution] ?? Member(institution, tip.state, volume.engine, at: moment.height)
            members[institution] = performer
            let isReplaced = exam.replacedBy.map { row in
                !moment.isPast || (batch(row).map { $0.time <= moment.time } ?? false)
            }
            prepared.exams.append(
                self.exam(
                    exam,
                    access.finding(self.judge.facts(exam.summary), at: institution, self.context),
                    performer,
                    committed,
                    isReplaced: isReplaced ?? false,
                    moment,
                    volume
                )
            )
        }
        prepared.birthDay = prepared.exams.lazy.compactMap(\.reading.birthDay).first
        return prepared
    }

    private struct BatchName: Hashable {
        var institution: InstitutionID
        var number: UInt64
    }

    private func exam(
        _ exam: Finder.Found,
        _ access: PersonAccess.Finding,
        _ performer: Member,
        _ batch: BatchState?,
        isReplaced: Bool,
        _ moment: VerdictMoments.Moment,
        _ volume: PolicyShelf.Volume
    ) -> Exam {
        let report = exam.summary.record.digest.hex
        // Every version is a record of its own, which knows whether it replaces one and is replaced by one.
        let version: UInt32 = exam.row.leaf.supersedes == nil ? 1 : 2
        let base = Candidate(
            key: CandidateKey(report: report, version: version),
            state: .final,
            newestVersion: isReplaced ? version + 1 : version,
            item: ItemReference(code: ""),
            identity: exam.identity,
            performer: performer.name,
            performerLevel: performer.level,
            performerArea: performer.area,
            performerConsortia: performer.consortia,
            examTime: 0,
            reportTime: 0,
            // Lines are indexed only under a root that their institution signed onto the chain.
            signatureOK: true,
            anchor: batch?.height.value
        )
        var (reading, basis) = self.reading(exam, access, base, volume)
        // What nobody can open any more answers no order.
        if exam.isErased || self.context.voids.isVoid(exam.summary.record, at: moment.time) {
            for index in reading.lines.indices { reading.lines[index].candidate.state = .voided }
        }
        return Exam(
            found: exam,
            basis: basis,
            reading: reading,
            access: self.entry(access, exam, batch, moment, volume),
            report: report
        )
    }

    // MARK: Access

    private func entry(
        _ access: PersonAccess.Finding,
        _ exam: Finder.Found,
        _ batch: BatchState?,
        _ moment: VerdictMoments.Moment,
        _ volume: PolicyShelf.Volume
    ) -> RecognitionAccess.Entry {
        let institution = exam.row.institution
        let now = moment.time.secondsDown
        var entry = RecognitionAccess.Entry(
            custodian: institution.text,
            report: exam.summary.record.digest.hex,
            access: access.state,
            checkedAt: now
        )
        if access.isLeaseOver {
            // Nothing confirms that the grant still stands.
            (entry.sourceOnline, entry.checkedAt) = (false, 0)
            return entry
        }
        // Who could be reached in the past is written nowhere.
        guard !moment.isPast, institution != self.context.institution, !self.context.contacts.isReachable(institution)
        else {
            return entry
        }
        let seen = max(self.context.contacts.last(institution)?.secondsDown ?? 0, batch?.time.secondsDown ?? 0)
        // As long as the pack allows, a source that was seen lately is as good as one that is there.
        guard now - seen > Int64(volume.engine.policy.staleAfterSeconds) else { return entry }
        (entry.sourceOnline, entry.checkedAt) = (false, seen)
        return entry
    }

    // MARK: Reading

    private func reading(
        _ exam: Finder.Found,
        _ access: PersonAccess.Finding,
        _ base: Candidate,
        _ volume: PolicyShelf.Volume
    ) -> (ExamReading, VerdictDesk.Basis) {
        let words = PackWords(
            engine: volume.engine,
            codes: self.context.codes.view,
            source: exam.row.institution
        )
        let summary = exam.summary
        let code = words.code([(summary.itemSystem.isEmpty ? nil : summary.itemSystem, summary.itemCode)])
        let listing = ExamReading(listing: base, summary, code: summary.itemCode.isEmpty ? "" : code, words)
        guard let opening = access.opening else { return (listing, .notGranted) }
        if case .allowed(let permission) = opening, permission.usesMax != nil { return (listing, .counted) }
        do {
            guard var reading = try self.read(exam, opening, base, words, volume) else { return (listing, .notHere) }
            if case .allowed(let permission) = opening { reading.hide(Set(permission.hidden)) }
            return (reading, .record)
        } catch let error as AgentFailure where error.code == .recordNotHere {
            return (listing, .notHere)
        } catch {
            return (listing, .unreadable)
        }
    }

    private func read(
        _ exam: Finder.Found,
        _ opening: AccessAnswer,
        _ base: Candidate,
        _ words: PackWords,
        _ volume: PolicyShelf.Volume
    ) throws -> ExamReading? {
        let key = CacheKey(record: exam.summary.record, policy: volume.engine.policyHash)
        if let known = self.readings.withLock({ $0[key] }) { return known.renewed(base) }
        guard try self.context.vault.contains(exam.summary.record) else { return nil }
        let opened = try self.opener.unseal(exam.row, opening)
        var base = base
        base.signatureOK = opened.commitment == exam.row.leaf.commitment
        let reading = ExamReading(record: base, try RecordOpener.parse(opened.content), words)
        self.readings.withLock { readings in
            if readings.count >= Self.readingsMax { readings = [:] }
            readings[key] = reading
        }
        return reading
    }
}

extension ExamReading {
    /// Leaves out what a grant hides.
    fileprivate mutating func hide(_ hidden: Set<String>) {
        guard !hidden.isEmpty else { return }
        self.lines = self.lines.enumerated().compactMap { index, line in
            guard !line.codes.isDisjoint(with: hidden) else { return line }
            guard index == 0 else { return nil }
            var whole = line
            (whole.candidate.value, whole.candidate.unit, whole.candidate.referenceRange) = (nil, nil, nil)
            whole.candidate.critical = .none
            return whole
        }
    }

    /// The same with what may have changed since it was read.
    fileprivate func renewed(_ base: Candidate) -> ExamReading {
        var reading = self
        for index in reading.lines.indices {
            var candidate = reading.lines[index].candidate
            candidate.newestVersion = base.newestVersion
            candidate.performerLevel = base.performerLevel
            candidate.performerArea = base.performerArea
            candidate.performerConsortia = base.performerConsortia
            candidate.anchor = base.anchor
            reading.lines[index].candidate = candidate
        }
        return reading
    }
}

/// A person's grants as a clinician meets them at one moment.
private struct PersonAccess {
    /// What holds for one exam.
    struct Finding {
        var state: AccessState
        var isLeaseOver = false
        /// How the record may be opened now; `nil` if it may not.
        var opening: AccessAnswer?
    }

    private let pseudonym: PatientPseudonym
    private let grants: [AccessTerms]
    private let uses: [GrantID: UInt32]
    private let judge: AccessJudge
    private let credential: ClinicianCredential
    private let moment: VerdictMoments.Moment
    private let tip: ChainBoard.Tip
    let height: Height

    init(
        _ pseudonym: PatientPseudonym,
        judge: AccessJudge,
        _ credential: ClinicianCredential,
        _ moment: VerdictMoments.Moment,
        _ tip: ChainBoard.Tip
    ) throws {
        self.pseudonym = pseudonym
        self.judge = judge
        self.credential = credential
        self.moment = moment
        self.tip = tip
        self.grants = judge.grants(on: pseudonym, for: credential.institution, in: tip.state)
        self.uses = try judge.uses(of: pseudonym, under: self.grants)
        let heights = self.grants.flatMap { terms in
            [terms.state.createdHeight] + [terms.state.revokedHeight].compactMap { $0 }
                + terms.state.narrowings.map(\.height)
        }
        self.height = heights.filter { $0 <= moment.height }.max() ?? Height(0)
    }

    func finding(_ facts: ExamFacts, at custodian: InstitutionID, _ context: AgentContext) -> Finding {
        let now = self.answer(facts, custodian, isPast: false)
        let then = self.moment.isPast ? self.answer(facts, custodian, isPast: true) : now
        var finding = self.finding(then)
        finding.opening = now.isAllowed ? now : nil
        return finding
    }

    /// For treatment, else in an emergency.
    private func answer(_ facts: ExamFacts, _ custodian: InstitutionID, isPast: Bool) -> AccessAnswer {
        let answers = [PurposeOfUse.treatment, .emergency].map { purpose in
            var question = self.judge.opening(
                of: facts,
                about: self.pseudonym,
                at: custodian,
                by: self.credential,
                purpose: purpose,
                tip: self.tip,
                uses: self.uses
            )
            if isPast {
                (question.height, question.time) = (self.moment.height, self.moment.time)
                // Neither how often nor how long without contact is known of the past.
                (question.uses, question.silence) = ([:], 0)
            }
            return AccessRule.answer(question, under: self.grants)
        }
        return answers.first(where: \.isAllowed) ?? answers[0]
    }

    private func finding(_ answer: AccessAnswer) -> Finding {
        switch answer {
        case .own: return Finding(state: .own)
        case .allowed(let permission):
            if case .emergency = self.grants.first(where: { $0.id == permission.grant })?.state.grant.grantor {
                return Finding(state: .breakGlass)
            }
            return Finding(state: .granted)
        case .refused(.stale, _): return Finding(state: .granted, isLeaseOver: true)
        case .refused(.revoked, _), .refused(.narrowed, _): return Finding(state: .revoked)
        case .refused(.expired, _), .refused(.usedUp, _), .refused(.delegationOver, _),
            .refused(.referralClosed, _):
            return Finding(state: .expired)
        case .refused: return Finding(state: .none)
        }
    }
}
