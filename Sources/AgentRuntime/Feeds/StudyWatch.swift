package import Primitives

/// Tells which studies of a PACS are complete, from what it says of them now and then.
///
/// Images of a study arrive over minutes. It is taken to be whole when the PACS said the same of it for the settling time; one
/// that grows later is another version of the exam.
package struct StudyWatch: Sendable {
    /// Studies that are watched at a time; more wait for those to be read.
    package static let studiesMax = 10_000
    /// After a failure that is the study's alone, doubled with each.
    package static let retryMilliseconds: Int64 = 60_000
    package static let retryMillisecondsMax: Int64 = 3_600_000

    /// A study that is to be read.
    package struct Due: Hashable, Sendable {
        package var uid: String
        package var facts: Digest
    }

    private struct Watched {
        var facts: Digest
        /// When it was first seen like this.
        var since: Int64
        var notBefore: Int64 = 0
        var failures: UInt32 = 0
        var look: UInt64
    }

    private let settleMilliseconds: Int64
    private var watched: [String: Watched] = [:]
    private var look: UInt64 = 0

    package init(settleMilliseconds: Int64) { self.settleMilliseconds = settleMilliseconds }

    package var count: Int { self.watched.count }

    /// Begins to go through what the PACS has.
    package mutating func beginLook() { self.look += 1 }

    /// Notes that the PACS has a study that was not read as it is now.
    package mutating func see(_ uid: String, _ facts: Digest, uptime: Int64) {
        if let known = self.watched[uid], known.facts == facts {
            self.watched[uid]?.look = self.look
        } else if self.watched[uid] != nil || self.watched.count < Self.studiesMax {
            self.watched[uid] = Watched(facts: facts, since: uptime, look: self.look)
        }
    }

    /// Ends a look that went through everything, and forgets what the PACS has no longer.
    package mutating func endLook() { self.watched = self.watched.filter { $0.value.look == self.look } }

    /// What has settled, the longest known first, and under one time in the order of UIDs.
    package func due(uptime: Int64) -> [Due] {
        self.watched.filter { _, study in
            uptime - study.since >= self.settleMilliseconds && uptime >= study.notBefore
        }.sorted { ($0.value.since, $0.key) < ($1.value.since, $1.key) }.map { Due(uid: $0.key, facts: $0.value.facts) }
    }

    /// Ends the watch over a study that was read.
    package mutating func done(_ uid: String) { self.watched[uid] = nil }

    /// Lets a study settle anew: it changed while it was read.
    package mutating func restart(_ uid: String, uptime: Int64) { self.watched[uid]?.since = uptime }

    /// Leaves a study alone for a while.
    package mutating func postpone(_ uid: String, uptime: Int64) {
        guard let study = self.watched[uid] else { return }
        let pause = min(Self.retryMillisecondsMax, Self.retryMilliseconds << Int64(min(study.failures, 16)))
        self.watched[uid]?.notBefore = uptime + pause
        self.watched[uid]?.failures = study.failures + 1
    }
}
