package import Primitives
package import Records

/// Who may read whose exams: enrolment of patients' keys, grants and their end.
package enum GrantsCall: Hashable, Sendable {
    /// Signed by the institution that checked the identity and by the key, which so proves that it is held.
    case enrolPatient(Enrolment)
    /// Signed by the patient's key or by the witness.
    case createGrant(AccessGrant)
    /// Signed by whoever signed the grant, or by a key that is enrolled for the same patient.
    case revokeGrant(GrantID)
    /// A partial revocation; signed like a revocation.
    case narrowGrant(GrantID, Narrowing)
    /// Signed by the institution that will keep the list.
    case createGroup(GroupID, keeper: InstitutionID)
    case changeGroup(GroupChange)
    /// Signed by the institution that refers.
    case openReferral(Referral)
    /// Signed by either institution of it.
    case closeReferral(ReferralID, by: InstitutionID)
    /// Signed by the patient's key or by a witness.
    case chooseDiscovery(DiscoveryChoice)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .enrolPatient(let enrolment): try Self.enrol(enrolment, in: &context)
        case .createGrant(let grant): try Self.create(grant, in: &context)
        case .revokeGrant(let id): try Self.revoke(id, in: &context)
        case .narrowGrant(let id, let narrowing): try Self.narrow(id, narrowing, in: &context)
        case .createGroup(let id, let keeper): try Self.createGroup(id, keeper, in: &context)
        case .changeGroup(let change): try Self.change(change, in: &context)
        case .openReferral(let referral): try Self.open(referral, in: &context)
        case .closeReferral(let id, let signer): try Self.close(id, signer, in: &context)
        case .chooseDiscovery(let choice): try Self.choose(choice, in: &context)
        }
    }

    private static func enrol(
        _ enrolment: Enrolment,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        let signers: [Signer] = [.institution(enrolment.institution), .key(enrolment.key)]
        try context.require(signers: signers, else: .enrolmentWrongSigner)
        guard try context.exists(.institution(enrolment.institution)) else {
            throw TransactionRefusal(.enrolmentUnknownInstitution)
        }
        guard try !context.exists(.enrolment(enrolment.key)) else { throw TransactionRefusal(.enrolmentExists) }
        try context.write(enrolment, at: .enrolment(enrolment.key))
        context.emit(.patientEnrolled(enrolment))
    }

    private static func create(_ grant: AccessGrant, in context: inout ExecutionContext) throws(TransactionRefusal) {
        let signer = Self.signer(of: grant.grantor)
        try context.require(signers: [signer], else: .grantWrongSigner)
        try Self.checkGrantor(grant, in: &context)
        try Self.checkPeriodAndScope(grant, context)
        guard !grant.grantees.isEmpty || !grant.groups.isEmpty else { throw TransactionRefusal(.grantNoGrantee) }
        for grantee in grant.grantees where try !context.exists(.institution(grantee)) {
            throw TransactionRefusal(.grantUnknownGrantee, detail: grantee.text)
        }
        for group in grant.groups where try !context.exists(.group(group)) {
            throw TransactionRefusal(.grantUnknownGroup, detail: group.text)
        }
        for custodian in grant.custodians where try !context.exists(.institution(custodian)) {
            throw TransactionRefusal(.grantUnknownCustodian, detail: custodian.text)
        }
        let id = grant.id
        guard try !context.exists(.grant(id)) else { throw TransactionRefusal(.grantExists) }
        let state = GrantState(grant: grant, createdHeight: context.height, createdTime: context.time)
        try context.write(state, at: .grant(id))
        context.emit(.grantCreated(id, state))
    }

    private static func checkGrantor(
        _ grant: AccessGrant,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        switch grant.grantor {
        case .patient(let key):
            guard let enrolment: Enrolment = try context.value(at: .enrolment(key)) else {
                throw TransactionRefusal(.grantNotPatientKey)
            }
            guard enrolment.handle == grant.handle, enrolment.salt == grant.salt, enrolment.bucket == grant.bucket
            else { throw TransactionRefusal(.grantWrongPatient) }
        case .witness(let witness, _):
            guard try context.exists(.institution(witness)) else { throw TransactionRefusal(.grantUnknownWitness) }
            guard context.parameters.allowsSelfWitnessedGrants || !grant.grantees.contains(witness) else {
                throw TransactionRefusal(.grantSelfWitness)
            }
        // What nobody granted is opened by the emergency module, under its own rules.
        case .emergency: throw TransactionRefusal(.grantWrongSigner)
        case .delegate(let key, let id):
            guard let state: DelegationState = try context.value(at: .delegation(id)),
                state.delegation.delegate == key, state.delegation.handle == grant.handle,
                state.delegation.salt == grant.salt, state.delegation.bucket == grant.bucket
            else { throw TransactionRefusal(.grantNotDelegate) }
            guard state.holds(at: context.height, time: context.time) else {
                throw TransactionRefusal(.grantDelegationOver)
            }
            guard state.delegation.notBefore <= grant.notBefore, grant.notAfter <= state.delegation.notAfter else {
                throw TransactionRefusal(.grantOutsideDelegation)
            }
        }
    }

    private static func checkPeriodAndScope(
        _ grant: AccessGrant,
        _ context: ExecutionContext
    ) throws(TransactionRefusal) {
        let (period, overflow) = grant.notAfter.milliseconds.subtractingReportingOverflow(grant.notBefore.milliseconds)
        guard !overflow, period > 0, period <= AccessGrant.periodMillisecondsMax else {
            throw TransactionRefusal(.grantBadPeriod)
        }
        guard grant.notAfter > context.time else { throw TransactionRefusal(.grantOver) }
        guard grant.sealedScope.count == AccessGrant.sealedScopeBytes else { throw TransactionRefusal(.grantBadScope) }
    }

    private static func revoke(_ id: GrantID, in context: inout ExecutionContext) throws(TransactionRefusal) {
        var state = try Self.endable(id, in: &context)
        state.revokedHeight = context.height
        state.revokedTime = context.time
        try context.write(state, at: .grant(id))
        context.emit(.grantRevoked(id, state))
    }

    private static func narrow(
        _ id: GrantID,
        _ narrowing: Narrowing,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        var state = try Self.endable(id, in: &context)
        guard narrowing.sealedScope.count == AccessGrant.sealedScopeBytes else {
            throw TransactionRefusal(.grantBadScope)
        }
        guard state.narrowings.count < GrantState.narrowingsMax else {
            throw TransactionRefusal(.grantTooManyNarrowings)
        }
        state.narrowings.append(GrantState.Narrowed(narrowing: narrowing, height: context.height))
        try context.write(state, at: .grant(id))
        context.emit(.grantNarrowed(id, state))
    }

    /// A grant that is not over, and that the signer may end.
    ///
    /// The patient may always: by any key that is enrolled under the handle, so that a lost key locks nobody out, and
    /// also where a delegate granted. Who appointed the delegate may as well.
    private static func endable(
        _ id: GrantID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> GrantState {
        guard let state: GrantState = try context.value(at: .grant(id)) else {
            throw TransactionRefusal(.grantUnknown)
        }
        guard context.signers.count == 1, let signer = context.signers.first,
            try Self.mayEnd(state.grant, signer, in: &context)
        else { throw TransactionRefusal(.grantWrongSigner) }
        guard state.revokedHeight == nil else { throw TransactionRefusal(.grantAlreadyRevoked) }
        return state
    }

    private static func mayEnd(
        _ grant: AccessGrant,
        _ signer: Signer,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) -> Bool {
        if signer == Self.signer(of: grant.grantor) { return true }
        switch signer {
        case .key(let key):
            guard let enrolment: Enrolment = try context.value(at: .enrolment(key)) else { return false }
            return enrolment.handle == grant.handle
        case .institution(let institution):
            guard case .delegate(_, let id) = grant.grantor,
                let state: DelegationState = try context.value(at: .delegation(id))
            else { return false }
            return state.delegation.principal == .witness(institution)
        }
    }

    private static func signer(of grantor: AccessGrant.Grantor) -> Signer {
        switch grantor {
        case .patient(let key), .delegate(let key, _): .key(key)
        case .witness(let institution, _), .emergency(let institution): .institution(institution)
        }
    }
}

extension GrantsCall: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        switch self {
        case .enrolPatient(let enrolment):
            encoder.encode(variant: 0)
            encoder.encode(enrolment)
        case .createGrant(let grant):
            encoder.encode(variant: 1)
            encoder.encode(grant)
        case .revokeGrant(let id):
            encoder.encode(variant: 2)
            encoder.encode(id)
        case .narrowGrant(let id, let narrowing):
            encoder.encode(variant: 3)
            encoder.encode(id)
            encoder.encode(narrowing)
        case .createGroup(let id, let keeper):
            encoder.encode(variant: 4)
            encoder.encode(id)
            encoder.encode(keeper)
        case .changeGroup(let change):
            encoder.encode(variant: 5)
            encoder.encode(change)
        case .openReferral(let referral):
            encoder.encode(variant: 6)
            encoder.encode(referral)
        case .closeReferral(let id, let signer):
            encoder.encode(variant: 7)
            encoder.encode(id)
            encoder.encode(signer)
        case .chooseDiscovery(let choice):
            encoder.encode(variant: 8)
            encoder.encode(choice)
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 9) {
        case 0: self = .enrolPatient(try decoder.decode())
        case 1: self = .createGrant(try decoder.decode())
        case 2: self = .revokeGrant(try decoder.decode())
        case 3: self = .narrowGrant(try decoder.decode(), try decoder.decode())
        case 4: self = .createGroup(try decoder.decode(), keeper: try decoder.decode())
        case 5: self = .changeGroup(try decoder.decode())
        case 6: self = .openReferral(try decoder.decode())
        case 7: self = .closeReferral(try decoder.decode(), by: try decoder.decode())
        default: self = .chooseDiscovery(try decoder.decode())
        }
    }
}
