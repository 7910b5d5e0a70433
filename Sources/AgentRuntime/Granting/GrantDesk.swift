package import Ledger
import LedgerStore
package import Primitives
package import Records
import Vault

/// Prepares enrolments, grants and revocations, and lists what a patient has granted.
package struct GrantDesk: Sendable {
    /// Half a year, where nothing else was asked for.
    package static let periodDefaultMilliseconds: Int64 = 180 * 24 * 3600 * 1000

    /// What somebody asks to be granted.
    package struct Wish: Sendable {
        package var patient: String
        package var grantees: [String]
        package var custodians: [String]
        package var kinds: [String]
        package var items: [String]
        package var purpose: String
        package var examsFrom: Timestamp?
        package var examsUntil: Timestamp?
        package var notBefore: Timestamp?
        package var notAfter: Timestamp?
        package var leaseSeconds: UInt32
        package var grantor: Grantor
    }

    /// Who speaks for the patient.
    package enum Grantor: Sendable {
        case patient(VerifyingKey)
        /// This institution, with the digest of the evidence of consent.
        case witness(Digest)
    }

    /// A transaction's body with what it is about.
    package struct Prepared: Sendable {
        package var body: TransactionBody
        /// The handle, or the grant's id.
        package var subject: Digest
    }

    private let context: AgentContext
    private let desk: TransactionDesk
    private let judge: AccessJudge
    private let resolver: PatientResolver

    package init(context: AgentContext, desk: TransactionDesk, judge: AccessJudge, names: PseudonymDesk) {
        self.context = context
        self.desk = desk
        self.judge = judge
        self.resolver = PatientResolver(context: context, names: names)
    }

    package func enrolment(patient: String, key: VerifyingKey) async throws -> Prepared {
        let pseudonym = try await self.resolver.primary(patient)
        let salt = Self.random(count: Enrolment.saltBytes)
        let enrolment = Enrolment(
            key: key,
            institution: self.context.institution,
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            bucket: pseudonym.bucket
        )
        let signers: [Signer] = [.institution(self.context.institution), .key(key)]
        return Prepared(
            body: self.desk.body(.grants(.enrolPatient(enrolment)), signers: signers),
            subject: enrolment.handle.digest
        )
    }

    package func grant(_ wish: Wish) async throws -> Prepared {
        let pseudonym = try await self.resolver.primary(wish.patient)
        let salt = try self.salt(for: wish.grantor, pseudonym)
        let scope = try wish.scope()
        let notBefore = wish.notBefore ?? Clock.now
        let notAfter = wish.notAfter ?? notBefore.advanced(byMilliseconds: Self.periodDefaultMilliseconds)
        guard notBefore < notAfter else {
            throw AgentFailure(.badRequest, "the grant ends before it begins", hint: "Check --from and --until.")
        }
        let grant = AccessGrant(
            handle: pseudonym.handle(salt: salt),
            salt: salt,
            nonce: Self.random(count: 8).reduce(0) { $0 << 8 | UInt64($1) },
            bucket: pseudonym.bucket,
            custodians: try wish.custodians.map(self.institution),
            grantees: try wish.grantees.map(self.institution),
            scopeCommitment: scope.commitment(salt: salt),
            sealedScope: try PseudonymSealing.sealScope(scope, pseudonym: pseudonym, salt: salt),
            notBefore: notBefore,
            notAfter: notAfter,
            grantor: self.grantor(wish.grantor)
        )
        guard !grant.grantees.isEmpty, grant.grantees.count <= AccessGrant.granteesMax,
            grant.custodians.count <= AccessGrant.granteesMax
        else {
            throw AgentFailure(.badRequest, "a grant names 1 to \(AccessGrant.granteesMax) institutions that may read")
        }
        return Prepared(
            body: self.desk.body(.grants(.createGrant(grant)), signers: [Self.signer(grant.grantor)]),
            subject: grant.id.digest
        )
    }

    package func revocation(_ id: GrantID, by grantor: Grantor) throws -> Prepared {
        guard let state = self.context.board.tip.state.grant(id) else {
            throw AgentFailure(.grantUnknown, "the chain knows no such grant", hint: "List them: entente grants.")
        }
        let signer = Self.signer(state.grant.grantor)
        // The evidence need not be the same paper; that this institution witnessed the grant is what counts.
        guard signer == Self.signer(self.grantor(grantor)) else {
            throw AgentFailure(
                .transactionRefused,
                "the chain refuses: grant.wrong-signer",
                hint: "Only whoever made the grant can end it."
            )
        }
        return Prepared(body: self.desk.body(.grants(.revokeGrant(id)), signers: [signer]), subject: id.digest)
    }

    /// All grants about a person, newest last.
    package func grants(of patient: String) async throws -> [AccessJudge.Grant] {
        var seen: Set<GrantID> = []
        return try await self.resolver.pseudonyms(patient).flatMap { self.judge.grants(of: $0) }
            .filter { seen.insert($0.id).inserted }
            .sorted { ($0.state.createdHeight, $0.id) < ($1.state.createdHeight, $1.id) }
    }

    private func salt(for grantor: Grantor, _ pseudonym: PatientPseudonym) throws -> [UInt8] {
        guard case .patient(let key) = grantor else { return Self.random(count: AccessGrant.saltBytes) }
        guard let enrolment = self.context.board.tip.state.enrolment(key) else {
            throw AgentFailure(
                .enrolmentUnknown,
                "the key is not enrolled on this chain",
                hint: "Enrol it first: entente patient enroll."
            )
        }
        guard pseudonym.handle(salt: enrolment.salt) == enrolment.handle else {
            throw AgentFailure(
                .transactionRefused,
                "the key was enrolled for another patient",
                hint: "Check the identifier and the key file."
            )
        }
        return enrolment.salt
    }

    private func grantor(_ grantor: Grantor) -> AccessGrant.Grantor {
        switch grantor {
        case .patient(let key): .patient(key)
        case .witness(let evidence): .witness(self.context.institution, evidence: evidence)
        }
    }

    private static func signer(_ grantor: AccessGrant.Grantor) -> Signer {
        switch grantor {
        case .patient(let key): .key(key)
        case .witness(let institution, _): .institution(institution)
        }
    }

    private func institution(_ text: String) throws -> InstitutionID {
        guard let id = InstitutionID(text), self.context.board.tip.state.institution(id) != nil else {
            throw AgentFailure(
                .institutionUnknown,
                "an institution named in the grant is not a member of the chain",
                hint: "See entente status for the members."
            )
        }
        return id
    }

    private static func random(count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

extension GrantDesk.Wish {
    /// The scope that the wish means; whoever signs a grant makes it again and compares.
    func scope() throws(AgentFailure) -> GrantScope {
        let kinds = try self.kinds.map { name throws(AgentFailure) in
            guard let kind = ExamKind(rawValue: name) else {
                throw AgentFailure(
                    .badRequest,
                    "there is no kind of exam of this name",
                    hint: "Kinds: " + ExamKind.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            return kind
        }
        guard let purpose = PurposeOfUse(code: self.purpose) else {
            throw AgentFailure(
                .badRequest,
                "there is no purpose of use of this name",
                hint: "Purposes: " + PurposeOfUse.allCases.map(\.code).joined(separator: ", ")
            )
        }
        guard self.items.count <= GrantScope.itemsMax,
            self.items.allSatisfy({ (1...GrantScope.itemBytesMax).contains($0.utf8.count) })
        else {
            throw AgentFailure(.badRequest, "a grant names at most \(GrantScope.itemsMax) items, none over 48 bytes")
        }
        guard (1...GrantScope.leaseSecondsMax).contains(self.leaseSeconds) else {
            throw AgentFailure(.badRequest, "a lease is between a second and seven days")
        }
        return GrantScope(
            kinds: kinds,
            items: self.items,
            examsFrom: self.examsFrom,
            examsUntil: self.examsUntil,
            purpose: purpose,
            leaseSeconds: self.leaseSeconds
        )
    }
}
