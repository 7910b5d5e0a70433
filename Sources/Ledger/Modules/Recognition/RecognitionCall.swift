package import Primitives
internal import Records

/// An institution's commitment to facts of recognition: which reminders, decisions and citations there were cannot be
/// taken back, changed or slipped in later.
///
/// The chain orders batches of facts and does not see them; ``RecognitionBook`` applies the rules to each.
package enum RecognitionCall: Hashable, Sendable {
    static let rules = BatchRules(
        module: .recognition,
        countMax: UInt32(FactManifest.entriesMax),
        wrongSigner: .factsWrongSigner,
        unknownInstitution: .factsUnknownInstitution,
        wrongNumber: .factsWrongNumber,
        wrongPrevious: .factsWrongPrevious,
        badCount: .factsBadCount
    )

    /// Signed by the institution.
    ///
    /// Leaves are those of ``FactManifest``.
    case anchorFacts(BatchAnchor)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .anchorFacts(let anchor):
            try Self.rules.append(anchor, in: &context)
            context.emit(.factsAnchored(anchor))
        }
    }
}

extension RecognitionCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .anchorFacts(let anchor):
            encoder.encode(variant: 0)
            encoder.encode(anchor)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        _ = try decoder.decodeVariant(count: 1)
        self = .anchorFacts(try decoder.decode())
    }
}

extension StateReading {
    /// What the institution's next batch of facts must be.
    package func factHead(_ institution: InstitutionID) -> BatchHead {
        self.value(at: RecognitionCall.rules.headKey(institution)) ?? .start
    }

    /// Batch `number` of the institution's facts.
    package func factBatch(_ institution: InstitutionID, _ number: UInt64) -> BatchState? {
        self.value(at: RecognitionCall.rules.batchKey(institution, number))
    }
}
