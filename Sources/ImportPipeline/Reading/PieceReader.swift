import Formats
import Primitives
import Records

/// A part of a file that can be read without any other: a JSON text, a message, a document.
struct InputPiece: Sendable {
    enum Form: Sendable {
        case text([UInt8])
        case message(HL7v2RawMessage)
        case document([UInt8])
    }

    let form: Form
    let file: Int
    /// The name under which the user knows the file.
    let name: String
    /// Where its first byte stands in the file.
    let offset: Int64
    /// The line of that byte, from 1.
    let line: Int

    var size: Int {
        switch self.form {
        case .text(let bytes), .document(let bytes): bytes.count
        case .message(let raw): raw.bytes.count
        }
    }
}

/// What a piece holds.
struct PieceReading: Sendable {
    /// Exams and refusals, in order.
    var units: [ImportUnit] = []
    var skipped: [String: Int] = [:]
    /// A resource that has to be joined with others.
    var joined: JoinSpool.Entry?

    /// Adds an exam or, if it cannot be filed under a patient, the `bytes` it came from as a refusal.
    fileprivate mutating func add(_ exam: ParsedExam, _ position: InputPosition, _ bytes: [UInt8]) {
        self.units.append(ReadingPass.unit(exam, position, bytes))
    }
}

extension InputPiece {
    /// Reads the piece; any number of pieces may be read at once.
    func read() -> PieceReading {
        switch self.form {
        case .text(let bytes): return self.read(text: bytes)
        case .message(let raw): return self.read(message: raw)
        case .document(let bytes): return self.read(document: bytes)
        }
    }

    private func position(_ offset: Int64, _ line: Int, bundleIndex: Int? = nil) -> InputPosition {
        InputPosition(file: self.name, offset: offset, line: line, bundleIndex: bundleIndex)
    }

    // MARK: JSON texts

    /// Gives the exams of a text one after another, so that those of a large Bundle need not be in memory at once.
    func readText(
        _ bytes: [UInt8],
        skipped: inout [String: Int],
        into sink: (ImportUnit) throws -> Void
    ) throws
        -> JoinSpool.Entry?
    {
        var input: FHIRInput
        do {
            let root = try JSONReader.read(bytes).root
            if let head = ResourceHead(root) { return self.entry(head, root) }
            input = FHIRInput([root])
        } catch {
            input = FHIRInput(document: bytes)
        }
        skipped.merge(input.skipped, uniquingKeysWith: +)
        var lines = LineCounter(bytes, first: self.line)
        while let output = input.next() {
            switch output {
            case .exam(let parsed):
                let position = self.position(
                    self.offset + Int64(parsed.offset),
                    lines.line(of: parsed.offset),
                    bundleIndex: parsed.bundleIndex
                )
                try sink(ReadingPass.unit(parsed, position, parsed.parts[0].bytes))
            case .refused(let piece):
                let position = self.position(
                    self.offset + Int64(piece.offset),
                    lines.line(of: piece.offset),
                    bundleIndex: piece.bundleIndex
                )
                let refused = Array(bytes[piece.range])
                try sink(.refused(ReadingPass.refused(piece.refusal, position, refused, element: piece.element)))
            }
        }
        return nil
    }

    private func read(text bytes: [UInt8]) -> PieceReading {
        var reading = PieceReading()
        var units: [ImportUnit] = []
        // Appending to an array throws nothing.
        reading.joined = try? self.readText(bytes, skipped: &reading.skipped) { units.append($0) }
        reading.units = units
        return reading
    }

    private func entry(_ head: ResourceHead, _ root: JSONValue) -> JoinSpool.Entry {
        JoinSpool.Entry(
            sequence: 0,
            key: head.key,
            file: self.file,
            offset: self.offset + Int64(root.offset),
            length: root.range.count,
            line: self.line,
            isExam: head.type.isExam,
            isReport: head.type == .diagnosticReport,
            leads: head.leads
        )
    }

    // MARK: HL7 version 2

    private func read(message raw: HL7v2RawMessage) -> PieceReading {
        let message = HL7v2MessageReader().read(raw)
        var reading = PieceReading()
        if let type = message.skipped { reading.skipped[type] = 1 }
        // A message is set aside whole, so that it can be tried again, and once, however much is wrong with it.
        var isSetAside = false
        for piece in message.refused where !isSetAside {
            isSetAside = true
            let position = self.position(Int64(piece.offset), raw.line)
            reading.units.append(
                .refused(ReadingPass.refused(piece.refusal, position, raw.bytes, element: piece.element))
            )
        }
        for exam in message.exams {
            if exam.subject.refusal != nil {
                guard !isSetAside else { continue }
                isSetAside = true
            }
            reading.add(exam, self.position(Int64(exam.offset), raw.line), raw.bytes)
        }
        return reading
    }

    // MARK: CDA

    private func read(document bytes: [UInt8]) -> PieceReading {
        var reading = PieceReading()
        switch CDAInput.read(bytes) {
        case .success(let exam): reading.add(exam, self.position(0, 1), bytes)
        case .failure(let fault):
            let piece = RefusedPiece(fault, range: 0..<bytes.count)
            let position = self.position(Int64(piece.offset), fault.line)
            reading.units.append(.refused(ReadingPass.refused(piece.refusal, position, bytes, element: piece.element)))
        }
        return reading
    }
}

/// Counts lines forward from the last place asked for, since most questions come in the order of the text.
private struct LineCounter {
    private let bytes: [UInt8]
    private let first: Int
    private var offset = 0
    private var line: Int

    init(_ bytes: [UInt8], first: Int) {
        self.bytes = bytes
        self.first = first
        self.line = first
    }

    mutating func line(of offset: Int) -> Int {
        let target = min(offset, self.bytes.count)
        if target < self.offset { (self.offset, self.line) = (0, self.first) }
        for byte in self.bytes[self.offset..<target] where byte == 0x0a { self.line += 1 }
        self.offset = target
        return self.line
    }
}
