package import Primitives

/// The life of a report, in the words of FHIR R4 `DiagnosticReport.status` and `ImagingStudy.status`.
package enum ExamStatus: UInt8, CaseIterable, Sendable, CanonicalCodable {
    case registered = 1
    case partial = 2
    case preliminary = 3
    case final = 4
    case amended = 5
    case corrected = 6
    case appended = 7
    case cancelled = 8
    case enteredInError = 9
    case unknown = 10
    /// ImagingStudy only.
    case available = 11

    /// The FHIR code.
    package var code: String { self == .enteredInError ? "entered-in-error" : String(describing: self) }

    package init?(code: some StringProtocol) {
        guard let status = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = status
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let status = ExamStatus(rawValue: try decoder.decode()) else { throw .invalid }
        self = status
    }
}
