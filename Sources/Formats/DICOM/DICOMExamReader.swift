package import Records

/// Reads an exam again from the parts of DICOM files, or of DICOM JSON, that it was read from.
package enum DICOMExamReader {
    package static func read(_ parts: [RecordContent.Part]) -> Result<ParsedExam, FormatRefusal> {
        DICOMStudy.exam(fromParts: parts).mapError { FormatRefusal($0.refusal) }
    }
}
