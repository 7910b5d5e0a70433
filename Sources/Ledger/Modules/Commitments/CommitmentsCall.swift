package import Primitives
internal import Records

/// An institution's commitment to exams that it sealed: one small transaction for up to 4096 of them.
package enum CommitmentsCall: Hashable, Sendable {
    static let rules = BatchRules(
        module: .commitments,
        countMax: UInt32(Manifest.entriesMax),
        wrongSigner: .commitWrongSigner,
        unknownInstitution: .commitUnknownInstitution,
        wrongNumber: .commitWrongNumber,
        wrongPrevious: .commitWrongPrevious,
        badCount: .commitBadCount
    )

    /// Signed by the institution.
    ///
    /// Leaves are those of ``ExamLeaf``.
    case commitExams(BatchAnchor)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .commitExams(let anchor):
            try Self.rules.append(anchor, in: &context)
            context.emit(.examsCommitted(anchor))
        }
    }
}

extension CommitmentsCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .commitExams(let anchor):
            encoder.encode(variant: 0)
            encoder.encode(anchor)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        _ = try decoder.decodeVariant(count: 1)
        self = .commitExams(try decoder.decode())
    }
}

extension StateReading {
    /// What the institution's next batch of exams must be.
    package func commitmentHead(_ institution: InstitutionID) -> BatchHead {
        self.value(at: CommitmentsCall.rules.headKey(institution)) ?? .start
    }

    /// Batch `number` of the institution's exams.
    package func commitmentBatch(_ institution: InstitutionID, _ number: UInt64) -> BatchState? {
        self.value(at: CommitmentsCall.rules.batchKey(institution, number))
    }
}
