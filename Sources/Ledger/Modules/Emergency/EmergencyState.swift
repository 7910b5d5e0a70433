package import Primitives
package import Records

/// What a reviewer found.
package enum EmergencyOutcome: UInt8, Hashable, CaseIterable, Sendable, CanonicalCodable {
    case justified = 1
    case unjustified = 2

    package var name: String {
        switch self {
        case .justified: "justified"
        case .unjustified: "unjustified"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let outcome = EmergencyOutcome(rawValue: try decoder.decode()) else { throw .invalid }
        self = outcome
    }
}

/// An emergency access as it stands in the state; written twice at most: when opened, and when reviewed.
package struct EmergencyState: Hashable, Sendable {
    /// What the reviewer wrote down, and when.
    package struct Review: Hashable, Sendable, CanonicalCodable {
        package var outcome: EmergencyOutcome
        package var reviewer: VerifyingKey
        package var height: Height
        package var time: Timestamp

        package init(outcome: EmergencyOutcome, reviewer: VerifyingKey, height: Height, time: Timestamp) {
            self.outcome = outcome
            self.reviewer = reviewer
            self.height = height
            self.time = time
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.outcome)
            encoder.encode(self.reviewer)
            encoder.encode(self.height)
            encoder.encode(self.time)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.outcome = try decoder.decode()
            self.reviewer = try decoder.decode()
            self.height = try decoder.decode()
            self.time = try decoder.decode()
        }
    }

    package var opening: BreakGlass
    package var createdHeight: Height
    package var createdTime: Timestamp
    /// `nil` if the ledger ordered it before anything was opened.
    package var offline: Offline?
    /// What was unusual about the number of such accesses when this one was added.
    package var alarms: EmergencyAlarms
    package var review: Review?

    package init(
        opening: BreakGlass,
        createdHeight: Height,
        createdTime: Timestamp,
        offline: Offline? = nil,
        alarms: EmergencyAlarms = [],
        review: Review? = nil
    ) {
        self.opening = opening
        self.createdHeight = createdHeight
        self.createdTime = createdTime
        self.offline = offline
        self.alarms = alarms
        self.review = review
    }

    /// When somebody declared it, which without contact is before the ledger could know.
    package var declaredTime: Timestamp { self.offline?.time ?? self.createdTime }

    package var reviewDeadline: Timestamp {
        self.createdTime.advanced(byMilliseconds: BreakGlass.reviewMilliseconds)
    }

    /// What custodians and readers judge it by: like a grant that ends by itself.
    package var grantState: GrantState {
        GrantState(grant: self.opening.grant, createdHeight: self.createdHeight, createdTime: self.createdTime)
    }
}

extension EmergencyState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.opening)
        encoder.encode(self.createdHeight)
        encoder.encode(self.createdTime)
        encoder.encode(self.offline)
        encoder.encode(self.alarms)
        encoder.encode(self.review)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.opening = try decoder.decode()
        self.createdHeight = try decoder.decode()
        self.createdTime = try decoder.decode()
        self.offline = try decoder.decodeOptional()
        self.alarms = try decoder.decode()
        self.review = try decoder.decodeOptional()
    }
}

/// Emergency accesses of an institution, counted apart from everything that patients granted.
package struct EmergencyCounts: Hashable, Sendable, CanonicalCodable {
    package var opened: UInt64
    package var justified: UInt64
    package var unjustified: UInt64
    /// Of those opened: declared without contact to the ledger.
    package var offline: UInt64
    /// Of those opened: more than usual for the clinician or the institution.
    package var alarming: UInt64

    package init(
        opened: UInt64 = 0,
        justified: UInt64 = 0,
        unjustified: UInt64 = 0,
        offline: UInt64 = 0,
        alarming: UInt64 = 0
    ) {
        self.opened = opened
        self.justified = justified
        self.unjustified = unjustified
        self.offline = offline
        self.alarming = alarming
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.opened)
        encoder.encode(self.justified)
        encoder.encode(self.unjustified)
        encoder.encode(self.offline)
        encoder.encode(self.alarming)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.opened = try decoder.decode()
        self.justified = try decoder.decode()
        self.unjustified = try decoder.decode()
        self.offline = try decoder.decode()
        self.alarming = try decoder.decode()
    }
}
