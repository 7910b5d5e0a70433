package import Primitives
internal import Records

/// An institution's commitment to fetch receipts: who read what cannot be taken back or slipped in later.
package enum ReceiptsCall: Hashable, Sendable {
    static let rules = BatchRules(
        module: .receipts,
        countMax: UInt32(ReceiptManifest.entriesMax),
        wrongSigner: .receiptsWrongSigner,
        unknownInstitution: .receiptsUnknownInstitution,
        wrongNumber: .receiptsWrongNumber,
        wrongPrevious: .receiptsWrongPrevious,
        badCount: .receiptsBadCount
    )

    /// Signed by the institution.
    ///
    /// Leaves are those of ``FetchReceipt``.
    case anchorReceipts(BatchAnchor)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .anchorReceipts(let anchor):
            try Self.rules.append(anchor, in: &context)
            context.emit(.receiptsAnchored(anchor))
        }
    }
}

extension ReceiptsCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .anchorReceipts(let anchor):
            encoder.encode(variant: 0)
            encoder.encode(anchor)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        _ = try decoder.decodeVariant(count: 1)
        self = .anchorReceipts(try decoder.decode())
    }
}

extension StateReading {
    /// What the institution's next batch of receipts must be.
    package func receiptHead(_ institution: InstitutionID) -> BatchHead {
        self.value(at: ReceiptsCall.rules.headKey(institution)) ?? .start
    }

    /// Batch `number` of the institution's receipts.
    package func receiptBatch(_ institution: InstitutionID, _ number: UInt64) -> BatchState? {
        self.value(at: ReceiptsCall.rules.batchKey(institution, number))
    }
}
