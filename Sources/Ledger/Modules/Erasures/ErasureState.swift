package import Primitives
package import Records

/// An erasure as it stands in the state: asked for, then accepted or refused, then proved by one holder after another.
package struct ErasureState: Hashable, Sendable {
    /// What the source decided.
    package enum Outcome: Hashable, Sendable {
        /// Everybody destroys from this block on. `holders`: the institutions that the source gave keys to, ascending.
        case accepted(RecordClass, holders: [InstitutionID])
        /// `until`: when the reason lapses, if that is known.
        case refused(ErasureRefusal, until: Timestamp?)
    }

    /// What the source decided, and when.
    package struct Decision: Hashable, Sendable, CanonicalCodable {
        package var outcome: Outcome
        package var height: Height
        package var time: Timestamp

        package init(outcome: Outcome, height: Height, time: Timestamp) {
            self.outcome = outcome
            self.height = height
            self.time = time
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.outcome)
            encoder.encode(self.height)
            encoder.encode(self.time)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.outcome = try decoder.decode()
            self.height = try decoder.decode()
            self.time = try decoder.decode()
        }
    }

    /// A holder's signed word that it has destroyed what it had.
    package struct Proof: Hashable, Sendable, CanonicalCodable {
        package var destruction: Destruction
        package var height: Height
        package var time: Timestamp

        package init(destruction: Destruction, height: Height, time: Timestamp) {
            self.destruction = destruction
            self.height = height
            self.time = time
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.destruction)
            encoder.encode(self.height)
            encoder.encode(self.time)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.destruction = try decoder.decode()
            self.height = try decoder.decode()
            self.time = try decoder.decode()
        }
    }

    package var erasure: Erasure
    package var requestedHeight: Height
    package var requestedTime: Timestamp
    package var decision: Decision?
    /// In the order of the chain.
    package var proofs: [Proof]

    package init(
        erasure: Erasure,
        requestedHeight: Height,
        requestedTime: Timestamp,
        decision: Decision? = nil,
        proofs: [Proof] = []
    ) {
        self.erasure = erasure
        self.requestedHeight = requestedHeight
        self.requestedTime = requestedTime
        self.decision = decision
        self.proofs = proofs
    }

    package var isAccepted: Bool {
        guard case .accepted = self.decision?.outcome else { return false }
        return true
    }

    /// The institutions that are to prove: the source, then the others; none unless accepted.
    package var holders: [InstitutionID] {
        guard case .accepted(_, let holders) = self.decision?.outcome else { return [] }
        return [self.erasure.source] + holders
    }

    /// Those that have not proved yet.
    package var outstanding: [InstitutionID] {
        self.holders.filter { holder in !self.proofs.contains { $0.destruction.institution == holder } }
    }

    /// Whether every holder has proved.
    package var isComplete: Bool { self.isAccepted && self.outstanding.isEmpty }
}

/// What one institution says it has destroyed.
package struct Destruction: Hashable, Sendable, CanonicalCodable {
    package var erasure: ErasureID
    package var institution: InstitutionID
    /// ``Erasure/listDigest``: of which records.
    package var list: Digest
    /// The generation of the institution's table of keys since when they are gone.
    package var generation: UInt64
    /// Data keys that the institution itself held.
    package var dataKeys: UInt32
    /// Wrapped keys and ciphertexts that it removed.
    package var copies: UInt32

    package init(
        erasure: ErasureID,
        institution: InstitutionID,
        list: Digest,
        generation: UInt64,
        dataKeys: UInt32,
        copies: UInt32
    ) {
        self.erasure = erasure
        self.institution = institution
        self.list = list
        self.generation = generation
        self.dataKeys = dataKeys
        self.copies = copies
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.erasure)
        encoder.encode(self.institution)
        encoder.encode(self.list)
        encoder.encode(self.generation)
        encoder.encode(self.dataKeys)
        encoder.encode(self.copies)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.erasure = try decoder.decode()
        self.institution = try decoder.decode()
        self.list = try decoder.decode()
        self.generation = try decoder.decode()
        self.dataKeys = try decoder.decode()
        self.copies = try decoder.decode()
    }
}

extension ErasureState.Outcome: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .accepted(let recordClass, let holders):
            encoder.encode(variant: 0)
            encoder.encode(recordClass)
            encoder.encode(holders)
        case .refused(let reason, let until):
            encoder.encode(variant: 1)
            encoder.encode(reason)
            encoder.encode(until)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0:
            let recordClass: RecordClass = try decoder.decode()
            let holders: [InstitutionID] = try decoder.decodeArray(max: ErasuresCall.holdersMax)
            guard zip(holders, holders.dropFirst()).allSatisfy({ $0 < $1 }) else { throw .invalid }
            self = .accepted(recordClass, holders: holders)
        default: self = .refused(try decoder.decode(), until: try decoder.decodeOptional())
        }
    }
}

extension ErasureState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.erasure)
        encoder.encode(self.requestedHeight)
        encoder.encode(self.requestedTime)
        encoder.encode(self.decision)
        encoder.encode(self.proofs)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.erasure = try decoder.decode()
        self.requestedHeight = try decoder.decode()
        self.requestedTime = try decoder.decode()
        self.decision = try decoder.decodeOptional()
        self.proofs = try decoder.decodeArray(max: ErasuresCall.holdersMax + 1)
    }
}
