package import Primitives
package import Records

/// A delegation as it stands in the state; written twice at most.
package struct DelegationState: Hashable, Sendable {
    package var delegation: Delegation
    package var createdHeight: Height
    package var createdTime: Timestamp
    /// Both or none.
    package var endedHeight: Height?
    package var endedTime: Timestamp?

    package init(
        delegation: Delegation,
        createdHeight: Height,
        createdTime: Timestamp,
        endedHeight: Height? = nil,
        endedTime: Timestamp? = nil
    ) {
        self.delegation = delegation
        self.createdHeight = createdHeight
        self.createdTime = createdTime
        self.endedHeight = endedHeight
        self.endedTime = endedTime
    }

    /// Whether it held in the state after block `height`, at `time`.
    package func holds(at height: Height, time: Timestamp) -> Bool {
        self.createdHeight <= height && self.endedHeight.map { height < $0 } ?? true
            && self.delegation.notBefore <= time && time < self.delegation.notAfter
    }
}

extension DelegationState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.delegation)
        encoder.encode(self.createdHeight)
        encoder.encode(self.createdTime)
        encoder.encode(self.endedHeight)
        encoder.encode(self.endedTime)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.delegation = try decoder.decode()
        self.createdHeight = try decoder.decode()
        self.createdTime = try decoder.decode()
        self.endedHeight = try decoder.decodeOptional()
        self.endedTime = try decoder.decodeOptional()
        guard (self.endedHeight == nil) == (self.endedTime == nil) else { throw .invalid }
    }
}

/// Who may speak for a patient.
package enum DelegationsCall: Hashable, Sendable {
    /// Signed by the principal.
    case create(Delegation)
    /// Signed by the principal, by a key that is enrolled for the same patient, or by the delegate.
    case end(DelegationID)
    /// Signed by the institution that saw the papers.
    case declare(LifeEvent)
    /// Signed by the institution that declared.
    case withdraw(LifeEventID)
    /// A guardian, by a delegation, objects to another guardian's grant; signed by the guardian's key.
    case object(GrantID, by: DelegationID)
    /// Signed by an institution that appointed one of the two guardians.
    case decide(GrantID, DelegationID, ObjectionOutcome, by: InstitutionID)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .create(let delegation): try Self.create(delegation, in: &context)
        case .end(let id): try Self.end(id, in: &context)
        case .declare(let event): try Self.declare(event, in: &context)
        case .withdraw(let id): try Self.withdraw(id, in: &context)
        case .object(let grant, let id): try Self.object(grant, id, in: &context)
        case .decide(let grant, let id, let outcome, let institution):
            try Self.decide(grant, id, outcome, institution, in: &context)
        }
    }

    private static func create(
        _ delegation: Delegation,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try context.require(signers: [Self.signer(delegation.principal)], else: .delegationWrongSigner)
        switch delegation.principal {
        case .patient(let key):
            // A delegate's key is enrolled for the delegate, not for the patient: so nobody hands on what was lent.
            guard let enrolment: Enrolment = try context.value(at: .enrolment(key)) else {
                throw TransactionRefusal(.delegationNotPatientKey)
            }
            guard enrolment.handle == delegation.handle, enrolment.salt == delegation.salt,
                enrolment.bucket == delegation.bucket
            else { throw TransactionRefusal(.delegationWrongPatient) }
        case .witness(let institution):
            guard try context.exists(.institution(institution)) else {
                throw TransactionRefusal(.delegationUnknownWitness)
            }
        }
        guard let delegate: Enrolment = try context.value(at: .enrolment(delegation.delegate)) else {
            throw TransactionRefusal(.delegationUnknownDelegate)
        }
        guard delegate.handle != delegation.handle else { throw TransactionRefusal(.delegationToSelf) }
        let (period, overflow) = delegation.notAfter.milliseconds
            .subtractingReportingOverflow(delegation.notBefore.milliseconds)
        guard !overflow, period > 0, period <= AccessGrant.periodMillisecondsMax, delegation.notAfter > context.time
        else { throw TransactionRefusal(.delegationBadPeriod) }
        guard delegation.sealedScope.count == AccessGrant.sealedScopeBytes else {
            throw TransactionRefusal(.delegationBadScope)
        }
        let id = delegation.id
        guard try !context.exists(.delegation(id)) else { throw TransactionRefusal(.delegationExists) }
        let state = DelegationState(
            delegation: delegation,
            createdHeight: context.height,
            createdTime: context.time
        )
        try context.write(state, at: .delegation(id))
    }

    private static func end(_ id: DelegationID, in context: inout ExecutionContext) throws(TransactionRefusal) {
        guard var state: DelegationState = try context.value(at: .delegation(id)) else {
            throw TransactionRefusal(.delegationUnknown)
        }
        guard context.signers.count == 1, let signer = context.signers.first,
            try Self.mayEnd(state.delegation, signer, in: &context)
        else { throw TransactionRefusal(.delegationWrongSigner) }
        guard state.endedHeight == nil else { throw TransactionRefusal(.delegationAlreadyEnded) }
        state.endedHeight = context.height
        state.endedTime = context.time
        try context.write(state, at: .delegation(id))
    }

    private static func mayEnd(
        _ delegation: Delegation,
        _ signer: Signer,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> Bool {
        if signer == Self.signer(delegation.principal) || signer == .key(delegation.delegate) { return true }
        guard case .key(let key) = signer, let enrolment: Enrolment = try context.value(at: .enrolment(key)) else {
            return false
        }
        return enrolment.handle == delegation.handle
    }

    private static func signer(_ principal: Delegation.Principal) -> Signer {
        switch principal {
        case .patient(let key): .key(key)
        case .witness(let institution): .institution(institution)
        }
    }
}

extension DelegationsCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .create(let delegation):
            encoder.encode(variant: 0)
            encoder.encode(delegation)
        case .end(let id):
            encoder.encode(variant: 1)
            encoder.encode(id)
        case .declare(let event):
            encoder.encode(variant: 2)
            encoder.encode(event)
        case .withdraw(let id):
            encoder.encode(variant: 3)
            encoder.encode(id)
        case .object(let grant, let id):
            encoder.encode(variant: 4)
            encoder.encode(grant)
            encoder.encode(id)
        case .decide(let grant, let id, let outcome, let institution):
            encoder.encode(variant: 5)
            encoder.encode(grant)
            encoder.encode(id)
            encoder.encode(outcome)
            encoder.encode(institution)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 6) {
        case 0: self = .create(try decoder.decode())
        case 1: self = .end(try decoder.decode())
        case 2: self = .declare(try decoder.decode())
        case 3: self = .withdraw(try decoder.decode())
        case 4: self = .object(try decoder.decode(), by: try decoder.decode())
        default:
            self = .decide(
                try decoder.decode(),
                try decoder.decode(),
                try decoder.decode(),
                by: try decoder.decode()
            )
        }
    }
}

extension StateKey {
    package static func delegation(_ id: DelegationID) -> StateKey { StateKey(.delegations, tag: 1, id) }
}

extension StateReading {
    package func delegation(_ id: DelegationID) -> DelegationState? { self.value(at: .delegation(id)) }
}
