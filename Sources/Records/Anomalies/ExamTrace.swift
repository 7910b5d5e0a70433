package import Primitives

/// Whether an exam's content may differ from another's that should say the same.
package enum ExamStanding: UInt8, Sendable, CanonicalCodable {
    /// Not released yet: its content will change.
    case preliminary = 1
    case released = 2
    /// Says of itself that it changes what was released before.
    case correction = 3
    case withdrawn = 4

    package init(_ status: ExamStatus) {
        switch status {
        case .registered, .partial, .preliminary, .unknown: self = .preliminary
        case .final, .available: self = .released
        case .amended, .corrected, .appended: self = .correction
        case .cancelled, .enteredInError, .inactive: self = .withdrawn
        }
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let standing = ExamStanding(rawValue: try decoder.decode()) else { throw .invalid }
        self = standing
    }
}

/// What an exam says about one thing that must be the same wherever it is named: a specimen, a number, an image.
///
/// Two exams that leave a trace under one name are compared by their traces alone, so that none has to be opened.
package struct ExamTrace: Hashable, Sendable {
    /// What the name names.
    package enum Use: UInt8, Sendable, CanonicalCodable {
        case specimen = 1
        /// An accession or filler number.
        case number = 2
        /// A SOP Instance UID.
        case instance = 3
        /// The exam itself: its versions are compared.
        case exam = 4

        package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            guard let use = Use(rawValue: try decoder.decode()) else { throw .invalid }
            self = use
        }
    }

    /// A statement, by hashes: what it is about, and what it says.
    package struct Fact: Hashable, Sendable, CanonicalCodable {
        package var subject: UInt64
        package var value: UInt64

        package init(subject: UInt64, value: UInt64) {
            self.subject = subject
            self.value = value
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.subject)
            encoder.encode(self.value)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.subject = try decoder.decode()
            self.value = try decoder.decode()
        }
    }

    /// The largest panels of one specimen have about a hundred items.
    package static let factsMax = 256
    /// More specimens or numbers in one exam are compared by the first of them.
    package static let namesMax = 16
    /// Of a study with more images those are compared whose names have the smallest hashes: two studies that share many
    /// of them share some of these.
    package static let instancesMax = 1024

    package var use: Use
    /// Namespace and value.
    package var system: String?
    package var value: String
    package var standing: ExamStanding
    package var facts: [Fact]

    package init(use: Use, system: String?, value: String, standing: ExamStanding, facts: [Fact]) {
        self.use = use
        self.system = system
        self.value = value
        self.standing = standing
        self.facts = Array(facts.prefix(Self.factsMax))
    }

    /// Whether the name means something only together with the patient: without a namespace numbers begin at 1 in
    /// every department.
    package var isOfPatient: Bool { self.system == nil && self.use != .instance }

    /// The part that is kept, and compared later.
    package var statement: Statement { Statement(standing: self.standing, facts: self.facts) }

    /// What an exam said under a name.
    package struct Statement: Hashable, Sendable, CanonicalCodable {
        package var standing: ExamStanding
        package var facts: [Fact]

        package init(standing: ExamStanding, facts: [Fact]) {
            self.standing = standing
            self.facts = facts
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.standing)
            encoder.encode(self.facts)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.standing = try decoder.decode()
            self.facts = try decoder.decodeArray(max: ExamTrace.factsMax)
        }
    }

    /// How another exam that left a trace under the same name stands to this one.
    package struct Relation: Hashable, Sendable {
        /// Another version of the same exam.
        package var isSameExam: Bool
        package var isSamePatient: Bool

        package init(isSameExam: Bool, isSamePatient: Bool) {
            self.isSameExam = isSameExam
            self.isSamePatient = isSamePatient
        }
    }

    /// What is wrong if an earlier exam said `earlier` under the name under which this one says `self`.
    package func conflict(with earlier: Statement, _ relation: Relation) -> ExamChecks.Finding? {
        switch self.use {
        case .instance:
            guard Set(self.facts).isDisjoint(with: earlier.facts) else { return nil }
            return ExamChecks.Finding(.instanceTwoContents, [self.fact(.instance)] + Self.person(relation))
        case .specimen:
            guard !relation.isSameExam, self.mayContradict(earlier) else { return nil }
            return self.differ(from: earlier)
                ? ExamChecks.Finding(.specimenTwoResults, [self.fact(.specimen)] + Self.person(relation)) : nil
        case .number:
            guard !relation.isSameExam, self.mayContradict(earlier),
                !relation.isSamePatient || self.differ(from: earlier)
            else { return nil }
            return ExamChecks.Finding(.accessionConflict, [self.fact(.number)] + Self.person(relation))
        case .exam:
            guard relation.isSameExam, self.mayContradict(earlier), self.differ(from: earlier) else { return nil }
            return ExamChecks.Finding(.accessionConflict, [self.fact(.number)])
        }
    }

    /// Only what is released binds, and a later exam may change it by saying so.
    private func mayContradict(_ earlier: Statement) -> Bool {
        self.standing == .released && (earlier.standing == .released || earlier.standing == .correction)
    }

    /// Whether both speak about a subject and agree on nothing about it.
    private func differ(from earlier: Statement) -> Bool {
        var said: [UInt64: Set<UInt64>] = [:]
        for fact in earlier.facts { said[fact.subject, default: []].insert(fact.value) }
        var mine: [UInt64: Set<UInt64>] = [:]
        for fact in self.facts { mine[fact.subject, default: []].insert(fact.value) }
        return mine.contains { subject, values in said[subject].map { $0.isDisjoint(with: values) } ?? false }
    }

    private func fact(_ name: AnomalyDetail.Name) -> AnomalyDetail.Fact { .init(name, self.value) }

    private static func person(_ relation: Relation) -> [AnomalyDetail.Fact] {
        relation.isSamePatient ? [] : [.init(.otherPatient, "yes")]
    }
}
