import Formats
import Foundation
import Primitives
import Records

/// DICOM: every file's header is read once and put aside by study; the studies come after all files.
extension ReadingPass {
    /// Pieces of one study in memory at once: 16,384 headers of a common size.
    private static let studyBytesMax = 256 << 20

    mutating func readImage(_ file: InputFile, _ index: Int, start: Int64, _ sink: Sink) throws {
        switch try Self.header(of: file) {
        case .success(let header) where header.isDirectory: self.skip("DICOMDIR")
        case .success(let header):
            let identity = DICOMPiece.FileIdentity(
                digest: try self.digest(of: file, start: start, sink),
                size: UInt64(file.size)
            )
            let part = RecordContent.Part(type: DICOMPiece.type(identity), bytes: header.storedBytes)
            let kept = KeptInput(kind: .images, parts: [part], fault: 0)
            try self.put(DICOMPiece.make(header, file: identity, decoders: self.decoders), index, kept, sink)
        case .failure(let fault): try self.put(.failure(fault), index, nil, sink)
        }
    }

    mutating func readImageText(_ file: InputFile, _ index: Int, _ sink: Sink) throws {
        guard file.size <= JSONLimits.standard.bytesMax else { throw FileRefusalError(.documentTooLarge) }
        for piece in DICOMPiece.pieces(json: try file.read(at: 0, count: Int(file.size))) {
            try self.put(piece, index, nil, sink)
        }
    }

    private static func header(of file: InputFile) throws -> Result<DICOMHeader, DICOMFault> {
        var reader = DICOMHeaderReader(fileSize: Int(file.size))
        var range = 0..<DICOMHeaderReader.firstPieceBytes
        while true {
            let bytes = try file.read(at: Int64(range.lowerBound), count: range.count)
            switch reader.advance(bytes, at: range.lowerBound) {
            case .header(let header): return .success(header)
            case .refused(let fault): return .failure(fault)
            case .needs(let needed):
                // Asked again for what the file no longer has: it became shorter while it was read.
                guard needed.upperBound <= file.size, needed != range || bytes.count == range.count else {
                    throw FileRefusalError(.changed)
                }
                let end = max(needed.upperBound, needed.lowerBound + DICOMHeaderReader.firstPieceBytes)
                range = needed.lowerBound..<min(end, Int(file.size))
            }
        }
    }

    /// SHA-256 of the whole file: the record commits to the images although it does not hold them.
    private mutating func digest(of file: InputFile, start: Int64, _ sink: Sink) throws -> Digest {
        var hasher = DigestHasher()
        var chunks = ChunkReader(file)
        while let chunk = try chunks.next() {
            hasher.update(chunk)
            try self.report(start + chunks.offset, sink)
        }
        guard chunks.offset == file.size else { throw FileRefusalError(.changed) }
        return hasher.finalize()
    }

    /// `kept`: what is kept of the piece if it is refused.
    private mutating func put(
        _ piece: Result<DICOMPiece, DICOMFault>,
        _ index: Int,
        _ kept: KeptInput?,
        _ sink: Sink
    ) throws {
        switch piece {
        case .success(let piece):
            let spool = try self.studies ?? GroupSpool(in: self.folder)
            self.studies = spool
            try spool.append(
                GroupSpool.Piece(
                    type: piece.part.type,
                    bytes: piece.part.bytes,
                    file: index,
                    offset: Int64(piece.offset),
                    line: 1
                ),
                to: piece.studyUID
            )
        case .failure(let fault):
            let position = InputPosition(file: self.name(index), offset: Int64(fault.offset), line: 1)
            var refused = Self.refused(FormatRefusal(fault.refusal), position, [], element: fault.element)
            refused.kept = kept
            try sink(.refused(refused))
        }
    }

    /// Gives the studies of all files that were read.
    func giveStudies(_ sink: Sink) throws {
        guard let studies = self.studies else { return }
        try studies.forEachGroup(
            piecesMax: DICOMStudy.instancesMax + 1,
            bytesMax: Self.studyBytesMax
        ) { uid, group in
            let pieces = group.pieces.map { piece in
                DICOMPiece(
                    studyUID: uid,
                    part: RecordContent.Part(type: piece.type, bytes: piece.bytes),
                    offset: Int(piece.offset)
                )
            }
            let first = group.pieces[0]
            var position = InputPosition(file: self.name(first.file), offset: first.offset, line: 1)
            guard !group.isCut || pieces.count > DICOMStudy.instancesMax else {
                try sink(.refused(Self.refused(FormatRefusal(DICOMRefusal.tooLarge), position, [])))
                return
            }
            switch DICOMStudy.exam(of: pieces) {
            case .success(let exam) where exam.subject.refusal == nil: try sink(.exam(exam, position))
            case .success(let exam):
                guard let refusal = exam.subject.refusal else { return }
                var refused = Self.refused(FormatRefusal(refusal), position, [])
                refused.kept = KeptInput(kind: .images, parts: pieces.map(\.part), fault: 0)
                try sink(.refused(refused))
            case .failure(let fault):
                if let member = fault.member, group.pieces.indices.contains(member) {
                    position.file = self.name(group.pieces[member].file)
                    position.offset = Int64(fault.offset)
                }
                var refused = Self.refused(FormatRefusal(fault.refusal), position, [], element: fault.element)
                refused.kept = KeptInput(kind: .images, parts: pieces.map(\.part), fault: 0)
                try sink(.refused(refused))
            }
        }
    }
}
