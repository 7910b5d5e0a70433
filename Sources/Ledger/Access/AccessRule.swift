import Primitives
package import Records

/// The one place that decides who may read what: custodians that release keys, agents that open records, lists and
/// explanations all ask it.
///
/// Pure: the same terms and question give the same answer everywhere (`Documentation/Protocol/Access.md`).
package enum AccessRule {
    /// The first permission found, an unmasked and uncounted one before others; or the refusal that came nearest to one.
    package static func answer(_ question: AccessQuestion, under grants: [AccessTerms]) -> AccessAnswer {
        guard question.reader != question.custodian else { return .own }
        var best: AccessPermission?
        var nearest: (refusal: AccessRefusal, grant: GrantID?) = (.grantee, nil)
        let isDeclared = Self.isDeclared(question, under: grants)
        for terms in grants where terms.state.createdHeight <= question.height {
            switch Self.judge(question, under: terms, isDeclared: isDeclared) {
            case .success(let permission):
                if best.map({ Self.precedes(permission, $0) }) ?? true { best = permission }
            case .failure(let failure):
                let refusal = failure.rule
                // The institution is not named: that there is a grant at all is not its business.
                guard refusal != .grantee else { continue }
                let isNearer = refusal > nearest.refusal
                let isFirst = refusal == nearest.refusal && nearest.grant.map { terms.id < $0 } ?? true
                if isNearer || isFirst { nearest = (refusal, terms.id) }
            }
        }
        if let best { return .allowed(best) }
        return .refused(nearest.refusal, nearest: nearest.grant)
    }

    /// Whether an exam is shown in the list of one who asks.
    ///
    /// What may be opened is. Otherwise neither exams of a sensitive class nor those of a patient who is not to be found.
    package static func isListed(_ answer: AccessAnswer, exam: ExamFacts, isPatientHidden: Bool) -> Bool {
        answer.isAllowed || (exam.sensitive.isEmpty && !isPatientHidden)
    }

    private static func precedes(_ left: AccessPermission, _ right: AccessPermission) -> Bool {
        if left.hidden.count != right.hidden.count { return left.hidden.count < right.hidden.count }
        if (left.usesMax == nil) != (right.usesMax == nil) { return left.usesMax == nil }
        return left.grant < right.grant
    }

    private static func judge(
        _ question: AccessQuestion,
        under terms: AccessTerms,
        isDeclared: Bool
    ) -> Result<AccessPermission, Refusal> {
        do throws(Refusal) {
            try Self.checkNamed(question, terms)
            let scopes = Self.narrowingScopes(question, terms)
            try Self.checkStanding(question, terms, scopes)
            let mandate = try Self.checkMandate(question, terms)
            let all = [terms.scope] + scopes + mandate
            try Self.checkReferrals(question, terms, all)
            try Self.checkPeriod(question, terms)
            let usesMax = all.compactMap(\.usesMax).min()
            if question.stage == .open { try Self.checkUse(question, terms, all, usesMax, isDeclared: isDeclared) }
            let hidden = Set(all.flatMap(\.hidden)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return .success(AccessPermission(grant: terms.id, hidden: hidden, usesMax: usesMax))
        } catch {
            return .failure(error)
        }
    }

    // MARK: Rules 1 to 5: does the grant speak of this reading at all

    private static func checkNamed(_ question: AccessQuestion, _ terms: AccessTerms) throws(Refusal) {
        guard terms.state.names(question.reader, groups: terms.groups, at: question.height) else {
            throw Refusal(.grantee)
        }
        guard terms.state.covers(custodian: question.custodian) else { throw Refusal(.custodian) }
        guard terms.scope.covers(question.exam) else { throw Refusal(.scope) }
        guard terms.scope.admits(question.exam) else { throw Refusal(.sensitive) }
        guard Self.admits(question, terms.scope, salt: terms.state.grant.salt) else { throw Refusal(.reader) }
    }

    private static func admits(_ question: AccessQuestion, _ scope: GrantScope, salt: [UInt8]) -> Bool {
        guard question.stage == .open, !scope.readers.isEmpty else { return true }
        let person = question.person
        if scope.readers.contains(ReaderHandle(clinician: person.clinician, at: question.reader, salt: salt)) {
            return true
        }
        return !person.role.isEmpty && scope.readers.contains(ReaderHandle(role: person.role, salt: salt))
    }

    // MARK: Rules 6 to 11: does it still stand

    private static func narrowingScopes(_ question: AccessQuestion, _ terms: AccessTerms) -> [GrantScope] {
        zip(terms.state.narrowings, terms.narrowings).filter { $0.0.height <= question.height }.map(\.1)
    }

    private static func checkStanding(
        _ question: AccessQuestion,
        _ terms: AccessTerms,
        _ scopes: [GrantScope]
    ) throws(Refusal) {
        if let revoked = terms.state.revokedHeight, revoked <= question.height { throw Refusal(.revoked) }
        let narrowings = terms.state.narrowings.filter { $0.height <= question.height }.map(\.narrowing)
        guard
            narrowings.allSatisfy({
                !$0.withoutGrantees.contains(question.reader) && !$0.withoutCustodians.contains(question.custodian)
            }),
            scopes.allSatisfy({ scope in
                scope.covers(question.exam) && scope.admits(question.exam) && scope.purpose == terms.scope.purpose
                    && Self.admits(question, scope, salt: terms.state.grant.salt)
            })
        else { throw Refusal(.narrowed) }
    }

    /// The scopes that a delegate's grant must keep to as well: the delegation's, and those of a child's other guardians.
    private static func checkMandate(_ question: AccessQuestion, _ terms: AccessTerms) throws(Refusal) -> [GrantScope] {
        guard case .delegate(let key, let id) = terms.state.grant.grantor else { return [] }
        guard let mandate = terms.mandate, mandate.state.delegation.id == id,
            mandate.state.delegation.delegate == key, Self.speaks(mandate.state, question, terms.events)
        else { throw Refusal(.delegationOver) }
        var mandates = [mandate]
        if mandate.state.delegation.capacity == .guardian {
            // Of several guardians the one who may grant least decides what any of them may.
            mandates += terms.guardians.filter { guardian in
                guardian.state.delegation.id != id && guardian.state.delegation.capacity == .guardian
                    && Self.speaks(guardian.state, question, terms.events)
            }
        }
        for mandate in mandates {
            let scope = mandate.scope
            guard scope.covers(question.exam), scope.admits(question.exam), scope.purpose == terms.scope.purpose,
                Self.admits(question, scope, salt: mandate.state.delegation.salt)
            else { throw Refusal(.beyondDelegation) }
        }
        let scopes = mandates.map(\.scope)
        guard mandate.state.delegation.capacity == .guardian else { return scopes }
        let isContested = terms.objections.contains { objection in
            objection.isStanding(at: question.height) && Self.speaks(objection.guardian, question, terms.events)
        }
        guard !isContested else { throw Refusal(.guardiansDisagree) }
        return scopes
    }

    /// Whether a delegate speaks for the patient, as of the question's height and time.
    private static func speaks(
        _ state: DelegationState,
        _ question: AccessQuestion,
        _ events: [LifeEventState]
    ) -> Bool {
        state.createdHeight <= question.height && state.endedHeight.map { question.height < $0 } ?? true
            && question.time < state.delegation.notAfter
            && LifeEventState.allow(state, under: events, at: question.height)
    }

    private static func checkReferrals(
        _ question: AccessQuestion,
        _ terms: AccessTerms,
        _ scopes: [GrantScope]
    ) throws(Refusal) {
        for id in scopes.compactMap(\.referral) {
            guard let referral = terms.referrals.first(where: { $0.referral.id == id }),
                referral.isOpen(at: question.height)
            else { throw Refusal(.referralClosed) }
        }
    }

    // MARK: Rules 12 to 17: does it hold now, for this

    private static func checkPeriod(_ question: AccessQuestion, _ terms: AccessTerms) throws(Refusal) {
        guard question.time < terms.state.grant.notAfter else { throw Refusal(.expired) }
        guard question.stage == .release || question.time >= terms.state.grant.notBefore else {
            throw Refusal(.notYet)
        }
    }

    private static func checkUse(
        _ question: AccessQuestion,
        _ terms: AccessTerms,
        _ scopes: [GrantScope],
        _ usesMax: UInt32?,
        isDeclared: Bool
    ) throws(Refusal) {
        guard question.purpose.map({ $0 == terms.scope.purpose }) ?? true else { throw Refusal(.purpose) }
        guard terms.scope.purpose != .emergency || terms.isEmergency || isDeclared else { throw Refusal(.undeclared) }
        if let usesMax { guard question.uses[terms.id] ?? 0 < usesMax else { throw Refusal(.usedUp) } }
        let lease = scopes.map(\.leaseSeconds).min() ?? 0
        guard let silence = question.silence, silence <= Int64(lease) * 1000 else { throw Refusal(.stale) }
    }

    /// Whether the clinician has declared an emergency whose extent covers the exam: on the ledger, or without contact.
    ///
    /// What a patient allows for emergencies beforehand is there to be opened in one, and not otherwise.
    private static func isDeclared(_ question: AccessQuestion, under grants: [AccessTerms]) -> Bool {
        let extents =
            question.declarations.map { (scope: $0, salt: [UInt8]?.none) }
            + grants.filter { terms in
                terms.state.grant.grantor == .emergency(question.reader)
                    && terms.state.holds(at: question.height, time: question.time)
            }.map { ($0.scope, $0.state.grant.salt) }
        return extents.contains { scope, salt in
            scope.covers(question.exam) && scope.admits(question.exam)
                && (salt.map { Self.admits(question, scope, salt: $0) } ?? true)
        }
    }

    /// ``AccessRefusal`` as an error, inside this file only: outside a refusal is an answer.
    private struct Refusal: Error {
        let rule: AccessRefusal

        init(_ rule: AccessRefusal) { self.rule = rule }
    }
}
