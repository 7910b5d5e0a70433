import Records

/// Cuts a stream of HL7 version 2 into messages: with or without batch envelopes, MLLP frames and a byte order mark, in
/// 8-bit sets or UTF-16, with segments ended by CR, LF or both.
///
/// A message begins at each line that begins with `MSH`. Messages that are continued in others (DSC) are joined. Memory
/// is bounded by one message, or two where one is continued.
package struct HL7v2MessageSplitter: Sendable {
    /// A message, or bytes that are none.
    package enum Piece: Hashable, Sendable {
        case message(HL7v2RawMessage)
        /// With the line it begins on, from 1.
        case refused(RefusedPiece, line: Int)
    }

    private enum Form: Sendable {
        /// Too little was seen to tell.
        case unknown
        case lines(HL7v2LineSplitter)
        case frames(MLLPFrameSplitter)
    }

    private var form = Form.unknown
    private var start: [UInt8] = []
    /// Of lines in frames before the current one.
    private var line = 1
    private var pending: HL7v2RawMessage?
    private var isEmpty = true

    package init() {}

    /// Takes the next bytes of the stream.
    package mutating func append(_ bytes: ArraySlice<UInt8>) -> [Piece] {
        switch self.form {
        case .unknown:
            self.start += bytes
            // A byte order mark and two units.
            guard self.start.count >= 8 else { return [] }
            return self.begin()
        case .lines(var splitter):
            self.form = .unknown  // So that the splitter's buffer has one owner.
            let pieces = splitter.append(bytes)
            self.form = .lines(splitter)
            return self.joined(pieces)
        case .frames(var splitter):
            self.form = .unknown
            let events = splitter.append(bytes)
            self.form = .frames(splitter)
            return self.joined(events.flatMap { self.pieces(of: $0) })
        }
    }

    /// Says that the stream has ended.
    package mutating func finish() -> [Piece] {
        var pieces: [Piece] = []
        if case .unknown = self.form { pieces = self.begin() }
        switch self.form {
        case .unknown: break
        case .lines(var splitter): pieces += self.joined(splitter.finish())
        case .frames(var splitter):
            pieces += self.joined(splitter.finish().flatMap { self.pieces(of: $0) })
        }
        if let pending = self.pending { pieces.append(.message(pending)) }
        if self.isEmpty, pieces.isEmpty {
            pieces = [.refused(RefusedPiece(FormatRefusal(HL7v2Refusal.noHeader), offset: 0, range: 0..<0), line: 1)]
        }
        self = HL7v2MessageSplitter()
        return pieces
    }

    private mutating func begin() -> [Piece] {
        let bytes = self.start[...]
        self.start = []
        if bytes.first == 0x0b {
            self.form = .frames(MLLPFrameSplitter())
        } else {
            self.form = .lines(HL7v2LineSplitter(startingWith: bytes, offset: 0, line: 1))
        }
        return self.append(bytes)
    }

    private mutating func pieces(of event: MLLPFrameSplitter.Event) -> [Piece] {
        let refusal: HL7v2Refusal
        let range: Range<Int>
        switch event {
        case .frame(let bytes, let offset):
            var splitter = HL7v2LineSplitter(startingWith: bytes[...], offset: offset, line: self.line)
            let pieces = splitter.append(bytes[...]) + splitter.finish()
            self.line = splitter.line
            return pieces
        case .garbage(let found): (refusal, range) = (.frameGarbage, found)
        case .open(let found): (refusal, range) = (.frameOpen, found)
        case .tooLarge(let found): (refusal, range) = (.tooLarge, found)
        }
        return [.refused(RefusedPiece(FormatRefusal(refusal), offset: range.lowerBound, range: range), line: self.line)]
    }

    /// Joins messages that continue each other; one whose continuation does not follow is left as it is.
    private mutating func joined(_ pieces: [Piece]) -> [Piece] {
        var output: [Piece] = []
        self.isEmpty = self.isEmpty && pieces.isEmpty
        for piece in pieces {
            guard case .message(var message) = piece else {
                output.append(piece)
                continue
            }
            if let pending = self.pending {
                self.pending = nil
                if let whole = pending.joined(message) { message = whole } else { output.append(.message(pending)) }
            }
            if message.pointer == nil { output.append(.message(message)) } else { self.pending = message }
        }
        return output
    }
}
