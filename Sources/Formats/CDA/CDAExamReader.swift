package import Records

/// Reads an exam again from the original bytes it was read from.
package enum CDAExamReader {
    /// Reads the exam that the one document of `parts` is.
    package static func read(_ parts: [RecordContent.Part]) -> Result<ParsedExam, FormatRefusal> {
        guard parts.count == 1, parts[0].type == CDAInput.partType else {
            return .failure(FormatRefusal(CDARefusal.notOnePart))
        }
        return CDAInput.read(parts[0].bytes).mapError { FormatRefusal($0.refusal) }
    }
}
