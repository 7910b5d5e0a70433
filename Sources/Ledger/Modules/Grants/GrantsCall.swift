package import Primitives
package import Records

/// Who may read whose exams: enrolment of patients' keys, grants and their end.
package enum GrantsCall: Hashable, Sendable {
    /// Signed by the institution that checked the identity and by the key, which so proves that it is held.
    case enrolPatient(Enrolment)
    /// Signed by the patient's key or by the witness.
    case createGrant(AccessGrant)
    /// Signed by whoever signed the grant.
    case revokeGrant(GrantID)

    package func execute(in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch self {
        case .enrolPatient(let enrolment): try Self.enrol(enrolment, in: &context)
        case .createGrant(let grant): try Self.create(grant, in: &context)
        case .revokeGrant(let id): try Self.revoke(id, in: &context)
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
        }
        try Self.checkPeriodAndScope(grant, context)
        guard !grant.grantees.isEmpty else { throw TransactionRefusal(.grantNoGrantee) }
        for grantee in grant.grantees where try !context.exists(.institution(grantee)) {
            throw TransactionRefusal(.grantUnknownGrantee, detail: grantee.text)
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
        guard var state: GrantState = try context.value(at: .grant(id)) else {
            throw TransactionRefusal(.grantUnknown)
        }
        try context.require(signers: [Self.signer(of: state.grant.grantor)], else: .grantWrongSigner)
        guard state.revokedHeight == nil else { throw TransactionRefusal(.grantAlreadyRevoked) }
        state.revokedHeight = context.height
        state.revokedTime = context.time
        try context.write(state, at: .grant(id))
        context.emit(.grantRevoked(id, state))
    }

    private static func signer(of grantor: AccessGrant.Grantor) -> Signer {
        switch grantor {
        case .patient(let key): .key(key)
        case .witness(let institution, _): .institution(institution)
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
        }
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        switch try decoder.decodeVariant(count: 3) {
        case 0: self = .enrolPatient(try decoder.decode())
        case 1: self = .createGrant(try decoder.decode())
        default: self = .revokeGrant(try decoder.decode())
        }
    }
}
