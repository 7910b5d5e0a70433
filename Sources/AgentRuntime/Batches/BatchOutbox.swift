import Ledger
package import LedgerStore
import Logging
import Primitives

/// Hands this institution's prepared batches to the chain, in order, until each is in a final block: also those that an
/// earlier run left behind.
package struct BatchOutbox: Sendable {
    /// Transactions in flight.
    ///
    /// Each commits up to 1,024 exams, so this many outpace any disk.
    private static let inFlightMax = 32
    /// A batch that no quorum has ordered is handed in again after this time.
    private static let patience: Duration = .seconds(60)

    private let context: AgentContext
    private let desk: TransactionDesk
    private let kind: ManifestKind
    private let bell: Bell

    package init(context: AgentContext, desk: TransactionDesk, kind: ManifestKind, bell: Bell) {
        self.context = context
        self.desk = desk
        self.kind = kind
        self.bell = bell
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                if try await self.submitOpen() { continue }
                await self.bell.wait()
            } catch {
                self.context.logger.warning("batches wait to be committed", metadata: ["error": "\(error)"])
                await self.bell.wait(atMost: .seconds(5))
            }
        }
    }

    /// Submits what is open and waits for the decisions.
    ///
    /// Whether there was anything.
    private func submitOpen() async throws -> Bool {
        let head = BatchSequencer.chainHead(self.kind, self.context)
        let open = try self.context.custody.openBatches(self.kind).filter { $0.number >= head.next }
            .prefix(Self.inFlightMax)
        guard !open.isEmpty else { return false }
        var bytes: [Digest: [UInt8]] = [:]
        for outgoing in try self.context.custody.outgoingTransactions() { bytes[outgoing.id] = outgoing.bytes }
        var sent: [(batch: StoredBatch, transaction: Transaction, decision: PendingDecision)] = []
        for batch in open {
            guard let stored = bytes[batch.transactionID], let transaction = try? Transaction(canonicalBytes: stored)
            else { throw AgentFailure(.storeDamaged, "the transaction of a prepared batch is not stored") }
            sent.append((batch, transaction, self.desk.send(transaction)))
        }
        for (batch, transaction, decision) in sent { try await self.settle(batch, transaction, decision) }
        // The follower marks batches final when it reads their block; until then there is nothing else to do here.
        if BatchSequencer.chainHead(self.kind, self.context) == head { await self.bell.wait(atMost: .seconds(1)) }
        return true
    }

    private func settle(_ batch: StoredBatch, _ transaction: Transaction, _ pending: PendingDecision) async throws {
        let decision: ChainBoard.Decision
        do {
            decision = try await self.desk.decision(pending, of: transaction.id, timeout: Self.patience)
        } catch let failure as AgentFailure where failure.code == .transactionTimeout {
            return
        }
        switch decision {
        case .inBlock(_, let receipt) where receipt.code == .ok: return
        case .inBlock(_, let receipt): try await self.renew(transaction, batch, after: receipt.code)
        case .refused(let refusal): try await self.renew(transaction, batch, after: refusal.code)
        }
    }

    /// Signs the same commitment anew: the first transaction expired, or came before its predecessor.
    private func renew(_ transaction: Transaction, _ batch: StoredBatch, after code: TransactionCode) async throws {
        switch code {
        case .expired, .commitWrongNumber, .receiptsWrongNumber, .factsWrongNumber, .poolFull, .signerShareFull: break
        default:
            // Signing it again would fill the chain with refusals.
            self.context.logger.critical(
                "the chain refuses a batch of this institution",
                metadata: ["batch": "\(batch.number)", "code": "\(code.name)"]
            )
            await self.bell.wait(atMost: Self.patience)
        }
        guard !Task.isCancelled, let anchor = BatchSequencer.anchor(in: transaction.bytes, kind: self.kind) else {
            return
        }
        let renewed = self.desk.signed(BatchSequencer.call(anchor, kind: self.kind))
        guard renewed.id != transaction.id else { return }
        try self.context.custody.replaceTransaction(
            self.kind,
            number: batch.number,
            with: OutgoingTransaction(id: renewed.id.digest, bytes: renewed.bytes)
        )
    }
}
