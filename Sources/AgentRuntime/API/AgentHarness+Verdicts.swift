import AgentAPI
import Foundation
import GRPCCore
import Ledger
import LedgerStore
import Primitives
import Recognition
import Records
import SwiftProtobuf

extension AgentHarness {
    /// What a list of exams says of recognition.
    struct JudgedExams {
        var policy: Entente_Api_V1_PolicyInForce?
        var exams: [ContentAddress: Entente_Api_V1_ExamVerdict] = [:]
        var verdict: Entente_Api_V1_OrderVerdict?
    }

    /// `all`: every exam of the patient that is listed; `found`: those that are shown.
    func judged(
        _ found: [Finder.Found],
        of all: [Finder.Found],
        _ form: Entente_Api_V1_OrderForm,
        _ credential: ClinicianCredential
    ) throws -> JudgedExams {
        let order = try VerdictMessages.order(form)
        var judged = JudgedExams()
        guard let volume = try self.verdicts.volume(for: order) else { return judged }
        judged.policy = VerdictMessages.policy(volume)
        if order.item.code.isEmpty {
            let answers = try self.verdicts.glance(at: found, like: order, by: credential) ?? [:]
            for (record, answer) in answers {
                guard let exam = answer.exams.first else { continue }
                judged.exams[record] = VerdictMessages.exam(exam, answer)
            }
        } else if let answer = try self.verdicts.answer(order, among: all, by: credential) {
            let verdict = VerdictMessages.verdict(answer, isOpened: try self.verdicts.isOpened(answer))
            for (exam, message) in zip(answer.exams, verdict.exams) {
                judged.exams[exam.found.summary.record] = message
            }
            judged.verdict = verdict
        }
        return judged
    }

    func why(
        request: Entente_Api_V1_WhyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_WhyReply {
        try await self.answer {
            if !request.input.isEmpty {
                let input = try VerdictInput(canonicalBytes: Array(request.input))
                let (verdict, volume) = try self.verdicts.again(input)
                return .with { reply in
                    reply.policy = VerdictMessages.policy(volume)
                    reply.verdict = VerdictMessages.verdict(verdict, of: input, volume)
                }
            }
            let credential = try self.fetcher.credentials.credential(Array(request.credential), now: Clock.now)
            let order = try VerdictMessages.order(request.order)
            let answer = try await self.answer(to: request, order, credential)
            let isOpened = try self.verdicts.isOpened(answer)
            guard isOpened || !request.wantsInput else {
                throw AgentFailure(
                    .verdictNotOpened,
                    "what the verdict was made from holds results of records that nobody has opened here",
                    hint: "Fetch the records first; that is recorded."
                )
            }
            return .with { reply in
                reply.policy = VerdictMessages.policy(answer.volume)
                reply.verdict = VerdictMessages.verdict(answer, isOpened: isOpened)
                if request.wantsInput { reply.input = Data(answer.input.canonicalBytes) }
            }
        }
    }

    private func answer(
        to request: Entente_Api_V1_WhyRequest,
        _ order: VerdictDesk.Order,
        _ credential: ClinicianCredential
    ) async throws -> VerdictDesk.Answer {
        if !request.record.isEmpty {
            let record = ContentAddress(try Self.digest(request.record, "a record"))
            return try self.verdicts.answer(order, about: record, credential: credential)
        }
        guard !order.item.code.isEmpty else {
            throw AgentFailure(.badRequest, "name a record, or a patient and what is ordered")
        }
        guard let answer = try await self.verdicts.answer(order, patient: request.patient, credential: credential)
        else { throw PolicyDesk.none }
        return answer
    }

    // MARK: Policy packs

    func proposePolicy(
        request: Entente_Api_V1_ProposePolicyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PolicyReply {
        try await self.answer {
            let (proposal, height) = try await self.policies.propose(Array(request.pack))
            return self.policyReply(proposal, height)
        }
    }

    func approvePolicy(
        request: Entente_Api_V1_ApprovePolicyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PolicyReply {
        try await self.answer {
            let id = PolicyProposalID(try Self.digest(request.proposal, "a proposal"))
            let (proposal, height) = try await self.policies.approve(id)
            return self.policyReply(proposal, height)
        }
    }

    private func policyReply(_ proposal: PolicyProposal, _ height: Height) -> Entente_Api_V1_PolicyReply {
        .with { reply in
            reply.height = height.value
            let lines = self.policyLines
            if let line = lines.first(where: { $0.proposal == Data(proposal.id.digest.bytes) }) { reply.policy = line }
        }
    }

    func listPolicies(
        request: Entente_Api_V1_ListPoliciesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ListPoliciesReply {
        try await self.answer {
            .with { reply in
                reply.policies = self.policyLines
                reply.quorum = UInt32(clamping: self.policies.quorum)
            }
        }
    }

    func showPolicy(
        request: Entente_Api_V1_ShowPolicyRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ShowPolicyReply {
        try await self.answer {
            let (pack, id): (PolicyPack, PolicyProposalID)
            if !request.proposal.isEmpty {
                id = PolicyProposalID(try Self.digest(request.proposal, "a proposal"))
                pack = try self.policies.proposal(id).1
            } else {
                let digest = request.digest.isEmpty ? nil : try Self.digest(request.digest, "a policy pack")
                let time = request.asOf == 0 ? Clock.now : Timestamp(milliseconds: request.asOf)
                let volume = try self.policies.adopted(digest, asOf: time)
                (pack, id) = (volume.engine.policy, volume.state.proposal.id)
            }
            return .with { reply in
                reply.pack = Data(pack.canonicalBytes)
                if let line = self.policyLines.first(where: { $0.proposal == Data(id.digest.bytes) }) {
                    reply.policy = line
                }
            }
        }
    }

    private var policyLines: [Entente_Api_V1_PolicyLine] {
        let now = Clock.now
        let adopted = self.policies.adopted
        let inForce = PolicyTimeline(adopted).pack(asOf: now)?.index
        let quorum = UInt32(clamping: self.policies.quorum)
        let state = self.context.board.tip.state
        let past = adopted.map { pack in
            Self.line(pack.proposal, pack.approvals, quorum) { line in
                line.state = pack.index == inForce ? "in-force" : pack.effective > now ? "adopted" : "replaced"
                line.effectiveFrom = pack.effective.milliseconds
                line.adoptedHeight = pack.adoptedHeight.value
                line.adoptedTime = pack.adoptedTime.milliseconds
                line.approvedHere = state.isApproved(pack.proposal, by: self.context.institution)
            }
        }
        let open = self.policies.open.map { open in
            Self.line(open.state.proposal, open.state.approvals, quorum) { line in
                line.state = open.state.isComplete ? "waiting" : "incomplete"
                line.effectiveFrom = open.state.proposal.effectiveFrom.milliseconds
                line.approvedHere = open.isApprovedHere
            }
        }
        return past + open
    }

    private static func line(
        _ proposal: PolicyProposal,
        _ approvals: UInt32,
        _ quorum: UInt32,
        _ rest: (inout Entente_Api_V1_PolicyLine) -> Void
    ) -> Entente_Api_V1_PolicyLine {
        .with { line in
            line.proposal = Data(proposal.id.digest.bytes)
            line.digest = Data(proposal.pack.bytes)
            line.version = proposal.version
            line.institution = proposal.institution.text
            line.approvals = approvals
            line.quorum = quorum
            line.bytes = proposal.byteCount
            rest(&line)
        }
    }
}
