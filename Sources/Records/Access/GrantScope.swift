package import Primitives

/// Which exams a grant covers and how they may be used.
///
/// Stands on chain sealed, so that members outside the grant do not learn what kind of result is being shared.
package struct GrantScope: Hashable, Sendable {
    package static let itemsMax = 8
    package static let itemBytesMax = 48
    package static let recordsMax = 8
    package static let readersMax = 4
    /// Plain size, zero-padded before sealing: all lists together must fit, though each may be as long as its limit.
    package static let paddedBytes = 484
    /// A week: longer than that an agent without contact must not honour what may have been revoked.
    package static let leaseSecondsMax: UInt32 = 7 * 24 * 3600
    package static let leaseSecondsDefault: UInt32 = 24 * 3600

    /// Sorted; empty means every kind.
    package var kinds: [ExamKind]
    /// Item codes, sorted; empty means every item.
    package var items: [String]
    /// Covers exams performed at or after this time.
    package var examsFrom: Timestamp?
    /// Covers exams performed before this time.
    package var examsUntil: Timestamp?
    package var purpose: PurposeOfUse
    /// How long after its last contact with the chain an agent may still honour the grant.
    package var leaseSeconds: UInt32
    /// Records named one by one, sorted; empty means all that the rest allows.
    package var records: [ContentAddress]
    /// Openings allowed at each institution that may read; `nil` means any number.
    package var usesMax: UInt32?
    /// Sensitive classes that are covered, sorted: an exam of such a class is covered only where it is named.
    package var sensitive: [SensitiveClass]
    /// Who may read at the institutions, sorted; empty means every clinician of theirs.
    package var readers: [ReaderHandle]
    /// Item codes whose results a reader is not shown, sorted: the field mask.
    package var hidden: [String]
    /// The referral with whose end the grant ends.
    package var referral: ReferralID?

    package init(
        kinds: [ExamKind] = [],
        items: [String] = [],
        examsFrom: Timestamp? = nil,
        examsUntil: Timestamp? = nil,
        purpose: PurposeOfUse = .treatment,
        leaseSeconds: UInt32 = GrantScope.leaseSecondsDefault,
        records: [ContentAddress] = [],
        usesMax: UInt32? = nil,
        sensitive: [SensitiveClass] = [],
        readers: [ReaderHandle] = [],
        hidden: [String] = [],
        referral: ReferralID? = nil
    ) {
        self.kinds = Array(Set(kinds)).sorted { $0.number < $1.number }
        self.items = Array(Set(items)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.examsFrom = examsFrom
        self.examsUntil = examsUntil
        self.purpose = purpose
        self.leaseSeconds = leaseSeconds
        self.records = Array(Set(records)).sorted()
        self.usesMax = usesMax
        self.sensitive = Array(Set(sensitive)).sorted { $0.rawValue < $1.rawValue }
        self.readers = Array(Set(readers)).sorted()
        self.hidden = Array(Set(hidden)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.referral = referral
    }

    /// Whether an exam is covered, its sensitive class aside.
    ///
    /// An exam without a time is covered only by a grant without a time range.
    package func covers(_ exam: ExamFacts) -> Bool {
        guard self.records.isEmpty || self.records.contains(exam.record) else { return false }
        guard self.kinds.isEmpty || self.kinds.contains(exam.kind) else { return false }
        guard self.items.isEmpty || self.items.contains(exam.itemCode) else { return false }
        if let from = self.examsFrom { guard let time = exam.examTime, time >= from else { return false } }
        if let until = self.examsUntil { guard let time = exam.examTime, time < until else { return false } }
        return true
    }

    /// Whether the exam is of no sensitive class, or of one that the scope names.
    package func admits(_ exam: ExamFacts) -> Bool { exam.sensitive.allSatisfy(self.sensitive.contains) }

    /// `H("grant-scope/1" ‖ salt ‖ scope)`.
    package func commitment(salt: [UInt8]) -> Digest {
        Digest(hashing: Array("grant-scope/1".utf8) + salt + self.canonicalBytes)
    }
}

/// What a grant is judged by in an exam.
package struct ExamFacts: Hashable, Sendable {
    package var record: ContentAddress
    package var kind: ExamKind
    package var itemCode: String
    package var examTime: Timestamp?
    /// The classes of sensitive exams that it belongs to.
    package var sensitive: [SensitiveClass]

    package init(
        record: ContentAddress,
        kind: ExamKind,
        itemCode: String,
        examTime: Timestamp?,
        sensitive: [SensitiveClass]
    ) {
        self.record = record
        self.kind = kind
        self.itemCode = itemCode
        self.examTime = examTime
        self.sensitive = sensitive
    }
}

extension GrantScope: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.kinds)
        encoder.encode(self.items)
        encoder.encode(self.examsFrom)
        encoder.encode(self.examsUntil)
        encoder.encode(self.purpose)
        encoder.encode(self.leaseSeconds)
        encoder.encode(self.records)
        encoder.encode(self.usesMax)
        encoder.encode(self.sensitive)
        encoder.encode(self.readers)
        encoder.encode(self.hidden)
        encoder.encode(self.referral)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let kinds: [ExamKind] = try decoder.decodeArray(max: ExamKind.allCases.count)
        let items = try decoder.decodeStrings(max: Self.itemsMax, lengthMax: Self.itemBytesMax)
        self.init(
            kinds: kinds,
            items: items,
            examsFrom: try decoder.decodeOptional(),
            examsUntil: try decoder.decodeOptional(),
            purpose: try decoder.decode(),
            leaseSeconds: try decoder.decode()
        )
        let records: [ContentAddress] = try decoder.decodeArray(max: Self.recordsMax)
        self.usesMax = try decoder.decodeOptionalUInt32()
        let sensitive: [SensitiveClass] = try decoder.decodeArray(max: SensitiveClass.allCases.count)
        let readers: [ReaderHandle] = try decoder.decodeArray(max: Self.readersMax)
        let hidden = try decoder.decodeStrings(max: Self.itemsMax, lengthMax: Self.itemBytesMax)
        self.referral = try decoder.decodeOptional()
        self = GrantScope(
            kinds: self.kinds,
            items: self.items,
            examsFrom: self.examsFrom,
            examsUntil: self.examsUntil,
            purpose: self.purpose,
            leaseSeconds: self.leaseSeconds,
            records: records,
            usesMax: self.usesMax,
            sensitive: sensitive,
            readers: readers,
            hidden: hidden,
            referral: self.referral
        )
        guard self.kinds == kinds, self.items == items, self.records == records, self.sensitive == sensitive,
            self.readers == readers, self.hidden == hidden
        else { throw .notCanonical }
        guard (1...Self.leaseSecondsMax).contains(self.leaseSeconds), self.usesMax != 0 else { throw .invalid }
    }
}
