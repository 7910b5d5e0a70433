package import Records

/// Reads an exam again from a record's original bytes.
package enum ExamReader {
    package static func read(_ content: RecordContent) -> Result<ParsedExam, FormatRefusal> {
        switch content.format {
        case .fhirR4JSON: FHIRExamReader.read(content.parts).mapError { FormatRefusal($0.fault.refusal) }
        case .csv: CSVExamReader.read(content.parts).mapError { FormatRefusal($0.refusal) }
        case .hl7v2, .cda, .dicom: .failure(FormatRefusal(ContentRefusal.unsupported))
        }
    }
}

/// Why a record's content is not read.
package enum ContentRefusal: String, FormatRefusalCode {
    case unsupported = "record.unsupported-format"

    package var message: String {
        switch self {
        case .unsupported: "This release does not read the record's format."
        }
    }
}
