package import Primitives
package import Records

/// One grant with everything on chain that bears on it, its scopes opened.
package struct AccessTerms: Sendable {
    /// What a delegate's grant leans on.
    package struct Mandate: Sendable {
        package var state: DelegationState
        package var scope: GrantScope

        package init(state: DelegationState, scope: GrantScope) {
            self.state = state
            self.scope = scope
        }
    }

    package var id: GrantID
    package var state: GrantState
    package var scope: GrantScope
    /// The opened scopes of the grant's narrowings, in their order.
    package var narrowings: [GrantScope]
    /// Those of the grant's groups that exist.
    package var groups: [GroupState]
    /// `nil` unless a delegate granted; a delegate's grant without it allows nothing.
    package var mandate: Mandate?
    /// The referrals that the scopes name, as far as they exist.
    package var referrals: [ReferralState]
    /// Where a guardian granted: all guardians' delegations about the child whose scopes open, that one among them.
    package var guardians: [Mandate]
    /// What guardians of the same child said against the grant.
    package var objections: [GuardianObjection]
    /// What institutions declared about the patient's life.
    package var events: [LifeEventState]

    package init(
        id: GrantID,
        state: GrantState,
        scope: GrantScope,
        narrowings: [GrantScope] = [],
        groups: [GroupState] = [],
        mandate: Mandate? = nil,
        referrals: [ReferralState] = [],
        guardians: [Mandate] = [],
        objections: [GuardianObjection] = [],
        events: [LifeEventState] = []
    ) {
        precondition(narrowings.count == state.narrowings.count, "every narrowing has its scope")
        self.id = id
        self.state = state
        self.scope = scope
        self.narrowings = narrowings
        self.groups = groups
        self.mandate = mandate
        self.referrals = referrals
        self.guardians = guardians
        self.objections = objections
        self.events = events
    }
}

extension AccessTerms {
    /// Whether nobody granted it: an emergency that somebody declared.
    package var isEmergency: Bool {
        if case .emergency = self.state.grant.grantor { true } else { false }
    }
}

/// Who wants what of whose, why, and as of which state of the chain.
package struct AccessQuestion: Sendable {
    /// What is decided.
    package enum Stage: Hashable, Sendable {
        /// A custodian hands a key or a ciphertext to an institution.
        ///
        /// Who there reads, why, how often and after how long a silence is for the institution to judge; a grant that
        /// begins later is served already, so that its records are there when it does.
        case release
        /// A clinician opens a record.
        case open
    }

    /// The clinician, as the credential says.
    package struct Person: Hashable, Sendable {
        package var clinician: String
        package var role: String

        package init(clinician: String, role: String) {
            self.clinician = clinician
            self.role = role
        }
    }

    package var stage: Stage
    /// The institution that reads.
    package var reader: InstitutionID
    package var person: Person
    package var custodian: InstitutionID
    package var exam: ExamFacts
    /// `nil` asks for any purpose, as a list does.
    package var purpose: PurposeOfUse?
    /// The final height as of which everything is judged.
    package var height: Height
    package var time: Timestamp
    /// Openings under each grant at the reading institution so far.
    package var uses: [GrantID: UInt32]
    /// Milliseconds since a quorum last confirmed the reader's tip; `nil` if none ever did.
    package var silence: Int64?
    /// What this clinician declared about the patient without contact to the ledger, and stands.
    package var declarations: [GrantScope]

    package init(
        stage: Stage,
        reader: InstitutionID,
        person: Person = Person(clinician: "", role: ""),
        custodian: InstitutionID,
        exam: ExamFacts,
        purpose: PurposeOfUse? = nil,
        height: Height,
        time: Timestamp,
        uses: [GrantID: UInt32] = [:],
        silence: Int64? = nil,
        declarations: [GrantScope] = []
    ) {
        self.stage = stage
        self.reader = reader
        self.person = person
        self.custodian = custodian
        self.exam = exam
        self.purpose = purpose
        self.height = height
        self.time = time
        self.uses = uses
        self.silence = silence
        self.declarations = declarations
    }
}

/// The rules in the order in which they are applied; the first that a grant fails is its refusal.
package enum AccessRefusal: UInt8, CaseIterable, Comparable, Sendable {
    /// No grant names the institution, or a group that it is a member of.
    case grantee = 1
    case custodian = 2
    case scope = 3
    case sensitive = 4
    case reader = 5
    case revoked = 6
    case narrowed = 7
    case delegationOver = 8
    case beyondDelegation = 9
    /// Another guardian of the child objects.
    case guardiansDisagree = 10
    case referralClosed = 11
    case expired = 12
    case notYet = 13
    case purpose = 14
    /// Prepared for an emergency that this clinician has not declared.
    case undeclared = 15
    case usedUp = 16
    case stale = 17

    /// The stable code of answers; the first three look alike to who may not read.
    package var code: String {
        switch self {
        case .grantee, .custodian, .scope: "access.not-granted"
        case .sensitive: "access.sensitive"
        case .reader: "access.reader"
        case .revoked: "access.revoked"
        case .narrowed: "access.narrowed"
        case .delegationOver: "access.delegation-over"
        case .beyondDelegation: "access.beyond-delegation"
        case .guardiansDisagree: "access.guardians-disagree"
        case .referralClosed: "access.referral-closed"
        case .expired: "access.expired"
        case .notYet: "access.not-yet"
        case .purpose: "access.purpose"
        case .undeclared: "access.undeclared"
        case .usedUp: "access.used-up"
        case .stale: "access.stale"
        }
    }

    /// The name of the rule.
    package var rule: String {
        switch self {
        case .grantee: "grantee"
        case .custodian: "custodian"
        case .scope: "scope"
        case .sensitive: "sensitive-class"
        case .reader: "reader"
        case .revoked: "revocation"
        case .narrowed: "partial-revocation"
        case .delegationOver: "delegation"
        case .beyondDelegation: "delegation-scope"
        case .guardiansDisagree: "guardians"
        case .referralClosed: "referral"
        case .expired: "end"
        case .notYet: "beginning"
        case .purpose: "purpose"
        case .undeclared: "declaration"
        case .usedUp: "uses"
        case .stale: "lease"
        }
    }

    package static func < (left: AccessRefusal, right: AccessRefusal) -> Bool { left.rawValue < right.rawValue }
}

/// What a grant allows.
package struct AccessPermission: Hashable, Sendable {
    package var grant: GrantID
    /// Item codes whose results the reader is not shown; sorted.
    package var hidden: [String]
    /// Openings allowed at the institution.
    package var usesMax: UInt32?

    package init(grant: GrantID, hidden: [String] = [], usesMax: UInt32? = nil) {
        self.grant = grant
        self.hidden = hidden
        self.usesMax = usesMax
    }
}

/// The answer to a question.
package enum AccessAnswer: Hashable, Sendable {
    /// The institution's own record: no grant is needed.
    case own
    case allowed(AccessPermission)
    /// The rule that refuses, and the grant that came nearest to a permission.
    case refused(AccessRefusal, nearest: GrantID?)

    package var isAllowed: Bool {
        if case .refused = self { false } else { true }
    }
}
