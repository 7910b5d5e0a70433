package import Primitives
package import Records

/// A fact of recognition to be stored.
package struct NewFact: Hashable, Sendable {
    /// What the fact is, whatever it says: there is one fact under a name.
    package var name: Digest
    /// HMAC under a key of this home of what was asked for: tells a repetition from something else under the same name.
    package var request: Digest
    package var entry: FactManifest.Entry

    package init(name: Digest, request: Digest, entry: FactManifest.Entry) {
        self.name = name
        self.request = request
        self.entry = entry
    }
}

/// A fact of this institution.
package struct StoredFact: Hashable, Sendable {
    package var number: Int64
    package var name: Digest
    package var request: Digest
    package var entry: FactManifest.Entry
    /// The batch that commits it and the position in it; `nil` while it waits.
    package var place: Place?

    /// The batch that commits a fact, and where in it.
    package struct Place: Hashable, Sendable {
        package var batch: UInt64
        package var index: UInt32
    }
}

/// When a version of a report was released, and on which day by the institution's calendar.
package struct ExamRelease: Hashable, Sendable {
    package var time: Timestamp
    /// Days since 1970-01-01.
    package var day: Int32

    package init(time: Timestamp, day: Int32) {
        self.time = time
        self.day = day
    }
}

/// What came of one day, and what was last stated about it.
package struct ProducedDay: Hashable, Sendable {
    /// As it is now; inputs in quarantine are not among it.
    package var now: ProductionDay
    package var stated: ProductionDay?
    package var statedTime: Timestamp?

    package init(now: ProductionDay, stated: ProductionDay? = nil, statedTime: Timestamp? = nil) {
        self.now = now
        self.stated = stated
        self.statedTime = statedTime
    }
}
