import AgentCore
import Consensus
import Ledger
import Primitives
import Records

func institution(_ name: String) -> InstitutionID {
    guard let id = InstitutionID(name) else { preconditionFailure("\(name) is a name") }
    return id
}

/// A story that ends in an evidence file: `a` commits a batch, `b` reads one of its records under a grant.
///
/// Every part can be told differently before it is signed.
struct EvidenceBench {
    static let members = ["a", "b", "c", "d"]

    var content = RecordContent(format: .fhirR4JSON, parts: [.init(type: "DiagnosticReport", bytes: [1, 2, 3, 4])])
        .canonicalBytes
    var scope = GrantScope(kinds: [.laboratory], items: ["718-7"])
    var leafCount = 5
    /// Number of the batch; only 0 is right.
    var batchNumber: UInt64 = 0
    var isCommitmentLast = false
    var revokedAtHeight: UInt64?
    var isOwn = false
    var finalizers = ["a", "b", "d"]
    var grant: (inout AccessGrant) -> Void = { _ in }
    var credential: (inout ClinicianCredential) -> Void = { _ in }
    var request: (inout FetchRequest) -> Void = { _ in }
    var receipt: (inout FetchReceipt) -> Void = { _ in }

    static let genesis = Genesis(
        suite: .international,
        parameters: ChainParameters(),
        pseudonymScheme: .thresholdOblivious,
        members: members.map { name in
            Genesis.Member(
                card: InstitutionCard(
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
            )
        }
    )

    static let validators: ValidatorSet = {
        guard
            let set = ValidatorSet(
                genesis.validators.map { Validator(id: $0.id, key: $0.signingKey) }
            )
        else { preconditionFailure("four founders are a validator set") }
        return set
    }()

    static let chain = genesis.chain
    private static let salt = [UInt8](repeating: 0x5a, count: RecordContent.saltBytes)
    static let record = ContentAddress(Digest(hashing: Array("sealed record".utf8)))

    static func transaction(_ call: LedgerCall, by signer: String) -> Transaction {
        let body = TransactionBody(
            chain: chain,
            call: call,
            validUntil: Height(100),
            signers: [.institution(institution(signer))]
        )
        return Transaction(body: body, signatures: [TestKey(signer).sign(body.signedBytes)])
    }

    private var leaves: [ExamLeaf] {
        (0..<self.leafCount).map { index in
            ExamLeaf(
                record: index == 3 ? Self.record : ContentAddress(Digest(hashing: [UInt8(truncatingIfNeeded: index)])),
                sealedBytes: 4096,
                commitment: RecordContent.commitment(
                    suite: .international,
                    salt: Self.salt,
                    canonicalContent: self.content
                ),
                locatorDigest: Digest(hashing: [9]),
                supersedes: nil
            )
        }
    }

    /// The grant by witness `c` of `a`'s exams to `b`.
    var accessGrant: AccessGrant {
        let salt = [UInt8](repeating: 0x33, count: AccessGrant.saltBytes)
        var grant = AccessGrant(
            handle: PatientHandle(Digest(hashing: Array("handle".utf8))),
            salt: salt,
            nonce: 1,
            bucket: 7,
            custodians: [institution("a")],
            grantees: [institution("b")],
            scopeCommitment: self.scope.commitment(salt: salt),
            sealedScope: [UInt8](repeating: 4, count: AccessGrant.sealedScopeBytes),
            notBefore: Timestamp(milliseconds: 0),
            notAfter: Timestamp(milliseconds: 1_000_000),
            grantor: .witness(institution("c"), evidence: Digest(hashing: [8]))
        )
        self.grant(&grant)
        return grant
    }

    func signedReceipt(grant: GrantID?) -> FetchReceipt {
        let reader = self.isOwn ? "a" : "b"
        let clinician = TestKey("clinician")
        var credential = ClinicianCredential(
            institution: institution(reader),
            clinician: "007",
            name: "Li",
            department: "Cardiology",
            key: clinician.verifying,
            issuedAt: Timestamp(milliseconds: 100),
            expiresAt: Timestamp(milliseconds: 900_000),
            signature: TestKey.blank
        )
        self.credential(&credential)
        if credential.signature == TestKey.blank {
            credential.signature = TestKey(reader).sign(credential.signedBytes(chain: Self.chain))
        }
        var request = FetchRequest(
            record: Self.record,
            purpose: .treatment,
            nonce: [UInt8](repeating: 1, count: FetchRequest.nonceBytes),
            credential: credential.id
        )
        self.request(&request)
        var receipt = FetchReceipt(
            institution: institution(reader),
            request: request,
            requestSignature: clinician.sign(request.signedBytes(chain: Self.chain)),
            credential: credential,
            custodian: institution("a"),
            grant: grant,
            height: Height(5),
            time: Timestamp(milliseconds: 5500),
            signature: TestKey.blank
        )
        self.receipt(&receipt)
        if receipt.signature == TestKey.blank {
            receipt.signature = TestKey(reader).sign(receipt.signedBytes(chain: Self.chain))
        }
        return receipt
    }

    /// Runs the story: the grant in block 1, the batch in block 2 (or 5), the tip at 5.
    func file() -> EvidenceFile? {
        let rules = LedgerRules(genesis: Self.genesis, validatorsHash: Self.validators.hash)
        let grant = self.accessGrant
        let commit = Self.transaction(
            .commitments(
                .commitExams(
                    BatchAnchor(
                        institution: institution("a"),
                        number: self.batchNumber,
                        previous: .zero,
                        count: UInt32(self.leafCount),
                        root: MerkleTree.root(self.leaves.map(\.leafHash)),
                        manifest: ContentAddress(Digest(hashing: [2]))
                    )
                )
            ),
            by: "a"
        )
        var blocks = [rules.genesisBlock]
        for height in 1...5 as ClosedRange<UInt64> {
            var transactions = ["b", "c"].map { name in
                Self.transaction(
                    .institutions(.changeAddress(institution(name), address: "\(name).example:\(height)")),
                    by: name
                )
            }
            if height == 1 { transactions.append(Self.transaction(.grants(.createGrant(grant)), by: "c")) }
            if height == (self.isCommitmentLast ? 5 : 2) { transactions.insert(commit, at: 1) }
            if height == self.revokedAtHeight {
                transactions.append(Self.transaction(.grants(.revokeGrant(grant.id)), by: "c"))
            }
            let position = BlockPosition(
                epoch: Epoch(0),
                view: View(height + 2),
                time: Timestamp(milliseconds: Int64(height) * 1000),
                proposer: 0,
                justificationHash: .zero
            )
            blocks.append(
                rules.build(on: blocks[blocks.count - 1], at: position, candidates: transactions) { _ in true }
            )
        }
        let tip = blocks[5]
        let block = blocks[self.isCommitmentLast ? 5 : 2]
        guard case .commitments(.commitExams(let anchor)) = try? LedgerCall(of: commit.body) else { return nil }
        return EvidenceFile(
            receipt: self.signedReceipt(grant: self.isOwn ? nil : grant.id),
            content: self.content,
            salt: Self.salt,
            suite: .international,
            leaves: self.leaves,
            batch: BatchState(
                anchor: anchor,
                transaction: commit.id,
                height: block.header.height,
                time: block.header.time
            ),
            block: EvidenceBlock(header: block.header, body: block.body, receipts: block.receipts),
            scope: self.isOwn ? nil : self.scope,
            tip: EvidenceTip(
                header: tip.header,
                finalization: self.finalization(of: tip),
                state: tip.state,
                ancestors: blocks.dropLast().map(\.hash)
            )
        )
    }

    func finalization(of block: ExecutedBlock) -> Certificate {
        let body = VoteBody.finalize(block.hash, view: block.header.view, epoch: Epoch(0))
        var signers: UInt64 = 0
        for name in self.finalizers {
            guard let index = Self.validators.index(of: institution(name)) else { continue }
            signers |= 1 << UInt64(index)
        }
        return Certificate(
            body: body,
            signers: signers,
            signatures: self.finalizers.map { TestKey($0).sign(body.signedBytes(chain: Self.chain)) }
        )
    }
}
