import AgentAPI
import Foundation
import GRPCCore
import Ledger
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func declareLifeEvent(
        request: Entente_Api_V1_DeclareLifeEventRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_DeclareLifeEventReply {
        try await self.answer {
            let evidence = try Self.evidence(request.evidence)
            let event = try await self.mandates.event(request.kind, of: request.patient, evidence: evidence)
            let height = try await self.submitted(.delegations(.declare(event))).height
            return .with {
                $0.event = Data(event.id.digest.bytes)
                $0.height = height
            }
        }
    }

    func withdrawLifeEvent(
        request: Entente_Api_V1_WithdrawLifeEventRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let id = LifeEventID(try Self.digest(request.event, "an event"))
            try self.mandates.checkOwn(id)
            return try await self.submitted(.delegations(.withdraw(id)))
        }
    }

    func prepareObjection(
        request: Entente_Api_V1_PrepareObjectionRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            self.prepared(
                try self.mandates.objection(
                    to: GrantID(try Self.digest(request.grant, "a grant")),
                    by: DelegationID(try Self.digest(request.delegation, "a delegation")),
                    guardian: try Self.key(request.guardianKey)
                )
            )
        }
    }

    func decideObjection(
        request: Entente_Api_V1_DecideObjectionRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let call = try self.mandates.decision(
                on: GrantID(try Self.digest(request.grant, "a grant")),
                by: DelegationID(try Self.digest(request.delegation, "a delegation")),
                outcome: request.outcome
            )
            return try await self.submitted(.delegations(call))
        }
    }

    func mandates(
        request: Entente_Api_V1_MandatesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_MandatesReply {
        try await self.answer {
            let overview = try await self.mandates.overview(of: request.patient)
            return .with { reply in
                reply.mandates = overview.mandates.map(Self.line)
                reply.events = overview.events.map(Self.line)
                reply.objections = overview.objections.map(Self.line)
            }
        }
    }

    private static func line(_ mandate: MandateDesk.Mandate) -> Entente_Api_V1_MandateLine {
        let delegation = mandate.state.delegation
        return .with { line in
            line.delegation = Data(mandate.id.digest.bytes)
            line.capacity = delegation.capacity.name
            line.principal =
                switch delegation.principal {
                case .patient: "patient"
                case .witness(let institution): institution.text
                }
            line.delegate = Data(delegation.delegate.bytes)
            line.notBefore = delegation.notBefore.milliseconds
            line.notAfter = delegation.notAfter.milliseconds
            line.speaks = mandate.speaks
        }
    }

    private static func line(_ state: LifeEventState) -> Entente_Api_V1_LifeEventLine {
        .with { line in
            line.event = Data(state.event.id.digest.bytes)
            line.kind = state.event.kind.name
            line.institution = state.event.institution.text
            line.time = state.time.milliseconds
            line.height = state.height.value
            line.withdrawn = state.withdrawnHeight != nil
        }
    }

    private static func line(_ objection: MandateDesk.Objection) -> Entente_Api_V1_ObjectionLine {
        .with { line in
            line.grant = Data(objection.grant.digest.bytes)
            line.delegation = Data(objection.state.delegation.digest.bytes)
            line.state = objection.state.decision?.outcome.name ?? "open"
            line.height = objection.state.height.value
        }
    }
}
