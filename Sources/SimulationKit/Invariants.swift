internal import AgentCore
internal import Consensus
internal import Ledger
internal import Primitives
internal import Records

/// A broken promise, found while a run was going on.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// As named in `Documentation/Protocol/Consensus.md`.
    package let invariant: String
    package let detail: String
    /// Milliseconds of simulated time.
    package let time: Int64

    package var description: String { "\(self.invariant) at \(self.time) ms: \(self.detail)" }
}

/// Watches what honest agents commit, send and write, across their restarts.
struct Invariants: Sendable {
    private struct Ballot {
        var notarize: Digest?
        var nullify = false
        var finalize: Digest?
    }

    private struct Decision {
        var notarization: Digest?
        var isNullified = false
        var finalization: Digest?
    }

    private let context: EpochContext
    private let checker: SignatureChecker
    private let rules: LedgerRules
    private let keys: [InstitutionID: VerifyingKey]
    private var ballots: [[View: Ballot]]
    private var decisions: [View: Decision] = [:]
    /// Blocks that were logged as notarized by a quorum.
    private var notarized: Set<Digest> = []
    private var decided: [Height: Digest] = [:]
    /// The last block that each agent committed or started from.
    private var tips: [(hash: Digest, height: Height)]
    /// The decided chain, executed once more beside the agents.
    private(set) var replay: ExecutedBlock
    private var transactions: [TransactionID: Height] = [:]
    private var views: [View]
    var now: Int64 = 0

    init(committee: Committee, agents: Int) {
        self.context = committee.context
        self.checker = committee.checker
        self.rules = committee.rules
        let cards = committee.genesis.members.map(\.card)
        self.keys = Dictionary(uniqueKeysWithValues: cards.map { ($0.id, $0.signingKey) })
        self.ballots = Array(repeating: [:], count: agents)
        self.replay = committee.rules.genesisBlock
        self.tips = Array(repeating: (committee.rules.genesisBlock.hash, Height(0)), count: agents)
        self.views = Array(repeating: View(0), count: agents)
    }

    private func require(_ holds: Bool, _ invariant: String, _ detail: @autoclosure () -> String) throws(Violation) {
        guard holds else { throw Violation(invariant: invariant, detail: detail(), time: self.now) }
    }

    /// An agent starts from what its disk holds.
    mutating func started(_ agent: Int, at tip: ExecutedBlock) {
        self.tips[agent] = (tip.hash, tip.header.height)
        self.views[agent] = View(0)
    }

    /// I12, after every step.
    mutating func stepped(_ agent: Int, view: View, final: Digest) throws(Violation) {
        try self.require(view >= self.views[agent], "I12", "the view of agent \(agent) went back to \(view)")
        try self.require(
            final == self.tips[agent].hash,
            "I12",
            "agent \(agent) holds another block final than it last committed"
        )
        self.views[agent] = view
    }

    /// I8, and the notarizations that I5 looks for.
    mutating func persisted(_ agent: Int, _ record: VoteLogRecord) throws(Violation) {
        guard case .finalize(let vote, let notarization) = record else { return }
        try self.require(
            notarization.isValid(in: self.context, checker: self.checker) && notarization.hash == vote.body.hash,
            "I8",
            "agent \(agent) logs a finalize vote without its notarization"
        )
        if let hash = notarization.hash { self.notarized.insert(hash) }
        try self.saw(notarization)
    }

    /// I6 and I7, for a vote that leaves its signer.
    mutating func sent(_ vote: Vote, by agent: Int, isDurable: Bool) throws(Violation) {
        guard Int(vote.signer) == agent else { return }
        let view = vote.body.view
        try self.require(isDurable, "I7", "agent \(agent) sends \(vote.body.kind) \(view) before it is durable")
        var ballot = self.ballots[agent][view] ?? Ballot()
        switch vote.body.kind {
        case .notarize:
            try self.require(
                ballot.notarize ?? vote.body.hash == vote.body.hash,
                "I6",
                "agent \(agent) notarizes twice in \(view)"
            )
            ballot.notarize = vote.body.hash
        case .nullify:
            ballot.nullify = true
        case .finalize:
            try self.require(
                ballot.finalize ?? vote.body.hash == vote.body.hash,
                "I6",
                "agent \(agent) finalizes twice in \(view)"
            )
            ballot.finalize = vote.body.hash
        }
        let isContradiction =
            ballot.finalize != nil && (ballot.nullify || (ballot.notarize ?? ballot.finalize) != ballot.finalize)
        try self.require(!isContradiction, "I6", "agent \(agent) finalizes \(view) against its own vote")
        self.ballots[agent][view] = ballot
    }

    /// I3 and I4, for every certificate that an honest agent sends or logs.
    mutating func saw(_ certificate: Certificate) throws(Violation) {
        let view = certificate.view
        var decision = self.decisions[view] ?? Decision()
        switch certificate.kind {
        case .notarize:
            try self.require(
                decision.notarization ?? certificate.hash == certificate.hash,
                "I4",
                "two blocks notarized in \(view)"
            )
            decision.notarization = certificate.hash
        case .nullify:
            decision.isNullified = true
        case .finalize:
            try self.require(
                decision.finalization ?? certificate.hash == certificate.hash,
                "I3",
                "two blocks final in \(view)"
            )
            decision.finalization = certificate.hash
        }
        try self.require(
            !decision.isNullified || decision.finalization == nil,
            "I3",
            "view \(view) is final and nullified"
        )
        self.decisions[view] = decision
    }

    /// I1, I2, I5, I9 and I10, at the moment of the commit.
    mutating func committed(_ agent: Int, _ range: CommittedRange) throws(Violation) {
        let certificate = range.certificate
        try self.saw(certificate)
        try self.require(
            certificate.isValid(in: self.context, checker: self.checker) && certificate.kind == .finalize
                && certificate.hash == range.blocks.last?.block.hash,
            "I1",
            "agent \(agent) commits without a finalization"
        )
        try self.require(
            certificate.hash.map { self.notarized.contains($0) } == true,
            "I5",
            "final before it was notarized"
        )
        for (block, executed) in range.blocks {
            let height = self.tips[agent].height.next
            try self.require(
                block.header.parentHash == self.tips[agent].hash && block.header.height == height,
                "I1",
                "agent \(agent) commits a block that does not extend its chain at \(height)"
            )
            self.tips[agent] = (block.hash, height)
            try self.require(
                self.decided[height] ?? block.hash == block.hash,
                "I2",
                "two blocks decided at \(height)"
            )
            let receiptRoot = MerkleTree.root(executed.receipts.map(\.leafHash))
            try self.require(
                executed.hash == block.hash && executed.state.root == block.header.stateRoot
                    && receiptRoot == block.header.receiptRoot,
                "I10",
                "agent \(agent) has another state or other receipts at \(height)"
            )
            if self.decided[height] == nil { try self.decide(block) }
        }
    }

    /// I9, I11 and I23, once for each height.
    private mutating func decide(_ block: Block) throws(Violation) {
        let height = block.header.height
        self.decided[height] = block.hash
        let certificates = block.justification.nullifications + [block.justification.parent].compactMap { $0 }
        try self.require(
            block.justification.fits(block.header)
                && certificates.allSatisfy { $0.isValid(in: self.context, checker: self.checker) },
            "I9",
            "block \(height) is not justified"
        )
        let body = try? BlockBody(canonicalBytes: block.body)
        let replayed = try? body.map {
            try self.rules.execute(header: block.header, body: $0, on: self.replay, isSignatureKnown: { _ in false })
        }
        guard let body, let replayed else {
            throw Violation(invariant: "I11", detail: "block \(height) does not replay", time: self.now)
        }
        self.replay = replayed
        for transaction in body.transactions {
            try self.require(self.isSigned(transaction), "I23", "a forged transaction is decided at \(height)")
            try self.require(
                self.transactions.updateValue(height, forKey: transaction.id) == nil,
                "I23",
                "a transaction is decided twice, again at \(height)"
            )
        }
    }

    /// By the institutions that the simulated users speak for, whose keys never change.
    private func isSigned(_ transaction: Transaction) -> Bool {
        let message = transaction.body.signedBytes
        return zip(transaction.body.signers, transaction.signatures).allSatisfy { signer, signature in
            guard case .institution(let id) = signer, let key = self.keys[id] else { return false }
            return self.checker.isValid(signature, by: key, over: message)
        }
    }

    func isDecided(_ id: TransactionID) -> Bool { self.transactions[id] != nil }
}
