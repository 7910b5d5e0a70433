import Formats
import Foundation
import ImportPipeline
import LedgerStore
import Logging
import Primitives
import Records
import ServiceLifecycle

/// Asks a PACS again and again which studies it has, and imports each when it has settled, from its metadata.
///
/// What was read is remembered in the custody store after its exam is durable. A kill between the two reads the study again,
/// and its exam is recognised by its content. A study that the PACS has no longer stays as it was imported: an archive
/// that loses a study says nothing about the examination.
struct DICOMWebPoller: Service {
    /// The largest pause after failures.
    private static let pauseMillisecondsMax: Int64 = 300_000
    private static let pauseDoublingsMax: Int64 = 12

    private let client: DICOMWebClient
    private let configuration: FeedConfiguration.DICOMWeb
    private let context: AgentContext
    private let writer: ExamWriter
    private let logger: Logger

    /// Reads the configuration's files; the PACS need not be there yet.
    init(
        _ configuration: FeedConfiguration.DICOMWeb,
        _ context: AgentContext,
        writer: ExamWriter,
        logger: Logger
    ) throws {
        guard configuration.intervalSeconds >= 1, configuration.settleSeconds >= 0, configuration.days >= 0,
            max(configuration.intervalSeconds, configuration.settleSeconds) <= 86_400,
            configuration.days <= DICOMWebLook.daysMax
        else {
            throw AgentFailure(
                .badRequest,
                "the times for looking at the PACS are out of range",
                hint: "An interval of 1 s to a day, a settling time of at most a day, and at most 100 years of days."
            )
        }
        self.client = try DICOMWebClient(configuration)
        self.configuration = configuration
        self.context = context
        self.writer = writer
        self.logger = logger
    }

    /// Runs until it is cancelled or shut down; what is in work then is read again at the next start.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var look = DICOMWebLook(self.client, self.configuration, self.context, self.writer, self.logger)
            var failures: Int64 = 0
            while !Task.isCancelled {
                do {
                    try await look.run()
                    if failures > 0 { self.logger.notice("the PACS answers again") }
                    failures = 0
                } catch {
                    if !Task.isCancelled { self.tell(error, isRepeated: failures > 0) }
                    failures += 1
                }
                try? await Task.sleep(for: .milliseconds(self.pause(failures)))
            }
        }
        await self.client.close()
    }

    /// In milliseconds: doubled with each failure in a row, and not the same at all agents of a region whose PACS comes back.
    private func pause(_ failures: Int64) -> Int64 {
        let interval = Int64(self.configuration.intervalSeconds) * 1000
        guard failures > 0 else { return interval }
        let doubled = min(
            max(interval, Self.pauseMillisecondsMax),
            interval << min(failures, Self.pauseDoublingsMax)
        )
        return Int64.random(in: doubled / 2...doubled)
    }

    private func tell(_ error: any Error, isRepeated: Bool) {
        var (code, what) = ("", "")
        if let refusal = error as? DICOMWebRefusal {
            (code, what) = (refusal.rawValue, refusal.message)
        } else {
            let failure = AgentFailure(any: error)
            guard failure.code != .stopping else { return }
            (code, what) = (failure.code.rawValue, failure.message)
        }
        // The first time to be seen, every time to be found.
        self.logger.log(
            level: isRepeated ? .info : .error,
            "studies of the PACS are not imported now",
            metadata: ["code": "\(code)", "what": "\(what)"]
        )
    }
}
