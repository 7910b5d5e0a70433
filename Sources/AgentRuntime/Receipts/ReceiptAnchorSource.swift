package import LedgerStore
import Logging
import Primitives
import Records
import Vault

/// The receipts that no batch commits yet, sealed for whoever knows the patient.
package struct ReceiptAnchorSource: AnchorSource {
    package let kind = ManifestKind.receipts
    private let context: AgentContext
    private let watch: ReadingWatch
    private let found: @Sendable () -> Void

    /// `found`: called when something unusual about the readings waits to be reported.
    package init(context: AgentContext, found: @escaping @Sendable () -> Void) {
        self.context = context
        self.watch = ReadingWatch(context: context)
        self.found = found
    }

    package func waiting(asBatch number: UInt64) throws -> AnchoredList? {
        let waiting = try self.context.custody.waitingReceipts(limit: ReceiptManifest.entriesMax)
        do {
            if try self.watch.look() { self.found() }
        } catch {
            // Readings are accounted for all the same.
            self.context.logger.error(
                "the patterns of readings could not be looked at",
                metadata: ["error": "\(error)"]
            )
        }
        guard !waiting.isEmpty else { return nil }
        let entries = try waiting.map { stored in
            guard let patient = try self.context.custody.patient(stored.patient) else {
                throw AgentFailure(.storeDamaged, "a receipt's patient is not stored")
            }
            let pseudonym = try self.context.secrets.openPseudonym(patient.sealedPseudonym)
            let receipt = try self.context.secrets.openReceipt(stored.sealed)
            return try PseudonymSealing.sealReceipt(receipt, pseudonym: pseudonym, index: stored.index)
        }
        let manifest = ReceiptManifest(institution: self.context.institution, batch: number, entries: entries)
        return AnchoredList(
            object: .receiptManifest,
            body: manifest.canonicalBytes,
            root: manifest.root,
            rows: waiting.map(\.number)
        )
    }

    package func prepare(_ commitment: BatchCommitment, rows: [Int64]) throws {
        try self.context.custody.prepare(commitment, receipts: rows)
    }
}
