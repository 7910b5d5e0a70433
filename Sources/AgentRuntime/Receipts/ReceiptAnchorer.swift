import Ledger
import LedgerStore
import Logging
import Primitives
import Records
import Vault

/// Commits receipts to the chain in batches, so that patient and source see an opening soon after it happened.
package struct ReceiptAnchorer: Sendable {
    /// Receipts written within this time after the first share a batch.
    private static let gathering: Duration = .seconds(2)

    private let context: AgentContext
    private let desk: TransactionDesk
    private let sequencer: BatchSequencer
    private let bell: Bell
    private let prepared: @Sendable () -> Void

    /// `bell`: rung when a receipt was written.
    ///
    /// `prepared`: called when a batch waits to be submitted.
    package init(
        context: AgentContext,
        desk: TransactionDesk,
        sequencer: BatchSequencer,
        bell: Bell,
        prepared: @escaping @Sendable () -> Void
    ) {
        self.context = context
        self.desk = desk
        self.sequencer = sequencer
        self.bell = bell
        self.prepared = prepared
    }

    /// Runs until cancelled.
    ///
    /// Receipts of an earlier run are anchored first.
    package func run() async {
        while !Task.isCancelled {
            do {
                guard try await self.anchorWaiting() else {
                    await self.bell.wait()
                    try? await Task.sleep(for: Self.gathering)
                    continue
                }
            } catch {
                self.context.logger.error("receipts wait to be anchored", metadata: ["error": "\(error)"])
                await self.bell.wait(atMost: .seconds(5))
            }
        }
    }

    private func anchorWaiting() async throws -> Bool {
        let waiting = try self.context.custody.waitingReceipts(limit: ReceiptManifest.entriesMax)
        guard !waiting.isEmpty else { return false }
        let entries = try waiting.map { stored in
            guard let patient = try self.context.custody.patient(stored.patient) else {
                throw AgentFailure(.storeDamaged, "a receipt's patient is not stored")
            }
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            let receipt = try self.context.secrets.openReceipt(stored.sealed)
            return try PseudonymSealing.sealReceipt(receipt, pseudonym: pseudonym, index: stored.index)
        }
        // Nothing but this task makes receipt batches, so the number cannot be taken between here and `next`.
        let number = self.sequencer.nextNumber
        let manifest = ReceiptManifest(institution: self.context.institution, batch: number, entries: entries)
        let object = try self.context.vault.makeObject(.receiptManifest, body: manifest.canonicalBytes)
        try await self.context.vault.append([object])
        _ = try self.sequencer.next { number, previous in
            let anchor = BatchAnchor(
                institution: self.context.institution,
                number: number,
                previous: previous,
                count: UInt32(entries.count),
                root: manifest.root,
                manifest: object.address
            )
            let transaction = self.desk.signed(BatchSequencer.call(anchor, kind: .receipts))
            try self.context.custody.prepare(
                BatchCommitment(
                    number: number,
                    root: anchor.root,
                    manifest: anchor.manifest,
                    transactionID: transaction.id.digest,
                    transaction: transaction.bytes
                ),
                receipts: waiting.map(\.number)
            )
            return anchor
        }
        self.prepared()
        return true
    }
}
