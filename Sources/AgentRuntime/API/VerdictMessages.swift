import AgentAPI
import Foundation
import Ledger
import LedgerStore
import Primitives
import Recognition
import Records
import SwiftProtobuf

/// Orders and verdicts as the local API carries them.
enum VerdictMessages {
    // MARK: Orders

    /// - Throws: ``AgentFailure`` `badRequest` that says which part cannot be read.
    static func order(_ form: Entente_Api_V1_OrderForm) throws(AgentFailure) -> VerdictDesk.Order {
        var item = ItemReference(code: form.item)
        item.modality = Self.optional(form.modality)
        item.bodySites = form.bodySites
        item.laterality = try Self.named(form.laterality, "side", default: .unspecified)
        item.contrast = try Self.named(form.contrast, "contrast", default: .unspecified)
        item.specimen = Self.optional(form.specimen)
        item.method = Self.optional(form.method)
        var flags: Set<ClinicalFlag> = []
        for name in form.flags {
            guard let flag = ClinicalFlag(name: name), flag != .criticalOpen, flag != .breakGlass else {
                throw Self.bad("a flag", ClinicalFlag.allCases.prefix(5).map(\.name))
            }
            flags.insert(flag)
        }
        return VerdictDesk.Order(
            item: item,
            time: form.time == 0 ? nil : Timestamp(milliseconds: form.time),
            knownAt: form.hasKnownAt ? Height(form.knownAt) : nil,
            offsetMinutes: Int64(form.offsetMinutes),
            department: Self.optional(form.department),
            visitType: try Self.named(form.visitType, "visit type", default: .outpatient),
            visit: form.visit,
            diagnoses: form.diagnoses,
            birthDate: try Self.date(form.birthDate),
            flags: flags
        )
    }

    private static func optional(_ text: String) -> String? { text.isEmpty ? nil : text }

    private static func named<Value: NamedByte>(
        _ name: String,
        _ what: String,
        default fallback: Value
    ) throws(AgentFailure) -> Value {
        guard !name.isEmpty else { return fallback }
        guard let value = Value(name: name) else { throw Self.bad(what, Value.allCases.map(\.name)) }
        return value
    }

    private static func bad(_ what: String, _ names: [String]) -> AgentFailure {
        AgentFailure(.badRequest, "there is no \(what) of this name", hint: names.joined(separator: ", "))
    }

    private static func date(_ text: String) throws(AgentFailure) -> GregorianDate? {
        guard !text.isEmpty else { return nil }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard text.utf8.count == 10, parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            let date = GregorianDate(year: year, month: month, day: day)
        else { throw AgentFailure(.badRequest, "a date of birth is written YYYY-MM-DD") }
        return date
    }

    // MARK: Verdicts

    static func policy(_ volume: PolicyShelf.Volume) -> Entente_Api_V1_PolicyInForce {
        .with { policy in
            policy.name = volume.engine.policy.name
            policy.version = volume.state.proposal.version
            policy.digest = Data(volume.state.proposal.pack.bytes)
            policy.proposal = Data(volume.state.proposal.id.digest.bytes)
            policy.example = volume.engine.policy.isExample
        }
    }

    /// `isOpened`: the results that it was made from are known here already.
    static func verdict(_ answer: VerdictDesk.Answer, isOpened: Bool) -> Entente_Api_V1_OrderVerdict {
        var message = self.summary(answer.verdict, of: answer.input, answer.volume)
        if isOpened { message.comparable = answer.verdict.comparable ?? "" }
        message.ageSource = answer.age.rawValue
        message.leftOut = UInt32(clamping: answer.leftOut)
        message.knownAt = answer.knownAt.value
        message.exams = answer.exams.map { self.exam($0, answer) }
        return message
    }

    /// Of a recorded input: every line that was judged.
    static func verdict(
        _ verdict: Verdict,
        of input: VerdictInput,
        _ volume: PolicyShelf.Volume
    ) -> Entente_Api_V1_OrderVerdict {
        var message = self.summary(verdict, of: input, volume)
        message.comparable = verdict.comparable ?? ""
        var performers: [CandidateKey: String] = [:]
        for candidate in input.candidates { performers[candidate.key] = candidate.performer }
        var reasons: [CandidateKey: Verdict.Reason] = [:]
        for rejection in verdict.rejected { reasons[rejection.candidate] = rejection.reason }
        message.exams = verdict.trace.map { trace in
            self.exam(
                trace.candidate,
                trace.findings,
                performers[trace.candidate] ?? "",
                reason: reasons[trace.candidate],
                verdict,
                volume,
                item: input.order.item.code
            )
        }
        return message
    }

    private static func summary(
        _ verdict: Verdict,
        of input: VerdictInput,
        _ volume: PolicyShelf.Volume
    ) -> Entente_Api_V1_OrderVerdict {
        .with { message in
            message.outcome = verdict.outcome.name
            if let chosen = verdict.chosen {
                message.chosen = Data(hexDigits: chosen.report)
                message.chosenLine = chosen.line
            }
            message.reasons = verdict.reasons.map { self.reason($0, volume) }
            message.digest = Data(verdict.digest.bytes)
            message.inputHash = Data(verdict.inputHash.bytes)
            message.engineVersion = verdict.engineVersion
            message.ageDays = input.order.ageDays
            message.item = input.order.item.code
            message.time = input.order.time.multipliedReportingOverflow(by: 1000).partialValue
        }
    }

    static func exam(_ exam: VerdictDesk.Judged, _ answer: VerdictDesk.Answer) -> Entente_Api_V1_ExamVerdict {
        let key = CandidateKey(report: exam.found.summary.record.digest.hex, version: 0, line: exam.line)
        var message = self.exam(
            key,
            exam.steps,
            exam.found.row.institution.text,
            reason: exam.reason,
            answer.verdict,
            answer.volume,
            item: answer.input.order.item.code
        )
        message.basis = exam.basis.rawValue
        return message
    }

    private static func exam(
        _ key: CandidateKey,
        _ steps: [UInt8],
        _ performer: String,
        reason: Verdict.Reason?,
        _ verdict: Verdict,
        _ volume: PolicyShelf.Volume,
        item: String
    ) -> Entente_Api_V1_ExamVerdict {
        .with { message in
            message.record = Data(hexDigits: key.report)
            message.institution = performer
            message.chosen = reason == nil
            message.line = key.line
            message.item = item
            switch reason?.step {
            case nil: message.outcome = verdict.outcome.name
            case .choice?: message.outcome = "ELIGIBLE"
            case .access?: message.outcome = VerdictOutcome.noAccess.name
            default: message.outcome = VerdictOutcome.notEligible.name
            }
            if let shown = reason ?? verdict.reasons.first { message.reason = self.reason(shown, volume) }
            message.steps = zip(RecognitionStep.allCases, steps).map { step, finding in
                .with {
                    $0.step = step.name
                    $0.finding =
                        switch finding {
                        case Verdict.Trace.passed: "passed"
                        case Verdict.Trace.open: "open"
                        default: IneligibilityCode(rawValue: finding)?.name ?? "open"
                        }
                }
            }
            message.digest = Data(verdict.digest.bytes)
            message.inputHash = Data(verdict.inputHash.bytes)
        }
    }

    private static func reason(
        _ reason: Verdict.Reason,
        _ volume: PolicyShelf.Volume
    ) -> Entente_Api_V1_RuleReason {
        let text = volume.engine.policy.texts.first { $0.code == reason.code.name }
        return .with { message in
            message.code = reason.code.name
            message.step = reason.step.name
            message.rule = reason.rule
            message.clause = reason.clause
            message.observed = reason.observed
            message.required = reason.required
            message.chinese = text?.chinese ?? ""
            message.english = text?.english ?? ""
        }
    }
}

extension Data {
    /// The address that a report is named by; empty for any other name.
    fileprivate init(hexDigits text: String) { self = Digest(hex: text).map { Data($0.bytes) } ?? Data() }
}
