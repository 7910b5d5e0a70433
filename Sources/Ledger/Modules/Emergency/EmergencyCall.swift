package import Primitives
package import Records

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
    /// An entry of an institution's local chain, in its order; signed by the institution.
    case reconcile(OfflineEntry)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .open(let opening): try Self.open(opening, in: &context)
        case .review(let id, let outcome, let reviewer): try Self.review(id, outcome, reviewer, in: &context)
        case .reconcile(let entry): try Self.reconcile(entry, in: &context)
        }
    }

    private static func open(_ opening: BreakGlass, in context: inout ExecutionContext) throws(TransactionRefusal) {
        let institution = try Self.checkShape(opening)
        var signers: [Signer] = [.institution(institution), .key(opening.clinician)]
        if let approver = opening.approver { signers.append(.key(approver)) }
        try context.require(signers: signers, else: .emergencyWrongSigner)
        guard try context.exists(.institution(institution)) else { throw TransactionRefusal(.emergencyWrongSigner) }
        try Self.checkPeriod(opening.grant, around: context.time)
        try Self.checkSizes(opening)
        if let id = opening.widens {
            guard let first: EmergencyState = try context.value(at: .emergency(id)),
                first.opening.user == opening.user, first.opening.grant.grantor == opening.grant.grantor,
                first.opening.grant.handle == opening.grant.handle, context.time < first.opening.grant.notAfter
            else { throw TransactionRefusal(.emergencyNothingToWiden) }
        }
        try Self.checkFree(opening, at: institution, in: &context)
        let state = EmergencyState(opening: opening, createdHeight: context.height, createdTime: context.time)
        try Self.add(state, at: institution, in: &context)
    }

    /// An emergency grants one institution, and the second person is another; returns the institution.
    static func checkShape(_ opening: BreakGlass) throws(TransactionRefusal) -> InstitutionID {
        let grant = opening.grant
        guard case .emergency(let institution) = grant.grantor, grant.grantees == [institution], grant.groups.isEmpty,
            grant.custodians.isEmpty
        else { throw TransactionRefusal(.emergencyBadGrant) }
        guard opening.approver != opening.clinician else { throw TransactionRefusal(.emergencySelfApproved) }
        return institution
    }

    static func checkSizes(_ opening: BreakGlass) throws(TransactionRefusal) {
        guard opening.grant.sealedScope.count == AccessGrant.sealedScopeBytes,
            opening.sealedStatement.count == AccessGrant.sealedScopeBytes
        else { throw TransactionRefusal(.emergencyBadScope) }
    }

    /// Four hours at most, from about `time` on.
    static func checkPeriod(_ grant: AccessGrant, around time: Timestamp) throws(TransactionRefusal) {
        let (period, overflow) = grant.notAfter.milliseconds.subtractingReportingOverflow(grant.notBefore.milliseconds)
        let (lag, lagOverflow) = grant.notBefore.milliseconds.subtractingReportingOverflow(time.milliseconds)
        guard !overflow, !lagOverflow, period > 0, period <= BreakGlass.periodMillisecondsMax,
            (-Self.startToleranceMilliseconds...Self.startToleranceMilliseconds).contains(lag)
        else { throw TransactionRefusal(.emergencyBadPeriod) }
    }

    /// Whether the clinician may open: no earlier case waits for its review for too long, and not too many wait.
    private static func checkFree(
        _ opening: BreakGlass,
        at institution: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        let open = try context.value(OpenCases.self, at: .emergencyUser(institution, opening.user)) ?? OpenCases()
        guard open.cases.allSatisfy({ context.time < $0.deadline }) else {
            throw TransactionRefusal(.emergencyReviewOverdue)
        }
        guard open.cases.count < Self.openCasesMax else { throw TransactionRefusal(.emergencyTooManyOpen) }
    }

    /// Writes a case down and counts it.
    static func add(
        _ state: EmergencyState,
        at institution: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        var state = state
        let (id, user) = (state.opening.grant.id, state.opening.user)
        guard try !context.exists(.emergency(id)) else { throw TransactionRefusal(.emergencyExists) }
        let place = StateKey.emergencyUser(institution, user)
        var open = try context.value(OpenCases.self, at: place) ?? OpenCases()
        guard open.cases.count < OpenCases.casesMax else { throw TransactionRefusal(.emergencyTooManyOpen) }
        open.cases.append(OpenCases.Case(id: id, deadline: state.reviewDeadline))
        try context.write(open, at: place)
        // A widening is a second act on one patient, not another patient.
        if state.opening.widens == nil {
            let time = state.declaredTime
            if try Self.count(time, at: .emergencyRate(institution, user), .user, in: &context) {
                state.alarms.insert(.user)
            }
            if try Self.count(time, at: .emergencyRate(institution, nil), .institution, in: &context) {
                state.alarms.insert(.institution)
            }
        }
        var counts = try context.value(EmergencyCounts.self, at: .emergencyCounts(institution)) ?? EmergencyCounts()
        counts.opened &+= 1
        if state.offline != nil { counts.offline &+= 1 }
        if !state.alarms.isEmpty { counts.alarming &+= 1 }
        try context.write(counts, at: .emergencyCounts(institution))
        try context.write(state, at: .emergency(id))
        context.emit(.emergencyOpened(id, state))
    }

    private static func count(
        _ time: Timestamp,
        at place: StateKey,
        _ threshold: EmergencyRate.Threshold,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> Bool {
        var rate = try context.value(EmergencyRate.self, at: place) ?? EmergencyRate()
        let isUnusual = rate.add(time, threshold)
        try context.write(rate, at: place)
        return isUnusual
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
        case .reconcile(let entry):
            encoder.encode(variant: 2)
            encoder.encode(entry)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 3) {
        case 0: self = .open(try decoder.decode())
        case 1: self = .review(try decoder.decode(), try decoder.decode(), reviewer: try decoder.decode())
        default: self = .reconcile(try decoder.decode())
        }
    }
}

extension StateKey {
    package static func emergency(_ id: GrantID) -> StateKey { StateKey(.emergency, tag: 1, id) }

    static func emergencyUser(_ institution: InstitutionID, _ user: Digest) -> StateKey {
        StateKey(.emergency, tag: 2) { encoder in
            encoder.encode(institution)
            encoder.encode(user)
        }
    }

    package static func emergencyCounts(_ institution: InstitutionID) -> StateKey {
        StateKey(.emergency, tag: 3, institution)
    }

    /// Of one clinician, or of the whole institution.
    static func emergencyRate(_ institution: InstitutionID, _ user: Digest?) -> StateKey {
        StateKey(.emergency, tag: 4) { encoder in
            encoder.encode(institution)
            encoder.encode(user)
        }
    }

    /// How far the institution's local chain is known.
    static func offlineHead(_ institution: InstitutionID) -> StateKey { StateKey(.emergency, tag: 5, institution) }

    /// An entry of a local chain that is known.
    static func offlineEntry(_ institution: InstitutionID, _ entry: Digest) -> StateKey {
        StateKey(.emergency, tag: 6) { encoder in
            encoder.encode(institution)
            encoder.encode(entry)
        }
    }
}

extension StateReading {
    package func emergency(_ id: GrantID) -> EmergencyState? { self.value(at: .emergency(id)) }

    /// Emergency accesses of an institution so far.
    package func emergencyCounts(_ institution: InstitutionID) -> EmergencyCounts {
        self.value(at: .emergencyCounts(institution)) ?? EmergencyCounts()
    }

    /// The cases of a clinician that wait for their review, oldest first.
    package func emergencyCases(_ institution: InstitutionID, _ user: Digest) -> [OpenCases.Case] {
        self.value(OpenCases.self, at: .emergencyUser(institution, user))?.cases ?? []
    }

    package func offlineHead(_ institution: InstitutionID) -> OfflineHead {
        self.value(at: .offlineHead(institution)) ?? OfflineHead()
    }

    /// Whether the ledger has an entry of an institution's local chain.
    package func hasOfflineEntry(_ institution: InstitutionID, _ entry: Digest) -> Bool {
        self.bytes(at: .offlineEntry(institution, entry)) != nil
    }
}
