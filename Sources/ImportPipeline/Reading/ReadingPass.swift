import Formats
import Foundation
import Records

/// Reads every file once, gives what is complete, and remembers where those resources stand that have to be joined.
struct ReadingPass {
    typealias Sink = (ImportUnit) throws -> Void

    private(set) var files: FileList
    let options: ImportOptions
    /// For what does not fit into memory.
    let folder: URL
    private let spool: JoinSpool
    /// Names of files in place of the paths that only this run knows.
    private var names: [String: String]
    /// Headers of images, by study.
    var studies: GroupSpool?
    /// Kept between files: they are costly to make.
    let decoders = DICOMDecoders()
    /// Resources, and files, that are no part of any exam.
    private(set) var skipped: [String: Int] = [:]
    private var done: Int64 = 0
    private var total: Int64 = 0
    private var reported: Int64 = 0
    private var waiting: [InputPiece] = []
    private var waitingBytes = 0

    /// Bytes between two reports of progress.
    private static let progressStep: Int64 = 4 << 20

    init(
        files: FileList,
        names: [String: String],
        options: ImportOptions,
        spool: JoinSpool,
        folder: URL
    ) {
        self.files = files
        self.names = names
        self.options = options
        self.spool = spool
        self.folder = folder
    }

    mutating func skip(_ type: String) { self.skipped[type, default: 0] += 1 }

    /// The name under which the user knows a file.
    func name(_ file: Int) -> String {
        let path = self.files[file].path
        return self.names[path] ?? path
    }

    mutating func run(into sink: Sink) throws {
        self.total = self.files.reduce(0) { $0 + $1.size }
        try sink(.progress(.reading(done: 0, total: self.total)))
        // Archives add files behind those that were named; an archive inside an archive is not opened.
        let named = self.files.count
        for index in 0..<named {
            do {
                let found = self.files[index]
                let file = try InputFile(path: found.path, isNamedByUser: found.isNamedByUser)
                try self.read(file, index, found, sink)
            } catch let error as FileRefusalError {
                try self.flush(sink)
                try sink(.refused(ImportReader.refused(self.name(index), error.refusal)))
            }
        }
        try self.flush(sink)
        try self.giveStudies(sink)
        try sink(.progress(.reading(done: self.done, total: self.total)))
    }

    /// Reads what an archive holds, an entry at a time, from files that exist as long as the run.
    private mutating func readArchive(_ kind: ArchiveKind, _ file: InputFile, _ index: Int, _ sink: Sink) throws {
        let archive = self.name(index)
        var archiveReader = try ArchiveReader(kind, file, named: archive, into: self.folder)
        while let entry = try archiveReader.next() {
            switch entry {
            case .refused(let name, let refusal):
                try self.flush(sink)
                try sink(.refused(ImportReader.refused(name, refusal)))
            case .file(let path, let name):
                let found = InputScanner.Found(path: path, isNamedByUser: false, size: 0)
                self.files.append(found)
                self.names[path] = name
                do {
                    let entry = try InputFile(path: path, isNamedByUser: false)
                    try self.read(entry, self.files.count - 1, found, sink, isInArchive: true)
                } catch let error as FileRefusalError {
                    try self.flush(sink)
                    try sink(.refused(ImportReader.refused(name, error.refusal)))
                }
            }
        }
    }

    private mutating func read(
        _ file: InputFile,
        _ index: Int,
        _ found: InputScanner.Found,
        _ sink: Sink,
        isInArchive: Bool = false
    ) throws {
        let start = self.done
        let name = self.name(index)
        let prefix = try file.read(at: 0, count: ContentSniffer.prefixBytes)
        switch ContentSniffer(options: self.options).content(of: prefix, name: name) {
        case .empty:
            // Nothing of a kind that promises results is a broken export, not a result of nothing.
            if ContentSniffer.promisesExams(name) || found.isNamedByUser { throw FileRefusalError(.empty) }
        case .unknown:
            // In a folder of an export lie read-me files and checksums too.
            if found.isNamedByUser || ContentSniffer.promisesExams(name) { throw FileRefusalError(.notRecognised) }
            self.skip("file")
        case .hl7v2: try self.readMessages(file, index, start: start, sink)
        case .cda: try self.readDocument(file, index, sink)
        case .table:
            try self.flush(sink)
            try self.readTable(file, index, start: start, sink)
        case .dicom:
            try self.flush(sink)
            try self.readImage(file, index, start: start, sink)
        case .dicomJSON:
            try self.flush(sink)
            try self.readImageText(file, index, sink)
        case .archive where isInArchive: throw FileRefusalError(.nestedArchive)
        case .archive(let kind): try self.readArchive(kind, file, index, sink)
        case .fhir(.lines):
            var reader = LineReader(file)
            while let line = try reader.next() {
                try self.read(line, index, sink)
                try self.report(start + line.offset, sink)
            }
        case .fhir(.document):
            guard file.size <= JSONLimits.standard.bytesMax else { throw FileRefusalError(.tooLarge) }
            let bytes = try file.read(at: 0, count: Int(file.size))
            try self.add(.text(bytes), index, offset: 0, line: 1, sink)
        }
        // What came out of an archive is not counted: only the archive was announced.
        self.done = isInArchive ? start : start + file.size
        try self.report(self.done, sink)
    }

    mutating func report(_ done: Int64, _ sink: Sink) throws {
        guard done >= self.reported + Self.progressStep else { return }
        self.reported = done
        try sink(.progress(.reading(done: done, total: self.total)))
    }

    // MARK: Pieces

    /// Pieces that wait to be read together, and their bytes.
    private static let piecesMax = 256
    private static let pieceBytesMax = 4 << 20
    /// A text over this is read by itself, one exam after another.
    private static let largeTextBytes = 256 << 10

    private mutating func read(_ line: LineReader.Line, _ file: Int, _ sink: Sink) throws {
        if line.isTooLong {
            try self.flush(sink)
            var refused = ImportReader.refused(self.name(file), .lineTooLong)
            refused.position.offset = line.offset
            refused.position.line = line.number
            try sink(.refused(refused))
            return
        }
        guard !line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) else { return }
        try self.add(.text(line.bytes), file, offset: line.offset, line: line.number, sink)
    }

    /// Reads a piece now or together with others, whichever keeps the order.
    mutating func add(_ form: InputPiece.Form, _ file: Int, offset: Int64, line: Int, _ sink: Sink) throws {
        let piece = InputPiece(form: form, file: file, name: self.name(file), offset: offset, line: line)
        if case .text(let bytes) = form, bytes.count > Self.largeTextBytes {
            try self.flush(sink)
            if let entry = try piece.readText(bytes, skipped: &self.skipped, into: sink) {
                try self.spool.append(entry)
            }
            return
        }
        self.waiting.append(piece)
        self.waitingBytes += piece.size
        if self.waiting.count >= Self.piecesMax || self.waitingBytes >= Self.pieceBytesMax { try self.flush(sink) }
    }

    /// Reads the pieces that wait, on all cores, and gives what they hold in their order.
    mutating func flush(_ sink: Sink) throws {
        guard !self.waiting.isEmpty else { return }
        let pieces = self.waiting
        self.waiting = []
        self.waitingBytes = 0
        for reading in Cores.map(pieces, chunk: 16, { $0.read() }) {
            self.skipped.merge(reading.skipped, uniquingKeysWith: +)
            if let entry = reading.joined { try self.spool.append(entry) }
            for unit in reading.units { try sink(unit) }
        }
    }
}
