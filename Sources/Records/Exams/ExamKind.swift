package import Primitives

/// What sort of examination an exam is; grants and searches are made by it.
package enum ExamKind: String, Hashable, Sendable, CaseIterable {
    case laboratory = "lab"
    case imaging
    case pathology
    /// Function tests: electrocardiogram, lung function, electroencephalogram, audiometry.
    case function
    case vitalSigns = "vital-signs"
    case other

    /// The number in canonical bytes.
    package var number: UInt8 {
        switch self {
        case .laboratory: 1
        case .imaging: 2
        case .pathology: 3
        case .function: 4
        case .vitalSigns: 5
        case .other: 6
        }
    }

    package init?(number: UInt8) {
        guard let kind = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = kind
    }
}

extension ExamKind: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.number) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let kind = ExamKind(number: try decoder.decode()) else { throw .invalid }
        self = kind
    }
}
