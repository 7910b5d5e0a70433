import Dispatch
import Formats
import Foundation
package import ImportPipeline
import LedgerStore
import Logging
package import Primitives
import Records
import Synchronization
import Vault

/// One run of an import: reads on a thread of its own, writes batch by batch, tells how far it has come, and waits until
/// what it wrote is final.
package struct ImportSession: Sendable {
    /// How far a run has come.
    package struct Progress: Sendable {
        package var bytesRead: Int64 = 0
        package var bytesTotal: Int64 = 0
        package var exams: UInt64 = 0
        package var committed: UInt64 = 0
        package var quarantined: UInt64 = 0
        package var elapsedMilliseconds: Int64 = 0
    }

    /// An input that was set aside.
    package struct Rejection: Sendable {
        package var file: String
        package var position: String
        package var code: String
        package var message: String
        package var quarantine: Int64?
    }

    /// A batch that is final.
    package struct Batch: Sendable {
        package var number: UInt64
        package var root: Digest
        package var count: UInt32
        package var height: Height
    }

    /// What a run did in all.
    package struct Summary: Sendable {
        package var read: UInt64 = 0
        package var committed: UInt64 = 0
        package var duplicates: UInt64 = 0
        package var newVersions: UInt64 = 0
        package var quarantined: UInt64 = 0
        package var skipped: [String: UInt64] = [:]
        package var rejections: [String: UInt64] = [:]
        package var batches: [Batch] = []
        package var elapsedMilliseconds: Int64 = 0

        package mutating func add(_ other: Summary) {
            self.read += other.read
            self.committed += other.committed
            self.duplicates += other.duplicates
            self.newVersions += other.newVersions
            self.quarantined += other.quarantined
            self.skipped.merge(other.skipped, uniquingKeysWith: +)
            self.rejections.merge(other.rejections, uniquingKeysWith: +)
            self.batches += other.batches
            self.elapsedMilliseconds += other.elapsedMilliseconds
        }
    }

    /// What a caller is told while a run goes on.
    package enum Event: Sendable {
        case progress(Progress)
        case rejection(Rejection)
    }

    /// Progress is told at most so often, in milliseconds.
    private static let progressInterval: Int64 = 500
    /// Units that the reader may be ahead: two batches, so that reading and writing overlap.
    private static let chunkUnits = 256
    private static let chunksAhead = 8
    /// A run that waits for more than this many batches to become final stops reading.
    private static let openBatchesMax = 64

    private static let stopping = AgentFailure(
        .stopping,
        "the agent is stopping",
        hint: "What was read is stored and is committed when it starts again; import again then."
    )

    private let context: AgentContext
    private let writer: ExamWriter
    private let final: FinalBatches

    package init(context: AgentContext, writer: ExamWriter, final: FinalBatches) {
        self.context = context
        self.writer = writer
        self.final = final
    }

    /// `renamed`: A path that is shown under another name, such as a spooled upload.
    ///
    /// `event`: called as the import goes on.
    package func run(
        _ inputs: [InputPath],
        isDryRun: Bool,
        options: ImportOptions = ImportOptions(),
        renamed: (path: String, shown: String)? = nil,
        event: @escaping @Sendable (Event) async throws -> Void
    ) async throws -> Summary {
        let folder = self.context.layout.spool.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = UnitSource(chunksAhead: Self.chunksAhead, chunkUnits: Self.chunkUnits)
        source.start(ImportReader(spoolFolder: folder, options: options), inputs)
        defer { source.abandon() }
        var state = RunState(session: self, isDryRun: isDryRun)
        state.renamed = renamed
        while let chunk = try await source.next() {
            guard !self.final.isClosed else { throw Self.stopping }
            for unit in chunk { try await state.take(unit, event) }
            try await state.report(event)
        }
        // A cancelled stream ends as a finished one does; what was read so far is not the whole input.
        try Task.checkCancellation()
        try await state.flush(event)
        return try await state.finish(event)
    }

    /// Imports one piece of input that was set aside before.
    ///
    /// Returns why it is still refused, if it is; then it stays where it was.
    package func retry(
        _ bytes: [UInt8],
        event: @Sendable (Event) async throws -> Void
    ) async throws -> (Summary, String?) {
        let exams: [ParsedExam]
        switch RetriedInput.read(bytes) {
        case .success(let read): exams = read
        case .failure(let refusal): return (Summary(), refusal.code)
        }
        var state = RunState(session: self, isDryRun: false)
        state.keepsRefused = false
        for exam in exams { try await state.take(.exam(exam, InputPosition.standardInput), event) }
        try await state.flush(event)
        let summary = try await state.finish(event)
        return (summary, summary.rejections.keys.min())
    }

    /// What one run has read and written so far.
    private struct RunState {
        let session: ImportSession
        let isDryRun: Bool
        let started = Clock.uptime
        var renamed: (path: String, shown: String)?
        /// Whether what is refused goes into quarantine.
        var keepsRefused = true
        var lastReport: Int64 = 0
        var progress = Progress()
        var summary = Summary()
        var items: [ExamWriter.Item] = []
        var positions: [InputPosition] = []
        var open: [(number: UInt64, root: Digest, count: UInt32)] = []

        mutating func take(_ unit: ImportUnit, _ event: (Event) async throws -> Void) async throws {
            switch unit {
            case .exam(let parsed, let position):
                guard case .patient(let patient) = parsed.subject else {
                    preconditionFailure("the reader refuses exams without a patient")
                }
                self.summary.read += 1
                self.progress.exams += 1
                self.items.append(ExamWriter.Item(parsed, patient: patient))
                self.positions.append(position)
                if self.items.count == ExamWriter.batchMax { try await self.flush(event) }
            case .refused(let refused): try await self.refuse(refused, event)
            case .skipped(let type, let count): self.summary.skipped[type, default: 0] += UInt64(count)
            case .progress(.reading(let done, let total)):
                self.progress.bytesRead = done
                self.progress.bytesTotal = total
            case .progress(.joining): break
            }
        }

        mutating func flush(_ event: (Event) async throws -> Void) async throws {
            guard !self.items.isEmpty else { return }
            let (items, positions) = (self.items, self.positions)
            self.items = []
            self.positions = []
            let result = try await self.session.writer.write(
                items,
                isDryRun: self.isDryRun,
                patience: .bulk
            )
            for (index, outcome) in result.outcomes.enumerated() {
                switch outcome {
                case .written(let isNewVersion):
                    self.summary.committed += 1
                    if isNewVersion { self.summary.newVersions += 1 }
                case .duplicate: self.summary.duplicates += 1
                case .unidentified:
                    try await self.refuse(
                        items[index],
                        positions[index],
                        "patient.unidentified",
                        "No identifier of the patient is valid.",
                        event
                    )
                case .tooLarge:
                    try await self.refuse(
                        items[index],
                        positions[index],
                        "exam.too-large",
                        "The exam is larger than a record can be.",
                        event
                    )
                }
            }
            if let batch = result.batch { self.open.append(batch) }
            while self.open.count > ImportSession.openBatchesMax { try await self.awaitOldest(event) }
            self.progress.committed = self.summary.committed
        }

        mutating func finish(_ event: (Event) async throws -> Void) async throws -> Summary {
            while !self.open.isEmpty { try await self.awaitOldest(event) }
            self.summary.elapsedMilliseconds = Clock.uptime - self.started
            return self.summary
        }

        private mutating func awaitOldest(_ event: (Event) async throws -> Void) async throws {
            let batch = self.open.removeFirst()
            guard let height = await self.session.final.height(of: batch.number, kind: .exams) else {
                throw ImportSession.stopping
            }
            self.summary.batches.append(
                Batch(number: batch.number, root: batch.root, count: batch.count, height: height)
            )
            try await self.report(event)
        }

        mutating func report(_ event: (Event) async throws -> Void) async throws {
            let now = Clock.uptime
            guard now - self.lastReport >= ImportSession.progressInterval else { return }
            self.lastReport = now
            self.progress.elapsedMilliseconds = now - self.started
            self.progress.quarantined = self.summary.quarantined
            try await event(.progress(self.progress))
        }

        /// The resources of an exam in a form that can be imported again by itself.
        private static func bundle(_ parts: [RecordContent.Part]) -> [UInt8] {
            var bytes = Array(#"{"resourceType":"Bundle","type":"collection","entry":["#.utf8)
            for (index, part) in parts.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += Array("{".utf8)
                let role = part.type.split(separator: " ", maxSplits: 1)
                // A URL of a FHIR resource holds no character that JSON would escape.
                if role.count == 2 { bytes += Array("\"fullUrl\":\"\(role[1])\",".utf8) }
                bytes += Array("\"resource\":".utf8) + part.bytes + Array("}".utf8)
            }
            return bytes + Array("]}".utf8)
        }

        private mutating func refuse(
            _ item: ExamWriter.Item,
            _ position: InputPosition,
            _ code: String,
            _ message: String,
            _ event: (Event) async throws -> Void
        ) async throws {
            let bytes = Array(Self.bundle(item.content.parts).prefix(RefusedInput.bytesMax))
            try await self.refuse(
                RefusedInput(position: position, code: code, message: message, bytes: bytes),
                event
            )
        }

        private mutating func refuse(
            _ refused: RefusedInput,
            _ event: (Event) async throws -> Void
        ) async throws {
            var refused = refused
            if let renamed = self.renamed, refused.position.file == renamed.path {
                refused.position.file = renamed.shown
            }
            self.summary.quarantined += 1
            self.summary.rejections[refused.code, default: 0] += 1
            if !self.isDryRun, self.keepsRefused {
                try self.session.context.custody.quarantine([
                    QuarantinedInput(
                        job: 0,
                        file: refused.position.file,
                        position: UInt64(clamping: refused.position.offset),
                        code: refused.code,
                        message: refused.message,
                        sealed: self.session.context.secrets.sealInput(refused.bytes),
                        digest: self.session.context.vault.localTag(Array("input".utf8) + refused.bytes),
                        time: Clock.now
                    )
                ])
            }
            guard self.keepsRefused else { return }
            try await event(
                .rejection(
                    Rejection(
                        file: refused.position.file,
                        position: "line \(refused.position.line), byte \(refused.position.offset)",
                        code: refused.code,
                        message: refused.message
                    )
                )
            )
        }
    }
}

/// Runs a reader on a thread of its own and hands over what it gives, a chunk at a time; the reader waits when it is too
/// far ahead.
private final class UnitSource: Sendable {
    private struct Abandoned: Error {}

    private let stream: AsyncThrowingStream<[ImportUnit], any Error>
    private let continuation: AsyncThrowingStream<[ImportUnit], any Error>.Continuation
    private let room: DispatchSemaphore
    private let isAbandoned = Atomic(false)
    private let chunkUnits: Int

    init(chunksAhead: Int, chunkUnits: Int) {
        (self.stream, self.continuation) = AsyncThrowingStream.makeStream()
        // From zero: libdispatch traps when a semaphore goes away below the value it was made with.
        self.room = DispatchSemaphore(value: 0)
        for _ in 0..<chunksAhead { self.room.signal() }
        self.chunkUnits = chunkUnits
    }

    func start(_ reader: ImportReader, _ inputs: [InputPath]) {
        let thread = Thread {
            var chunk: [ImportUnit] = []
            do {
                try reader.read(inputs) { unit in
                    guard !self.isAbandoned.load(ordering: .acquiring) else { throw Abandoned() }
                    chunk.append(unit)
                    // Progress goes on at once: a spooling pass gives nothing else for gigabytes.
                    var isProgress = false
                    if case .progress = unit { isProgress = true }
                    guard chunk.count >= self.chunkUnits || isProgress else { return }
                    try self.hand(over: &chunk)
                }
                if !chunk.isEmpty { try self.hand(over: &chunk) }
                self.continuation.finish()
            } catch {
                self.continuation.finish(throwing: error is Abandoned ? nil : error)
            }
        }
        thread.name = "import"
        // Deeply nested documents are read recursively.
        thread.stackSize = 16 << 20
        thread.start()
    }

    private func hand(over chunk: inout [ImportUnit]) throws {
        self.room.wait()
        guard !self.isAbandoned.load(ordering: .acquiring) else { throw Abandoned() }
        self.continuation.yield(chunk)
        chunk = []
    }

    func next() async throws -> [ImportUnit]? {
        for try await chunk in self.stream {
            self.room.signal()
            return chunk
        }
        return nil
    }

    /// Ends the reader's thread at its next chunk.
    func abandon() {
        self.isAbandoned.store(true, ordering: .releasing)
        self.room.signal()
    }
}
