package import Primitives

/// Names one line of one version of a report.
package struct CandidateKey: Hashable, Sendable, CanonicalCodable {
    package static let reportBytesMax = 128

    package var report: String
    package var version: UInt32
    /// 0 for the report as a whole, else the line's number.
    package var line: UInt32

    package init(report: String, version: UInt32 = 1, line: UInt32 = 0) {
        self.report = report
        self.version = version
        self.line = line
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.report)
        encoder.encode(self.version)
        encoder.encode(self.line)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.report = try decoder.decodeString(max: Self.reportBytesMax)
        self.version = try decoder.decode()
        self.line = try decoder.decode()
    }
}

/// A mark of mutual recognition (HR) that an exam carries.
package struct RecognitionMark: Hashable, Sendable, CanonicalCodable {
    package var scope: Scope
    /// Who gave it, by its name in the pack.
    package var authority: String
    /// The item it was given for; `nil` for all items of the institution.
    package var item: String?
    /// First and last second, both included.
    package var validFrom: Int64
    package var validTo: Int64
    package var evidence: Digest

    package init(
        scope: Scope,
        authority: String,
        item: String? = nil,
        validFrom: Int64,
        validTo: Int64,
        evidence: Digest = .zero
    ) {
        self.scope = scope
        self.authority = authority
        self.item = item
        self.validFrom = validFrom
        self.validTo = validTo
        self.evidence = evidence
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.scope)
        encoder.encode(self.authority)
        encoder.encode(self.item)
        encoder.encode(self.validFrom)
        encoder.encode(self.validTo)
        encoder.encode(self.evidence)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.scope = try decoder.decode()
        self.authority = try decoder.decodeString(max: Scope.nameBytesMax)
        self.item = try decoder.decodeOptionalString(max: ItemReference.codeBytesMax)
        self.validFrom = try decoder.decode()
        self.validTo = try decoder.decode()
        self.evidence = try decoder.decode()
    }
}

/// The result of an external quality assessment (EQA) that the examining laboratory took part in.
package struct QualityAssessment: Hashable, Sendable, CanonicalCodable {
    package var scheme: String
    package var item: String
    /// First and last second that the round speaks for, both included.
    package var from: Int64
    package var to: Int64
    package var passed: Bool

    package init(scheme: String, item: String, from: Int64, to: Int64, passed: Bool) {
        self.scheme = scheme
        self.item = item
        self.from = from
        self.to = to
        self.passed = passed
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.scheme)
        encoder.encode(self.item)
        encoder.encode(self.from)
        encoder.encode(self.to)
        encoder.encode(self.passed)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.scheme = try decoder.decodeString(max: Scope.nameBytesMax)
        self.item = try decoder.decodeString(max: ItemReference.codeBytesMax)
        self.from = try decoder.decode()
        self.to = try decoder.decode()
        self.passed = try decoder.decode()
    }
}

/// Whether a critical value was reported, and whether someone took note of it.
package enum CriticalState: UInt8, NamedByte {
    case none = 0
    case acknowledged = 1
    case open = 2

    package var name: String {
        switch self {
        case .none: "none"
        case .acknowledged: "acknowledged"
        case .open: "open"
        }
    }
}

/// An exam made elsewhere that could answer the order: one line of one version of its report.
package struct Candidate: Hashable, Sendable {
    package static let marksMax = 16
    package static let assessmentsMax = 16
    package static let textBytesMax = 128
    package static let valueBytesMax = 256

    package var key: CandidateKey
    package var state: ReportState
    /// The newest version of the report that is known, also if it is not among the candidates.
    package var newestVersion: UInt32
    package var item: ItemReference
    package var identity: IdentityLevel
    package var performer: String
    package var performerLevel: UInt8
    package var performerArea: AreaPath
    package var performerConsortia: [String]
    /// Times in seconds since 1970-01-01T00:00:00Z.
    package var specimenTime: Int64?
    package var examTime: Int64
    package var reportTime: Int64
    package var auditTime: Int64?
    package var marks: [RecognitionMark]
    package var assessments: [QualityAssessment]
    package var value: String?
    package var unit: String?
    package var referenceRange: String?
    package var critical: CriticalState
    /// Images that the study has and that are here; `nil` where the source counts none.
    package var imagesExpected: UInt32?
    package var imagesHeld: UInt32
    package var signatureOK: Bool
    /// Height of the block that commits the exam; `nil` if no valid inclusion proof is at hand.
    package var anchor: UInt64?
    /// Confidentiality as the source labels it, such as `N`, `R` or `V` of HL7.
    package var label: String

    package init(
        key: CandidateKey,
        state: ReportState,
        newestVersion: UInt32,
        item: ItemReference,
        identity: IdentityLevel,
        performer: String,
        performerLevel: UInt8,
        performerArea: AreaPath,
        performerConsortia: [String] = [],
        specimenTime: Int64? = nil,
        examTime: Int64,
        reportTime: Int64,
        auditTime: Int64? = nil,
        marks: [RecognitionMark] = [],
        assessments: [QualityAssessment] = [],
        value: String? = nil,
        unit: String? = nil,
        referenceRange: String? = nil,
        critical: CriticalState = .none,
        imagesExpected: UInt32? = nil,
        imagesHeld: UInt32 = 0,
        signatureOK: Bool,
        anchor: UInt64?,
        label: String = "N"
    ) {
        self.key = key
        self.state = state
        self.newestVersion = newestVersion
        self.item = item
        self.identity = identity
        self.performer = performer
        self.performerLevel = performerLevel
        self.performerArea = performerArea
        self.performerConsortia = performerConsortia
        self.specimenTime = specimenTime
        self.examTime = examTime
        self.reportTime = reportTime
        self.auditTime = auditTime
        self.marks = marks
        self.assessments = assessments
        self.value = value
        self.unit = unit
        self.referenceRange = referenceRange
        self.critical = critical
        self.imagesExpected = imagesExpected
        self.imagesHeld = imagesHeld
        self.signatureOK = signatureOK
        self.anchor = anchor
        self.label = label
    }
}

extension Candidate: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.key)
        encoder.encode(self.state)
        encoder.encode(self.newestVersion)
        encoder.encode(self.item)
        encoder.encode(self.identity)
        encoder.encode(self.performer)
        encoder.encode(self.performerLevel)
        encoder.encode(self.performerArea)
        encoder.encode(self.performerConsortia)
        encoder.encode(self.specimenTime.map(UInt64.init(bitPattern:)))
        encoder.encode(self.examTime)
        encoder.encode(self.reportTime)
        encoder.encode(self.auditTime.map(UInt64.init(bitPattern:)))
        encoder.encode(self.marks)
        encoder.encode(self.assessments)
        encoder.encode(self.value)
        encoder.encode(self.unit)
        encoder.encode(self.referenceRange)
        encoder.encode(self.critical)
        encoder.encode(self.imagesExpected)
        encoder.encode(self.imagesHeld)
        encoder.encode(self.signatureOK)
        encoder.encode(self.anchor)
        encoder.encode(self.label)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let max = Self.textBytesMax
        self.key = try decoder.decode()
        self.state = try decoder.decode()
        self.newestVersion = try decoder.decode()
        self.item = try decoder.decode()
        self.identity = try decoder.decode()
        self.performer = try decoder.decodeString(max: max)
        self.performerLevel = try decoder.decode()
        self.performerArea = try decoder.decode()
        self.performerConsortia = try decoder.decodeStrings(
            max: OrderContext.consortiaMax,
            lengthMax: Scope.nameBytesMax
        )
        self.specimenTime = try decoder.decodeOptionalUInt64().map(Int64.init(bitPattern:))
        self.examTime = try decoder.decode()
        self.reportTime = try decoder.decode()
        self.auditTime = try decoder.decodeOptionalUInt64().map(Int64.init(bitPattern:))
        self.marks = try decoder.decodeArray(max: Self.marksMax)
        self.assessments = try decoder.decodeArray(max: Self.assessmentsMax)
        self.value = try decoder.decodeOptionalString(max: Self.valueBytesMax)
        self.unit = try decoder.decodeOptionalString(max: max)
        self.referenceRange = try decoder.decodeOptionalString(max: Self.valueBytesMax)
        self.critical = try decoder.decode()
        self.imagesExpected = try decoder.decodeOptionalUInt32()
        self.imagesHeld = try decoder.decode()
        self.signatureOK = try decoder.decode()
        self.anchor = try decoder.decodeOptionalUInt64()
        self.label = try decoder.decodeString(max: max)
    }
}
