package import Primitives

/// The broad kind of an exam, by which grants are scoped and lists are grouped.
package enum ExamKind: UInt8, CaseIterable, Sendable, CanonicalCodable {
    case laboratory = 1
    case imaging = 2
    case pathology = 3
    /// Function tests such as ECG or spirometry, and everything that fits no other kind.
    case other = 4

    /// The name used on the command line and in answers.
    package var name: String {
        switch self {
        case .laboratory: "lab"
        case .imaging: "imaging"
        case .pathology: "pathology"
        case .other: "other"
        }
    }

    package init?(name: String) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let kind = ExamKind(rawValue: try decoder.decode()) else { throw .invalid }
        self = kind
    }
}
