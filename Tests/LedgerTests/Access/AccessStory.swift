import Ledger
import Primitives
import Records
import TestSupport

/// A small world in which grants were made and ended, as a plain list of what happened; the oracle reads this list, the
/// rule reads the values that modules would have made of it.
struct AccessStory {
    /// A scope in words small enough to be drawn at random.
    struct Scope {
        var kinds: [ExamKind] = []
        var items: [String] = []
        var from: Int64?
        var until: Int64?
        var records: [UInt8] = []
        var purpose = PurposeOfUse.treatment
        var lease: UInt32 = 10
        var uses: UInt32?
        var sensitive: [SensitiveClass] = []
        var roles: [String] = []
        var people: [(institution: String, clinician: String)] = []
        var hidden: [String] = []
        var referral: Int?
    }

    struct Narrowed {
        var height: UInt64
        var withoutReaders: [String]
        var withoutCustodians: [String]
        var scope: Scope
    }

    struct Mandate {
        var made: UInt64
        var ended: UInt64?
        var until: Int64
        var scope: Scope
        /// Made out to another key, or not on the chain at all.
        var isForged = false
        /// Of a guardian: what another one, always appointed and never ended, may grant, and objected to.
        var other: Other?
    }

    struct Other {
        var scope: Scope
        var objected: UInt64?
        var decided: UInt64?
        var isUpheld: Bool
    }

    struct Grant {
        var made: UInt64
        var revoked: UInt64?
        var from: Int64
        var until: Int64
        var custodians: [String]
        var readers: [String]
        var groups: [Int]
        var scope: Scope
        var narrowed: [Narrowed]
        var mandate: Mandate?
    }

    /// Joining and leaving of one institution.
    struct Move {
        var institution: String
        var joined: UInt64
        var left: UInt64?
    }

    var groups: [[Move]]
    /// Referrals with the blocks in which they were opened and closed; `nil` was never opened.
    var referrals: [(opened: UInt64, closed: UInt64?)?]
    var grants: [Grant]
    var uses: [UInt32]

    var reader: String
    var clinician: String
    var role: String
    var custodian: String
    var record: UInt8
    var kind: ExamKind
    var item: String
    var time: Int64?
    var sensitive: [SensitiveClass]
    var purpose: PurposeOfUse?
    var height: UInt64
    var now: Int64
    var silence: Int64?
    var stage: AccessQuestion.Stage
    /// Extents of emergencies that the clinician declared.
    var declared: [Scope] = []
}

extension AccessStory {
    fileprivate static let institutions = ["a", "b", "c"]
    fileprivate static let items = ["718-7", "2345-7", "56888-1"]

    init(using random: inout SeededGenerator) {
        var draw = Draw(random: random)
        self.groups = (0..<2).map { _ in
            draw.some(Self.institutions, 60).map { institution in
                Move(institution: institution, joined: draw.height(), left: draw.chance(40) ? draw.height() : nil)
            }
        }
        self.referrals = (0..<3).map { _ in
            draw.chance(80) ? (draw.height(), draw.chance(40) ? draw.height() : nil) : nil
        }
        self.grants = (0..<draw.number(0...4)).map { _ in draw.grant() }
        self.uses = self.grants.map { _ in UInt32(draw.number(0...3)) }
        self.reader = draw.one(Self.institutions)
        self.clinician = draw.one(["lin", "wu"])
        self.role = draw.one(["nurse", "doctor", ""])
        self.custodian = draw.one(Self.institutions)
        self.record = draw.one([1, 2, 3])
        self.kind = draw.one([.laboratory, .imaging])
        self.item = draw.one(Self.items)
        self.time = draw.chance(90) ? draw.moment() : nil
        self.sensitive = draw.chance(75) ? [] : draw.some(SensitiveClass.allCases, 40)
        self.purpose = draw.chance(80) ? draw.one([.treatment, .treatment, .emergency]) : nil
        self.height = UInt64(draw.number(3...9))
        self.now = draw.moment()
        self.silence = draw.chance(90) ? Int64(draw.number(0...6000)) : nil
        self.stage = draw.chance(75) ? .open : .release
        self.declared = draw.chance(30) ? [draw.scope(80)] : []
        random = draw.random
    }

    /// Draws parts of a story.
    private struct Draw {
        var random: SeededGenerator

        mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self.random) }
        mutating func chance(_ percent: Int) -> Bool { self.number(0...99) < percent }
        mutating func height() -> UInt64 { UInt64(self.number(1...9)) }
        mutating func moment() -> Int64 { Int64(self.number(0...9)) }
        mutating func one<Value>(_ values: [Value]) -> Value { values[self.number(0...values.count - 1)] }

        mutating func some<Value>(_ values: [Value], _ percent: Int) -> [Value] {
            var chosen: [Value] = []
            for value in values where self.chance(percent) { chosen.append(value) }
            return chosen
        }

        /// `loose`: how often, in a hundred, a limit is left out.
        mutating func scope(_ loose: Int) -> Scope {
            Scope(
                kinds: self.chance(loose) ? [] : self.some([.laboratory, .imaging, .other], 60),
                items: self.chance(loose) ? [] : self.some(AccessStory.items, 60),
                from: self.chance(loose) ? nil : self.moment(),
                until: self.chance(loose) ? nil : self.moment(),
                records: self.chance(loose) ? [] : self.some([1, 2], 60),
                purpose: self.chance(85) ? .treatment : self.one([.research, .emergency]),
                lease: UInt32(self.number(1...10)),
                uses: self.chance(60) ? nil : UInt32(self.number(1...3)),
                sensitive: self.some(SensitiveClass.allCases, 60),
                roles: self.chance(loose) ? [] : self.some(["nurse", "doctor"], 50),
                people: self.chance(loose) ? [] : [(self.one(AccessStory.institutions), self.one(["lin", "wu"]))],
                hidden: self.chance(70) ? [] : self.some(AccessStory.items, 40),
                referral: self.chance(loose) ? nil : self.number(0...2)
            )
        }

        mutating func other() -> Other {
            Other(
                scope: self.scope(95),
                objected: self.chance(50) ? self.height() : nil,
                decided: self.chance(50) ? self.height() : nil,
                isUpheld: self.chance(50)
            )
        }

        mutating func grant() -> Grant {
            Grant(
                made: self.height(),
                revoked: self.chance(20) ? self.height() : nil,
                from: Int64(self.number(0...4)),
                until: Int64(self.number(3...9)),
                custodians: self.chance(60) ? [] : self.some(AccessStory.institutions, 50),
                readers: self.some(AccessStory.institutions, 50),
                groups: self.some([0, 1], 40),
                // Half of the grants leave so much open that the later rules decide.
                scope: self.scope(self.one([80, 98])),
                narrowed: (0..<(self.chance(30) ? self.number(1...2) : 0)).map { _ in
                    Narrowed(
                        height: self.height(),
                        withoutReaders: self.some(AccessStory.institutions, 20),
                        withoutCustodians: self.some(AccessStory.institutions, 20),
                        scope: self.scope(90)
                    )
                },
                mandate: self.chance(25)
                    ? Mandate(
                        made: self.height(),
                        ended: self.chance(30) ? self.height() : nil,
                        until: Int64(self.number(3...9)),
                        scope: self.scope(90),
                        isForged: self.chance(10),
                        other: self.chance(50) ? self.other() : nil
                    ) : nil
            )
        }
    }
}

// MARK: The story as the modules would tell it

extension AccessStory {
    private static let key = TestKey("delegate").verifying

    private func salt(_ index: Int) -> [UInt8] { [UInt8](repeating: UInt8(index + 1), count: AccessGrant.saltBytes) }

    private func referral(_ index: Int) -> Referral {
        Referral(from: institution("a"), to: institution("b"), nonce: UInt64(index))
    }

    private func scope(_ scope: Scope, salt: [UInt8]) -> GrantScope {
        GrantScope(
            kinds: scope.kinds,
            items: scope.items,
            examsFrom: scope.from.map(Timestamp.init(milliseconds:)),
            examsUntil: scope.until.map(Timestamp.init(milliseconds:)),
            purpose: scope.purpose,
            leaseSeconds: scope.lease,
            records: scope.records.map { ContentAddress(Digest(hashing: [$0])) },
            usesMax: scope.uses,
            sensitive: scope.sensitive,
            readers: scope.roles.map { ReaderHandle(role: $0, salt: salt) }
                + scope.people.map {
                    ReaderHandle(clinician: $0.clinician, at: institution($0.institution), salt: salt)
                },
            hidden: scope.hidden,
            referral: scope.referral.map { self.referral($0).id }
        )
    }

    private func groupID(_ index: Int) -> GroupID {
        guard let id = GroupID("group-\(index)") else { preconditionFailure("that is a name") }
        return id
    }

    private func delegation(_ mandate: Mandate, _ index: Int) -> Delegation {
        let salt = self.salt(index)
        return Delegation(
            handle: patientHandle("p"),
            salt: salt,
            bucket: 5,
            principal: .witness(institution("c")),
            delegate: Self.key,
            capacity: mandate.other == nil ? .proxy : .guardian,
            scopeCommitment: self.scope(mandate.scope, salt: salt).commitment(salt: salt),
            sealedScope: [],
            notBefore: Timestamp(milliseconds: 0),
            notAfter: Timestamp(milliseconds: mandate.until),
            evidence: .zero,
            nonce: 0
        )
    }

    func terms(_ index: Int) -> AccessTerms {
        let grant = self.grants[index]
        let salt = self.salt(index)
        let mandate = self.mandate(index)
        let access = self.accessGrant(index, mandate)
        let narrowings = grant.narrowed.map { narrowed in
            GrantState.Narrowed(
                narrowing: Narrowing(
                    withoutGrantees: narrowed.withoutReaders.map(institution),
                    withoutCustodians: narrowed.withoutCustodians.map(institution),
                    scopeCommitment: .zero,
                    sealedScope: []
                ),
                height: Height(narrowed.height)
            )
        }
        return AccessTerms(
            id: access.id,
            state: GrantState(
                grant: access,
                createdHeight: Height(grant.made),
                createdTime: Timestamp(milliseconds: 0),
                revokedHeight: grant.revoked.map(Height.init),
                revokedTime: grant.revoked.map { _ in Timestamp(milliseconds: 0) },
                narrowings: narrowings
            ),
            scope: self.scope(grant.scope, salt: salt),
            narrowings: grant.narrowed.map { self.scope($0.scope, salt: salt) },
            groups: grant.groups.map(self.groupState),
            mandate: mandate,
            referrals: self.referrals.enumerated().compactMap { index, state in
                state.map {
                    ReferralState(
                        referral: self.referral(index),
                        openedHeight: Height($0.opened),
                        closedHeight: $0.closed.map(Height.init)
                    )
                }
            },
            guardians: mandate.map { [$0] + self.others(index) } ?? [],
            objections: self.others(index).flatMap { self.objections(index, by: $0.state) }
        )
    }

    /// The other guardian of whoever granted.
    private func others(_ index: Int) -> [AccessTerms.Mandate] {
        guard let mandate = self.grants[index].mandate, let other = mandate.other else { return [] }
        var given = mandate
        given.until = 100
        var delegation = self.delegation(given, index)
        delegation.nonce = 1
        let state = DelegationState(
            delegation: delegation,
            createdHeight: Height(0),
            createdTime: Timestamp(milliseconds: 0)
        )
        return [AccessTerms.Mandate(state: state, scope: self.scope(other.scope, salt: self.salt(index)))]
    }

    private func objections(_ index: Int, by guardian: DelegationState) -> [GuardianObjection] {
        guard let other = self.grants[index].mandate?.other, let objected = other.objected else { return [] }
        let decision = other.decided.map { decided in
            ObjectionState.Decision(
                outcome: other.isUpheld ? .upheld : .dismissed,
                institution: institution("c"),
                height: Height(decided)
            )
        }
        let objection = ObjectionState(
            delegation: guardian.delegation.id,
            height: Height(objected),
            decision: decision
        )
        return [GuardianObjection(objection: objection, guardian: guardian)]
    }

    private func mandate(_ index: Int) -> AccessTerms.Mandate? {
        self.grants[index].mandate.map { given in
            let state = DelegationState(
                delegation: self.delegation(given, index),
                createdHeight: Height(given.made),
                createdTime: Timestamp(milliseconds: 0),
                endedHeight: given.ended.map(Height.init),
                endedTime: given.ended.map { _ in Timestamp(milliseconds: 0) }
            )
            return AccessTerms.Mandate(state: state, scope: self.scope(given.scope, salt: self.salt(index)))
        }
    }

    private func accessGrant(_ index: Int, _ mandate: AccessTerms.Mandate?) -> AccessGrant {
        let grant = self.grants[index]
        var grantor = AccessGrant.Grantor.witness(institution("c"), evidence: .zero)
        if let mandate {
            let isForged = grant.mandate?.isForged == true
            grantor = .delegate(isForged ? TestKey("thief").verifying : Self.key, mandate.state.delegation.id)
        }
        return AccessGrant(
            handle: patientHandle("p"),
            salt: self.salt(index),
            nonce: UInt64(index),
            bucket: 5,
            custodians: grant.custodians.map(institution),
            grantees: grant.readers.map(institution),
            groups: grant.groups.map(self.groupID),
            scopeCommitment: .zero,
            sealedScope: [],
            notBefore: Timestamp(milliseconds: grant.from),
            notAfter: Timestamp(milliseconds: grant.until),
            grantor: grantor
        )
    }

    private func groupState(_ group: Int) -> GroupState {
        GroupState(
            id: self.groupID(group),
            keeper: institution("a"),
            memberships: self.groups[group].map {
                GroupState.Membership(
                    institution: institution($0.institution),
                    since: Height($0.joined),
                    until: $0.left.map(Height.init)
                )
            }
        )
    }

    func question(_ ids: [GrantID]) -> AccessQuestion {
        AccessQuestion(
            stage: self.stage,
            reader: institution(self.reader),
            person: AccessQuestion.Person(clinician: self.clinician, role: self.role),
            custodian: institution(self.custodian),
            exam: ExamFacts(
                record: ContentAddress(Digest(hashing: [self.record])),
                kind: self.kind,
                itemCode: self.item,
                examTime: self.time.map(Timestamp.init(milliseconds:)),
                sensitive: self.sensitive
            ),
            purpose: self.purpose,
            height: Height(self.height),
            time: Timestamp(milliseconds: self.now),
            uses: Dictionary(uniqueKeysWithValues: zip(ids, self.uses)),
            silence: self.silence,
            declarations: self.declared.map { self.scope($0, salt: self.salt(0)) }
        )
    }
}
