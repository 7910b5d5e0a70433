/// Whether two descriptions are of one person: a level, a score and the reasons for both.
///
/// Deterministic and symmetric: the same two descriptions give the same answer everywhere, whichever comes first, and
/// whatever the order of their identifiers. Whole numbers only (`Documentation/Protocol/Identity.md`).
package struct IdentityMatch: Hashable, Sendable {
    /// Why; in the order in which they are told.
    package enum Reason: String, Hashable, CaseIterable, Sendable {
        /// A strong identifier that both have, verified at both.
        case strongIdentifier = "strong-id"
        /// A strong identifier that both have, not verified at both.
        case unverifiedIdentifier = "strong-id-unverified"
        /// Two resident identity numbers: two persons.
        case otherIdentifier = "strong-id-differs"
        /// Two documents of a kind that is renewed.
        case otherDocument = "document-differs"
        /// An identifier of one institution that both have.
        case localIdentifier = "local-id"
        case nameEqual = "name"
        case namePartial = "name-partial"
        case nameDifferent = "name-differs"
        case nameUnknown = "name-unknown"
        case sexEqual = "sex"
        case sexDifferent = "sex-differs"
        case sexUnknown = "sex-unknown"
        case birthEqual = "birth-date"
        case birthCompatible = "birth-date-partial"
        case birthDifferent = "birth-date-differs"
        case birthUnknown = "birth-date-unknown"
        /// A description's sex or birth date is not the one that its own identity number says.
        case numberContradicts = "number-contradicts"
        /// Much younger than the number says: mostly a child that is registered under its mother's card.
        case childUnderCard = "child-under-card"

        /// What it adds to the score.
        package var points: Int {
            switch self {
            case .strongIdentifier: 100
            case .unverifiedIdentifier: 60
            case .otherIdentifier: -100
            case .otherDocument: -10
            case .localIdentifier: 20
            case .nameEqual: 30
            case .namePartial: 10
            case .nameDifferent: -50
            case .sexEqual: 10
            case .sexDifferent: -40
            case .birthEqual: 30
            case .birthCompatible: 10
            case .birthDifferent: -50
            case .nameUnknown, .sexUnknown, .birthUnknown: 0
            case .numberContradicts: -40
            case .childUnderCard: -40
            }
        }
    }

    /// A mother is at least so many years older than her child.
    private static let motherYearsMin = 10

    package let level: IdentityLevel
    package let score: Int
    package let reasons: [Reason]

    package init(_ left: PersonTraits, _ right: PersonTraits) {
        var reasons: Set<Reason> = []
        Self.compareIdentifiers(left, right, &reasons)
        Self.compareNames(left, right, &reasons)
        Self.compareSexes(left, right, &reasons)
        Self.compareBirths(left, right, &reasons)
        Self.compareNumbers(left, &reasons)
        Self.compareNumbers(right, &reasons)
        self.reasons = Reason.allCases.filter(reasons.contains)
        self.score = self.reasons.reduce(0) { $0 + $1.points }
        self.level = Self.level(reasons)
    }

    /// Whether name, sex or birth date are known to be different, or contradict the identity number.
    package var disagrees: Bool {
        !Set(self.reasons).isDisjoint(with: Self.disagreements)
    }

    private static let disagreements: Set<Reason> = [
        .nameDifferent, .sexDifferent, .birthDifferent, .numberContradicts, .childUnderCard,
    ]

    private static func level(_ reasons: Set<Reason>) -> IdentityLevel {
        guard !reasons.contains(.otherIdentifier) else { return .none }
        if reasons.isSuperset(of: [.strongIdentifier, .nameEqual, .sexEqual, .birthEqual]),
            reasons.isDisjoint(with: self.disagreements)
        {
            return .match
        }
        // One number with two descriptions is one person with an error in it, or two persons: somebody has to look.
        guard reasons.isDisjoint(with: [.strongIdentifier, .unverifiedIdentifier, .localIdentifier]) else {
            return .possible
        }
        let isAlike =
            !reasons.isDisjoint(with: [.nameEqual, .namePartial])
            && !reasons.isDisjoint(with: [.birthEqual, .birthCompatible])
            && reasons.isDisjoint(with: self.disagreements)
        return isAlike ? .possible : .none
    }

    private static func compareIdentifiers(_ left: PersonTraits, _ right: PersonTraits, _ reasons: inout Set<Reason>) {
        for mine in left.identifiers {
            for other in right.identifiers where mine.identifier.system == other.identifier.system {
                let isStrong = PersonTraits.isStrong(mine.identifier)
                if mine.identifier == other.identifier {
                    if !isStrong {
                        reasons.insert(.localIdentifier)
                    } else {
                        reasons.insert(mine.isVerified && other.isVerified ? .strongIdentifier : .unverifiedIdentifier)
                    }
                } else if isStrong {
                    let isForLife = PersonTraits.isForLife(mine.identifier.system)
                    reasons.insert(isForLife ? .otherIdentifier : .otherDocument)
                }
            }
        }
        // A document that agrees outweighs an older one, and a verified number an unverified one.
        if reasons.contains(.strongIdentifier) { reasons.subtract([.unverifiedIdentifier, .otherDocument]) }
        if reasons.contains(.unverifiedIdentifier) { reasons.remove(.otherDocument) }
    }

    private static func compareNames(_ left: PersonTraits, _ right: PersonTraits, _ reasons: inout Set<Reason>) {
        guard let mine = left.name, let other = right.name else {
            reasons.insert(.nameUnknown)
            return
        }
        switch mine.compared(with: other) {
        case .equal: reasons.insert(.nameEqual)
        case .partial: reasons.insert(.namePartial)
        case .different: reasons.insert(.nameDifferent)
        case .incomparable: reasons.insert(.nameUnknown)
        }
    }

    private static func compareSexes(_ left: PersonTraits, _ right: PersonTraits, _ reasons: inout Set<Reason>) {
        guard let mine = left.sex, let other = right.sex else {
            reasons.insert(.sexUnknown)
            return
        }
        reasons.insert(mine == other ? .sexEqual : .sexDifferent)
    }

    private static func compareBirths(_ left: PersonTraits, _ right: PersonTraits, _ reasons: inout Set<Reason>) {
        guard let mine = left.birthDate, let other = right.birthDate else {
            reasons.insert(.birthUnknown)
            return
        }
        guard self.isCompatible(mine, other) else {
            reasons.insert(.birthDifferent)
            return
        }
        reasons.insert(mine.day != nil && other.day != nil ? .birthEqual : .birthCompatible)
    }

    private static func isCompatible(_ left: PersonTraits.BirthDate, _ right: PersonTraits.BirthDate) -> Bool {
        guard left.year == right.year else { return false }
        if let mine = left.month, let other = right.month, mine != other { return false }
        if let mine = left.day, let other = right.day, mine != other { return false }
        return true
    }

    /// Holds a description against what its own identity number says.
    private static func compareNumbers(_ traits: PersonTraits, _ reasons: inout Set<Reason>) {
        for known in traits.identifiers {
            guard let written = known.identifier.written else { continue }
            if let birth = traits.birthDate, !self.isCompatible(birth, written.birthDate) {
                let isChild = birth.year - written.birthDate.year >= self.motherYearsMin
                reasons.insert(isChild && written.sex == .female ? .childUnderCard : .numberContradicts)
            } else if let sex = traits.sex, sex != written.sex {
                reasons.insert(.numberContradicts)
            }
        }
    }
}
