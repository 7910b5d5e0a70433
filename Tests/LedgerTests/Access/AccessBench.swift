import Ledger
import Primitives
import Records

/// Groups, referrals, delegations and narrowings, as tests make them.
extension Bench {
    static func group(_ name: String) -> GroupID {
        guard let id = GroupID(name) else { preconditionFailure("\(name) is a name") }
        return id
    }

    static func referral(_ from: String, _ to: String, nonce: UInt64 = 1) -> Referral {
        Referral(from: institution(from), to: institution(to), nonce: nonce)
    }

    static func change(_ group: String, by signer: String, add: [String] = [], remove: [String] = []) -> LedgerCall {
        .grants(
            .changeGroup(
                GroupChange(
                    group: Self.group(group),
                    signer: institution(signer),
                    added: add.map(institution),
                    removed: remove.map(institution)
                )
            )
        )
    }

    static func narrowing(readers: [String] = [], custodians: [String] = []) -> Narrowing {
        Narrowing(
            withoutGrantees: readers.map(institution),
            withoutCustodians: custodians.map(institution),
            scopeCommitment: .zero,
            sealedScope: [UInt8](repeating: 3, count: AccessGrant.sealedScopeBytes)
        )
    }

    /// `patient` makes `delegate` a proxy, or institution `witness` does.
    func delegation(
        of patient: String,
        to delegate: String,
        witness: String? = nil,
        change: (inout Delegation) -> Void = { _ in }
    ) -> Delegation {
        let enrolment = self.enrolment(patient)
        var delegation = Delegation(
            handle: enrolment.handle,
            salt: enrolment.salt,
            bucket: enrolment.bucket,
            principal: witness.map { .witness(institution($0)) } ?? .patient(enrolment.key),
            delegate: TestKey(delegate).verifying,
            capacity: .proxy,
            scopeCommitment: .zero,
            sealedScope: [UInt8](repeating: 3, count: AccessGrant.sealedScopeBytes),
            notBefore: Timestamp(milliseconds: 0),
            notAfter: Timestamp(milliseconds: 1_000_000),
            evidence: .zero,
            nonce: 1
        )
        change(&delegation)
        return delegation
    }

    /// Enrols `patient` and `delegate`, and makes the delegation.
    mutating func delegate(of patient: String, to delegate: String) throws -> DelegationID {
        try self.enrol(patient)
        try self.enrol(delegate)
        let delegation = self.delegation(of: patient, to: delegate)
        let code = try self.code(.delegations(.create(delegation)), by: [patient])
        precondition(code == .ok, "\(code.name)")
        return delegation.id
    }

    /// A grant for `patient` by `delegate`.
    func grant(of patient: String, delegate: String, under id: DelegationID) -> AccessGrant {
        self.grant(of: patient) { $0.grantor = .delegate(TestKey(delegate).verifying, id) }
    }

    /// Creates the witnessed grant of `p1` and returns it.
    mutating func witnessedGrant() throws -> AccessGrant {
        let grant = self.grant(of: "p1", witness: "a")
        let code = try self.code(.grants(.createGrant(grant)), by: ["a"])
        precondition(code == .ok, "\(code.name)")
        return grant
    }
}
