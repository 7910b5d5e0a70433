import Ledger
import LedgerStore
package import Oblivious
import PeerLink
package import Primitives
import Records
import Synchronization
import Vault

/// What an evaluator says to a batch.
package enum EvaluationReply: Hashable, Sendable, CanonicalCodable {
    case evaluated(PartialEvaluation)
    /// The asker has had its part for today.
    case overQuota
    /// The asked institution has no share of that generation.
    case notHolder
    /// The asker has as many requests waiting as it may.
    case busy

    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .evaluated(let evaluation):
            encoder.encode(variant: 0)
            encoder.encode(evaluation)
        case .overQuota: encoder.encode(variant: 1)
        case .notHolder: encoder.encode(variant: 2)
        case .busy: encoder.encode(variant: 3)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 4) {
        case 0: self = .evaluated(try decoder.decode())
        case 1: self = .overQuota
        case 2: self = .notHolder
        default: self = .busy
        }
    }
}

extension EvaluationReply {
    /// Asks a holder over the peer link.
    static func ask(_ link: PeerLink, _ holder: InstitutionID, _ request: PeerRequest) async throws -> EvaluationReply {
        try await link.fetch(request.canonicalBytes, from: holder) { frames in
            // One frame holds the largest answer.
            for try await frame in frames { return try EvaluationReply(canonicalBytes: frame) }
            throw CanonicalError.truncated
        }
    }
}

/// Evaluates other members' blinded elements with this institution's share, counts them, and stops at the daily quota.
package final class PseudonymEvaluator: Sendable {
    /// Of one asker; one is at work at a time, so that a flood costs its sender waiting and others a turn each.
    private static let waitingMax = 4

    private let context: AgentContext
    private let served: @Sendable () -> Void
    private let gate = AsyncGate()
    private let waiting = Mutex<[InstitutionID: Int]>([:])

    /// `served`: called when there is something to report to the chain.
    package init(context: AgentContext, served: @escaping @Sendable () -> Void) {
        self.context = context
        self.served = served
    }

    package func answer(
        _ asker: InstitutionID,
        generation: UInt32,
        _ blinded: [RistrettoElement]
    ) async throws -> EvaluationReply {
        guard !blinded.isEmpty else { return .notHolder }
        let isAdmitted = self.waiting.withLock { waiting in
            guard waiting[asker, default: 0] < Self.waitingMax else { return false }
            waiting[asker, default: 0] += 1
            return true
        }
        guard isAdmitted else { return .busy }
        defer { self.waiting.withLock { $0[asker, default: 1] -= 1 } }
        return try await self.gate.through { try self.evaluate(asker, generation, blinded) }
    }

    private func evaluate(
        _ asker: InstitutionID,
        _ generation: UInt32,
        _ blinded: [RistrettoElement]
    ) throws -> EvaluationReply {
        let state = self.context.board.tip.state
        let institution = self.context.institution
        guard let key = state.pseudonymKey, key.generation == generation,
            let shareKey = key.shareKey(of: institution),
            self.context.vault.pseudonyms.generation == generation
        else { return .notHolder }
        // The clock decides, not the last block: a chain that rests has no new day.
        let day = Clock.now.pseudonymDay
        let quota = UInt64(self.context.genesis.parameters.pseudonymDailyQuota)
        let known = state.pseudonymIdentifiers(asker, on: day, quota: quota)
        guard known + UInt64(blinded.count) <= quota else { return .overQuota }
        guard
            try self.context.custody.countServed(asker, day: day, count: UInt64(blinded.count), quota: quota)
        else { return .overQuota }
        let evaluation = self.context.vault.pseudonyms.evaluate(blinded, generation: generation, shareKey: shareKey)
        self.served()
        return evaluation.map { .evaluated($0) } ?? .notHolder
    }
}
