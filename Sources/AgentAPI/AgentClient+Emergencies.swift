// Emergencies without contact, and who speaks for whom.
extension AgentClient {
    /// Makes the declaration of an emergency without contact.
    public func prepareOfflineBreakGlass(
        _ request: Entente_Api_V1_PrepareBreakGlassRequest
    ) async throws -> Entente_Api_V1_PreparedOfflineBreakGlass {
        try await self.call { try await $0.prepareOfflineBreakGlass(request) }
    }

    /// Writes a signed declaration into the local chain.
    public func openOffline(
        _ request: Entente_Api_V1_OpenOfflineRequest
    ) async throws -> Entente_Api_V1_OpenOfflineReply {
        try await self.call { try await $0.openOffline(request) }
    }

    /// Declares a death, incapacity, recovery or change of custody.
    public func declareLifeEvent(
        _ request: Entente_Api_V1_DeclareLifeEventRequest
    ) async throws -> Entente_Api_V1_DeclareLifeEventReply {
        try await self.call { try await $0.declareLifeEvent(request) }
    }

    /// Takes back such a declaration.
    public func withdrawLifeEvent(
        _ request: Entente_Api_V1_WithdrawLifeEventRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.withdrawLifeEvent(request) }
    }

    /// Makes the transaction of a guardian's objection.
    public func prepareObjection(
        _ request: Entente_Api_V1_PrepareObjectionRequest
    ) async throws -> Entente_Api_V1_PreparedTransaction {
        try await self.call { try await $0.prepareObjection(request) }
    }

    /// Decides an objection.
    public func decideObjection(
        _ request: Entente_Api_V1_DecideObjectionRequest
    ) async throws -> Entente_Api_V1_TransactionReply {
        try await self.call { try await $0.decideObjection(request) }
    }

    /// Who may speak for a patient, and what bears on it.
    public func mandates(
        _ request: Entente_Api_V1_MandatesRequest
    ) async throws -> Entente_Api_V1_MandatesReply {
        try await self.call { try await $0.mandates(request) }
    }
}
