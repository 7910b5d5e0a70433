import Formats
import Foundation
import ImportPipeline
import LedgerStore
import Logging
import Primitives
import Records
import Vault

/// One look at a PACS after another: lists what it has, and imports what is new or changed and has settled.
struct DICOMWebLook {
    static let daysMax = 36_525
    static let pageStudies = 100
    /// 100,000 studies: beyond that, days should be fewer.
    static let pagesMax = 1_000
    /// Studies read before the PACS is asked anew what it has.
    private static let readMax = 512
    /// Studies, and bytes of their records, that are made durable together.
    private static let batchStudies = 64
    private static let batchBytes = 64 << 20
    /// A study that lacks what the PACS counts is tried so often before it is taken as it is: some count what they do not give.
    private static let incompleteTriesMax = 3
    /// Failures of studies one after another, before it is the PACS that fails.
    private static let failuresMax = 3
    /// Where refused pieces are listed to come from.
    private static let source = "DICOMweb"

    private let client: DICOMWebClient
    private let configuration: FeedConfiguration.DICOMWeb
    private let context: AgentContext
    private let writer: ExamWriter
    private let logger: Logger
    private var watch: StudyWatch
    private var counted: [String: UInt32] = [:]
    private var incompleteTries: [String: Int] = [:]
    private var knownFaults: Set<Digest> = []
    private var hasForgotten = false

    init(
        _ client: DICOMWebClient,
        _ configuration: FeedConfiguration.DICOMWeb,
        _ context: AgentContext,
        _ writer: ExamWriter,
        _ logger: Logger
    ) {
        self.client = client
        self.configuration = configuration
        self.context = context
        self.writer = writer
        self.logger = logger
        self.watch = StudyWatch(settleMilliseconds: Int64(configuration.settleSeconds) * 1000)
    }

    /// - Throws: ``DICOMWebRefusal`` when the PACS cannot be asked, and what the stores throw.
    mutating func run() async throws {
        if !self.hasForgotten {
            try self.context.custody.forgetRefusedStudies()
            self.hasForgotten = true
        }
        try await self.list()
        try await self.readDue()
    }

    // MARK: Listing

    private mutating func list() async throws {
        self.watch.beginLook()
        self.counted = [:]
        var (seen, offset, page) = (Set<String>(), 0, 0)
        while true {
            guard page < Self.pagesMax else { throw DICOMWebRefusal.tooMany }
            try Task.checkCancellation()
            let bytes = try await self.client.studies(dates: self.dates, limit: Self.pageStudies, offset: offset)
            let answer = try self.answer(bytes)
            let new = answer.matches.filter { seen.insert($0.studyUID).inserted }
            // A server that knows no pages gives the same again.
            guard !new.isEmpty else { break }
            try self.note(new)
            offset += answer.matches.count + answer.faults.count
            page += 1
        }
        self.watch.endLook()
    }

    /// From so many days ago on, and a day more: the PACS may stand in another time zone.
    private var dates: String? {
        guard self.configuration.days > 0 else { return nil }
        let first = Clock.now.milliseconds / 1000 - Int64(self.configuration.days + 1) * 86_400
        var (seconds, parts) = (time_t(first), tm())
        localtime_r(&seconds, &parts)
        let number = (Int(parts.tm_year) + 1900) * 10_000 + (Int(parts.tm_mon) + 1) * 100 + Int(parts.tm_mday)
        return "\(number)-"
    }

    private mutating func answer(_ bytes: [UInt8]) throws -> DICOMMatch.Answer {
        guard !bytes.isEmpty else { return DICOMMatch.Answer() }
        switch DICOMMatch.answer(bytes) {
        case .success(let answer):
            try self.quarantine(
                answer.faults.compactMap { fault in
                    let piece = Array(bytes.dropFirst(fault.offset).prefix(Self.matchBytesMax))
                    // Every look brings it again.
                    if self.knownFaults.count >= Self.knownFaultsMax { self.knownFaults = [] }
                    guard self.knownFaults.insert(Digest(hashing: piece)).inserted else { return nil }
                    return StudyReading.Refused(
                        refusal: FormatRefusal(fault.refusal),
                        offset: fault.offset,
                        bytes: piece
                    )
                }
            )
            return answer
        case .failure: throw DICOMWebRefusal.badAnswer
        }
    }

    /// Of a listed study that cannot be read.
    private static let matchBytesMax = 4 << 10
    private static let knownFaultsMax = 10_000

    private mutating func note(_ matches: [DICOMMatch]) throws {
        let known = try self.context.custody.studies(tags: matches.map { self.tag($0.studyUID) })
        for (match, known) in zip(matches, known) where known?.facts != match.facts {
            self.watch.see(match.studyUID, match.facts, uptime: Clock.uptime)
            self.counted[match.studyUID] = match.numberOfInstances
        }
    }

    private func tag(_ uid: String) -> Digest { self.context.vault.localTag(Array("pacs-study".utf8) + uid.utf8) }

    // MARK: Reading

    /// A study that was read, on its way to be made durable.
    private struct Read {
        var due: StudyWatch.Due
        var received: Timestamp
        var reading: StudyReading
    }

    private mutating func readDue() async throws {
        var (batch, bytes, failures) = ([Read](), 0, 0)
        for due in self.watch.due(uptime: Clock.uptime).prefix(Self.readMax) {
            guard !Task.isCancelled else { break }
            do {
                let answer = try await self.client.metadata(study: due.uid)
                failures = 0
                let reading = StudyReading(answer, study: due.uid)
                guard self.isWhole(reading, due) else { continue }
                bytes += reading.exam?.parts.reduce(0) { $0 + $1.bytes.count } ?? 0
                batch.append(Read(due: due, received: Clock.now, reading: reading))
            } catch let refusal as DICOMWebRefusal where refusal.isOfStudy {
                try self.postpone(due, refusal)
                // What is gone or too large says nothing about the PACS.
                if refusal == .status || refusal == .timeout { failures += 1 }
            } catch is CancellationError {
                break
            } catch {
                // What was read before is worth keeping.
                try await self.write(batch)
                throw error
            }
            if batch.count >= Self.batchStudies || bytes >= Self.batchBytes {
                try await self.write(batch)
                (batch, bytes) = ([], 0)
            }
            guard failures < Self.failuresMax else { break }
        }
        try await self.write(batch)
        if failures >= Self.failuresMax { throw DICOMWebRefusal.status }
    }

    /// Whether the study is what the PACS says it is; if not, it is read later.
    private mutating func isWhole(_ reading: StudyReading, _ due: StudyWatch.Due) -> Bool {
        guard let counted = self.counted[due.uid], Int(counted) != reading.instances else { return true }
        let tries = (self.incompleteTries[due.uid] ?? 0) + 1
        guard tries < Self.incompleteTriesMax else {
            self.incompleteTries[due.uid] = nil
            return true
        }
        if self.incompleteTries.count >= StudyWatch.studiesMax { self.incompleteTries = [:] }
        self.incompleteTries[due.uid] = tries
        self.watch.restart(due.uid, uptime: Clock.uptime)
        self.tell(.incomplete)
        return false
    }

    private func tell(_ refusal: DICOMWebRefusal) {
        self.logger.warning(
            "a study of the PACS is not imported",
            metadata: ["code": "\(refusal.rawValue)", "what": "\(refusal.message)"]
        )
    }

    private mutating func postpone(_ due: StudyWatch.Due, _ refusal: DICOMWebRefusal) throws {
        switch refusal {
        case .gone: self.watch.done(due.uid)
        case .tooLarge:
            // It stays so until the study changes.
            let refused = StudyReading.Refused(refusal: FormatRefusal(refusal), offset: 0, bytes: Array(due.uid.utf8))
            try self.quarantine([refused])
            try self.context.custody.save([KnownStudy(tag: self.tag(due.uid), facts: due.facts, state: .refused)])
            self.watch.done(due.uid)
        default: self.watch.postpone(due.uid, uptime: Clock.uptime)
        }
        self.tell(refusal)
    }

    // MARK: Writing

    private mutating func write(_ batch: [Read]) async throws {
        guard !batch.isEmpty else { return }
        var (items, places, states) = ([ExamWriter.Item](), [Int](), [KnownStudy.State]())
        var counts = FeedBook.Counts(read: UInt64(batch.count))
        for (index, read) in batch.enumerated() {
            try self.quarantine(read.reading.refused)
            states.append(read.reading.refused.isEmpty && read.reading.exam != nil ? .imported : .refused)
            guard let exam = read.reading.exam, case .patient(let patient) = exam.subject else { continue }
            items.append(ExamWriter.Item(exam, patient: patient))
            places.append(index)
        }
        let result = items.isEmpty ? nil : try await self.writer.write(items, isDryRun: false)
        var written: [Exam] = []
        for (position, outcome) in (result?.outcomes ?? []).enumerated() {
            switch outcome {
            case .written:
                written.append(items[position].exam)
                counts.committed += 1
            case .duplicate: counts.duplicate += 1
            case .unidentified:
                states[places[position]] = .refused
                try self.quarantine([Self.refused(items[position], FormatRefusal(SubjectRefusal.unidentified))])
            case .tooLarge:
                states[places[position]] = .refused
                try self.quarantine([Self.refused(items[position], FormatRefusal(DICOMRefusal.tooLarge))])
            }
        }
        try self.context.custody.save(
            zip(batch, states).map { KnownStudy(tag: self.tag($0.due.uid), facts: $0.due.facts, state: $1) }
        )
        for read in batch {
            self.watch.done(read.due.uid)
            self.incompleteTries[read.due.uid] = nil
        }
        self.context.feeds.count(.dicomweb, counts)
        if let number = result?.batch?.number, let received = batch.map(\.received).min() {
            self.context.feeds.wrote(.dicomweb, written, batch: number, received: received)
        }
        self.logger.info(
            "studies of the PACS are imported",
            metadata: [
                "read": "\(counts.read)", "committed": "\(counts.committed)", "duplicates": "\(counts.duplicate)",
                "refused": "\(states.count { $0 == .refused })",
            ]
        )
    }

    private static func refused(_ item: ExamWriter.Item, _ refusal: FormatRefusal) -> StudyReading.Refused {
        StudyReading.Refused(refusal: refusal, offset: 0, bytes: item.content.parts.first?.bytes ?? [])
    }

    private func quarantine(_ refused: [StudyReading.Refused]) throws {
        guard !refused.isEmpty else { return }
        try self.context.custody.quarantine(
            refused.map { piece in
                QuarantinedInput(
                    job: 0,
                    file: Self.source,
                    position: UInt64(clamping: piece.offset),
                    code: piece.refusal.code,
                    message: piece.refusal.message,
                    sealed: self.context.secrets.sealInput(piece.bytes),
                    digest: self.context.vault.localTag(Array("input".utf8) + piece.bytes),
                    time: Clock.now
                )
            }
        )
        self.context.feeds.count(.dicomweb, FeedBook.Counts(quarantined: UInt64(refused.count)))
    }
}
