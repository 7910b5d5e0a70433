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
    package var review: Review?

    package init(opening: BreakGlass, createdHeight: Height, createdTime: Timestamp, review: Review? = nil) {
        self.opening = opening
        self.createdHeight = createdHeight
        self.createdTime = createdTime
        self.review = review
    }

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
        encoder.encode(self.review)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.opening = try decoder.decode()
        self.createdHeight = try decoder.decode()
        self.createdTime = try decoder.decode()
        self.review = try decoder.decodeOptional()
    }
}

/// Emergency accesses of an institution, counted apart from everything that patients granted.
package struct EmergencyCounts: Hashable, Sendable, CanonicalCodable {
    package var opened: UInt64
    package var justified: UInt64
    package var unjustified: UInt64

    package init(opened: UInt64 = 0, justified: UInt64 = 0, unjustified: UInt64 = 0) {
        self.opened = opened
        self.justified = justified
        self.unjustified = unjustified
    }

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.opened)
        encoder.encode(self.justified)
        encoder.encode(self.unjustified)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.opened = try decoder.decode()
        self.justified = try decoder.decode()
        self.unjustified = try decoder.decode()
    }
}

/// A clinician's cases that nobody has reviewed yet.
private struct OpenCases: CanonicalCodable {
    struct Case: CanonicalCodable {
        var id: GrantID
        var deadline: Timestamp

        init(id: GrantID, deadline: Timestamp) {
            self.id = id
            self.deadline = deadline
        }

        func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.id)
            encoder.encode(self.deadline)
        }

        init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.id = try decoder.decode()
            self.deadline = try decoder.decode()
        }
    }

    var cases: [Case]

    init(cases: [Case] = []) { self.cases = cases }

    func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.cases) }

    init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.cases = try decoder.decodeArray(max: EmergencyCall.openCasesMax)
    }
}

/// Emergency access and its review.
package enum EmergencyCall: Hashable, Sendable {
    /// Unreviewed cases that one clinician may have; a hard night in an emergency room has fewer.
    package static let openCasesMax = 16
    /// How far the beginning may lie from the block's time.
    package static let startToleranceMilliseconds: Int64 = 10 * 60 * 1000

    /// Signed by the institution, the clinician and, if there is one, the approver.
    case open(BreakGlass)
    /// Signed by the institution of the case and the reviewer, who is neither clinician nor approver of it.
    case review(GrantID, EmergencyOutcome, reviewer: VerifyingKey)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .open(let opening): try Self.open(opening, in: &context)
        case .review(let id, let outcome, let reviewer): try Self.review(id, outcome, reviewer, in: &context)
        }
    }

    private static func open(_ opening: BreakGlass, in context: inout ExecutionContext) throws(TransactionRefusal) {
        let grant = opening.grant
        guard case .emergency(let institution) = grant.grantor, grant.grantees == [institution], grant.groups.isEmpty,
            grant.custodians.isEmpty
        else { throw TransactionRefusal(.emergencyBadGrant) }
        guard opening.approver != opening.clinician else { throw TransactionRefusal(.emergencySelfApproved) }
        var signers: [Signer] = [.institution(institution), .key(opening.clinician)]
        if let approver = opening.approver { signers.append(.key(approver)) }
        try context.require(signers: signers, else: .emergencyWrongSigner)
        guard try context.exists(.institution(institution)) else { throw TransactionRefusal(.emergencyWrongSigner) }
        try Self.checkPeriod(grant, context.time)
        guard grant.sealedScope.count == AccessGrant.sealedScopeBytes,
            opening.sealedStatement.count == AccessGrant.sealedScopeBytes
        else { throw TransactionRefusal(.emergencyBadScope) }
        if let id = opening.widens {
            guard let first: EmergencyState = try context.value(at: .emergency(id)),
                first.opening.user == opening.user, first.opening.grant.grantor == grant.grantor,
                first.opening.grant.handle == grant.handle, context.time < first.opening.grant.notAfter
            else { throw TransactionRefusal(.emergencyNothingToWiden) }
        }
        let key = StateKey.emergency(grant.id)
        guard try !context.exists(key) else { throw TransactionRefusal(.emergencyExists) }
        let state = EmergencyState(opening: opening, createdHeight: context.height, createdTime: context.time)
        try Self.add(state, institution, in: &context)
        try context.write(state, at: key)
        context.emit(.emergencyOpened(grant.id, state))
    }

    private static func checkPeriod(_ grant: AccessGrant, _ now: Timestamp) throws(TransactionRefusal) {
        let (period, overflow) = grant.notAfter.milliseconds.subtractingReportingOverflow(grant.notBefore.milliseconds)
        let (lag, lagOverflow) = grant.notBefore.milliseconds.subtractingReportingOverflow(now.milliseconds)
        guard !overflow, !lagOverflow, period > 0, period <= BreakGlass.periodMillisecondsMax,
            (-Self.startToleranceMilliseconds...Self.startToleranceMilliseconds).contains(lag)
        else { throw TransactionRefusal(.emergencyBadPeriod) }
    }

    /// Counts the case, unless an earlier one of the clinician waits for its review for too long.
    private static func add(
        _ state: EmergencyState,
        _ institution: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        let place = StateKey.emergencyUser(institution, state.opening.user)
        var open = try context.value(OpenCases.self, at: place) ?? OpenCases()
        guard open.cases.allSatisfy({ context.time < $0.deadline }) else {
            throw TransactionRefusal(.emergencyReviewOverdue)
        }
        guard open.cases.count < Self.openCasesMax else { throw TransactionRefusal(.emergencyTooManyOpen) }
        open.cases.append(OpenCases.Case(id: state.opening.grant.id, deadline: state.reviewDeadline))
        try context.write(open, at: place)
        var counts = try context.value(EmergencyCounts.self, at: .emergencyCounts(institution)) ?? EmergencyCounts()
        counts.opened &+= 1
        try context.write(counts, at: .emergencyCounts(institution))
    }

    private static func review(
        _ id: GrantID,
        _ outcome: EmergencyOutcome,
        _ reviewer: VerifyingKey,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        guard var state: EmergencyState = try context.value(at: .emergency(id)),
            case .emergency(let institution) = state.opening.grant.grantor
        else { throw TransactionRefusal(.emergencyUnknown) }
        try context.require(signers: [.institution(institution), .key(reviewer)], else: .emergencyWrongSigner)
        guard reviewer != state.opening.clinician, reviewer != state.opening.approver else {
            throw TransactionRefusal(.emergencyOwnReview)
        }
        guard state.review == nil else { throw TransactionRefusal(.emergencyReviewed) }
        state.review = EmergencyState.Review(
            outcome: outcome,
            reviewer: reviewer,
            height: context.height,
            time: context.time
        )
        let place = StateKey.emergencyUser(institution, state.opening.user)
        var open = try context.value(OpenCases.self, at: place) ?? OpenCases()
        open.cases.removeAll { $0.id == id }
        try context.write(open, at: place)
        var counts = try context.value(EmergencyCounts.self, at: .emergencyCounts(institution)) ?? EmergencyCounts()
        switch outcome {
        case .justified: counts.justified &+= 1
        case .unjustified: counts.unjustified &+= 1
        }
        try context.write(counts, at: .emergencyCounts(institution))
        try context.write(state, at: .emergency(id))
    }
}

extension EmergencyCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .open(let opening):
            encoder.encode(variant: 0)
            encoder.encode(opening)
        case .review(let id, let outcome, let reviewer):
            encoder.encode(variant: 1)
            encoder.encode(id)
            encoder.encode(outcome)
            encoder.encode(reviewer)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 2) {
        case 0: self = .open(try decoder.decode())
        default: self = .review(try decoder.decode(), try decoder.decode(), reviewer: try decoder.decode())
        }
    }
}

extension StateKey {
    package static func emergency(_ id: GrantID) -> StateKey { StateKey(.emergency, tag: 1, id) }

    fileprivate static func emergencyUser(_ institution: InstitutionID, _ user: Digest) -> StateKey {
        StateKey(.emergency, tag: 2) { encoder in
            encoder.encode(institution)
            encoder.encode(user)
        }
    }

    package static func emergencyCounts(_ institution: InstitutionID) -> StateKey {
        StateKey(.emergency, tag: 3, institution)
    }
}

extension StateReading {
    package func emergency(_ id: GrantID) -> EmergencyState? { self.value(at: .emergency(id)) }

    /// Emergency accesses of an institution so far.
    package func emergencyCounts(_ institution: InstitutionID) -> EmergencyCounts {
        self.value(at: .emergencyCounts(institution)) ?? EmergencyCounts()
    }
}
