import Ledger
package import Primitives
package import Records
import Vault

/// Prepares what stands beside grants: partial revocations, delegations, and the choice not to be listed.
extension GrantDesk {
    /// What remains of a grant.
    package struct Remainder: Sendable {
        package var patient: String
        package var withoutGrantees: [String]
        package var withoutCustodians: [String]
        package var kinds: [String]
        package var items: [String]
        package var examsFrom: Timestamp?
        package var examsUntil: Timestamp?
        package var hidden: [String]
        package var withoutSensitive: [String]
    }

    /// What a delegate may do.
    package struct Appointment: Sendable {
        package var patient: String
        /// `nil` means that this institution appoints, with evidence.
        package var principal: VerifyingKey?
        package var delegate: VerifyingKey
        package var capacity: String
        package var kinds: [String]
        package var items: [String]
        package var examsFrom: Timestamp?
        package var examsUntil: Timestamp?
        package var purpose: String
        package var sensitive: [String]
        package var hidden: [String]
        package var notBefore: Timestamp?
        package var notAfter: Timestamp?
        package var evidence: Digest
        /// `YYYY-MM-DD`; empty unless a guardian is appointed.
        package var birthDate: String
    }

    package func narrowing(_ id: GrantID, to rest: Remainder, by signer: VerifyingKey?) async throws -> Prepared {
        let (state, signer) = try self.endable(id, by: signer)
        let pseudonym = try await self.resolver.pseudonyms(rest.patient).first {
            $0.handle(salt: state.grant.salt) == state.grant.handle
        }
        guard let pseudonym, let terms = self.judge.grants(of: pseudonym).first(where: { $0.id == id }) else {
            throw Self.unknownGrant
        }
        let scope = try rest.scope(of: terms.scope)
        let narrowing = Narrowing(
            withoutGrantees: try rest.withoutGrantees.map(self.institution),
            withoutCustodians: try rest.withoutCustodians.map(self.institution),
            scopeCommitment: scope.commitment(salt: state.grant.salt),
            sealedScope: try PseudonymSealing.sealScope(scope, pseudonym: pseudonym, salt: state.grant.salt)
        )
        guard narrowing.withoutGrantees.count <= Narrowing.institutionsMax,
            narrowing.withoutCustodians.count <= Narrowing.institutionsMax
        else {
            throw AgentFailure(.badRequest, "a grant is narrowed by at most \(Narrowing.institutionsMax) institutions")
        }
        let body = self.desk.body(.grants(.narrowGrant(id, narrowing)), signers: [signer])
        return Prepared(body: body, subject: id.digest)
    }

    package func delegation(_ wish: Appointment) async throws -> Prepared {
        let pseudonym = try await self.resolver.primary(wish.patient)
        guard let capacity = Delegation.Capacity(name: wish.capacity) else {
            throw AgentFailure(
                .badRequest,
                "there is no such capacity",
                hint: "Capacities: " + Delegation.Capacity.allCases.map(\.name).joined(separator: ", ")
            )
        }
        let salt =
            try wish.principal.map { try self.salt(of: $0, pseudonym) }
            ?? Self.random(count: AccessGrant.saltBytes)
        let scope = try wish.scope(salt: salt)
        let notBefore = wish.notBefore ?? Clock.now
        let end = wish.notAfter ?? notBefore.advanced(byMilliseconds: Self.periodDefaultMilliseconds)
        // A guardian's word lapses with the child's age, without anybody's doing.
        let notAfter = try wish.guardianEnds(capacity, at: notBefore).map { min($0, end) } ?? end
        guard notBefore < notAfter else {
            throw AgentFailure(.badRequest, "the delegation ends before it begins", hint: "Check --from and --until.")
        }
        guard self.context.board.tip.state.enrolment(wish.delegate) != nil else {
            throw AgentFailure(
                .enrolmentUnknown,
                "the delegate's key is not enrolled on this chain",
                hint: "Enrol it for that person first: entente patient enroll."
            )
        }
        let delegation = Delegation(
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            bucket: pseudonym.bucket,
            principal: wish.principal.map(Delegation.Principal.patient) ?? .witness(self.context.institution),
            delegate: wish.delegate,
            capacity: capacity,
            scopeCommitment: scope.commitment(salt: salt),
            sealedScope: try PseudonymSealing.sealScope(scope, pseudonym: pseudonym, salt: salt),
            notBefore: notBefore,
            notAfter: notAfter,
            evidence: wish.evidence,
            nonce: Self.random(count: 8).reduce(0) { $0 << 8 | UInt64($1) }
        )
        let signer = wish.principal.map(Signer.key) ?? .institution(self.context.institution)
        return Prepared(
            body: self.desk.body(.delegations(.create(delegation)), signers: [signer]),
            subject: delegation.id.digest
        )
    }

    package func delegationEnd(_ id: DelegationID, by key: VerifyingKey?) throws -> Prepared {
        let ledger = self.context.board.tip.state
        let signer = key.map(Signer.key) ?? .institution(self.context.institution)
        guard let state = ledger.delegation(id),
            Self.mayEnd(state.delegation, signer: signer, handle: key.flatMap { ledger.enrolment($0)?.handle })
        else { throw Self.unknownDelegation }
        let body = self.desk.body(.delegations(.end(id)), signers: [signer])
        return Prepared(body: body, subject: id.digest, doneHeight: state.endedHeight)
    }

    /// As the chain judges it: who appointed, who was appointed, and every key of the patient.
    private static func mayEnd(_ delegation: Delegation, signer: Signer, handle: PatientHandle?) -> Bool {
        switch (delegation.principal, signer) {
        case (.witness(let institution), .institution(let signing)): institution == signing
        case (.patient(let principal), .key(let key)) where principal == key: true
        case (_, .key(let key)): key == delegation.delegate || handle == delegation.handle
        case (.patient, .institution): false
        }
    }

    /// `key`: the patient's; `nil` means that this institution witnesses the choice.
    package func discovery(of patient: String, isHidden: Bool, by key: VerifyingKey?) async throws -> Prepared {
        let pseudonym = try await self.resolver.primary(patient)
        // One standing choice for each speaker: an institution's is always under the same salt.
        let salt = try key.map { try self.salt(of: $0, pseudonym) } ?? self.discoverySalt
        let choice = DiscoveryChoice(
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            bucket: pseudonym.bucket,
            isHidden: isHidden,
            principal: key.map(Delegation.Principal.patient) ?? .witness(self.context.institution)
        )
        let signer = key.map(Signer.key) ?? .institution(self.context.institution)
        return Prepared(
            body: self.desk.body(.grants(.chooseDiscovery(choice)), signers: [signer]),
            subject: choice.handle.digest
        )
    }

    private var discoverySalt: [UInt8] {
        let bytes = Array("discovery-salt/1".utf8) + Array(self.context.institution.text.utf8)
        return Array(Digest(hashing: bytes).bytes.prefix(AccessGrant.saltBytes))
    }
}

extension GrantDesk.Remainder {
    /// The scope that must cover an exam as well as `original`.
    func scope(of original: GrantScope) throws(AgentFailure) -> GrantScope {
        for list in [self.items, self.hidden] {
            guard list.count <= GrantScope.itemsMax,
                list.allSatisfy({ (1...GrantScope.itemBytesMax).contains($0.utf8.count) })
            else {
                throw AgentFailure(.badRequest, "at most \(GrantScope.itemsMax) items are named, none over 48 bytes")
            }
        }
        let gone = try GrantDesk.Wish.classes(self.withoutSensitive)
        return GrantScope(
            kinds: try GrantDesk.Wish.kinds(self.kinds),
            items: self.items,
            examsFrom: self.examsFrom,
            examsUntil: self.examsUntil,
            purpose: original.purpose,
            leaseSeconds: original.leaseSeconds,
            sensitive: original.sensitive.filter { !gone.contains($0) },
            hidden: self.hidden
        )
    }
}

extension GrantDesk.Appointment {
    /// When a guardian's delegation lapses; `nil` where nobody is a guardian.
    func guardianEnds(_ capacity: Delegation.Capacity, at time: Timestamp) throws(AgentFailure) -> Timestamp? {
        guard capacity == .guardian else {
            guard self.birthDate.isEmpty else {
                throw AgentFailure(.badRequest, "a date of birth belongs to a guardian's delegation")
            }
            return nil
        }
        let parts = self.birthDate.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard parts.count == 3, let birth = GregorianDate(year: parts[0], month: parts[1], day: parts[2]) else {
            throw AgentFailure(
                .badRequest,
                "the child's date of birth is needed to appoint a guardian",
                hint: "Give --birth-date YYYY-MM-DD."
            )
        }
        guard self.sensitive.isEmpty else {
            throw AgentFailure(
                .badRequest,
                "exams of sensitive classes are not a guardian's to grant",
                hint: "The young person grants them."
            )
        }
        guard let ends = MinorRule.guardianEnds(born: birth, at: time) else {
            throw AgentFailure(.badRequest, "the patient is of age and decides alone", hint: "Use --capacity proxy.")
        }
        return ends
    }

    func scope(salt: [UInt8]) throws(AgentFailure) -> GrantScope {
        // The delegate's grants choose their own lease; this one must not be the shorter.
        let wish = GrantDesk.Wish(
            patient: self.patient,
            grantees: [],
            custodians: [],
            kinds: self.kinds,
            items: self.items,
            purpose: self.purpose,
            examsFrom: self.examsFrom,
            examsUntil: self.examsUntil,
            leaseSeconds: GrantScope.leaseSecondsMax,
            sensitive: self.sensitive,
            hidden: self.hidden,
            grantor: .witness(self.evidence)
        )
        return try wish.scope(salt: salt)
    }
}
