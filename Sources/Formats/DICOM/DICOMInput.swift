/// What the beginning of a file looks like to a DICOM reader.
package enum DICOMForm: Hashable, Sendable {
    /// A DICOM file (PS3.10), or a bare data set.
    case file
    /// May be DICOM JSON; so may be anything else that begins as JSON does.
    case json

    /// Takes the first bytes of a file, 16 KiB of them if it is as long as that; `nil` for what is neither.
    package init?(startOf bytes: [UInt8]) {
        if bytes.count >= 132, bytes[128..<132] == [0x44, 0x49, 0x43, 0x4d] {
            self = .file
        } else if bytes.starts(with: [2, 0]) && DICOMEncoding.explicitLittle.isKnownVR(bytes.span, 0)
            || DICOMEncoding.guessed(bytes.span, at: 0, isWhole: bytes.count < 1 << 14) != nil
        {
            self = .file
        } else {
            let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
            let first = start.first { $0 != 0x20 && !(0x09...0x0d).contains($0) }
            guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
            self = .json
        }
    }
}

/// All that a few files in memory hold: the exams of their studies, and what was refused.
package struct DICOMInput: Sendable {
    package private(set) var exams: [ParsedExam] = []
    /// `member` is the index of the file.
    package private(set) var refused: [DICOMFault] = []
    /// Number of files that are media directories.
    package private(set) var directories = 0

    package init(files: [[UInt8]]) {
        var pieces: [(piece: DICOMPiece, file: Int)] = []
        for (index, bytes) in files.enumerated() {
            for result in Self.pieces(bytes) {
                switch result {
                case .success(let piece): pieces.append((piece, index))
                case .failure(let fault) where fault.refusal == .directory: self.directories += 1
                case .failure(var fault):
                    fault.member = index
                    self.refused.append(fault)
                }
            }
        }
        var order: [String] = []
        var studies: [String: [(piece: DICOMPiece, file: Int)]] = [:]
        for entry in pieces {
            if studies[entry.piece.studyUID] == nil { order.append(entry.piece.studyUID) }
            studies[entry.piece.studyUID, default: []].append(entry)
        }
        for uid in order {
            let study = studies[uid] ?? []
            switch DICOMStudy.exam(of: study.map(\.piece)) {
            case .success(let exam): self.exams.append(exam)
            case .failure(var fault):
                fault.member = fault.member.map { study[$0].file }
                self.refused.append(fault)
            }
        }
    }

    private static func pieces(_ bytes: [UInt8]) -> [Result<DICOMPiece, DICOMFault>] {
        if DICOMForm(startOf: bytes) == .json { return DICOMPiece.pieces(json: bytes) }
        return [DICOMHeaderReader.read(bytes).flatMap { DICOMPiece.make($0) }]
    }
}
