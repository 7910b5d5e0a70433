package import Ledger
import LedgerStore
package import Records
import Vault

/// What an institution that has nothing to do with a person is told about the person's grants, openings and emergencies.
///
/// Whoever can name a patient may look; but what `find` leaves out must not come back as the log of its readings.
package struct Disclosure: Sendable {
    private let context: AgentContext
    private let judge: AccessJudge

    package init(context: AgentContext, judge: AccessJudge) {
        self.context = context
        self.judge = judge
    }

    /// Whether this institution has an exam of the person, or has opened one.
    package func isInvolved(_ pseudonym: PatientPseudonym) throws -> Bool {
        try self.context.custody.patients(tags: [self.context.secrets.tag(of: pseudonym)])[0] != nil
    }

    /// Whether others than those whom it concerns hear of the person at all.
    package func isOpen(_ pseudonym: PatientPseudonym) throws -> Bool {
        try !self.judge.isHidden(pseudonym) || self.isInvolved(pseudonym)
    }

    /// Whether an exam is one that this institution lists to whoever asks.
    package func isListed(_ summary: LocatorSummary, of pseudonym: PatientPseudonym) -> Bool {
        !self.judge.isHidden(pseudonym) && self.judge.facts(summary).sensitive.isEmpty
    }

    /// Whether a grant about the person is listed here: to those whom it names, to those who know the person, and to others
    /// if it says nothing that a list of exams would not.
    package func isListed(_ terms: AccessTerms, of pseudonym: PatientPseudonym) throws -> Bool {
        let own = self.context.institution
        let grant = terms.state.grant
        let isNamed = terms.state.names(own, groups: terms.groups, at: self.context.board.tip.height)
        if isNamed || grant.grantees.contains(own) || grant.custodians.contains(own) { return true }
        switch grant.grantor {
        case .witness(own, _), .emergency(own): return true
        case .patient, .witness, .delegate, .emergency: break
        }
        if try self.isInvolved(pseudonym) { return true }
        return !self.judge.isHidden(pseudonym) && terms.scope.sensitive.isEmpty
    }
}
