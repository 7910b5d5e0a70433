import Formats
import Records

/// Brings the resources of one exam together from the files they stand in.
struct ExamJoiner {
    /// Resources of one exam; more would not fit into a record.
    private static let partsMax = RecordContent.partsMax
    /// Bytes of one exam's resources; more would be refused when they are read.
    private static let bytesMax = 2 * SealedObject.bodyBytesMax
    /// Exams share patients and results, but not without end: resources loaded for each one in the input.
    private static let sharingFactorMax: Int64 = 64
    /// Open files: bulk exports have a few dozen.
    private static let openFilesMax = 64
    /// Shared resources that are kept in memory: patients and people come up again and again.
    private static let cacheBytesMax = 8 << 20

    private let files: FileList
    private var open: [Int: InputFile] = [:]
    private var cache: [String: [Part]] = [:]
    private var cacheBytes = 0
    /// Resources that may still be loaded.
    private var budget: Int64

    private struct Part {
        let entry: JoinSpool.Entry
        let part: RecordContent.Part
        let needs: [String]
    }

    /// Joins resources of these files; `count` of them stand in the spool.
    init(files: FileList, count: Int64) {
        self.files = files
        self.budget = 100_000 + count * Self.sharingFactorMax
    }

    /// What came of one exam.
    enum Outcome {
        case exam(ParsedExam)
        case refused(code: String, message: String, JoinSpool.Entry, offset: Int64, [UInt8])
    }

    /// Reads the exam that `root` is.
    mutating func join(_ root: JoinSpool.Entry, _ lookup: JoinSpool.Lookup) throws -> Outcome {
        var collected: [Part] = []
        do throws(Fault) {
            try self.collect(root, lookup, into: &collected)
        } catch {
            let bytes = Self.kept(collected)
            switch error {
            case .file(let refusal, let entry):
                return .refused(code: refusal.rawValue, message: refusal.message, entry, offset: entry.offset, bytes)
            case .tooLarge:
                let refusal = FHIRRefusal.tooLarge
                return .refused(code: refusal.code, message: refusal.message, root, offset: root.offset, bytes)
            case .other(let error): throw error
            }
        }
        switch FHIRExamReader.read(collected.map(\.part)) {
        case .success(var parsed):
            if let refusal = parsed.subject.refusal {
                return .refused(
                    code: refusal.code,
                    message: refusal.message,
                    root,
                    offset: root.offset,
                    Self.kept(collected)
                )
            }
            parsed.offset = 0
            return .exam(parsed)
        case .failure(let error):
            let part = collected[error.part]
            return .refused(
                code: error.fault.refusal.code,
                message: "\(error.fault.refusal.message) (\(error.fault.element))",
                part.entry,
                offset: part.entry.offset + Int64(error.fault.offset),
                Self.kept(collected)
            )
        }
    }

    /// All resources of the exam in a form that is read by itself, or the first alone if they are more than is kept.
    private static func kept(_ collected: [Part]) -> [UInt8] {
        guard let first = collected.first?.part else { return [] }
        let size = collected.reduce(0) { $0 + $1.part.bytes.count + 64 }
        guard collected.count > 1, size < RefusedInput.bytesMax else { return first.bytes }
        return FHIRCollection.bytes(of: collected.map(\.part))
    }

    private enum Fault: Error {
        case file(FileRefusal, JoinSpool.Entry)
        case tooLarge
        case other(any Error)
    }

    private mutating func collect(
        _ root: JoinSpool.Entry,
        _ lookup: JoinSpool.Lookup,
        into collected: inout [Part]
    ) throws(Fault) {
        collected = [try self.load(root, asExam: true)]
        var known: Set<String> = []
        if let key = root.key { known.insert(key) }
        var size = collected[0].part.bytes.count
        var next = 0
        while next < collected.count {
            for key in collected[next].needs where known.insert(key).inserted {
                let parts = try self.parts(key, lookup)
                collected += parts
                size += parts.reduce(0) { $0 + $1.part.bytes.count }
                guard collected.count <= Self.partsMax, size <= Self.bytesMax else { throw .tooLarge }
            }
            next += 1
        }
    }

    private mutating func parts(_ key: String, _ lookup: JoinSpool.Lookup) throws(Fault) -> [Part] {
        if let parts = self.cache[key] { return parts }
        do {
            var parts: [Part] = []
            for entry in try lookup.entries(key) {
                try lookup.use(entry)
                parts.append(try self.load(entry, asExam: false))
            }
            self.remember(parts, key)
            return parts
        } catch let error as Fault {
            throw error
        } catch {
            throw .other(error)
        }
    }

    /// Keeps what several exams need; observations and reports are needed once.
    private mutating func remember(_ parts: [Part], _ key: String) {
        guard let first = parts.first, !first.entry.isExam else { return }
        let size = parts.reduce(0) { $0 + $1.part.bytes.count }
        guard size <= Self.cacheBytesMax / 16 else { return }
        if self.cacheBytes + size > Self.cacheBytesMax {
            self.cache.removeAll()
            self.cacheBytes = 0
        }
        self.cache[key] = parts
        self.cacheBytes += size
    }

    private mutating func load(_ entry: JoinSpool.Entry, asExam: Bool) throws(Fault) -> Part {
        self.budget -= 1
        guard self.budget > 0 else { throw .tooLarge }
        let bytes: [UInt8]
        do {
            bytes = try self.file(entry.file).read(at: entry.offset, count: entry.length)
        } catch {
            throw .file((error as? FileRefusalError)?.refusal ?? .unreadable, entry)
        }
        // The file is read a second time: what stands there now must still be what was seen first.
        guard bytes.count == entry.length, let root = try? JSONReader.read(bytes).root,
            let head = ResourceHead(root), head.key == entry.key
        else { throw .file(.changed, entry) }
        return Part(
            entry: entry,
            part: RecordContent.Part(type: head.type.rawValue, bytes: Array(root.bytes)),
            needs: head.needs(asExam: asExam)
        )
    }

    private mutating func file(_ index: Int) throws -> InputFile {
        if let file = self.open[index] { return file }
        if self.open.count >= Self.openFilesMax { self.open.removeAll() }
        let file = try InputFile(path: self.files[index].path, isNamedByUser: true)
        self.open[index] = file
        return file
    }
}
