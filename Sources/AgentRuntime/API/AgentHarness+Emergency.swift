import AgentAPI
import Foundation
import GRPCCore
import Ledger
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func prepareBreakGlass(
        request: Entente_Api_V1_PrepareBreakGlassRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer { self.prepared(try await self.emergencies.opening(Self.wish(request))) }
    }

    func prepareOfflineBreakGlass(
        request: Entente_Api_V1_PrepareBreakGlassRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedOfflineBreakGlass {
        try await self.answer {
            let prepared = try await self.emergencies.offlineOpening(Self.wish(request))
            return .with {
                $0.opening = Data(prepared.opening.canonicalBytes)
                $0.toSign = Data(prepared.toSign)
            }
        }
    }

    func openOffline(
        request: Entente_Api_V1_OpenOfflineRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_OpenOfflineReply {
        try await self.answer {
            guard let signature = Signature(Array(request.signature)) else {
                throw AgentFailure(.badRequest, "a signature is 64 bytes")
            }
            let second = Signature(Array(request.approverSignature))
            guard second != nil || request.approverSignature.isEmpty else {
                throw AgentFailure(.badRequest, "the second signature is not 64 bytes")
            }
            let (entry, until) = try self.emergencies.declare(
                Array(request.opening),
                clinician: signature,
                approver: second
            )
            return .with { reply in
                if case .opening(let opening, _, _) = entry.content {
                    reply.emergency = Data(opening.grant.id.digest.bytes)
                }
                reply.number = entry.number
                reply.entry = Data(entry.digest.bytes)
                reply.until = until.milliseconds
            }
        }
    }

    private static func wish(_ request: Entente_Api_V1_PrepareBreakGlassRequest) throws -> EmergencyDesk.Wish {
        var widens: GrantID?
        if !request.widens.isEmpty { widens = try Self.emergency(request.widens) }
        return EmergencyDesk.Wish(
            patient: request.patient,
            reason: request.reason,
            statement: EmergencyStatement(text: request.text, context: request.circumstances),
            credential: Array(request.credential),
            approver: Array(request.approver),
            widens: widens
        )
    }

    func prepareReview(
        request: Entente_Api_V1_PrepareReviewRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            self.prepared(
                try self.emergencies.review(
                    Self.emergency(request.emergency),
                    outcome: request.outcome,
                    credential: Array(request.credential)
                )
            )
        }
    }

    func notices(
        request: Entente_Api_V1_NoticesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_NoticesReply {
        try await self.answer(paced: true) {
            let notices = try await self.emergencies.notices(of: request.patient)
            let counts = self.context.board.tip.state.emergencyCounts(self.context.institution)
            let now = Clock.now
            let figures = try StatusReporter.emergencies(self.context)
            return .with { reply in
                reply.figures = figures
                reply.notices = notices.map { Self.notice($0, now) }
                reply.opened = counts.opened
                reply.justified = counts.justified
                reply.unjustified = counts.unjustified
            }
        }
    }

    private static func notice(_ notice: EmergencyDesk.Notice, _ now: Timestamp) -> Entente_Api_V1_Notice {
        let opening = notice.state.opening
        return .with { message in
            message.emergency = Data(notice.id.digest.bytes)
            message.institution = opening.grant.grantees.first?.text ?? ""
            message.reason = opening.reason.name
            message.text = notice.statement?.text ?? ""
            message.circumstances = notice.statement?.context ?? ""
            message.time = notice.state.declaredTime.milliseconds
            message.height = notice.state.createdHeight.value
            message.until = opening.grant.notAfter.milliseconds
            message.wide = opening.widens != nil
            message.approved = opening.approver != nil
            if let widens = opening.widens { message.widens = Data(widens.digest.bytes) }
            message.own = notice.isOwn
            message.waiting = notice.isWaiting
            message.alarms = notice.state.alarms.names
            if let offline = notice.state.offline {
                message.offline = true
                message.uses = offline.uses
                message.broken = offline.broken?.name ?? ""
            }
            message.reviewUntil = notice.state.reviewDeadline.milliseconds
            message.review =
                notice.state.review?.outcome.name ?? (now < notice.state.reviewDeadline ? "open" : "overdue")
        }
    }

    private static func emergency(_ bytes: Data) throws -> GrantID {
        GrantID(try self.digest(bytes, "an emergency access"))
    }
}
