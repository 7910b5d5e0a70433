package import Formats

/// Reads a piece of input again that was set aside, by itself.
package enum RetriedInput {
    /// Why a piece cannot be tried again by itself.
    package enum Refusal: String, FormatRefusalCode {
        case nothing = "retry.nothing-to-import"
        case importAgain = "retry.import-the-file-again"

        package var message: String {
            switch self {
            case .nothing: "The piece holds no exam."
            case .importAgain: "A row or an image is part of an exam: mend its file and import that again."
            }
        }
    }

    /// All exams of the piece, or why not all of it can be imported.
    package static func read(_ bytes: [UInt8]) -> Result<[ParsedExam], FormatRefusal> {
        switch ContentSniffer(options: ImportOptions()).content(of: bytes, name: "") {
        case .fhir:
            let parsed = ParsedInput(fhir: bytes)
            return self.checked(parsed.exams, parsed.refused)
        case .hl7v2:
            var input = HL7v2Input(document: bytes)
            var exams: [ParsedExam] = []
            var refused: [RefusedPiece] = []
            while let output = input.next() {
                switch output {
                case .exam(let exam): exams.append(exam)
                case .refused(let piece): refused.append(piece)
                }
            }
            return self.checked(exams, refused)
        case .cda:
            switch CDAInput.read(bytes) {
            case .success(let exam): return self.checked([exam], [])
            case .failure(let fault): return .failure(FormatRefusal(fault.refusal))
            }
        case .empty, .table, .dicom, .dicomJSON, .archive, .unknown: return .failure(FormatRefusal(Refusal.importAgain))
        }
    }

    private static func checked(
        _ exams: [ParsedExam],
        _ refused: [RefusedPiece]
    ) -> Result<[ParsedExam], FormatRefusal> {
        if let first = refused.first { return .failure(first.refusal) }
        if let refusal = exams.lazy.compactMap(\.subject.refusal).first { return .failure(FormatRefusal(refusal)) }
        return exams.isEmpty ? .failure(FormatRefusal(Refusal.nothing)) : .success(exams)
    }
}
