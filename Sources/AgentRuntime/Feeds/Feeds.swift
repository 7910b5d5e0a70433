import Logging
import ServiceLifecycle

/// The live feeds of an agent, opened and not yet running.
struct Feeds: Service {
    private let listener: MLLPListener?
    private let folder: WatchedFolder?

    /// Opens what is configured: a taken port or a missing folder fails here, before the agent says that it serves.
    static func open(_ configuration: FeedConfiguration, _ parts: AgentParts, _ logger: Logger) async throws -> Feeds {
        let folder = try configuration.watchedFolder.map {
            try WatchedFolder($0, imports: parts.harness.imports, logger: logger)
        }
        guard let address = configuration.mllp else { return Feeds(listener: nil, folder: folder) }
        let counts = FeedCounts()
        let writer = parts.writer
        let desk = MessageDesk(
            context: parts.context,
            writer: FeedWriter { items in try await writer.write(items, isDryRun: false).outcomes },
            counts: counts
        )
        let listener = try await MLLPListener.open(
            address,
            tls: configuration.tls,
            desk: desk,
            counts: counts,
            logger: logger
        )
        return Feeds(listener: listener, folder: folder)
    }

    /// Runs until a graceful shutdown, and returns when what was in work then is finished.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let listener = self.listener { group.addTask { try await listener.run() } }
            if let folder = self.folder { group.addTask { try await folder.run() } }
            group.addTask { try? await gracefulShutdown() }
            try await group.waitForAll()
        }
    }
}
