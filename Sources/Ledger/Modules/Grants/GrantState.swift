package import Primitives
package import Records

/// A grant as it stands in the state.
///
/// Only ever added to: when created, narrowed, and revoked. So one proof of the current state answers for every time
/// before it.
package struct GrantState: Hashable, Sendable {
    /// More partial revocations than a patient makes; then the grant is ended and made anew.
    package static let narrowingsMax = 4

    /// A partial revocation and the block from which on it counts.
    package struct Narrowed: Hashable, Sendable, CanonicalCodable {
        package var narrowing: Narrowing
        package var height: Height

        package init(narrowing: Narrowing, height: Height) {
            self.narrowing = narrowing
            self.height = height
        }

        package func encode(into encoder: inout CanonicalEncoder) {
            encoder.encode(self.narrowing)
            encoder.encode(self.height)
        }

        package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
            self.narrowing = try decoder.decode()
            self.height = try decoder.decode()
        }
    }

    package var grant: AccessGrant
    package var createdHeight: Height
    package var createdTime: Timestamp
    /// Both or none.
    package var revokedHeight: Height?
    package var revokedTime: Timestamp?
    /// Oldest first.
    package var narrowings: [Narrowed]

    package init(
        grant: AccessGrant,
        createdHeight: Height,
        createdTime: Timestamp,
        revokedHeight: Height? = nil,
        revokedTime: Timestamp? = nil,
        narrowings: [Narrowed] = []
    ) {
        self.grant = grant
        self.createdHeight = createdHeight
        self.createdTime = createdTime
        self.revokedHeight = revokedHeight
        self.revokedTime = revokedTime
        self.narrowings = narrowings
    }

    /// Whether the grant held in the state after block `height`, for a reader whose clock says `time`.
    package func holds(at height: Height, time: Timestamp) -> Bool {
        self.createdHeight <= height && self.grant.notBefore <= time && time < self.grant.notAfter
            && self.revokedHeight.map { height < $0 } ?? true
    }

    /// Whether the grant names `custodian` as one whose exams it covers.
    package func covers(custodian: InstitutionID) -> Bool {
        self.grant.custodians.isEmpty || self.grant.custodians.contains(custodian)
    }

    /// Whether `institution` may read as a grantee or as a member of a group, after block `height`.
    package func names(_ institution: InstitutionID, groups: [GroupState], at height: Height) -> Bool {
        self.grant.grantees.contains(institution)
            || groups.contains { self.grant.groups.contains($0.id) && $0.isMember(institution, at: height) }
    }

    /// The institutions that may read after block `height`, sorted.
    package func readers(groups: [GroupState], at height: Height) -> [InstitutionID] {
        let members = groups.filter { self.grant.groups.contains($0.id) }.flatMap { $0.members(at: height) }
        let gone = Set(
            self.narrowings.filter { $0.height <= height }.flatMap(\.narrowing.withoutGrantees)
        )
        return Set(self.grant.grantees + members).subtracting(gone).sorted()
    }

    /// Whether an institution that may read is also the one that says the patient agreed.
    package var isSelfWitnessed: Bool {
        guard case .witness(let witness, _) = self.grant.grantor else { return false }
        return self.grant.grantees.contains(witness)
    }
}

extension GrantState: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.grant)
        encoder.encode(self.createdHeight)
        encoder.encode(self.createdTime)
        encoder.encode(self.revokedHeight)
        encoder.encode(self.revokedTime)
        encoder.encode(self.narrowings)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.grant = try decoder.decode()
        self.createdHeight = try decoder.decode()
        self.createdTime = try decoder.decode()
        self.revokedHeight = try decoder.decodeOptional()
        self.revokedTime = try decoder.decodeOptional()
        self.narrowings = try decoder.decodeArray(max: Self.narrowingsMax)
        guard (self.revokedHeight == nil) == (self.revokedTime == nil) else { throw .invalid }
    }
}

extension StateKey {
    package static func grant(_ id: GrantID) -> StateKey { StateKey(.grants, tag: 1, id) }

    package static func enrolment(_ key: VerifyingKey) -> StateKey { StateKey(.grants, tag: 2, key) }

    package static func group(_ id: GroupID) -> StateKey { StateKey(.grants, tag: 3, id) }

    package static func referral(_ id: ReferralID) -> StateKey { StateKey(.grants, tag: 4, id) }

    package static func discovery(_ choice: DiscoveryChoice) -> StateKey {
        StateKey(.grants, tag: 5) { encoder in
            encoder.encode(choice.handle)
            encoder.encode(choice.principal)
        }
    }
}

extension StateReading {
    /// A grant, or an emergency access, which is served like one.
    package func grant(_ id: GrantID) -> GrantState? {
        self.value(at: .grant(id)) ?? self.emergency(id)?.grantState
    }

    package func enrolment(_ key: VerifyingKey) -> Enrolment? { self.value(at: .enrolment(key)) }

    package func group(_ id: GroupID) -> GroupState? { self.value(at: .group(id)) }

    package func referral(_ id: ReferralID) -> ReferralState? { self.value(at: .referral(id)) }

    /// The groups that a grant names, as they stand.
    package func groups(of grant: AccessGrant) -> [GroupState] { grant.groups.compactMap(self.group) }
}
