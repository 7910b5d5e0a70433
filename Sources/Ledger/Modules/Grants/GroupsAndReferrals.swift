import Primitives
import Records

/// Groups of institutions, referrals, and whether a patient is listed: what grants lean on.
extension GrantsCall {
    static func createGroup(
        _ id: GroupID,
        _ keeper: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try context.require(signers: [.institution(keeper)], else: .groupWrongSigner)
        guard try context.exists(.institution(keeper)) else {
            throw TransactionRefusal(.groupUnknownMember, detail: keeper.text)
        }
        guard try !context.exists(.group(id)) else { throw TransactionRefusal(.groupExists) }
        let own = GroupState.Membership(institution: keeper, since: context.height)
        try context.write(GroupState(id: id, keeper: keeper, memberships: [own]), at: .group(id))
        context.emit(.groupChanged(id))
    }

    static func change(_ change: GroupChange, in context: inout ExecutionContext) throws(TransactionRefusal) {
        try context.require(signers: [.institution(change.signer)], else: .groupWrongSigner)
        guard var state: GroupState = try context.value(at: .group(change.group)) else {
            throw TransactionRefusal(.groupUnknown)
        }
        let isLeaving = change.added.isEmpty && change.removed == [change.signer]
        guard change.signer == state.keeper || isLeaving else { throw TransactionRefusal(.groupWrongSigner) }
        guard !change.added.isEmpty || !change.removed.isEmpty else { throw TransactionRefusal(.groupNoChange) }
        let height = context.height
        for institution in change.added {
            guard try context.exists(.institution(institution)) else {
                throw TransactionRefusal(.groupUnknownMember, detail: institution.text)
            }
            guard !state.isMember(institution, at: height), !change.removed.contains(institution) else {
                throw TransactionRefusal(.groupNoChange, detail: institution.text)
            }
            state.memberships.append(GroupState.Membership(institution: institution, since: height))
        }
        for institution in change.removed {
            let index = state.memberships.firstIndex { $0.institution == institution && $0.until == nil }
            guard let index else { throw TransactionRefusal(.groupNoChange, detail: institution.text) }
            state.memberships[index].until = height
        }
        guard state.memberships.count <= GroupState.membershipsMax else {
            throw TransactionRefusal(.groupTooManyMembers)
        }
        try context.write(state, at: .group(change.group))
        context.emit(.groupChanged(change.group))
    }

    static func open(_ referral: Referral, in context: inout ExecutionContext) throws(TransactionRefusal) {
        try context.require(signers: [.institution(referral.from)], else: .referralWrongSigner)
        for institution in [referral.from, referral.to] where try !context.exists(.institution(institution)) {
            throw TransactionRefusal(.referralUnknownInstitution, detail: institution.text)
        }
        let key = StateKey.referral(referral.id)
        guard try !context.exists(key) else { throw TransactionRefusal(.referralExists) }
        try context.write(ReferralState(referral: referral, openedHeight: context.height), at: key)
    }

    static func close(
        _ id: ReferralID,
        _ signer: InstitutionID,
        in context: inout ExecutionContext
    ) throws(TransactionRefusal) {
        try context.require(signers: [.institution(signer)], else: .referralWrongSigner)
        guard var state: ReferralState = try context.value(at: .referral(id)) else {
            throw TransactionRefusal(.referralUnknown)
        }
        guard signer == state.referral.from || signer == state.referral.to else {
            throw TransactionRefusal(.referralWrongSigner)
        }
        guard state.closedHeight == nil else { throw TransactionRefusal(.referralAlreadyClosed) }
        state.closedHeight = context.height
        try context.write(state, at: .referral(id))
    }

    static func choose(_ choice: DiscoveryChoice, in context: inout ExecutionContext) throws(TransactionRefusal) {
        switch choice.principal {
        case .patient(let key):
            try context.require(signers: [.key(key)], else: .discoveryWrongSigner)
            guard let enrolment: Enrolment = try context.value(at: .enrolment(key)), enrolment.handle == choice.handle,
                enrolment.salt == choice.salt, enrolment.bucket == choice.bucket
            else { throw TransactionRefusal(.discoveryWrongPatient) }
        case .witness(let institution):
            try context.require(signers: [.institution(institution)], else: .discoveryWrongSigner)
            guard try context.exists(.institution(institution)) else {
                throw TransactionRefusal(.discoveryWrongSigner)
            }
        }
        try context.write(choice, at: .discovery(choice))
        context.emit(.discoveryChosen(choice))
    }
}
