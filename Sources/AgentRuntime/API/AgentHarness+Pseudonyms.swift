import AgentAPI
import Foundation
import GRPCCore
import Ledger
import PeerLink
import Primitives
import Records
import SwiftProtobuf
import Vault

extension AgentHarness {
    func resharePseudonyms(
        request: Entente_Api_V1_ResharePseudonymsRequest,
        context: ServerContext
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.answer {
            let number = (self.context.board.tip.state.pseudonymCeremony?.number ?? 0) + 1
            let call = PseudonymKeysCall.reshare(self.context.institution, number: number)
            return try await self.submitted(.pseudonymKeys(call))
        }
    }
}

extension StatusReporter {
    func pseudonymKey(_ state: LedgerState) -> Entente_Api_V1_PseudonymKey {
        let quota = UInt64(self.context.genesis.parameters.pseudonymDailyQuota)
        return .with { reply in
            if let key = state.pseudonymKey {
                reply.generation = key.generation
                reply.threshold = UInt32(key.threshold)
                reply.holders = key.holders.map(\.institution.text)
                reply.hasShare_p = self.context.vault.pseudonyms.generation == key.generation
            }
            if let ceremony = state.pseudonymCeremony, ceremony.isOpen {
                reply.phase = Self.name(ceremony.phase)
                reply.joined = ceremony.members.map(\.institution.text)
            }
            reply.liars = self.names.liars.map(\.text)
            let day = Clock.now.pseudonymDay
            reply.usedToday = state.pseudonymIdentifiers(self.context.institution, on: day, quota: quota)
            reply.dailyQuota = quota
        }
    }

    private static func name(_ phase: PseudonymCeremony.Phase) -> String {
        switch phase {
        case .joining: "joining"
        case .dealing: "dealing"
        case .checking: "checking"
        case .done, .failed: ""
        }
    }

    func pseudonymCheck() -> Entente_Api_V1_Check {
        let state = self.context.board.tip.state
        let institution = self.context.institution
        guard let key = state.pseudonymKey else {
            return Self.check(
                "pseudonyms",
                isFine: false,
                "the institutions have not shared the pseudonym key yet",
                hint: "Enough of their agents must run at the same time; it goes on by itself (entente status)."
            )
        }
        let connected = Set(self.link.peers.filter(\.connected).map(\.institution)).union([institution])
        let here = key.holders.filter { connected.contains($0.institution) }.count
        if here < Int(key.threshold) {
            return Self.check(
                "pseudonyms",
                isFine: false,
                "\(here) of the \(key.threshold) holders that a new pseudonym takes are connected",
                hint: "Known patients can be found; new ones wait until more holders are back."
            )
        }
        let liars = self.names.liars
        guard liars.isEmpty else {
            return Self.check(
                "pseudonyms",
                isFine: false,
                "answers by \(liars.map(\.text).joined(separator: ", ")) do not fit their share keys",
                hint: "Ask them to check their agents; they are not asked meanwhile."
            )
        }
        if key.index(of: institution) != nil, self.context.vault.pseudonyms.generation != key.generation {
            return Self.check(
                "pseudonyms",
                isFine: false,
                "the chain lists this home as a holder of the key, and it has no share",
                hint: "It asks for another sharing by itself; entente pseudonyms reshare does it now."
            )
        }
        return Self.check(
            "pseudonyms",
            isFine: true,
            "\(here) of \(key.holders.count) holders connected, \(key.threshold) needed",
            hint: ""
        )
    }
}
