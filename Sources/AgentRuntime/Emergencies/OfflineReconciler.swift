import Ledger
import LedgerStore
import Logging
import Primitives
import Records

/// Puts the local chain of emergency uses on the ledger, entry by entry in its order, when there is contact again.
///
/// An entry waits until the ledger has it, and the ledger takes each once: a kill at any moment neither loses nor repeats
/// one.
package struct OfflineReconciler: Sendable {
    /// An entry that no quorum has ordered is sent again after this time.
    private static let patience: Duration = .seconds(30)

    private let context: AgentContext
    private let desk: TransactionDesk
    private let bell: Bell
    private let found: @Sendable () -> Void

    /// `bell`: rung when an entry was written and when the chain has a block; `found`: called when there is an anomaly.
    package init(context: AgentContext, desk: TransactionDesk, bell: Bell, found: @escaping @Sendable () -> Void) {
        self.context = context
        self.desk = desk
        self.bell = bell
        self.found = found
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                let ledger = self.context.board.tip.state.offlineHead(self.context.institution)
                // What this home has put there itself is no news; what it never wrote is.
                if try self.context.offline.compare(with: ledger) { self.found() }
                if let stored = try self.context.custody.waitingOfflineEntry() {
                    try await self.submit(stored)
                } else {
                    await self.bell.wait()
                }
            } catch {
                self.context.logger.error("emergency uses wait to be told", metadata: ["error": "\(error)"])
                await self.bell.wait(atMost: .seconds(5))
            }
        }
    }

    private func submit(_ stored: StoredOfflineEntry) async throws {
        let state = self.context.board.tip.state
        if state.hasOfflineEntry(self.context.institution, stored.digest) {
            try self.context.custody.mark(stored.digest, .reconciled)
            return
        }
        let entry = try OfflineEntry(canonicalBytes: stored.bytes)
        let transaction = self.desk.signed(.emergency(.reconcile(entry)))
        let code: TransactionCode
        do {
            switch try await self.desk.decision(of: transaction, timeout: Self.patience) {
            case .inBlock(_, let receipt): code = receipt.code
            case .refused(let refusal): code = refusal.code
            }
        } catch let failure as AgentFailure where failure.code == .transactionTimeout {
            return
        }
        switch code {
        case .ok, .emergencyOfflineKnown, .emergencyExists: try self.context.custody.mark(stored.digest, .reconciled)
        case .expired, .poolFull, .signerShareFull, .alreadyPending, .replayed, .emergencyTooManyOpen,
            .emergencyOfflineFuture, .overMeter:
            await self.bell.wait(atMost: .seconds(5))
        default: try self.giveUp(stored, code)
        }
    }

    /// Nothing that this agent writes is refused; what is was changed in the home, and everybody is to know.
    private func giveUp(_ stored: StoredOfflineEntry, _ code: TransactionCode) throws {
        self.context.logger.critical(
            "the chain refuses an entry of the local chain",
            metadata: ["entry": "\(stored.number)", "code": "\(code.name)"]
        )
        let anomaly = AnomalyMaker(vault: self.context.vault).anomaly(
            .emergencyChain,
            about: [stored.digest],
            [AnomalyDetail.Fact(.chain, code.name)],
            now: Clock.now
        )
        try self.context.custody.note([anomaly])
        self.found()
        try self.context.custody.mark(stored.digest, .refused)
    }
}
