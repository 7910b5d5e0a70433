package import Records

/// Reads an exam again from a record's original bytes.
package enum ExamReader {
    package static func read(_ content: RecordContent) -> Result<ParsedExam, FormatRefusal> {
        switch content.format {
        case .fhirR4JSON: FHIRExamReader.read(content.parts).mapError { FormatRefusal($0.fault.refusal) }
        case .hl7v2: HL7v2ExamReader.read(content.parts)
        case .cda: CDAExamReader.read(content.parts)
        case .csv: CSVExamReader.read(content.parts).mapError { FormatRefusal($0.refusal) }
        case .dicom: DICOMExamReader.read(content.parts)
        }
    }
}
