import Formats
import Records

/// Reads every file once, gives what is complete, and remembers where those resources stand that have to be joined.
struct ReadingPass {
    typealias Sink = (ImportUnit) throws -> Void

    let files: [InputScanner.Found]
    private let spool: JoinSpool
    /// Whether unrecognised content is read as FHIR, because the user says it is.
    private let isForcedFHIR: Bool
    /// Names of files in place of the paths that only this run knows.
    private let names: [String: String]
    /// Resources, and files, that are no part of any exam.
    private(set) var skipped: [String: Int] = [:]
    private var done: Int64 = 0
    private var total: Int64 = 0
    private var reported: Int64 = 0

    /// Bytes between two reports of progress.
    private static let progressStep: Int64 = 4 << 20

    init(files: [InputScanner.Found], names: [String: String], spool: JoinSpool, isForcedFHIR: Bool) {
        self.files = files
        self.names = names
        self.spool = spool
        self.isForcedFHIR = isForcedFHIR
    }

    /// The name under which the user knows a file.
    func name(_ file: Int) -> String { self.names[self.files[file].path] ?? self.files[file].path }

    mutating func run(into sink: Sink) throws {
        for file in self.files {
            let size = (try? InputFile(path: file.path, isNamedByUser: file.isNamedByUser).size) ?? 0
            self.total += size
        }
        try sink(.progress(.reading(done: 0, total: self.total)))
        for index in self.files.indices {
            do {
                let found = self.files[index]
                let file = try InputFile(path: found.path, isNamedByUser: found.isNamedByUser)
                try self.read(file, index, found, sink)
            } catch let error as FileRefusalError {
                try sink(.refused(ImportReader.refused(self.name(index), error.refusal)))
            }
        }
        try sink(.progress(.reading(done: self.done, total: self.total)))
    }

    private mutating func read(
        _ file: InputFile,
        _ index: Int,
        _ found: InputScanner.Found,
        _ sink: Sink
    ) throws {
        let start = self.done
        switch ContentSniffer.content(of: try file.read(at: 0, count: ContentSniffer.prefixBytes)) {
        case .empty: break
        case .unknown where !self.isForcedFHIR:
            // In a folder of an export lie read-me files and checksums too.
            if found.isNamedByUser || ContentSniffer.promisesFHIR(found.path) {
                throw FileRefusalError(.notRecognised)
            }
            self.skipped["file", default: 0] += 1
        case .fhir(.lines):
            var reader = LineReader(file)
            while let line = try reader.next() {
                try self.read(line, index, sink)
                try self.report(start + line.offset, sink)
            }
        case .fhir(.document), .unknown:
            guard file.size <= JSONLimits.standard.bytesMax else { throw FileRefusalError(.tooLarge) }
            let bytes = try file.read(at: 0, count: Int(file.size))
            try self.read(Text(bytes: bytes, file: index, offset: 0, line: 1), sink)
        }
        self.done = start + file.size
        try self.report(self.done, sink)
    }

    private mutating func report(_ done: Int64, _ sink: Sink) throws {
        guard done >= self.reported + Self.progressStep else { return }
        self.reported = done
        try sink(.progress(.reading(done: done, total: self.total)))
    }

    // MARK: JSON texts

    private struct Text {
        let bytes: [UInt8]
        let file: Int
        /// Where its first byte stands in the file.
        let offset: Int64
        /// The line of its first byte, from 1.
        let line: Int
    }

    private mutating func read(_ line: LineReader.Line, _ file: Int, _ sink: Sink) throws {
        if line.isTooLong {
            var refused = ImportReader.refused(self.name(file), .lineTooLong)
            refused.position.offset = line.offset
            refused.position.line = line.number
            try sink(.refused(refused))
            return
        }
        guard !line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) else { return }
        try self.read(Text(bytes: line.bytes, file: file, offset: line.offset, line: line.number), sink)
    }

    private mutating func read(_ text: Text, _ sink: Sink) throws {
        var input: FHIRInput
        do {
            let root = try JSONReader.read(text.bytes).root
            if let head = ResourceHead(root) {
                try self.spool(head, root, text)
                return
            }
            input = FHIRInput([root])
        } catch is JSONError {
            input = FHIRInput(document: text.bytes)
        }
        self.skipped.merge(input.skipped, uniquingKeysWith: +)
        var lines = LineCounter(text.bytes, first: text.line)
        while let output = input.next() {
            switch output {
            case .exam(let parsed):
                let position = self.position(parsed.offset, parsed.bundleIndex, text, &lines)
                guard let refusal = parsed.subject.refusal else {
                    try sink(.exam(parsed, position))
                    continue
                }
                try sink(
                    .refused(
                        RefusedInput(
                            position: position,
                            code: refusal.code,
                            message: refusal.message,
                            bytes: Array(parsed.parts[0].bytes.prefix(RefusedInput.bytesMax))
                        )
                    )
                )
            case .refused(let piece):
                let element = piece.element.map { " (\($0))" } ?? ""
                try sink(
                    .refused(
                        RefusedInput(
                            position: self.position(piece.offset, piece.bundleIndex, text, &lines),
                            code: piece.refusal.code,
                            message: piece.refusal.message + element,
                            bytes: Array(text.bytes[piece.range].prefix(RefusedInput.bytesMax))
                        )
                    )
                )
            }
        }
    }

    private func spool(_ head: ResourceHead, _ root: JSONValue, _ text: Text) throws {
        try self.spool.append(
            JoinSpool.Entry(
                sequence: 0,
                key: head.key,
                file: text.file,
                offset: text.offset + Int64(root.offset),
                length: root.range.count,
                line: text.line,
                isExam: head.type.isExam,
                isReport: head.type == .diagnosticReport,
                leads: head.leads
            )
        )
    }

    private func position(
        _ offset: Int,
        _ bundleIndex: Int?,
        _ text: Text,
        _ lines: inout LineCounter
    ) -> InputPosition {
        InputPosition(
            file: self.name(text.file),
            offset: text.offset + Int64(offset),
            line: lines.line(of: offset),
            bundleIndex: bundleIndex
        )
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
