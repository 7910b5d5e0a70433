package import Formats
import Primitives
import Records

/// What the metadata of one study (PS3.18 section 10.4.1.1.5) gives: its exam, and what cannot be part of it.
///
/// A fault in one data set leaves out that one; one between them refuses the study.
package struct StudyReading: Sendable {
    /// A piece that is set aside.
    package struct Refused: Sendable {
        package var refusal: FormatRefusal
        package var offset: Int
        package var bytes: [UInt8]
    }

    package private(set) var exam: ParsedExam?
    package private(set) var refused: [Refused] = []
    /// Data sets in the answer, good or not.
    package private(set) var instances = 0

    /// `uid`: the study that was asked for; of no other anything is taken.
    package init(_ bytes: [UInt8], study uid: String) {
        var pieces: [DICOMPiece] = []
        for result in DICOMPiece.pieces(json: bytes) {
            self.instances += 1
            switch result {
            case .success(let piece) where piece.studyUID != uid:
                self.refuse(FormatRefusal(DICOMRefusal.studyConflict), piece.offset, piece.part.bytes)
            case .success(let piece): pieces.append(piece)
            case .failure(let fault):
                // The whole of it where no data set could be told apart.
                self.refuse(FormatRefusal(fault.refusal), fault.offset, Array(bytes.dropFirst(fault.offset)))
            }
        }
        guard let first = pieces.first else { return }
        switch DICOMStudy.exam(of: pieces) {
        case .failure(let fault):
            let piece = fault.member.flatMap { pieces.indices.contains($0) ? pieces[$0] : nil } ?? first
            self.refuse(FormatRefusal(fault.refusal), piece.offset, piece.part.bytes)
        case .success(let exam):
            // An answer to a query would be a study without instances.
            guard exam.exam.imaging.allSatisfy({ !$0.series.isEmpty && $0.series.allSatisfy { !$0.instances.isEmpty } })
            else {
                self.refuse(FormatRefusal(DICOMRefusal.instanceUIDMissing), first.offset, first.part.bytes)
                return
            }
            guard case .patient = exam.subject else {
                let refusal = exam.subject.refusal ?? .missing
                self.refuse(FormatRefusal(refusal), first.offset, first.part.bytes)
                return
            }
            self.exam = exam
        }
    }

    private mutating func refuse(_ refusal: FormatRefusal, _ offset: Int, _ bytes: [UInt8]) {
        self.refused.append(Refused(refusal: refusal, offset: offset, bytes: Array(bytes.prefix(Self.refusedBytesMax))))
    }

    /// Of one refused data set.
    private static let refusedBytesMax = 64 << 10
}
