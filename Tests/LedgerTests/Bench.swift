import Ledger
import Primitives
import Records
import TestSupport

func institution(_ name: String) -> InstitutionID {
    guard let id = InstitutionID(name) else { preconditionFailure("\(name) is a name") }
    return id
}

func patientHandle(_ name: String) -> PatientHandle { PatientHandle(Digest(hashing: Array("handle \(name)".utf8))) }

/// A chain of founding members whose blocks are built one on the other.
struct Bench {
    static let members = ["a", "b", "c", "d"]

    let genesis: Genesis
    let rules: LedgerRules
    var tip: ExecutedBlock

    init(parameters: ChainParameters = ChainParameters(), members: [String] = Self.members) {
        self.genesis = Genesis(
            suite: .international,
            parameters: parameters,
            pseudonymScheme: .thresholdOblivious,
            members: members.map { name in
                Genesis.Member(
                    card: Self.card(name)
                )
            }
        )
        self.rules = LedgerRules(genesis: self.genesis, validatorsHash: Digest(hashing: [1]))
        self.tip = self.rules.genesisBlock
    }

    static func card(_ name: String) -> InstitutionCard {
        InstitutionCard(
            id: institution(name),
            name: "Hospital \(name)",
            level: "3A",
            area: "330100",
            role: .validator,
            address: "127.0.0.1:7001",
            signingKey: TestKey(name).verifying,
            encryptionKey: [UInt8](repeating: 9, count: InstitutionCard.encryptionKeyBytes),
            transportKeyDigest: Digest(hashing: Array("transport \(name)".utf8))
        )
    }

    /// A transaction by these signers: `a` … `d` are the institutions, every other name is a patient's key.
    func transaction(
        _ call: LedgerCall,
        by signers: [String],
        validUntil: UInt64? = nil,
        change: (inout TransactionBody) -> Void = { _ in }
    ) -> Transaction {
        var body = TransactionBody(
            chain: self.rules.chain,
            call: call,
            validUntil: Height(validUntil ?? self.tip.header.height.value + 10),
            signers: signers.map(Self.signer)
        )
        change(&body)
        let message = body.signedBytes
        let signatures = body.signers.map { signer in
            let name = signers.first { Self.signer($0) == signer } ?? ""
            return TestKey(name).sign(message)
        }
        return Transaction(body: body, signatures: signatures)
    }

    static func signer(_ name: String) -> Signer {
        // Names of one letter, or m and digits, are institutions, also those that are no members.
        name.count == 1 || name.first == "m" && name.dropFirst().allSatisfy(\.isNumber)
            ? .institution(institution(name)) : .key(TestKey(name).verifying)
    }

    func position(time: Int64? = nil, view: UInt64? = nil) -> BlockPosition {
        BlockPosition(
            epoch: Epoch(0),
            view: View(view ?? self.tip.header.view.value + 1),
            time: Timestamp(milliseconds: time ?? self.tip.header.time.milliseconds + 1000),
            proposer: 0,
            justificationHash: .zero
        )
    }

    /// Builds a block of these transactions, has it executed as a stranger's, and makes it the tip.
    @discardableResult
    mutating func block(_ transactions: [Transaction], time: Int64? = nil) throws -> ExecutedBlock {
        let built = self.rules.build(
            on: self.tip,
            at: self.position(time: time),
            candidates: transactions,
            isSignatureKnown: { _ in false }
        )
        let body = try BlockBody(canonicalBytes: built.body.canonicalBytes)
        let header = try BlockHeader(canonicalBytes: built.header.canonicalBytes)
        self.tip = try self.rules.execute(header: header, body: body, on: self.tip, isSignatureKnown: { _ in false })
        precondition(self.tip.hash == built.hash, "building and executing agree")
        return self.tip
    }

    /// Executes one transaction in a block of its own; its code, from admission or from its receipt.
    mutating func code(_ transaction: Transaction) throws -> TransactionCode {
        let refusal = self.rules.admission(
            of: transaction,
            at: self.tip.header.height.next,
            in: self.tip.state,
            isSignatureKnown: false
        )
        if case .failure(let refusal) = refusal { return refusal.code }
        return try self.block([transaction]).receipts[0].code
    }

    mutating func code(_ call: LedgerCall, by signers: [String]) throws -> TransactionCode {
        try self.code(self.transaction(call, by: signers))
    }

    /// Enrols the key `patient`, as institution `a` does.
    func enrolment(_ patient: String) -> Enrolment {
        Enrolment(
            key: TestKey(patient).verifying,
            institution: institution("a"),
            handle: patientHandle(patient),
            salt: Array(Digest(hashing: Array(patient.utf8)).bytes.prefix(16)),
            bucket: 5
        )
    }

    /// A grant to `b` signed by the patient's key, or by `witness`.
    func grant(
        of patient: String,
        witness: String? = nil,
        nonce: UInt64 = 0,
        change: (inout AccessGrant) -> Void = { _ in }
    ) -> AccessGrant {
        let enrolment = self.enrolment(patient)
        var grant = AccessGrant(
            handle: enrolment.handle,
            salt: enrolment.salt,
            nonce: nonce,
            bucket: enrolment.bucket,
            custodians: [],
            grantees: [institution("b")],
            scopeCommitment: GrantScope().commitment(salt: enrolment.salt),
            sealedScope: [UInt8](repeating: 3, count: AccessGrant.sealedScopeBytes),
            notBefore: Timestamp(milliseconds: 0),
            notAfter: Timestamp(milliseconds: 1_000_000),
            grantor: witness.map { .witness(institution($0), evidence: .zero) } ?? .patient(enrolment.key)
        )
        change(&grant)
        return grant
    }

    func batch(_ institutionName: String, _ number: UInt64, previous: Digest = .zero, count: UInt32 = 10) -> BatchAnchor
    {
        BatchAnchor(
            institution: institution(institutionName),
            number: number,
            previous: previous,
            count: count,
            root: Digest(hashing: [UInt8(truncatingIfNeeded: number)]),
            manifest: ContentAddress(Digest(hashing: [2]))
        )
    }
}
