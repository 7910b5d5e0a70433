package import Primitives

/// Where an exam or a result stands (the codes of FHIR R4 DiagnosticReport, Observation and ImagingStudy status).
package enum ExamStatus: String, Hashable, Sendable, CaseIterable {
    case registered, partial, preliminary, final, amended, corrected, appended, cancelled
    case enteredInError = "entered-in-error"
    case unknown
    /// Of an imaging study: its images can be fetched.
    case available
    /// Of an imaging study: all its images were withdrawn.
    case inactive

    /// The number in canonical bytes.
    package var number: UInt8 {
        switch self {
        case .registered: 1
        case .partial: 2
        case .preliminary: 3
        case .final: 4
        case .amended: 5
        case .corrected: 6
        case .appended: 7
        case .cancelled: 8
        case .enteredInError: 9
        case .unknown: 10
        case .available: 11
        case .inactive: 12
        }
    }
}

extension ExamStatus: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.number) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let number = try decoder.decode(UInt8.self)
        guard let status = Self.allCases.first(where: { $0.number == number }) else { throw .invalid }
        self = status
    }
}
