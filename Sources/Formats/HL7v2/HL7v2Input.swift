import Records

/// The exams of one input of moderate size; a stream is read with ``HL7v2MessageSplitter`` and ``HL7v2MessageReader``.
///
/// One message is taken apart at a time, when its first exam is asked for. Not shared between threads.
package struct HL7v2Input {
    /// One exam, or one piece that is none.
    package enum Output: Hashable, Sendable {
        case exam(ParsedExam)
        case refused(RefusedPiece)
    }

    /// Messages that hold no results, by type.
    package private(set) var skipped: [String: Int] = [:]
    private let reader = HL7v2MessageReader()
    private var pieces: [HL7v2MessageSplitter.Piece]
    private var outputs: [Output] = []

    package init(document bytes: [UInt8]) {
        var splitter = HL7v2MessageSplitter()
        self.pieces = (splitter.append(bytes[...]) + splitter.finish()).reversed()
    }

    /// The next exam or refusal; `nil` after the last.
    package mutating func next() -> Output? {
        while self.outputs.isEmpty {
            switch self.pieces.popLast() {
            case nil: return nil
            case .refused(let piece, _)?: return .refused(piece)
            case .message(let raw)?:
                let reading = self.reader.read(raw)
                if let type = reading.skipped { self.skipped[type, default: 0] += 1 }
                self.outputs = (reading.exams.map { .exam($0) } + reading.refused.map { .refused($0) }).reversed()
            }
        }
        return self.outputs.popLast()
    }
}
