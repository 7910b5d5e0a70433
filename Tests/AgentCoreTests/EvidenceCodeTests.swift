import AgentCore
import Ledger
import Primitives
import Records
import Testing

@Suite("A broken evidence file names the broken link")
struct EvidenceCodeTests {
    typealias Code = EvidenceReport.Code

    /// How a file comes to be: the story told differently, or the finished file changed.
    struct Lie: Sendable {
        var story: @Sendable (inout EvidenceBench) -> Void = { _ in }
        var change: @Sendable (inout EvidenceFile) -> Void = { _ in }
    }

    static let lies: [Code: Lie] = [
        .wrongChain: Lie(change: { $0.chain = ChainID(.zero) }),
        .unknownSuite: Lie(change: { $0.record.suite = SuiteID(9) }),
        .contentMismatch: Lie(change: { $0.record.content[5] ^= 1 }),
        .contentUnreadable: Lie(story: { $0.content = [255, 255] }),
        .notInBatch: Lie(change: { $0.record.leaf.sealedBytes += 1 }),
        .notACommitment: Lie(change: { file in
            file.commitment.transaction = file.commitment.transaction.dropLast(1) + []
        }),
        .badTransactionSignature: Lie(change: { file in
            guard let good = try? Transaction(canonicalBytes: file.commitment.transaction) else { return }
            let forged = TestKey("b").sign(good.body.signedBytes)
            file.commitment.transaction = Transaction(body: good.body, signatures: [forged]).bytes
        }),
        .notInBlock: Lie(change: { $0.commitment.index = 0 }),
        .transactionFailed: Lie(story: { $0.batchNumber = 1 }),
        .notInHistory: Lie(change: { $0.commitment.ancestor?.path.removeLast() }),
        .otherEpoch: Lie(change: { $0.header.validatorsHash = .zero }),
        .notFinal: Lie(story: { $0.finalizers = ["a", "b"] }),
        .otherRecord: Lie(change: { $0.receipt.request.record = ContentAddress(.zero) }),
        .otherCustodian: Lie(story: { $0.receipt = { $0.custodian = institution("d") } }),
        .unknownInstitution: Lie(story: { $0.receipt = { $0.institution = institution("x") } }),
        .badReceiptSignature: Lie(change: { $0.receipt.time = Timestamp(milliseconds: 5501) }),
        .readAfterProof: Lie(story: { $0.receipt = { $0.height = Height(6) } }),
        .otherCredential: Lie(story: { $0.request = { $0.credential = .zero } }),
        .badCredentialSignature: Lie(story: { $0.credential = { $0.signature = TestKey("a").sign([1]) } }),
        .credentialNotValidThen: Lie(story: { $0.credential = { $0.expiresAt = Timestamp(milliseconds: 5500) } }),
        .badRequestSignature: Lie(story: { $0.receipt = { $0.requestSignature = TestKey("b").sign([1]) } }),
        .noGrant: Lie(change: { $0.grant = nil }),
        .needlessGrant: Lie(
            story: { $0.receipt = { $0.grant = nil } },
            change: { file in
                file.grant = EvidenceBench().file()?.grant
            }
        ),
        .otherGrant: Lie(
            story: { $0.grant = { $0.nonce = 2 } },
            change: { $0.grant = EvidenceBench().file()?.grant }
        ),
        .grantNotInState: Lie(change: { file in
            guard var state = file.grant.flatMap({ try? GrantState(canonicalBytes: $0.state) }) else { return }
            state.createdHeight = Height(2)
            file.grant?.state = state.canonicalBytes
        }),
        .scopeMismatch: Lie(change: { $0.grant?.scope = GrantScope() }),
        .notAGrantee: Lie(story: { $0.grant = { $0.grantees = [institution("d")] } }),
        .custodianNotCovered: Lie(story: { $0.grant = { $0.custodians = [institution("d")] } }),
        .otherPurpose: Lie(story: { $0.request = { $0.purpose = .research } }),
        .grantLater: Lie(story: { $0.receipt = { $0.height = Height(0) } }),
        .outsidePeriod: Lie(story: { $0.receipt = { $0.time = Timestamp(milliseconds: 1_000_000) } }),
        .revokedBefore: Lie(story: { $0.revokedAtHeight = 5 }),
    ]

    @Test("Each lie is found out", arguments: Code.allCases.filter { $0 != .ok && $0 != .malformed })
    func lieIsFound(code: Code) throws {
        let lie = try #require(Self.lies[code])
        var bench = EvidenceBench()
        lie.story(&bench)
        var file = try #require(bench.file())
        lie.change(&file)
        let report = EvidenceVerifier.verify(file.canonicalBytes, genesis: EvidenceBench.genesis)
        #expect(!report.isValid)
        #expect(report.findings.contains { $0.code == code }, "\(report.findings.map(\.code.rawValue))")
    }
}
