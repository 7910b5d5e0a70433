import ArgumentParser
import Foundation
import Ledger
import Primitives
import Records
import Vault

/// What a grant costs when there are many: carrying one out, proving one, and judging by the grants of one person.
struct GrantsBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grants",
        abstract: "Carry out, prove and judge grants in a state that holds many, without agents."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "Grants in the state.")
    var grants = 1_000_000

    @Option(name: .long, help: "Grants that are carried out and proved.")
    var rounds = 2000

    func run() throws {
        let scene = try GrantScene()
        var state = scene.rules.genesisBlock.state
        let filling = Stopwatch()
        for start in stride(from: 0, to: self.grants, by: 10_000) {
            state.apply((start..<min(start + 10_000, self.grants)).map { scene.change(UInt64($0)) })
        }
        let filled = filling.seconds
        let (executing, proving) = (Durations(), Durations())
        var proofBytes: [Double] = []
        for round in 0..<self.rounds {
            let grant = scene.grant(UInt64(self.grants + round))
            let watch = Stopwatch()
            var context = scene.context(state)
            try GrantsCall.createGrant(grant).execute(in: &context)
            state.apply([scene.change(UInt64(self.grants + round))])
            _ = state.root
            executing.add(watch.milliseconds)
            let key = StateKey.grant(grant.id)
            let proofWatch = Stopwatch()
            let proof = state.proof(for: key)
            proving.add(proofWatch.milliseconds)
            guard let value = state.bytes(at: key), proof.verify(key: key.digest, value: value, root: state.root) else {
                throw BenchFailure("a grant's proof does not hold")
            }
            proofBytes.append(Double(proof.canonicalBytes.count))
        }
        let sheet = FigureSheet(self.report, ["grants": self.grants, "rounds": self.rounds])
        sheet.add("grants-fill", filled, "s")
        sheet.add("grant-execute", durations: executing.all)
        sheet.add("grant-prove", durations: proving.all)
        proofBytes.sort()
        sheet.add("grant-proof-bytes-p50", Statistics.percentile(50, ofSorted: proofBytes), "B")
        sheet.add("grant-proof-bytes-max", proofBytes.last ?? 0, "B")
        sheet.add("grant-state-bytes", Double(scene.value(0).count), "B")
        sheet.add("grants-rss", try ProcessFigures(ProcessInfo.processInfo.processIdentifier).resident, "MiB")
        sheet.add("access-judged", durations: scene.judged(self.rounds))
        sheet.finish()
    }
}

/// Grants of two institutions' patients, made up from their numbers.
private struct GrantScene {
    let rules: LedgerRules
    private let reader: InstitutionID
    private let custodian: InstitutionID
    private let key: VerifyingKey

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "entente-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.key = try PersonalKey.create(folder.appending(path: "key").path).verifyingKey
        guard let reader = InstitutionID("hospital-b"), let custodian = InstitutionID("hospital-a") else {
            throw BenchFailure("these are names")
        }
        self.reader = reader
        self.custodian = custodian
        let key = self.key
        let members = [custodian, reader].map { id in
            Genesis.Member(
                card: InstitutionCard(
                    id: id,
                    name: id.text,
                    level: "3A",
                    area: "330100",
                    role: .validator,
                    address: "127.0.0.1:1",
                    signingKey: key,
                    encryptionKey: [UInt8](repeating: 9, count: InstitutionCard.encryptionKeyBytes),
                    transportKeyDigest: Digest(hashing: Array(id.text.utf8))
                )
            )
        }
        let genesis = Genesis(
            suite: .international,
            parameters: ChainParameters(),
            pseudonymScheme: .thresholdOblivious,
            members: members
        )
        self.rules = LedgerRules(genesis: genesis, validatorsHash: .zero)
    }

    private func salt(_ number: UInt64) -> [UInt8] {
        Array(Digest(hashing: withUnsafeBytes(of: number.littleEndian) { Array($0) }).bytes.prefix(16))
    }

    func grant(_ number: UInt64) -> AccessGrant {
        let salt = self.salt(number)
        return AccessGrant(
            handle: PatientHandle(Digest(hashing: salt)),
            salt: salt,
            nonce: number,
            bucket: salt[0],
            custodians: [],
            grantees: [self.reader],
            scopeCommitment: Digest(hashing: salt + [1]),
            sealedScope: [UInt8](repeating: 3, count: AccessGrant.sealedScopeBytes),
            notBefore: Timestamp(milliseconds: 0),
            notAfter: Timestamp(milliseconds: 1_000_000_000),
            grantor: .witness(self.custodian, evidence: .zero)
        )
    }

    private func state(_ number: UInt64) -> GrantState {
        GrantState(
            grant: self.grant(number),
            createdHeight: Height(1),
            createdTime: Timestamp(milliseconds: 1000)
        )
    }

    func value(_ number: UInt64) -> [UInt8] { self.state(number).canonicalBytes }

    func change(_ number: UInt64) -> StateChange {
        let state = self.state(number)
        return StateChange(key: StateKey.grant(state.grant.id).digest, value: state.canonicalBytes)
    }

    func context(_ state: LedgerState) -> ExecutionContext {
        ExecutionContext(
            chain: self.rules.chain,
            height: Height(2),
            time: Timestamp(milliseconds: 2000),
            parameters: ChainParameters(),
            module: .grants,
            transaction: TransactionID(.zero),
            signers: [.institution(self.custodian)],
            state: state
        )
    }

    /// How long a judgement by 100 grants of one person takes.
    func judged(_ rounds: Int) -> [Double] {
        let terms = (0..<100).map { number in
            let state = self.state(UInt64(number))
            return AccessTerms(id: state.grant.id, state: state, scope: GrantScope(items: ["\(number)"]))
        }
        let question = AccessQuestion(
            stage: .open,
            reader: self.reader,
            custodian: self.custodian,
            exam: ExamFacts(
                record: ContentAddress(.zero),
                kind: .laboratory,
                itemCode: "99",
                examTime: nil,
                sensitive: []
            ),
            purpose: .treatment,
            height: Height(2),
            time: Timestamp(milliseconds: 2000),
            silence: 0
        )
        return (0..<rounds).map { _ in
            let watch = Stopwatch()
            let answer = AccessRule.answer(question, under: terms)
            precondition(answer.isAllowed, "the last grant allows it")
            return watch.milliseconds
        }
    }
}
