import Ledger
import Primitives
import Records
import Testing

@Suite("Every refusal code has a way to it")
struct RefusalCodeTests {
    typealias Scenario = @Sendable (inout Bench) throws -> TransactionCode

    /// One story for each code.
    static let scenarios: [TransactionCode: Scenario] = [
        .malformed: { _ in
            do {
                _ = try Transaction(canonicalBytes: [1, 2, 3])
                return .ok
            } catch {
                return .malformed
            }
        },
        .tooLarge: { bench in
            try bench.code(
                bench.transaction(.grants(.revokeGrant(GrantID(.zero))), by: ["a"]) {
                    $0.payload = [UInt8](repeating: 0, count: 70_000)
                }
            )
        },
        .wrongVersion: { bench in
            try bench.code(bench.transaction(.grants(.revokeGrant(GrantID(.zero))), by: ["a"]) { $0.version = 2 })
        },
        .wrongChain: { bench in
            try bench.code(
                bench.transaction(.grants(.revokeGrant(GrantID(.zero))), by: ["a"]) { $0.chain = ChainID(.zero) }
            )
        },
        .unknownModule: { bench in
            try bench.code(
                bench.transaction(.grants(.revokeGrant(GrantID(.zero))), by: ["a"]) { $0.module = ModuleID(99) }
            )
        },
        .badPayload: { bench in
            try bench.code(bench.transaction(.grants(.revokeGrant(GrantID(.zero))), by: ["a"]) { $0.payload += [0] })
        },
        .expired: { bench in
            try bench.block([])
            return try bench.code(
                bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"], validUntil: 1)
            )
        },
        .validTooLong: { bench in
            try bench.code(
                bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"], validUntil: 1001)
            )
        },
        .replayed: { bench in
            let transaction = bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"])
            try bench.block([transaction])
            return try bench.code(transaction)
        },
        .unknownSigner: { bench in
            try bench.code(.grants(.createGrant(bench.grant(of: "stranger"))), by: ["stranger"])
        },
        .badSignature: { bench in
            let good = bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"])
            let forged = TestKey("b").sign(good.body.signedBytes)
            return try bench.code(Transaction(body: good.body, signatures: [forged]))
        },
        .alreadyPending: { bench in
            var pool = Mempool()
            let transaction = bench.transaction(.commitments(.commitExams(bench.batch("a", 0))), by: ["a"])
            _ = pool.insert(transaction)
            return pool.insert(transaction)?.code ?? .ok
        },
        .poolFull: { bench in
            var pool = Mempool()
            var last: TransactionCode = .ok
            for signer in ["a", "b", "c", "d", "patient"] {
                for number in 0..<UInt64(Mempool.countMax / 4) {
                    let transaction = bench.unsigned(.commitments(.commitExams(bench.batch("a", number))), by: signer)
                    last = pool.insert(transaction)?.code ?? .ok
                    guard last == .ok else { return last }
                }
            }
            return last
        },
        .signerShareFull: { bench in
            var pool = Mempool()
            var last: TransactionCode = .ok
            for number in 0...UInt64(Mempool.countMax / 4) {
                last =
                    pool.insert(bench.unsigned(.commitments(.commitExams(bench.batch("a", number))), by: "a"))?.code
                    ?? .ok
            }
            return last
        },
        .overMeter: { bench in
            var context = bench.context(.chain)
            do throws(TransactionRefusal) {
                for _ in 0...ExecutionContext.readsMax { _ = try context.exists(.institutionIDs) }
                return .ok
            } catch {
                return error.code
            }
        },
        .institutionWrongSigner: { bench in
            try bench.code(.institutions(.changeAddress(institution("a"), address: "a.example:1")), by: ["b"])
        },
        .institutionUnknown: { bench in
            try bench.code(
                InstitutionsCall.changeAddress(institution("x"), address: "a.example:1"),
                signers: [.institution(institution("x"))]
            )
        },
        .institutionBadAddress: { bench in
            try bench.code(.institutions(.changeAddress(institution("a"), address: "no port")), by: ["a"])
        },
        .institutionTransportKeyInUse: { bench in
            let used = Bench.card("b").transportKeyDigest
            return try bench.code(
                .institutions(.rotateTransportKey(institution("a"), digest: used, oldUntil: Height(10))),
                by: ["a"]
            )
        },
        .institutionTooManyTransportKeys: { bench in
            var last = TransactionCode.ok
            for number in 0..<UInt8(4) {
                let digest = Digest(hashing: [number])
                last = try bench.code(
                    .institutions(.rotateTransportKey(institution("a"), digest: digest, oldUntil: Height(50))),
                    by: ["a"]
                )
            }
            return last
        },
        .institutionBadOverlap: { bench in
            try bench.code(
                .institutions(.rotateTransportKey(institution("a"), digest: .zero, oldUntil: Height(.max))),
                by: ["a"]
            )
        },
        .commitWrongSigner: { bench in try bench.code(.commitments(.commitExams(bench.batch("a", 0))), by: ["b"]) },
        .commitUnknownInstitution: { bench in
            try bench.code(
                CommitmentsCall.commitExams(bench.batch("x", 0)),
                signers: [.institution(institution("x"))]
            )
        },
        .commitWrongNumber: { bench in try bench.code(.commitments(.commitExams(bench.batch("a", 1))), by: ["a"]) },
        .commitWrongPrevious: { bench in
            try bench.code(.commitments(.commitExams(bench.batch("a", 0, previous: Digest(hashing: [])))), by: ["a"])
        },
        .commitBadCount: { bench in
            try bench.code(.commitments(.commitExams(bench.batch("a", 0, count: 4097))), by: ["a"])
        },
        .enrolmentWrongSigner: { bench in
            try bench.code(.grants(.enrolPatient(bench.enrolment("patient"))), by: ["a"])
        },
        .enrolmentUnknownInstitution: { bench in
            var enrolment = bench.enrolment("patient")
            enrolment.institution = institution("x")
            return try bench.code(
                GrantsCall.enrolPatient(enrolment),
                signers: [.institution(institution("x")), Bench.signer("patient")]
            )
        },
        .enrolmentExists: { bench in
            try bench.enrol("patient")
            return try bench.code(.grants(.enrolPatient(bench.enrolment("patient"))), by: ["a", "patient"])
        },
        .grantWrongSigner: { bench in
            try bench.enrol("patient")
            return try bench.code(.grants(.createGrant(bench.grant(of: "patient"))), by: ["a"])
        },
        .grantNotPatientKey: { bench in
            var grant = bench.grant(of: "patient")
            grant.grantor = .patient(TestKey("other").verifying)
            return try bench.code(GrantsCall.createGrant(grant), signers: [Bench.signer("other")])
        },
        .grantWrongPatient: { bench in
            try bench.enrol("patient")
            try bench.enrol("victim")
            let grant = bench.grant(of: "victim") { $0.grantor = .patient(TestKey("patient").verifying) }
            return try bench.code(.grants(.createGrant(grant)), by: ["patient"])
        },
        .grantUnknownWitness: { bench in
            try bench.code(
                GrantsCall.createGrant(bench.grant(of: "patient", witness: "x")),
                signers: [.institution(institution("x"))]
            )
        },
        .grantSelfWitness: { bench in
            bench = Bench(parameters: ChainParameters(allowsSelfWitnessedGrants: false))
            return try bench.code(.grants(.createGrant(bench.grant(of: "patient", witness: "b"))), by: ["b"])
        },
        .grantNoGrantee: { bench in
            try bench.code(.grants(.createGrant(bench.grant(of: "p1", witness: "a") { $0.grantees = [] })), by: ["a"])
        },
        .grantUnknownGrantee: { bench in
            let grant = bench.grant(of: "p1", witness: "a") { $0.grantees = [institution("x")] }
            return try bench.code(.grants(.createGrant(grant)), by: ["a"])
        },
        .grantUnknownCustodian: { bench in
            let grant = bench.grant(of: "p1", witness: "a") { $0.custodians = [institution("x")] }
            return try bench.code(.grants(.createGrant(grant)), by: ["a"])
        },
        .grantBadPeriod: { bench in
            let grant = bench.grant(of: "p1", witness: "a") {
                $0.notBefore = Timestamp(milliseconds: .min)
                $0.notAfter = Timestamp(milliseconds: .max)
            }
            return try bench.code(.grants(.createGrant(grant)), by: ["a"])
        },
        .grantOver: { bench in
            let grant = bench.grant(of: "p1", witness: "a") { $0.notAfter = Timestamp(milliseconds: 1000) }
            return try bench.code(.grants(.createGrant(grant)), by: ["a"])
        },
        .grantBadScope: { bench in
            let grant = bench.grant(of: "p1", witness: "a") { $0.sealedScope = [] }
            return try bench.code(.grants(.createGrant(grant)), by: ["a"])
        },
        .grantExists: { bench in
            let grant = bench.grant(of: "p1", witness: "a")
            try bench.block([bench.transaction(.grants(.createGrant(grant)), by: ["a"])])
            return try bench.code(.grants(.createGrant(grant)), by: ["a"])
        },
        .grantUnknown: { bench in try bench.code(.grants(.revokeGrant(GrantID(.zero))), by: ["a"]) },
        .grantAlreadyRevoked: { bench in
            let grant = bench.grant(of: "p1", witness: "a")
            try bench.block([bench.transaction(.grants(.createGrant(grant)), by: ["a"])])
            try bench.block([bench.transaction(.grants(.revokeGrant(grant.id)), by: ["a"])])
            return try bench.code(.grants(.revokeGrant(grant.id)), by: ["a"])
        },
        .receiptsWrongSigner: { bench in try bench.code(.receipts(.anchorReceipts(bench.batch("a", 0))), by: ["b"]) },
        .receiptsUnknownInstitution: { bench in
            try bench.code(
                ReceiptsCall.anchorReceipts(bench.batch("x", 0)),
                signers: [.institution(institution("x"))]
            )
        },
        .receiptsWrongNumber: { bench in try bench.code(.receipts(.anchorReceipts(bench.batch("a", 7))), by: ["a"]) },
        .receiptsWrongPrevious: { bench in
            try bench.code(.receipts(.anchorReceipts(bench.batch("a", 0, previous: Digest(hashing: [])))), by: ["a"])
        },
        .receiptsBadCount: { bench in
            try bench.code(.receipts(.anchorReceipts(bench.batch("a", 0, count: 0))), by: ["a"])
        },
        .anomaliesWrongSigner: { bench in try bench.code(.anomalies(.report(bench.report("a", 0))), by: ["b"]) },
        .anomaliesUnknownInstitution: { bench in
            try bench.code(AnomaliesCall.report(bench.report("x", 0)), signers: [.institution(institution("x"))])
        },
        .anomaliesWrongNumber: { bench in try bench.code(.anomalies(.report(bench.report("a", 1))), by: ["a"]) },
        .anomaliesWrongPrevious: { bench in
            try bench.code(.anomalies(.report(bench.report("a", 0, previous: Digest(hashing: [])))), by: ["a"])
        },
        .anomaliesBadCount: { bench in
            let many = (0...AnomalyReport.anomaliesMax).map { bench.anomaly($0) }
            return try bench.code(.anomalies(.report(bench.report("a", 0, anomalies: many))), by: ["a"])
        },
        .anomaliesMalformed: { bench in
            try bench.code(
                .anomalies(.report(bench.report("a", 0, anomalies: [bench.anomaly(0, records: 0)]))),
                by: ["a"]
            )
        },
        .policyWrongSigner: { bench in try bench.propose(bench.proposal("a"), by: "b") },
        .policyUnknownInstitution: { bench in
            try bench.code(PoliciesCall.propose(bench.proposal("x")), signers: [.institution(institution("x"))])
        },
        .policyBadVersion: { bench in
            try bench.adopt(version: 3)
            return try bench.propose(bench.proposal("b", version: 3))
        },
        .policyWrongPrevious: { bench in
            var proposal = bench.proposal("a")
            proposal.previous = Digest(hashing: [])
            return try bench.propose(proposal)
        },
        .policyBadSize: { bench in
            var proposal = bench.proposal("a")
            proposal.byteCount = UInt32(PolicyProposal.chunkBytes) + 1
            return try bench.propose(proposal)
        },
        .policyBadTerms: { bench in
            try bench.propose(bench.proposal("a", effectiveFrom: 3 * 366 * 86_400_000))
        },
        .policyUnknownProposal: { bench in try bench.approve(bench.proposal("a"), by: "b") },
        .policyBadChunk: { bench in
            let proposal = bench.proposal("a")
            _ = try bench.propose(proposal)
            return try bench.publish(proposal, Bench.packBytes(100, seed: 2), 0)
        },
        .policyChunkExists: { bench in
            let proposal = bench.proposal("a")
            _ = try bench.propose(proposal)
            try bench.publish(proposal, Bench.packBytes(100))
            return try bench.publish(proposal, Bench.packBytes(100), 0)
        },
        .policyIncomplete: { bench in
            let proposal = bench.proposal("a")
            _ = try bench.propose(proposal)
            return try bench.approve(proposal, by: "b")
        },
        .policyAlreadyApproved: { bench in
            let proposal = bench.proposal("a")
            _ = try bench.propose(proposal)
            try bench.publish(proposal, Bench.packBytes(100))
            return try bench.approve(proposal, by: "a")
        },
        .policyProposalExists: { bench in
            _ = try bench.propose(bench.proposal("a"))
            return try bench.propose(bench.proposal("a"))
        },
        .factsWrongSigner: { bench in try bench.code(.recognition(.anchorFacts(bench.batch("a", 0))), by: ["b"]) },
        .factsUnknownInstitution: { bench in
            try bench.code(
                RecognitionCall.anchorFacts(bench.batch("x", 0)),
                signers: [.institution(institution("x"))]
            )
        },
        .factsWrongNumber: { bench in try bench.code(.recognition(.anchorFacts(bench.batch("a", 2))), by: ["a"]) },
        .factsWrongPrevious: { bench in
            try bench.code(.recognition(.anchorFacts(bench.batch("a", 0, previous: Digest(hashing: [])))), by: ["a"])
        },
        .factsBadCount: { bench in
            try bench.code(.recognition(.anchorFacts(bench.batch("a", 0, count: 1025))), by: ["a"])
        },
    ]

    private static let stories = Self.scenarios
        .merging(AccessCodes.scenarios) { own, _ in own }
        .merging(EmergencyTests.scenarios) { own, _ in own }
        .merging(EmergencyOfflineTests.scenarios) { own, _ in own }
        .merging(MandateTests.scenarios) { own, _ in own }
        .merging(ErasuresTests.scenarios) { own, _ in own }
        .merging(IdentitiesTests.scenarios) { own, _ in own }

    @Test("The story of a code ends with that code", arguments: TransactionCode.allCases.filter { $0 != .ok })
    func codeIsReached(code: TransactionCode) throws {
        let scenario = try #require(Self.stories[code] ?? PseudonymRefusals.scenarios[code])
        var bench = Bench()
        #expect(try scenario(&bench) == code)
    }

    @Test("Names are unique, dotted and short")
    func names() {
        let names = TransactionCode.allCases.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0 == "ok" || $0.split(separator: ".").count == 2 && $0.utf8.count <= 40 })
    }
}

extension Bench {
    /// Executes a call directly, for signers who would not be admitted to a block.
    func code(_ call: some DirectCall, signers: [Signer]) throws -> TransactionCode {
        var context = self.context(call.module, signers: signers)
        do {
            try call.run(&context)
            return .ok
        } catch {
            return error.code
        }
    }

    func context(_ module: ModuleID, signers: [Signer] = []) -> ExecutionContext {
        ExecutionContext(
            chain: self.rules.chain,
            height: self.tip.header.height.next,
            time: Timestamp(milliseconds: 1000),
            parameters: self.rules.parameters,
            module: module,
            transaction: TransactionID(.zero),
            signers: signers,
            state: self.tip.state
        )
    }

    mutating func enrol(_ patient: String) throws {
        let transaction = self.transaction(.grants(.enrolPatient(self.enrolment(patient))), by: ["a", patient])
        let code = try self.code(transaction)
        precondition(code == .ok, "\(code.name)")
    }

    /// For the pool, which does not look at signatures.
    func unsigned(_ call: LedgerCall, by signer: String) -> Transaction {
        let body = TransactionBody(
            chain: self.rules.chain,
            call: call,
            validUntil: Height(10),
            signers: [Self.signer(signer)]
        )
        return Transaction(body: body, signatures: [TestKey.blank])
    }
}

extension TestKey {
    static let blank = TestKey("blank").sign([])
}

protocol DirectCall {
    var module: ModuleID { get }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal)
}

extension InstitutionsCall: DirectCall {
    var module: ModuleID { .institutions }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension CommitmentsCall: DirectCall {
    var module: ModuleID { .commitments }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension GrantsCall: DirectCall {
    var module: ModuleID { .grants }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension DelegationsCall: DirectCall {
    var module: ModuleID { .delegations }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension ReceiptsCall: DirectCall {
    var module: ModuleID { .receipts }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension PseudonymKeysCall: DirectCall {
    var module: ModuleID { .pseudonymKeys }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension AnomaliesCall: DirectCall {
    var module: ModuleID { .anomalies }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension PoliciesCall: DirectCall {
    var module: ModuleID { .policies }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}

extension RecognitionCall: DirectCall {
    var module: ModuleID { .recognition }
    func run(_ context: inout ExecutionContext) throws(TransactionRefusal) { try self.execute(in: &context) }
}
