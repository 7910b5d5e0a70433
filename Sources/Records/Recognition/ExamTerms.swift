package import Primitives

/// How far a report has come.
package enum ReportState: UInt8, NamedByte {
    case preliminary = 1
    case final = 2
    case corrected = 3
    case voided = 4

    package var name: String {
        switch self {
        case .preliminary: "preliminary"
        case .final: "final"
        case .corrected: "corrected"
        case .voided: "voided"
        }
    }
}

/// The side of a paired organ.
package enum Laterality: UInt8, NamedByte {
    /// Not said, or the organ is not paired.
    case unspecified = 0
    case left = 1
    case right = 2
    case bilateral = 3

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .left: "left"
        case .right: "right"
        case .bilateral: "bilateral"
        }
    }

    /// Whether an exam of this side answers a question about `wanted`; both sides answer for one.
    package func answers(_ wanted: Laterality) -> Bool {
        wanted == .unspecified || self == wanted || (self == .bilateral && wanted != .bilateral)
    }
}

/// Whether images were made without contrast medium, with it, or both.
package enum Contrast: UInt8, NamedByte {
    case unspecified = 0
    case plain = 1
    case enhanced = 2
    case both = 3

    package var name: String {
        switch self {
        case .unspecified: "unspecified"
        case .plain: "plain"
        case .enhanced: "enhanced"
        case .both: "both"
        }
    }

    package func answers(_ wanted: Contrast) -> Bool {
        wanted == .unspecified || self == wanted || self == .both
    }
}

/// What sort of visit the order belongs to.
package enum VisitType: UInt8, NamedByte {
    case outpatient = 1
    case inpatient = 2
    case emergency = 3
    case healthCheck = 4

    package var name: String {
        switch self {
        case .outpatient: "outpatient"
        case .inpatient: "inpatient"
        case .emergency: "emergency"
        case .healthCheck: "health-check"
        }
    }
}

/// How sure it is that the exam is the patient's.
package enum IdentityLevel: UInt8, NamedByte {
    case none = 0
    case possible = 1
    case match = 2

    package var name: String {
        switch self {
        case .none: "none"
        case .possible: "possible"
        case .match: "match"
        }
    }
}

/// What exactly is asked for, or was examined.
///
/// Absent parts of an order say "whatever the item says"; absent parts of an exam say "what its item says".
package struct ItemReference: Hashable, Sendable {
    package static let codeBytesMax = 64
    package static let textBytesMax = 64
    /// Joint examinations cover a few regions.
    package static let sitesMax = 8

    /// A code or alias of the pack's catalogue; empty for an uncoded line.
    package var code: String
    /// DICOM modality.
    package var modality: String?
    package var bodySites: [String]
    package var laterality: Laterality
    package var contrast: Contrast
    package var specimen: String?
    package var method: String?

    package init(
        code: String,
        modality: String? = nil,
        bodySites: [String] = [],
        laterality: Laterality = .unspecified,
        contrast: Contrast = .unspecified,
        specimen: String? = nil,
        method: String? = nil
    ) {
        self.code = code
        self.modality = modality
        self.bodySites = bodySites
        self.laterality = laterality
        self.contrast = contrast
        self.specimen = specimen
        self.method = method
    }
}

extension ItemReference: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.code)
        encoder.encode(self.modality)
        encoder.encode(self.bodySites)
        encoder.encode(self.laterality)
        encoder.encode(self.contrast)
        encoder.encode(self.specimen)
        encoder.encode(self.method)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let max = Self.textBytesMax
        self.code = try decoder.decodeString(max: Self.codeBytesMax)
        self.modality = try decoder.decodeOptionalString(max: max)
        self.bodySites = try decoder.decodeStrings(max: Self.sitesMax, lengthMax: max)
        self.laterality = try decoder.decode()
        self.contrast = try decoder.decode()
        self.specimen = try decoder.decodeOptionalString(max: max)
        self.method = try decoder.decodeOptionalString(max: max)
    }
}
