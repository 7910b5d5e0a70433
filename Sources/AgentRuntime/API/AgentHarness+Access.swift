import AgentAPI
import Foundation
import GRPCCore
import Ledger
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func prepareNarrowing(
        request: Entente_Api_V1_PrepareNarrowingRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let id = GrantID(try Self.digest(request.grant, "a grant"))
            let key: VerifyingKey?
            switch request.signer {
            case .patientKey(let bytes): key = try Self.key(bytes)
            case .witness: key = nil
            case nil: throw AgentFailure(.badRequest, "nobody speaks for the patient")
            }
            return self.prepared(try await self.grants.narrowing(id, to: GrantDesk.Remainder(request), by: key))
        }
    }

    func prepareDelegation(
        request: Entente_Api_V1_PrepareDelegationRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let principal: VerifyingKey?
            switch request.principal {
            case .patientKey(let bytes): principal = try Self.key(bytes)
            case .witness: principal = nil
            case nil: throw AgentFailure(.badRequest, "nobody appoints the delegate")
            }
            let wish = GrantDesk.Appointment(
                request,
                principal: principal,
                delegate: try Self.key(request.delegateKey),
                evidence: try Self.evidence(request.evidence)
            )
            return self.prepared(try await self.grants.delegation(wish))
        }
    }

    func prepareDelegationEnd(
        request: Entente_Api_V1_PrepareDelegationEndRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let id = DelegationID(try Self.digest(request.delegation, "a delegation"))
            let key: VerifyingKey?
            switch request.signer {
            case .patientKey(let bytes): key = try Self.key(bytes)
            case .witness: key = nil
            case nil: throw AgentFailure(.badRequest, "nobody ends the delegation")
            }
            return self.prepared(try self.grants.delegationEnd(id, by: key))
        }
    }

    func prepareDiscovery(
        request: Entente_Api_V1_PrepareDiscoveryRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let key: VerifyingKey?
            switch request.principal {
            case .patientKey(let bytes): key = try Self.key(bytes)
            case .witness: key = nil
            case nil: throw AgentFailure(.badRequest, "nobody speaks for the patient")
            }
            return self.prepared(
                try await self.grants.discovery(of: request.patient, isHidden: request.hidden, by: key)
            )
        }
    }

    func changeGroup(
        request: Entente_Api_V1_ChangeGroupRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let id = try Self.group(request.group)
            if request.creates {
                return try await self.submitted(.grants(.createGroup(id, keeper: self.context.institution)))
            }
            let change = GroupChange(
                group: id,
                signer: self.context.institution,
                added: try request.added.map(self.grants.institution),
                removed: try request.removed.map(self.grants.institution)
            )
            guard max(change.added.count, change.removed.count) <= GroupState.changesMax else {
                throw AgentFailure(.badRequest, "a change names at most \(GroupState.changesMax) institutions")
            }
            return try await self.submitted(.grants(.changeGroup(change)))
        }
    }

    func showGroup(
        request: Entente_Api_V1_ShowGroupRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ShowGroupReply {
        try await self.answer {
            let tip = self.context.board.tip
            guard let group = tip.state.group(try Self.group(request.group)) else {
                throw AgentFailure(.groupUnknown, "the chain knows no such group")
            }
            return .with {
                $0.group = group.id.text
                $0.keeper = group.keeper.text
                $0.members = group.members(at: tip.height).map(\.text)
            }
        }
    }

    func openReferral(
        request: Entente_Api_V1_OpenReferralRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_OpenReferralReply {
        try await self.answer {
            let referral = Referral(
                from: self.context.institution,
                to: try self.grants.institution(request.to),
                nonce: UInt64.random(in: .min ... .max)
            )
            let reply = try await self.submitted(.grants(.openReferral(referral)))
            return .with {
                $0.referral = Data(referral.id.digest.bytes)
                $0.height = reply.height
            }
        }
    }

    func closeReferral(
        request: Entente_Api_V1_CloseReferralRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let id = ReferralID(try Self.digest(request.referral, "a referral"))
            let own = self.context.institution
            guard let referral = self.context.board.tip.state.referral(id)?.referral,
                referral.from == own || referral.to == own
            else { throw AgentFailure(.referralUnknown, "this institution has no such referral") }
            return try await self.submitted(.grants(.closeReferral(id, by: self.context.institution)))
        }
    }

    func explain(
        request: Entente_Api_V1_ExplainRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_ExplainReply {
        try await self.answer {
            let record = ContentAddress(try Self.digest(request.record, "a record"))
            let purpose = try Self.purpose(request.purpose)
            let (judged, height) = try self.fetcher.explain(
                record: record,
                purpose: purpose,
                credential: Array(request.credential)
            )
            return Self.explanation(judged, height)
        }
    }

    private static func explanation(_ judged: OpeningJudge.Judged, _ height: Height) -> Entente_Api_V1_ExplainReply {
        .with { reply in
            reply.height = height.value
            if judged.isErased, judged.answer.isAllowed {
                reply.answer = "erased"
                reply.code = AgentFailure.Code.recordErased.rawValue
                reply.text = "The record is erased: its key is destroyed."
                return
            }
            switch judged.answer {
            case .own:
                reply.answer = "own"
                reply.code = "access.own"
                reply.text = "The record is this institution's own; no grant is needed."
            case .allowed(let permission):
                reply.answer = "granted"
                reply.code = "access.granted"
                reply.grant = Data(permission.grant.digest.bytes)
                reply.hidden = permission.hidden
                reply.uses = judged.uses[permission.grant] ?? 0
                reply.usesMax = permission.usesMax ?? 0
                reply.text = "A grant allows it."
            case .refused(let refusal, let nearest):
                reply.answer = "refused"
                reply.code = refusal.code
                reply.rule = refusal.rule
                if let nearest { reply.grant = Data(nearest.digest.bytes) }
                reply.text =
                    judged.answer.failure.map { $0.message.prefix(1).uppercased() + $0.message.dropFirst() + "." } ?? ""
                reply.hint = judged.answer.failure?.hint ?? ""
            }
        }
    }

    private static func group(_ text: String) throws -> GroupID {
        guard let id = GroupID(text) else {
            throw AgentFailure(.badRequest, "a group's name is 1 to 32 small letters, digits and hyphens")
        }
        return id
    }
}

extension GrantDesk.Remainder {
    init(_ request: Entente_Api_V1_PrepareNarrowingRequest) {
        self.init(
            patient: request.patient,
            withoutGrantees: request.withoutGrantees,
            withoutCustodians: request.withoutCustodians,
            kinds: request.kinds,
            items: request.items,
            examsFrom: request.examsFrom == 0 ? nil : Timestamp(milliseconds: request.examsFrom),
            examsUntil: request.examsUntil == 0 ? nil : Timestamp(milliseconds: request.examsUntil),
            hidden: request.hidden,
            withoutSensitive: request.withoutSensitive
        )
    }
}

extension GrantDesk.Appointment {
    init(
        _ request: Entente_Api_V1_PrepareDelegationRequest,
        principal: VerifyingKey?,
        delegate: VerifyingKey,
        evidence: Digest
    ) {
        self.init(
            patient: request.patient,
            principal: principal,
            delegate: delegate,
            capacity: request.capacity,
            kinds: request.kinds,
            items: request.items,
            examsFrom: AgentHarness.time(request.examsFrom),
            examsUntil: AgentHarness.time(request.examsUntil),
            purpose: request.purpose,
            sensitive: request.sensitive,
            hidden: request.hidden,
            notBefore: AgentHarness.time(request.notBefore),
            notAfter: AgentHarness.time(request.notAfter),
            evidence: evidence,
            birthDate: request.birthDate
        )
    }
}
