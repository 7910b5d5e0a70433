import Ledger
import LedgerStore
import Primitives
import Records

/// Judges for the source of records whether they may be erased: whose they are, and for how long the law has them kept.
struct ErasureJudge: Sendable {
    struct Refusal: Sendable {
        var reason: ErasureRefusal
        var until: Timestamp?
    }

    /// The end of the calendar, where a period has no end.
    private static let never = Timestamp(milliseconds: 253_402_300_799_000)

    private let context: AgentContext
    private let policy = RetentionPolicy.standard

    init(context: AgentContext) { self.context = context }

    /// Why the records of an erasure are not to be erased now; `nil` if nothing speaks against it.
    ///
    /// Where an exam has no time, that of its batch counts. The records of one erasure are judged together: it ends when
    /// the last of them may be erased.
    func refusal(of erasure: Erasure, as recordClass: RecordClass) throws -> Refusal? {
        var until = Timestamp(milliseconds: .min)
        for record in erasure.records {
            guard let exam = try self.context.custody.exam(record: record),
                let batch = self.context.board.tip.state.commitmentBatch(erasure.source, exam.batch)
            else { return Refusal(reason: .unknownRecord) }
            guard try self.isPatient(erasure.requester, of: exam) else { return Refusal(reason: .notThePatient) }
            let ends = self.policy.ends(examAt: exam.examTime ?? batch.time, recordClass)
            until = max(until, ends ?? Self.never)
        }
        // By the chain's clock, which is the one that its rules go by.
        guard until > max(self.context.board.tip.block.header.time, Clock.now) else { return nil }
        return Refusal(reason: .retention, until: until)
    }

    private func isPatient(_ requester: Erasure.Requester, of exam: StoredExam) throws -> Bool {
        guard case .patient(let key) = requester else { return true }
        guard let enrolment = self.context.board.tip.state.enrolment(key),
            let patient = try self.context.custody.patient(exam.patient)
        else { return false }
        let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
        return pseudonym.handle(salt: enrolment.salt) == enrolment.handle
    }
}
