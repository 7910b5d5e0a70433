package import Primitives
package import Records

/// A declaration about a patient's life as it stands in the state; written twice at most.
package struct LifeEventState: Hashable, Sendable {
    package var event: LifeEvent
    package var height: Height
    package var time: Timestamp
    /// Where its institution took it back as an error: it counts for nothing from this block on.
    package var withdrawnHeight: Height?

    package init(event: LifeEvent, height: Height, time: Timestamp, withdrawnHeight: Height? = nil) {
        self.event = event
        self.height = height
        self.time = time
        self.withdrawnHeight = withdrawnHeight
    }

    /// Whether it counts after block `height`.
    package func isStanding(at height: Height) -> Bool {
        self.height <= height && self.withdrawnHeight.map { height < $0 } ?? true
    }

    /// Whether the declarations about a patient let a delegate of that patient speak after block `height`.
    ///
    /// Nobody speaks after a death; a guardian not after a change of custody that came after the appointment; a statutory
    /// delegate only while the newest of incapacity and recovery is incapacity.
    package static func allow(_ delegation: DelegationState, under events: [LifeEventState], at height: Height) -> Bool
    {
        let standing = events.filter { $0.isStanding(at: height) }
        guard !standing.contains(where: { $0.event.kind == .death }) else { return false }
        switch delegation.delegation.capacity {
        case .proxy: return true
        case .guardian:
            return !standing.contains { $0.event.kind == .custody && delegation.createdHeight <= $0.height }
        case .statutory:
            let newest = standing.filter { $0.event.kind == .incapacity || $0.event.kind == .recovery }
                .max { Self.precedes($0, $1) }
            return newest?.event.kind == .incapacity
        }
    }

    /// In one block a recovery counts as the later: then the patient decides.
    private static func precedes(_ left: LifeEventState, _ right: LifeEventState) -> Bool {
        (left.height, left.event.kind.rawValue) < (right.height, right.event.kind.rawValue)
    }
}

extension LifeEventState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.event)
        encoder.encode(self.height)
        encoder.encode(self.time)
        encoder.encode(self.withdrawnHeight)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.event = try decoder.decode()
        self.height = try decoder.decode()
        self.time = try decoder.decode()
        self.withdrawnHeight = try decoder.decodeOptional()
    }
}

/// What became of a guardian's objection.
package enum ObjectionOutcome: UInt8, Hashable, CaseIterable, Sendable, CanonicalCodable {
    /// The grant stays without effect.
    case upheld = 1
    /// The grant holds.
    case dismissed = 2

    package var name: String {
        switch self {
        case .upheld: "upheld"
        case .dismissed: "dismissed"
        }
    }

    package init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.rawValue) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        guard let outcome = Self(rawValue: try decoder.decode()) else { throw .invalid }
        self = outcome
    }
}

/// An objection of one guardian to another's grant, as it stands in the state.
package struct ObjectionState: Hashable, Sendable {
    /// The decision on it and its block.
    package struct Decision: Hashable, Sendable, CanonicalCodable {
        package var outcome: ObjectionOutcome
        package var institution: InstitutionID
        package var height: Height

        package init(outcome: ObjectionOutcome, institution: InstitutionID, height: Height) {
            self.outcome = outcome
            self.institution = institution
            self.height = height
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.outcome)
            encoder.encode(self.institution)
            encoder.encode(self.height)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.outcome = try decoder.decode()
            self.institution = try decoder.decode()
            self.height = try decoder.decode()
        }
    }

    /// The objecting guardian's.
    package var delegation: DelegationID
    package var height: Height
    package var decision: Decision?

    package init(delegation: DelegationID, height: Height, decision: Decision? = nil) {
        self.delegation = delegation
        self.height = height
        self.decision = decision
    }

    /// Whether it holds the grant up after block `height`: it waits for a decision, or was upheld.
    package func isStanding(at height: Height) -> Bool {
        guard self.height <= height else { return false }
        guard let decision = self.decision, decision.height <= height else { return true }
        return decision.outcome == .upheld
    }
}

extension ObjectionState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.delegation)
        encoder.encode(self.height)
        encoder.encode(self.decision)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.delegation = try decoder.decode()
        self.height = try decoder.decode()
        self.decision = try decoder.decodeOptional()
    }
}

/// The objections to one grant, oldest first.
package struct Objections: Hashable, Sendable, CanonicalCodable {
    /// More guardians of one child than there are.
    package static let countMax = 8

    package var list: [ObjectionState]

    package init(list: [ObjectionState] = []) { self.list = list }

    package func encode(into encoder: inout CanonicalEncoder) { encoder.encode(self.list) }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.list = try decoder.decodeArray(max: Self.countMax)
    }
}

/// An objection together with who objects, for whoever knows that it is about the same child.
package struct GuardianObjection: Sendable {
    package var objection: ObjectionState
    package var guardian: DelegationState

    package init(objection: ObjectionState, guardian: DelegationState) {
        self.objection = objection
        self.guardian = guardian
    }

    func isStanding(at height: Height) -> Bool { self.objection.isStanding(at: height) }
}

extension DelegationsCall {
    static func declare(_ event: LifeEvent, in context: inout ExecutionContext) throws(TransactionRefusal) {
        try context.require(signers: [.institution(event.institution)], else: .lifeEventWrongSigner)
        guard try context.exists(.institution(event.institution)) else {
            throw TransactionRefusal(.lifeEventWrongSigner)
        }
        let key = StateKey.lifeEvent(event.id)
        guard try !context.exists(key) else { throw TransactionRefusal(.lifeEventExists) }
        try context.write(LifeEventState(event: event, height: context.height, time: context.time), at: key)
    }

    static func withdraw(_ id: LifeEventID, in context: inout ExecutionContext) throws(TransactionRefusal) {
        guard var state: LifeEventState = try context.value(at: .lifeEvent(id)) else {
            throw TransactionRefusal(.lifeEventUnknown)
        }
        try context.require(signers: [.institution(state.event.institution)], else: .lifeEventWrongSigner)
        guard state.withdrawnHeight == nil else { throw TransactionRefusal(.lifeEventWithdrawn) }
        state.withdrawnHeight = context.height
        try context.write(state, at: .lifeEvent(id))
    }

    /// Whether both guardians speak of one child is sealed in their handles: those who know the child judge it, and to
    /// nobody else the objection means anything.
    static func object(
        _ grant: GrantID,
        _ id: DelegationID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        guard let delegation: DelegationState = try context.value(at: .delegation(id)),
            delegation.delegation.capacity == .guardian
        else { throw TransactionRefusal(.objectionNotGuardian) }
        try context.require(signers: [.key(delegation.delegation.delegate)], else: .objectionWrongSigner)
        guard delegation.holds(at: context.height, time: context.time) else {
            throw TransactionRefusal(.objectionNotGuardian)
        }
        guard let state: GrantState = try context.value(at: .grant(grant)),
            case .delegate(_, let granted) = state.grant.grantor, granted != id,
            let other: DelegationState = try context.value(at: .delegation(granted)),
            other.delegation.capacity == .guardian
        else { throw TransactionRefusal(.objectionNotGuardiansGrant) }
        var objections = try context.value(Objections.self, at: .objections(grant)) ?? Objections()
        guard !objections.list.contains(where: { $0.delegation == id }), objections.list.count < Objections.countMax
        else { throw TransactionRefusal(.objectionExists) }
        objections.list.append(ObjectionState(delegation: id, height: context.height))
        try context.write(objections, at: .objections(grant))
    }

    /// By an institution that appointed one of the two guardians: it saw the papers.
    static func decide(
        _ grant: GrantID,
        _ id: DelegationID,
        _ outcome: ObjectionOutcome,
        _ institution: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try context.require(signers: [.institution(institution)], else: .objectionWrongSigner)
        guard var objections: Objections = try context.value(at: .objections(grant)),
            let index = objections.list.firstIndex(where: { $0.delegation == id }),
            let state: GrantState = try context.value(at: .grant(grant)),
            case .delegate(_, let granted) = state.grant.grantor
        else { throw TransactionRefusal(.objectionUnknown) }
        var isAppointer = false
        for delegation in [id, granted] {
            let known: DelegationState? = try context.value(at: .delegation(delegation))
            if known?.delegation.principal == .witness(institution) { isAppointer = true }
        }
        guard isAppointer else { throw TransactionRefusal(.objectionWrongSigner) }
        guard objections.list[index].decision == nil else { throw TransactionRefusal(.objectionDecided) }
        objections.list[index].decision = ObjectionState.Decision(
            outcome: outcome,
            institution: institution,
            height: context.height
        )
        try context.write(objections, at: .objections(grant))
    }
}

extension StateKey {
    package static func lifeEvent(_ id: LifeEventID) -> StateKey { StateKey(.delegations, tag: 2, id) }

    package static func objections(_ id: GrantID) -> StateKey { StateKey(.delegations, tag: 3, id) }
}

extension StateReading {
    package func lifeEvent(_ id: LifeEventID) -> LifeEventState? { self.value(at: .lifeEvent(id)) }

    /// The objections of guardians to a grant, oldest first.
    package func objections(to grant: GrantID) -> [ObjectionState] {
        self.value(Objections.self, at: .objections(grant))?.list ?? []
    }
}
