import Dispatch
package import Formats
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
        /// Until the window opens; 0 while the run goes on.
        package var waitingMilliseconds: Int64 = 0
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
    /// A run that waits looks up at least so often, in milliseconds.
    private static let waitStep: Int64 = 1000
    /// Units that the reader may be ahead: a batch, so that reading, naming and storing overlap.
    private static let chunkUnits = 256
    private static let chunksAhead = 4
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
        pace: ImportPace = ImportPace(),
        renamed: (path: String, shown: String)? = nil,
        feed: FeedName = .imported,
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
        state.pace = pace
        state.feed = feed
        do {
            while let chunk = try await source.next() {
                guard !self.final.isClosed else { throw Self.stopping }
                for unit in chunk {
                    try await state.keepPace(event)
                    try await state.take(unit, event)
                }
                try await state.report(event)
            }
            // A cancelled stream ends as a finished one does; what was read so far is not the whole input.
            try Task.checkCancellation()
            try await state.flush(event)
            return try await state.finish(event)
        } catch {
            await state.abandon()
            throw error
        }
    }

    /// Imports one piece of input that was set aside before.
    ///
    /// Returns why it is still refused, if it is; then it stays where it was. Otherwise its exams are final: a kill before that
    /// leaves the piece in quarantine, and its exams are recognised when it is tried again.
    ///
    /// `mapping`: takes the place of the one with which rows were refused.
    package func retry(
        _ bytes: [UInt8],
        mapping: CSVMapping? = nil,
        event: @Sendable (Event) async throws -> Void
    ) async throws -> (Summary, refusal: (code: String, message: String)?) {
        let exams: [ParsedExam]
        switch RetriedInput.read(bytes, mapping: mapping) {
        case .success(.exams(let read)): exams = read
        case .success(.studies(let studies)):
            var joined: [ParsedExam] = []
            for images in studies {
                switch try await self.study(images) {
                case .success(let exam): joined.append(exam)
                case .failure(let refusal): return (Summary(), (refusal.code, refusal.message))
                }
            }
            exams = joined
        case .failure(let refusal): return (Summary(), (refusal.code, refusal.message))
        }
        var state = RunState(session: self, isDryRun: false)
        state.keepsRefused = false
        for exam in exams { try await state.take(.exam(exam, InputPosition.standardInput), event) }
        try await state.flush(event)
        let summary = try await state.finish(event)
        return (summary, state.refusal)
    }

    /// Images that were set aside, together with those of their study that are imported: an image by itself would replace the
    /// study by one that lacks all others.
    private func study(_ images: [RecordContent.Part]) async throws -> Result<ParsedExam, FormatRefusal> {
        let alone: ParsedExam
        switch RetriedInput.study(images) {
        case .success(let exam): alone = exam
        case .failure(let refusal): return .failure(refusal)
        }
        guard case .patient(let patient) = alone.subject,
            let known = try await self.writer.newest(of: ExamWriter.Item(alone, patient: patient)),
            known.format == .dicom
        else { return .success(alone) }
        let others = known.parts.filter { $0.type != CodeNote.partType }
        return RetriedInput.study(images, joinedWith: others)
    }

    /// What one run has read and written so far.
    private struct RunState {
        let session: ImportSession
        let isDryRun: Bool
        let started = Clock.uptime
        var pace = ImportPace()
        /// Since when, and after how many exams, the rate is counted: not while the window was closed.
        var paceStart: (time: Int64, exams: UInt64)?
        var renamed: (path: String, shown: String)?
        /// Whether what is refused goes into quarantine.
        var keepsRefused = true
        var feed = FeedName.imported
        var counted = FeedBook.Counts()
        /// The first refusal.
        var refusal: (code: String, message: String)?
        var lastReport: Int64 = 0
        var progress = Progress()
        var summary = Summary()
        var items: [ExamWriter.Item] = []
        var positions: [InputPosition] = []
        var storing: Storing?
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

        /// Waits until the next exam may be taken.
        ///
        /// What was taken is written first, so that nothing lies in memory while the run waits.
        mutating func keepPace(_ event: (Event) async throws -> Void) async throws {
            guard self.pace != ImportPace() else { return }
            if let window = self.pace.window {
                while case let wait = window.wait(at: Clock.minuteOfDay), wait > 0 {
                    try await self.flush(event)
                    try await self.settle(event)
                    self.progress.waitingMilliseconds = Int64(wait) * 60_000
                    try await self.report(event)
                    // In short steps: the clock may be set, and the agent stopped.
                    try await self.wait(ImportSession.waitStep)
                    self.paceStart = nil
                }
                self.progress.waitingMilliseconds = 0
            }
            let start = self.paceStart ?? (Clock.uptime, self.progress.exams)
            self.paceStart = start
            while true {
                let elapsed = Clock.uptime - start.time
                let delay = self.pace.delay(exams: self.progress.exams - start.exams, elapsed: elapsed)
                guard delay > 0 else { return }
                if delay >= ImportSession.waitStep {
                    try await self.flush(event)
                    try await self.settle(event)
                }
                try await self.wait(min(delay, ImportSession.waitStep))
                try await self.report(event)
            }
        }

        private func wait(_ milliseconds: Int64) async throws {
            guard !self.session.final.isClosed else { throw ImportSession.stopping }
            try await Task.sleep(for: .milliseconds(milliseconds))
        }

        /// A batch that is stored while the next one is read.
        struct Storing {
            var items: [ExamWriter.Item]
            var positions: [InputPosition]
            var received: Timestamp
            var task: Task<ExamWriter.Result, any Error>
        }

        /// Hands over what was taken to be stored, after the batch before it.
        mutating func flush(_ event: (Event) async throws -> Void) async throws {
            guard !self.items.isEmpty else { return }
            let (items, positions) = (self.items, self.positions)
            self.items = []
            self.positions = []
            let received = Clock.now
            let (writer, isDryRun) = (self.session.writer, self.isDryRun)
            let named = try await writer.name(items, patience: .bulk)
            try await self.settle(event)
            let task = Task { try await writer.write(named, isDryRun: isDryRun) }
            self.storing = Storing(items: items, positions: positions, received: received, task: task)
        }

        /// Waits until the last batch is stored, without a word about it: the run has failed.
        mutating func abandon() async {
            _ = await self.storing?.task.result
            self.storing = nil
        }

        /// Waits until the last batch is stored, and takes note of what became of it.
        mutating func settle(_ event: (Event) async throws -> Void) async throws {
            guard let storing = self.storing else { return }
            self.storing = nil
            let result = try await storing.task.value
            let (items, positions, received) = (storing.items, storing.positions, storing.received)
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
            if let batch = result.batch {
                self.open.append(batch)
                let written = zip(items, result.outcomes).filter { $1.isWritten }.map(\.0.exam)
                self.session.context.feeds.wrote(self.feed, written, batch: batch.number, received: received)
            }
            self.count()
            while self.open.count > ImportSession.openBatchesMax { try await self.awaitOldest(event) }
            self.progress.committed = self.summary.committed
        }

        /// Tells what was done since it was last told.
        private mutating func count() {
            guard !self.isDryRun else { return }
            let now = FeedBook.Counts(
                read: self.summary.read,
                committed: self.summary.committed,
                duplicate: self.summary.duplicates,
                quarantined: self.summary.quarantined
            )
            self.session.context.feeds.count(self.feed, now.since(self.counted))
            self.counted = now
        }

        mutating func finish(_ event: (Event) async throws -> Void) async throws -> Summary {
            try await self.settle(event)
            self.count()
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

        private mutating func refuse(
            _ item: ExamWriter.Item,
            _ position: InputPosition,
            _ code: String,
            _ message: String,
            _ event: (Event) async throws -> Void
        ) async throws {
            try await self.refuse(item.refused(position, code, message), event)
        }

        private mutating func refuse(
            _ refused: RefusedInput,
            _ event: (Event) async throws -> Void
        ) async throws {
            var refused = refused
            if let renamed = self.renamed, refused.position.file == renamed.path {
                refused.position.file = renamed.shown
            }
            self.refusal = self.refusal ?? (refused.code, refused.message)
            self.summary.quarantined += 1
            self.summary.rejections[refused.code, default: 0] += 1
            var number: Int64?
            if !self.isDryRun, self.keepsRefused {
                let bytes = refused.sealedBytes
                number = try self.session.context.custody.quarantine([
                    QuarantinedInput(
                        job: 0,
                        file: refused.position.file,
                        position: UInt64(clamping: refused.position.offset),
                        line: UInt64(clamping: refused.position.line),
                        code: refused.code,
                        message: refused.message,
                        sealed: self.session.context.secrets.sealInput(bytes),
                        digest: self.session.context.vault.localTag(Array("input".utf8) + bytes),
                        time: Clock.now
                    )
                ]).first
            }
            guard self.keepsRefused else { return }
            try await event(
                .rejection(
                    Rejection(
                        file: refused.position.file,
                        position: "line \(refused.position.line), byte \(refused.position.offset)",
                        code: refused.code,
                        message: refused.message,
                        quarantine: number
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
