package import Records

/// Reads an exam again from a record's original bytes, with the codes that its institution read in them.
package enum ExamReader {
    package static func read(_ content: RecordContent) -> Result<ParsedExam, FormatRefusal> {
        let (parts, note) = CodeNote.take(from: content.parts)
        return self.read(content.format, parts).map { parsed in
            guard let note else { return parsed }
            var parsed = parsed
            note.apply(to: &parsed.exam)
            parsed.codes = note
            return parsed
        }
    }

    private static func read(
        _ format: SourceFormat,
        _ parts: [RecordContent.Part]
    ) -> Result<ParsedExam, FormatRefusal> {
        switch format {
        case .fhirR4JSON: FHIRExamReader.read(parts).mapError { FormatRefusal($0.fault.refusal) }
        case .hl7v2: HL7v2ExamReader.read(parts)
        case .cda: CDAExamReader.read(parts)
        case .csv: CSVExamReader.read(parts).mapError { FormatRefusal($0.refusal) }
        case .dicom: DICOMExamReader.read(parts)
        }
    }
}
