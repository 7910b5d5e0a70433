import Logging
import Synchronization

/// What came through the feeds since the start; told in the log when something changed.
final class FeedCounts: Sendable {
    struct Values: Hashable, Sendable {
        var accepted: UInt64 = 0
        var duplicate: UInt64 = 0
        /// In quarantine.
        var refused: UInt64 = 0
        /// Not taken at all.
        var rejected: UInt64 = 0
        /// From the last byte of a message to its exams being durable, the longest since it was last told.
        var lagMillisecondsMax: Int64 = 0
    }

    private let values = Mutex((now: Values(), told: Values()))

    func add(_ change: (inout Values) -> Void) { self.values.withLock { change(&$0.now) } }

    func tell(_ logger: Logger) {
        let news = self.values.withLock { values -> Values? in
            guard values.now != values.told else { return nil }
            let news = values.now
            values.now.lagMillisecondsMax = 0
            values.told = values.now
            return news
        }
        guard let news else { return }
        logger.info(
            "messages of the MLLP feed",
            metadata: [
                "accepted": "\(news.accepted)", "duplicate": "\(news.duplicate)", "refused": "\(news.refused)",
                "rejected": "\(news.rejected)", "lag-ms-max": "\(news.lagMillisecondsMax)",
            ]
        )
    }
}
