import Ledger
import LedgerStore
import Logging
import Primitives
import Records
import Vault

/// Sees every erasure through: refuses what the law forbids, destroys what was accepted, and proves it.
///
/// What is to be done follows from the chain and the stores alone, so a kill at any point costs a repetition.
package struct ErasureKeeper: Sendable {
    private static let retry: Duration = .seconds(5)

    private let context: AgentContext
    private let desk: TransactionDesk
    private let destroyer: Destroyer
    private let judge: ErasureJudge

    package init(context: AgentContext, desk: TransactionDesk) {
        self.context = context
        self.desk = desk
        self.destroyer = Destroyer(context: context)
        self.judge = ErasureJudge(context: context)
    }

    /// Runs until cancelled.
    package func run() async {
        var open: Set<ErasureID> = []
        var isListed = false
        while !Task.isCancelled {
            var isHeldUp = false
            do {
                if !isListed {
                    for bytes in try self.context.custody.accessNotes(.erasure) {
                        open.insert(try Erasure(canonicalBytes: bytes).id)
                    }
                    isListed = true
                }
                open.formUnion(self.context.erasures.take())
                for id in open.sorted() where try await self.isSettled(id) { open.remove(id) }
            } catch {
                // A full disk, mostly, or no quorum: the same is tried again.
                self.context.logger.error("an erasure is held up", metadata: ["error": "\(error)"])
                isHeldUp = true
            }
            if isHeldUp {
                await self.context.erasures.bell.wait(atMost: Self.retry)
            } else {
                await self.context.erasures.bell.wait()
            }
        }
    }

    /// Does what is to be done now, and says whether nothing more ever will be.
    private func isSettled(_ id: ErasureID) async throws -> Bool {
        guard let state = self.context.board.tip.state.erasure(id) else { return false }
        switch state.decision?.outcome {
        case nil:
            guard state.erasure.source == self.context.institution else { return false }
            if let refusal = try self.judge.refusal(of: state.erasure, as: .outpatient) {
                let outcome = ErasureState.Outcome.refused(refusal.reason, until: refusal.until)
                try await self.submit(.decide(id, by: self.context.institution, outcome))
            }
            return false
        case .refused: return true
        case .accepted:
            let destruction = try await self.destroyer.destroy(state.erasure)
            guard state.outstanding.contains(self.context.institution) else { return true }
            try await self.submit(.prove(destruction))
            return false
        }
    }

    private func submit(_ call: ErasuresCall) async throws {
        let transaction = self.desk.signed(.erasures(call))
        switch try await self.desk.decision(of: transaction, timeout: TransactionDesk.timeoutDefault) {
        case .inBlock(_, let receipt) where receipt.code == .ok: break
        case .inBlock(_, let receipt): try self.settle(receipt.code)
        case .refused(let refusal): try self.settle(refusal.code)
        }
    }

    /// An earlier transaction that was thought to be lost may have done it.
    private func settle(_ code: TransactionCode) throws {
        switch code {
        case .erasureAlreadyDecided, .erasureAlreadyProved: break
        default: throw AgentFailure(.transactionRefused, "the chain refuses a step of an erasure: \(code.name)")
        }
    }
}
