package import Primitives

/// A closed set of values, each with one byte and one name; neither is ever reused.
package protocol NamedByte: RawRepresentable<UInt8>, CaseIterable, Hashable, Sendable, CanonicalCodable {
    /// The name that policy files, answers and scripts use.
    var name: String { get }
}

extension NamedByte {
    /// The value with that name.
    package init?(name: some StringProtocol) {
        guard let value = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = value
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let value = Self(rawValue: try decoder.decode(UInt8.self)) else { throw .invalid }
        self = value
    }
}

/// Why the rules say of an exam that it is not, or not fully, recognised.
///
/// The number in the name is the raw value.
package enum IneligibilityCode: UInt8, NamedByte {
    case notInCatalogue = 1
    case itemInactive = 2
    case markAbsent = 3
    /// The exam is recognisable, but not by duty: the receiver lies outside the mark's scope.
    case markScope = 4
    case markLapsed = 5
    case qualityAssessment = 6
    case windowExpired = 7
    case level = 8
    case notFinal = 9
    case superseded = 10
    case voided = 11
    case imagesIncomplete = 12
    case proofInvalid = 13
    case notComparable = 14
    case siteMismatch = 15
    case identity = 16
    case timeAnomaly = 17
    case securityLabel = 18
    case noGrant = 19
    case grantEnded = 20
    case evidenceStale = 21
    case negativeList = 22
    /// Eligible, but another exam was chosen.
    case notChosen = 23

    package var name: String { self.rawValue < 10 ? "N0\(self.rawValue)" : "N\(self.rawValue)" }
}

/// Why a doctor repeats an examination that could have been recognised.
package enum RefusalReason: UInt8, NamedByte {
    case conditionChanged = 1
    case fastChanging = 2
    case decisiveForCare = 3
    case emergency = 4
    case legalAppraisal = 5
    case other = 6
    case qualifiedLaboratory = 7
    case doctorsJudgement = 8
    case imageUnavailable = 98
    case monitoring = 99

    package var name: String { self.rawValue < 10 ? "D0\(self.rawValue)" : "D\(self.rawValue)" }

    /// Whether a refusal for this reason is left out of the count of refusals.
    package var isUncounted: Bool { self == .imageUnavailable || self == .monitoring }

    /// Whether the reason says nothing without a text: `other`, and monitoring, which names the disease.
    package var needsText: Bool { self == .other || self == .monitoring }
}

/// What the rules say about an order, the strongest first.
package enum VerdictOutcome: UInt8, NamedByte {
    /// Within the mark's scope: recognised unless the doctor finds that it harms care.
    case mustRecognise = 1
    /// Recognisable and encouraged, outside the mark's scope.
    case mayRecognise = 2
    /// Recognisable by the rules, but a clinical circumstance asks for the doctor's judgement first.
    case manualReview = 3
    case notEligible = 4
    /// There are exams that nobody has allowed this reader to use.
    case noAccess = 5

    package var name: String {
        switch self {
        case .mustRecognise: "MUST_RECOGNISE"
        case .mayRecognise: "MAY_RECOGNISE"
        case .manualReview: "MANUAL_REVIEW"
        case .notEligible: "NOT_ELIGIBLE"
        case .noAccess: "NO_ACCESS"
        }
    }

    /// Whether there is an exam to decide about.
    package var hasChoice: Bool { self == .mustRecognise || self == .mayRecognise || self == .manualReview }
}

/// The steps of an evaluation, in their order: of an exam's failing rules the first is the reported one.
package enum RecognitionStep: UInt8, NamedByte {
    case access = 1
    case identity = 2
    case lifecycle = 3
    case integrity = 4
    case catalogue = 5
    case negativeList = 6
    case equivalence = 7
    case time = 8
    case window = 9
    case marks = 10
    case level = 11
    case label = 12
    case choice = 13
    case clinical = 14

    package var name: String {
        switch self {
        case .access: "access"
        case .identity: "identity"
        case .lifecycle: "lifecycle"
        case .integrity: "integrity"
        case .catalogue: "catalogue"
        case .negativeList: "negative-list"
        case .equivalence: "equivalence"
        case .time: "time"
        case .window: "window"
        case .marks: "marks"
        case .level: "level"
        case .label: "label"
        case .choice: "choice"
        case .clinical: "clinical"
        }
    }
}

/// A circumstance of the order or the exam that asks for a doctor's judgement; it never forbids recognition.
package enum ClinicalFlag: UInt8, NamedByte {
    case emergency = 1
    case preOperation = 2
    case preTransfusion = 3
    case forensic = 4
    case monitoring = 5
    /// The exam has a critical value that nobody has acknowledged; taken from the exam, not from the order.
    case criticalOpen = 6
    /// The exam is read under break-glass; taken from the access, not from the order.
    case breakGlass = 7

    package var name: String {
        switch self {
        case .emergency: "emergency"
        case .preOperation: "pre-operation"
        case .preTransfusion: "pre-transfusion"
        case .forensic: "forensic"
        case .monitoring: "monitoring"
        case .criticalOpen: "critical-open"
        case .breakGlass: "break-glass"
        }
    }
}
