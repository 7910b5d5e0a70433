package import Primitives
package import Records

/// A grant as it stands in the state.
///
/// Written twice at most: when created, and when revoked. So one proof of the current state answers for every time
/// before it.
package struct GrantState: Hashable, Sendable {
    package var grant: AccessGrant
    package var createdHeight: Height
    package var createdTime: Timestamp
    /// Both or none.
    package var revokedHeight: Height?
    package var revokedTime: Timestamp?

    package init(
        grant: AccessGrant,
        createdHeight: Height,
        createdTime: Timestamp,
        revokedHeight: Height? = nil,
        revokedTime: Timestamp? = nil
    ) {
        self.grant = grant
        self.createdHeight = createdHeight
        self.createdTime = createdTime
        self.revokedHeight = revokedHeight
        self.revokedTime = revokedTime
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
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.grant = try decoder.decode()
        self.createdHeight = try decoder.decode()
        self.createdTime = try decoder.decode()
        self.revokedHeight = try decoder.decodeOptional()
        self.revokedTime = try decoder.decodeOptional()
        guard (self.revokedHeight == nil) == (self.revokedTime == nil) else { throw .invalid }
    }
}

extension StateKey {
    package static func grant(_ id: GrantID) -> StateKey { StateKey(.grants, tag: 1, id) }

    package static func enrolment(_ key: VerifyingKey) -> StateKey { StateKey(.grants, tag: 2, key) }
}

extension StateReading {
    package func grant(_ id: GrantID) -> GrantState? { self.value(at: .grant(id)) }

    package func enrolment(_ key: VerifyingKey) -> Enrolment? { self.value(at: .enrolment(key)) }
}
