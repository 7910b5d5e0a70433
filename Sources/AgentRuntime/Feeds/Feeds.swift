import Logging
import ServiceLifecycle

/// The live feeds of an agent, opened and not yet running.
struct Feeds: Service {
    private let listener: MLLPListener?
    private let folder: WatchedFolder?
    private let pacs: DICOMWebPoller?

    /// Opens what is configured: a taken port or a missing folder fails here, before the agent says that it serves.
    static func open(_ configuration: FeedConfiguration, _ parts: AgentParts, _ logger: Logger) async throws -> Feeds {
        let folder = try configuration.watchedFolder.map {
            try WatchedFolder($0, imports: parts.harness.imports, logger: logger)
        }
        let pacs = try configuration.dicomWeb.map {
            try DICOMWebPoller($0, parts.context, writer: parts.writer, logger: logger)
        }
        guard let address = configuration.mllp else { return Feeds(listener: nil, folder: folder, pacs: pacs) }
        let counts = FeedCounts()
        let writer = parts.writer
        let feeds = parts.context.feeds
        let desk = MessageDesk(
            context: parts.context,
            writer: FeedWriter { items in
                let received = Clock.now
                let result = try await writer.write(items, isDryRun: false)
                if let number = result.batch?.number {
                    let written = zip(items, result.outcomes).filter { $1.isWritten }.map(\.0.exam)
                    feeds.wrote(.mllp, written, batch: number, received: received)
                }
                return result.outcomes
            },
            counts: counts
        )
        let listener = try await MLLPListener.open(
            address,
            tls: configuration.tls,
            desk: desk,
            counts: counts,
            logger: logger
        )
        return Feeds(listener: listener, folder: folder, pacs: pacs)
    }

    /// Runs until a graceful shutdown, and returns when what was in work then is finished.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let listener = self.listener { group.addTask { try await listener.run() } }
            if let folder = self.folder { group.addTask { try await folder.run() } }
            if let pacs = self.pacs { group.addTask { try await pacs.run() } }
            group.addTask { try? await gracefulShutdown() }
            try await group.waitForAll()
        }
    }
}
