package import Primitives
package import Records

/// Erasures: asked for by a patient or on a patient's behalf, decided by the source, proved by everybody who held keys.
///
/// The chain does not know whose records they are or how old: the source judges that, and signs what it decides. An
/// erasure touches records of its source alone, whoever asked.
package enum ErasuresCall: Hashable, Sendable {
    /// A proof of each, and the source's, fit the largest value that a call may write.
    package static let holdersMax = 64

    /// Signed by whoever asks: an enrolled patient's key, or the source.
    case request(Erasure)
    /// Signed by the source.
    case decide(ErasureID, by: InstitutionID, ErasureState.Outcome)
    /// Signed by the institution that destroyed.
    case prove(Destruction)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .request(let erasure): try Self.request(erasure, in: &context)
        case .decide(let id, let source, let outcome): try Self.decide(id, source, outcome, in: &context)
        case .prove(let destruction): try Self.prove(destruction, in: &context)
        }
    }

    private static func request(_ erasure: Erasure, in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch erasure.requester {
        case .patient(let key):
            try context.require(signers: [.key(key)], else: .erasureWrongSigner)
            guard try context.exists(.enrolment(key)) else { throw TransactionRefusal(.erasureNotPatientKey) }
        case .source: try context.require(signers: [.institution(erasure.source)], else: .erasureWrongSigner)
        }
        guard try context.exists(.institution(erasure.source)) else {
            throw TransactionRefusal(.erasureUnknownInstitution)
        }
        guard !erasure.records.isEmpty else { throw TransactionRefusal(.erasureNoRecords) }
        for record in erasure.records where try context.exists(.erasedRecord(erasure.source, record)) {
            throw TransactionRefusal(.erasureAlreadyErased)
        }
        let key = StateKey.erasure(erasure.id)
        guard try !context.exists(key) else { throw TransactionRefusal(.erasureExists) }
        let state = ErasureState(
            erasure: erasure,
            requestedHeight: context.height,
            requestedTime: context.time
        )
        try context.write(state, at: key)
    }

    private static func decide(
        _ id: ErasureID,
        _ source: InstitutionID,
        _ outcome: ErasureState.Outcome,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        guard var state: ErasureState = try context.value(at: .erasure(id)) else {
            throw TransactionRefusal(.erasureUnknown)
        }
        guard source == state.erasure.source else { throw TransactionRefusal(.erasureWrongSigner) }
        try context.require(signers: [.institution(source)], else: .erasureWrongSigner)
        guard state.decision == nil else { throw TransactionRefusal(.erasureAlreadyDecided) }
        switch outcome {
        case .accepted(_, let holders):
            for holder in holders {
                guard try context.exists(.institution(holder)), holder != source else {
                    throw TransactionRefusal(.erasureUnknownHolder, detail: holder.text)
                }
            }
            for record in state.erasure.records {
                // Another erasure may have been accepted since this one was asked for.
                guard try !context.exists(.erasedRecord(source, record)) else {
                    throw TransactionRefusal(.erasureAlreadyErased)
                }
                try context.write(id, at: .erasedRecord(source, record))
            }
        case .refused(let reason, let until):
            // Whoever is told of a period is told when it ends, and one that is over is no reason.
            guard reason != .retention || until.map({ $0 > context.time }) ?? false else {
                throw TransactionRefusal(.erasureBadPeriod)
            }
        }
        state.decision = ErasureState.Decision(outcome: outcome, height: context.height, time: context.time)
        try context.write(state, at: .erasure(id))
    }

    private static func prove(
        _ destruction: Destruction,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        let institution = destruction.institution
        try context.require(signers: [.institution(institution)], else: .erasureWrongSigner)
        guard var state: ErasureState = try context.value(at: .erasure(destruction.erasure)) else {
            throw TransactionRefusal(.erasureUnknown)
        }
        guard state.isAccepted else { throw TransactionRefusal(.erasureNotAccepted) }
        guard state.holders.contains(institution) else { throw TransactionRefusal(.erasureNotHolder) }
        guard state.outstanding.contains(institution) else { throw TransactionRefusal(.erasureAlreadyProved) }
        guard destruction.list == state.erasure.listDigest else { throw TransactionRefusal(.erasureWrongList) }
        state.proofs.append(
            ErasureState.Proof(destruction: destruction, height: context.height, time: context.time)
        )
        try context.write(state, at: .erasure(destruction.erasure))
    }
}

extension ErasuresCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .request(let erasure):
            encoder.encode(variant: 0)
            encoder.encode(erasure)
        case .decide(let id, let source, let outcome):
            encoder.encode(variant: 1)
            encoder.encode(id)
            encoder.encode(source)
            encoder.encode(outcome)
        case .prove(let destruction):
            encoder.encode(variant: 2)
            encoder.encode(destruction)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 3) {
        case 0: self = .request(try decoder.decode())
        case 1: self = .decide(try decoder.decode(), by: try decoder.decode(), try decoder.decode())
        default: self = .prove(try decoder.decode())
        }
    }
}

extension StateKey {
    package static func erasure(_ id: ErasureID) -> StateKey { StateKey(.erasures, tag: 1, id) }

    /// Where it stands under which erasure a record of an institution is erased.
    package static func erasedRecord(_ source: InstitutionID, _ record: ContentAddress) -> StateKey {
        StateKey(.erasures, tag: 2) { encoder in
            encoder.encode(source)
            encoder.encode(record)
        }
    }
}

extension StateReading {
    package func erasure(_ id: ErasureID) -> ErasureState? { self.value(at: .erasure(id)) }

    /// The accepted erasure of a record of an institution.
    package func erasure(of record: ContentAddress, by source: InstitutionID) -> ErasureID? {
        self.value(at: .erasedRecord(source, record))
    }

    /// Whether a record that this institution lists as its own is erased.
    package func isErased(_ record: ContentAddress, of source: InstitutionID) -> Bool {
        self.bytes(at: .erasedRecord(source, record)) != nil
    }
}
