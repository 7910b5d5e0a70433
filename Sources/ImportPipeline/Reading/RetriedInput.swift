package import Formats
package import Records

/// Reads a piece of input again that was set aside, by itself.
package enum RetriedInput {
    /// Why a piece cannot be tried again by itself.
    package enum Refusal: String, FormatRefusalCode {
        case nothing = "retry.nothing-to-import"
        case importAgain = "retry.import-the-file-again"
        case mappingMissing = "retry.mapping-missing"

        package var message: String {
            switch self {
            case .nothing: "The piece holds no exam."
            case .importAgain: "What the piece is part of was not kept: mend its file and import that again."
            case .mappingMissing: "A table needs a mapping: quarantine retry --mapping FILE."
            }
        }
    }

    /// What a piece holds.
    package enum Reading: Sendable {
        case exams([ParsedExam])
        /// Images by study, which are joined with those of their study that are imported already.
        case studies([[RecordContent.Part]])
    }

    /// All exams of the piece, or why not all of it can be imported.
    ///
    /// `mapping` takes the place of the one with which rows were refused.
    package static func read(_ bytes: [UInt8], mapping: CSVMapping? = nil) -> Result<Reading, FormatRefusal> {
        if let kept = KeptInput(encoded: bytes) { return self.read(kept, mapping) }
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
        case .dicomJSON: return self.studies(DICOMPiece.pieces(json: bytes))
        case .empty, .table, .dicom, .archive, .unknown: return .failure(FormatRefusal(Refusal.importAgain))
        }
    }

    private static func read(_ kept: KeptInput, _ mapping: CSVMapping?) -> Result<Reading, FormatRefusal> {
        switch kept.kind {
        case .images:
            return .success(.studies([kept.parts]))
        case .table:
            guard let mapping = mapping ?? kept.mapping else { return .failure(FormatRefusal(Refusal.mappingMissing)) }
            guard let file = kept.parts.first(where: { $0.type == "file" }) else {
                return .failure(FormatRefusal(Refusal.importAgain))
            }
            return self.checked(CSVInput(file.bytes, mapping: mapping))
        case .rows:
            guard let known = kept.mapping else { return .failure(FormatRefusal(Refusal.importAgain)) }
            // The file's dialect was found in the file, which is no longer there.
            let used = mapping.map { new in known.dialect.map { new.resolved($0) } ?? new } ?? known
            return self.checked(CSVInput(header: kept.header, rows: kept.rows, mapping: used))
        }
    }

    private static func checked(_ input: CSVInput) -> Result<Reading, FormatRefusal> {
        self.checked(input.exams, input.refused.map(\.piece))
    }

    private static func studies(_ pieces: [Result<DICOMPiece, DICOMFault>]) -> Result<Reading, FormatRefusal> {
        var studies: [(uid: String, parts: [RecordContent.Part])] = []
        for piece in pieces {
            switch piece {
            case .failure(let fault): return .failure(FormatRefusal(fault.refusal))
            case .success(let piece):
                if let index = studies.firstIndex(where: { $0.uid == piece.studyUID }) {
                    studies[index].parts.append(piece.part)
                } else {
                    studies.append((piece.studyUID, [piece.part]))
                }
            }
        }
        return studies.isEmpty ? .failure(FormatRefusal(Refusal.nothing)) : .success(.studies(studies.map(\.parts)))
    }

    /// The exam of a study's images; `others` are those that are imported already.
    package static func study(
        _ images: [RecordContent.Part],
        joinedWith others: [RecordContent.Part] = []
    ) -> Result<ParsedExam, FormatRefusal> {
        let known = Set(others)
        let pieces = (others + images.filter { !known.contains($0) }).map {
            DICOMPiece(studyUID: "", part: $0, offset: 0)
        }
        return DICOMStudy.exam(of: pieces).mapError { FormatRefusal($0.refusal) }.flatMap { exam in
            exam.subject.refusal.map { .failure(FormatRefusal($0)) } ?? .success(exam)
        }
    }

    private static func checked(
        _ exams: [ParsedExam],
        _ refused: [RefusedPiece]
    ) -> Result<Reading, FormatRefusal> {
        if let first = refused.first { return .failure(first.refusal) }
        if let refusal = exams.lazy.compactMap(\.subject.refusal).first { return .failure(FormatRefusal(refusal)) }
        return exams.isEmpty ? .failure(FormatRefusal(Refusal.nothing)) : .success(.exams(exams))
    }
}
