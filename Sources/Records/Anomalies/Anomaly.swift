package import Primitives

/// What looks wrong about one or more exams.
///
/// Numbers and names are part of the protocol and never reused.
package enum AnomalyKind: UInt8, CaseIterable, Sendable, CanonicalCodable {
    /// One specimen gave different values of one item in exams that do not correct each other.
    case specimenTwoResults = 1
    /// One accession number, filler number or exam stands over different content that is not declared a correction.
    case accessionConflict = 2
    /// A result was released before the patient was examined or the specimen taken.
    case resultBeforeExam = 3
    /// A time lies in the future, or an examination before the patient's birth.
    case timeImpossible = 4
    /// A laboratory result names no order although its format has a place for one.
    case orderMissing = 5
    /// An imaging exam names no series of a device.
    case imagingNoSeries = 6
    /// One SOP Instance UID stands in two studies or series, or for two sorts of objects.
    case instanceTwoContents = 7
    /// A report was committed long after it was released.
    case attestationLate = 8
    /// More emergency accesses by one clinician, or by the institution, than is usual; names accesses, not exams.
    case emergencyRate = 9
    /// The local chain of emergency uses was copied back, cut or damaged; names its last entry, not an exam.
    case emergencyChain = 10
    /// One clinician opened records of more patients on one day than is usual; names the record that was one too many.
    case readingBulk = 11
    /// A clinician who does not use to reads in the quiet hours of a night.
    case readingHours = 12
    /// A clinician opened own records of one patient after the other in the order of their import.
    case readingNeighbours = 13

    /// The stable name that answers and scripts use.
    package var name: String {
        switch self {
        case .specimenTwoResults: "specimen.two-results"
        case .accessionConflict: "accession.conflict"
        case .resultBeforeExam: "result.before-exam"
        case .timeImpossible: "time.impossible"
        case .orderMissing: "order.missing"
        case .imagingNoSeries: "imaging.no-series"
        case .instanceTwoContents: "instance.two-contents"
        case .attestationLate: "attestation.late"
        case .emergencyRate: "emergency.rate"
        case .emergencyChain: "emergency.local-chain"
        case .readingBulk: "reading.bulk"
        case .readingHours: "reading.hours"
        case .readingNeighbours: "reading.neighbours"
        }
    }

    /// Whether the exams of one batch share one anomaly of this kind.
    ///
    /// These say that something is missing or late, which is true of a whole backlog at once; one each would fill the
    /// chain with what nobody reads one by one.
    package var isShared: Bool {
        switch self {
        case .orderMissing, .imagingNoSeries, .attestationLate: true
        case .specimenTwoResults, .accessionConflict, .resultBeforeExam, .timeImpossible, .instanceTwoContents,
            .emergencyRate, .emergencyChain, .readingBulk, .readingHours, .readingNeighbours:
            false
        }
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let kind = AnomalyKind(rawValue: try decoder.decode()) else { throw .invalid }
        self = kind
    }
}

/// Something that its institution found wrong about own exams, as the chain shows it to everyone.
///
/// It names sealed records and nothing in them. Why it was found stands in the ``AnomalyDetail`` that only the
/// institution has, and that it cannot change afterwards.
package struct Anomaly: Hashable, Sendable {
    /// Enough for a conflict with the exams it was compared with; the count says how many there are.
    package static let recordsMax = 8
    /// A batch has so many exams at most.
    package static let countMax: UInt32 = 4096

    package var kind: AnomalyKind
    /// How many exams it is about: those named, and more of the same batch if it has more.
    package var count: UInt32
    /// The exam that gave rise to it first, each once.
    package var records: [ContentAddress]
    /// ``AnomalyDetail/commitment(salt:)``.
    package var commitment: Digest
    /// When the institution found it.
    package var time: Timestamp

    package init(kind: AnomalyKind, count: UInt32, records: [ContentAddress], commitment: Digest, time: Timestamp) {
        self.kind = kind
        self.count = count
        self.records = records
        self.commitment = commitment
        self.time = time
    }

    /// Whether the numbers and records fit each other, which the byte form alone does not say.
    package var isWellFormed: Bool {
        (1...Self.recordsMax).contains(self.records.count)
            && (UInt32(clamping: self.records.count)...Self.countMax).contains(self.count)
            && Set(self.records).count == self.records.count
    }
}

extension Anomaly: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.kind)
        encoder.encode(self.count)
        encoder.encode(self.records)
        encoder.encode(self.commitment)
        encoder.encode(self.time)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.kind = try decoder.decode()
        self.count = try decoder.decode()
        self.records = try decoder.decodeArray(max: Self.recordsMax)
        self.commitment = try decoder.decode()
        self.time = try decoder.decode()
    }
}

/// Why an anomaly was found, in the words of the source: kept sealed by its institution, bound by the commitment.
///
/// It says which identifiers and times contradict each other, never what a result was: whoever wants to know that opens
/// the records, and leaves a receipt.
package struct AnomalyDetail: Hashable, Sendable {
    /// What a fact says.
    ///
    /// Numbers and names are stable.
    package enum Name: UInt8, CaseIterable, Sendable, CanonicalCodable {
        case specimen = 1
        case number = 2
        case instance = 3
        case examined = 4
        case collected = 5
        case released = 6
        case born = 7
        case batch = 8
        case otherPatient = 9
        /// Whose emergency accesses are many: a clinician's or the institution's.
        case unusual = 10
        /// What was found about the local chain.
        case chain = 11
        /// Whose readings: the clinician's name handle at the institution.
        case clinician = 12
        /// How many patients, when, and what is usual.
        case pattern = 13

        package var text: String {
            switch self {
            case .specimen: "specimen"
            case .number: "number"
            case .instance: "instance"
            case .examined: "examined"
            case .collected: "collected"
            case .released: "released"
            case .born: "born"
            case .batch: "batch"
            case .otherPatient: "other-patient"
            case .unusual: "unusual"
            case .chain: "chain"
            case .clinician: "clinician"
            case .pattern: "pattern"
            }
        }

        /// Whether the fact could name a person or lead to one; such a fact is shown masked.
        package var isIdentifying: Bool {
            switch self {
            case .specimen, .number, .instance, .born: true
            case .examined, .collected, .released, .batch, .otherPatient, .unusual, .chain, .clinician, .pattern: false
            }
        }

        package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            guard let name = Name(rawValue: try decoder.decode()) else { throw .invalid }
            self = name
        }
    }

    /// One thing that the source said.
    package struct Fact: Hashable, Sendable, CanonicalCodable {
        /// Identifiers of sources are shorter; of a longer text the beginning is kept.
        package static let textBytesMax = 256

        package var name: Name
        package var text: String

        package init(_ name: Name, _ text: String) {
            self.name = name
            var kept = Substring(text)
            while kept.utf8.count > Self.textBytesMax { kept.removeLast() }
            self.text = String(kept)
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.name)
            encoder.encode(self.text)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.name = try decoder.decode()
            self.text = try decoder.decodeString(max: Self.textBytesMax)
        }

        /// The text as it may be shown: of an identifier its two ends at most.
        package var masked: String {
            guard self.name.isIdentifying else { return self.text }
            guard self.text.count >= Self.maskedFrom else { return "…" }
            return "\(self.text.prefix(2))…\(self.text.suffix(2))"
        }

        /// Shorter identifiers would be all but shown by their ends.
        private static let maskedFrom = 10
    }

    /// Several conflicts of one exam are told by the first of them.
    package static let factsMax = 16

    package private(set) var facts: [Fact]

    package init(_ facts: [Fact]) { self.facts = Array(facts.prefix(Self.factsMax)) }

    package static let saltBytes = 32

    /// `H("anomaly/1" ‖ salt(32) ‖ detail)`: the salt keeps anyone from testing guesses against the chain.
    package func commitment(salt: [UInt8]) -> Digest {
        precondition(salt.count == Self.saltBytes, "the salt is 32 bytes")
        return Digest(hashing: Array("anomaly/1".utf8) + salt + self.canonicalBytes)
    }
}

extension AnomalyDetail: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.facts) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.facts = try decoder.decodeArray(max: Self.factsMax)
    }
}
