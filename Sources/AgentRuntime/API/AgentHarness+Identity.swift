import AgentAPI
import Foundation
import GRPCCore
import Ledger
import LedgerStore
import Primitives
import Records
import SwiftProtobuf

extension AgentHarness {
    func prepareIdentityLink(
        request: Entente_Api_V1_PrepareIdentityLinkRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            let wish = IdentityDesk.Wish(
                kind: request.kind,
                first: request.first,
                second: request.second,
                evidence: try Self.evidence(request.evidence),
                patientKey: try request.patientKey.isEmpty ? nil : Self.key(request.patientKey),
                isOverridden: request.overridden
            )
            return self.prepared(try await self.identities.link(wish))
        }
    }

    func prepareIdentityUnlink(
        request: Entente_Api_V1_PrepareIdentityUnlinkRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.answer {
            self.prepared(
                try await self.identities.unlink(
                    Self.identityLink(request.link),
                    reason: request.reason,
                    evidence: try Self.evidence(request.evidence),
                    patient: request.patient,
                    key: try request.patientKey.isEmpty ? nil : Self.key(request.patientKey)
                )
            )
        }
    }

    func identityLinks(
        request: Entente_Api_V1_IdentityLinksRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_IdentityLinksReply {
        try await self.answer {
            let links = try await self.identities.links(of: request.patient)
            let now = Clock.now
            return .with { $0.links = links.map { Self.link($0, now) } }
        }
    }

    func identityFixups(
        request: Entente_Api_V1_IdentityFixupsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_IdentityFixupsReply {
        try await self.answer {
            let fixups = try await self.identities.fixups(Self.identityLink(request.link), patient: request.patient)
            return .with { reply in
                reply.fixups = fixups.map { fixup in
                    .with {
                        $0.kind = fixup.kind.rawValue
                        $0.institution = fixup.institution.text
                        $0.record = fixup.record.map { Data($0.digest.bytes) } ?? Data()
                        $0.grant = Data(fixup.grant.digest.bytes)
                        $0.time = fixup.time.milliseconds
                    }
                }
            }
        }
    }

    func identityCases(
        request: Entente_Api_V1_IdentityCasesRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_IdentityCasesReply {
        try await self.answer {
            let cases = try self.identities.cases()
            return .with { reply in
                reply.cases = cases.map { reviewed in
                    .with {
                        $0.number = reviewed.item.number
                        $0.kind = reviewed.item.kind == .mismatch ? "mismatch" : "likeness"
                        $0.reasons = reviewed.item.reasons.split(separator: ",").map(String.init)
                        $0.score = reviewed.item.score
                        $0.time = reviewed.item.time.milliseconds
                        $0.record = reviewed.item.record.map { Data($0.digest.bytes) } ?? Data()
                        $0.identifiers = reviewed.identifiers
                    }
                }
            }
        }
    }

    func decideIdentity(
        request: Entente_Api_V1_DecideIdentityRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_DecideIdentityReply {
        try await self.answer {
            let decided = try await self.identities.decide(request.number, isSame: request.same)
            return .with { $0.decided = decided }
        }
    }

    func temporaryIdentity(
        request: Entente_Api_V1_TemporaryIdentityRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TemporaryIdentityReply {
        try await self.answer {
            let identifier = self.identities.temporary()
            return .with { $0.identifier = identifier.system + ":" + identifier.value }
        }
    }

    private static func link(_ listed: IdentityDesk.Listed, _ now: Timestamp) -> Entente_Api_V1_IdentityLink {
        let link = listed.state.link
        return .with { message in
            message.link = Data(listed.id.digest.bytes)
            message.kind = link.kind.name
            message.author = link.author.text
            message.patientSigned = link.patientKey != nil
            message.evidence = Data(link.evidence.bytes)
            message.time = listed.state.createdTime.milliseconds
            message.height = listed.state.createdHeight.value
            message.until = link.notAfter?.milliseconds ?? 0
            if let ending = listed.state.ending {
                message.state = "ended"
                message.endedTime = ending.time.milliseconds
                message.reason = ending.unlink.reason.name
            } else {
                message.state = listed.state.holds(at: now) ? "active" : "over"
            }
            guard let statement = listed.statement else { return }
            message.known = true
            message.level = statement.level.name
            message.score = statement.score
            message.reasons = statement.reasons
            message.overridden = statement.isOverridden
        }
    }

    private static func identityLink(_ bytes: Data) throws -> IdentityLinkID {
        IdentityLinkID(try self.digest(bytes, "a link"))
    }
}
