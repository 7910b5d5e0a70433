package import Foundation
package import Primitives
package import Records
import Synchronization

/// The ways exams come in.
package enum FeedName: String, CaseIterable, Sendable {
    case mllp
    case folder
    case dicomweb
    case imported = "import"
}

/// What came in by each way since the start, and how long it took from an exam's creation to its being final.
///
/// An exam's lag is counted when the block with its batch is final here. An exam whose batch became final only after a restart
/// is not counted: nothing about it but the exam itself is kept.
package final class FeedBook: Sendable {
    /// Exams in work and measured lags that are kept; each takes some 40 bytes.
    static let openMax = 65_536
    package static let windowMax = 4_096
    /// Batches that became final before it was known what they held.
    private static let earlyMax = 1_024

    /// Exams since the start, but `read`, `duplicate` and `quarantined` of what came as messages count messages.
    package struct Counts: Hashable, Sendable {
        /// Exams, messages or studies that could be read.
        package var read: UInt64 = 0
        package var committed: UInt64 = 0
        package var duplicate: UInt64 = 0
        package var quarantined: UInt64 = 0

        package init(read: UInt64 = 0, committed: UInt64 = 0, duplicate: UInt64 = 0, quarantined: UInt64 = 0) {
            self.read = read
            self.committed = committed
            self.duplicate = duplicate
            self.quarantined = quarantined
        }

        /// What came since `earlier`, which was the same count.
        package func since(_ earlier: Counts) -> Counts {
            Counts(
                read: self.read &- earlier.read,
                committed: self.committed &- earlier.committed,
                duplicate: self.duplicate &- earlier.duplicate,
                quarantined: self.quarantined &- earlier.quarantined
            )
        }
    }

    /// In milliseconds, over the last ``windowMax`` exams.
    package struct Lag: Hashable, Sendable {
        package var count: Int
        package var p50: Int64
        package var p99: Int64

        package init(count: Int, p50: Int64, p99: Int64) {
            self.count = count
            self.p50 = p50
            self.p99 = p99
        }
    }

    /// All that is told about one way.
    package struct Figures: Hashable, Sendable {
        package var feed: FeedName
        package var counts: Counts
        /// From the exam's own time to its being final; `nil` before the first.
        package var sinceCreation: Lag?
        /// From its receipt by this agent.
        package var sinceReceipt: Lag?
    }

    private struct Open {
        var feed: FeedName
        var created: Timestamp?
        var received: Timestamp
    }

    /// The last values, and where the next one goes.
    private struct Window {
        var values: [Int64] = []
        var next = 0

        mutating func add(_ value: Int64) {
            if self.values.count < FeedBook.windowMax {
                self.values.append(value)
            } else {
                self.values[self.next] = value
                self.next = (self.next + 1) % FeedBook.windowMax
            }
        }

        var lag: Lag? {
            guard !self.values.isEmpty else { return nil }
            let sorted = self.values.sorted()
            return Lag(
                count: sorted.count,
                p50: sorted[(sorted.count - 1) / 2],
                p99: sorted[(sorted.count - 1) * 99 / 100]
            )
        }
    }

    private struct State {
        var counts: [FeedName: Counts] = [:]
        var sinceCreation: [FeedName: Window] = [:]
        var sinceReceipt: [FeedName: Window] = [:]
        var open: [UInt64: [Open]] = [:]
        var openCount = 0
        var early: [UInt64: Timestamp] = [:]
    }

    private let state = Mutex(State())
    private let zone: TimeZone

    package init(zone: TimeZone = .current) { self.zone = zone }

    package func count(_ feed: FeedName, _ counts: Counts) {
        self.state.withLock { state in
            state.counts[feed, default: Counts()].read += counts.read
            state.counts[feed, default: Counts()].committed += counts.committed
            state.counts[feed, default: Counts()].duplicate += counts.duplicate
            state.counts[feed, default: Counts()].quarantined += counts.quarantined
        }
    }

    /// Notes which exams a batch holds.
    package func wrote(_ feed: FeedName, _ exams: [Exam], batch number: UInt64, received: Timestamp) {
        let open = exams.map { Open(feed: feed, created: self.created($0), received: received) }
        self.state.withLock { state in
            if let final = state.early.removeValue(forKey: number) {
                Self.measure(open, final, &state)
            } else if state.openCount + open.count <= Self.openMax {
                state.open[number, default: []] += open
                state.openCount += open.count
            }
        }
    }

    /// Notes that a batch is final.
    package func final(_ number: UInt64, now: Timestamp) {
        self.state.withLock { state in
            guard let open = state.open.removeValue(forKey: number) else {
                if state.early.count >= Self.earlyMax { state.early = [:] }
                state.early[number] = now
                return
            }
            state.openCount -= open.count
            Self.measure(open, now, &state)
        }
    }

    private static func measure(_ open: [Open], _ now: Timestamp, _ state: inout State) {
        for exam in open {
            // A clock that runs ahead makes nothing final before it was created.
            state.sinceReceipt[exam.feed, default: Window()].add(
                max(0, now.milliseconds &- exam.received.milliseconds)
            )
            guard let created = exam.created else { continue }
            state.sinceCreation[exam.feed, default: Window()].add(max(0, now.milliseconds &- created.milliseconds))
        }
    }

    /// One for each way by which anything came, in the order of ``FeedName``.
    package var figures: [Figures] {
        self.state.withLock { state in
            FeedName.allCases.compactMap { feed in
                guard let counts = state.counts[feed] else { return nil }
                return Figures(
                    feed: feed,
                    counts: counts,
                    sinceCreation: state.sinceCreation[feed]?.lag,
                    sinceReceipt: state.sinceReceipt[feed]?.lag
                )
            }
        }
    }

    /// When an exam came to be: its release, else when it took place; `nil` if that is known to no hour.
    ///
    /// A time without an offset is one of this machine's time zone, where its source most likely stands.
    package func created(_ exam: Exam) -> Timestamp? {
        guard let time = exam.issued ?? exam.time, time.precision >= .hour else { return nil }
        guard time.offsetMinutes == nil else { return time.earliest }
        let date = Date(timeIntervalSince1970: Double(time.earliest.milliseconds) / 1000)
        return Timestamp(milliseconds: time.earliest.milliseconds - Int64(self.zone.secondsFromGMT(for: date)) * 1000)
    }
}
