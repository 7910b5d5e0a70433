package import Ledger
package import Primitives
package import Records
import Vault

/// Follows the links of the chain from one identity to others, as of one state.
///
/// Links that do not open, or whose halves do not fit each other, are another's mistake or lie and lead nowhere.
package struct IdentityWeb: Sendable {
    /// A link that was followed.
    package struct Step: Hashable, Sendable {
        package var id: IdentityLinkID
        package var kind: IdentityLinkKind
        package var author: InstitutionID
        /// Signed also by a key that is enrolled for one of the two.
        package var isPatientSigned: Bool
    }

    /// An identity with the links that lead to it, nearest first.
    package struct Reached: Hashable, Sendable {
        package var pseudonym: PatientPseudonym
        package var steps: [Step]

        /// Whether it is another person: the newborn of the one from whom it was reached.
        package var isOtherPerson: Bool { self.steps.contains { !$0.kind.isOnePerson } }
    }

    private typealias Standing = (step: Step, other: PatientPseudonym, isFirst: Bool)

    private let state: LedgerState
    private let now: Timestamp
    private let allowsSelfWitness: Bool
    private let left: IdentityLinkID?

    /// `left`: a link that is not followed, to see what its sides are without it.
    package init(state: LedgerState, now: Timestamp, parameters: ChainParameters, without left: IdentityLinkID? = nil) {
        self.left = left
        self.state = state
        self.now = now
        self.allowsSelfWitness = parameters.allowsSelfWitnessedGrants
    }

    /// The identities of one person, the given one first.
    package func person(_ pseudonym: PatientPseudonym) -> [Reached] {
        var reached = [Reached(pseudonym: pseudonym, steps: [])]
        var next = 0
        while next < reached.count, reached.count < IdentitiesCall.identitiesMax {
            let from = reached[next]
            next += 1
            for link in self.standing(from.pseudonym) where link.step.kind.isOnePerson {
                guard reached.count < IdentitiesCall.identitiesMax,
                    !reached.contains(where: { $0.pseudonym == link.other })
                else { continue }
                reached.append(Reached(pseudonym: link.other, steps: from.steps + [link.step]))
            }
        }
        return reached
    }

    /// The identities whose exams are found by one who knows the given one: the person's, and those of newborns.
    package func found(from pseudonym: PatientPseudonym) -> [Reached] {
        let person = self.person(pseudonym)
        let newborns = person.flatMap { mother in
            self.standing(mother.pseudonym).filter { $0.step.kind == .newborn && $0.isFirst }
                .filter { self.isNewborn($0.other) }
                .map { Reached(pseudonym: $0.other, steps: mother.steps + [$0.step]) }
        }
        return person + newborns
    }

    /// The identities whose grants bear on exams that are listed under the given one: the person's, and the mother's as
    /// long as a newborn has no own number.
    package func principals(of pseudonym: PatientPseudonym) -> [Reached] {
        let person = self.person(pseudonym)
        guard person.count == 1 else { return person }
        let mothers = self.standing(pseudonym).filter { $0.step.kind == .newborn && !$0.isFirst }
        return person
            + mothers.flatMap { mother in
                self.person(mother.other).map {
                    Reached(pseudonym: $0.pseudonym, steps: [mother.step] + $0.steps)
                }
            }
    }

    /// Whether grants reach over these links to `reader`.
    ///
    /// As with grants, no institution gains anything by its own word alone where the chain does not let institutions
    /// witness for themselves.
    package func carries(_ steps: [Step], to reader: InstitutionID) -> Bool {
        self.allowsSelfWitness || steps.allSatisfy { $0.isPatientSigned || $0.author != reader }
    }

    /// The identity into which this one was merged, or as which a temporary one turned out to be, by the word of
    /// `author`; itself if there is none.
    package func survivor(of pseudonym: PatientPseudonym, by author: InstitutionID) -> PatientPseudonym {
        var current = pseudonym
        for _ in 0..<IdentitiesCall.identitiesMax {
            let next = self.standing(current).first {
                ($0.step.kind == .merge || $0.step.kind == .temporary) && !$0.isFirst && $0.step.author == author
            }
            guard let next else { break }
            current = next.other
        }
        return current
    }

    private func isNewborn(_ pseudonym: PatientPseudonym) -> Bool { self.person(pseudonym).count == 1 }

    private func standing(_ pseudonym: PatientPseudonym) -> [Standing] {
        let node = pseudonym.identityNode
        return self.state.identityLinks(of: node).compactMap { id, state in
            guard id != self.left, state.holds(at: self.now),
                let statement = try? PseudonymSealing.openLink(state.link, pseudonym: pseudonym)
            else { return nil }
            let step = Step(
                id: id,
                kind: state.link.kind,
                author: state.link.author,
                isPatientSigned: self.isPatientSigned(state.link, pseudonym, statement.other)
            )
            return (step, statement.other, state.link.first.node == node)
        }
    }

    private func isPatientSigned(_ link: IdentityLink, _ one: PatientPseudonym, _ other: PatientPseudonym) -> Bool {
        guard let key = link.patientKey, let enrolment = self.state.enrolment(key) else { return false }
        return [one, other].contains { $0.handle(salt: enrolment.salt) == enrolment.handle }
    }
}

extension AgentContext {
    /// The links as of a state, now.
    package func web(_ state: LedgerState) -> IdentityWeb {
        IdentityWeb(state: state, now: Clock.now, parameters: self.genesis.parameters)
    }
}
