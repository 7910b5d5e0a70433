internal import Consensus
internal import Primitives

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
    private var ballots: [[View: Ballot]]
    private var decisions: [View: Decision] = [:]
    /// Blocks that were logged as notarized by a quorum.
    private var notarized: Set<Digest> = []
    private var decided: [Height: Digest] = [:]
    private var finals: [FinalPoint]
    private var views: [View]
    var now: Int64 = 0

    init(committee: Committee, agents: Int, checker: SignatureChecker) {
        self.context = committee.context
        self.checker = checker
        self.ballots = Array(repeating: [:], count: agents)
        self.finals = Array(repeating: committee.genesis, count: agents)
        self.views = Array(repeating: View(0), count: agents)
    }

    private func require(_ holds: Bool, _ invariant: String, _ detail: @autoclosure () -> String) throws(Violation) {
        guard holds else { throw Violation(invariant: invariant, detail: detail(), time: self.now) }
    }

    /// An agent starts from what its disk holds.
    mutating func started(_ agent: Int, at final: FinalPoint) {
        self.finals[agent] = final
        self.views[agent] = View(0)
    }

    /// I12, after every step.
    mutating func stepped(_ agent: Int, view: View, final: FinalPoint) throws(Violation) {
        try self.require(view >= self.views[agent], "I12", "the view of agent \(agent) went back to \(view)")
        try self.require(
            final.hash == self.finals[agent].hash,
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
    mutating func committed(
        _ agent: Int,
        _ blocks: [Block],
        _ certificate: Certificate,
        stateRoot: Digest?
    ) throws(Violation) {
        try self.saw(certificate)
        try self.require(
            certificate.isValid(in: self.context, checker: self.checker) && certificate.kind == .finalize
                && certificate.hash == blocks.last?.hash,
            "I1",
            "agent \(agent) commits without a finalization"
        )
        try self.require(
            blocks.last.map { self.notarized.contains($0.hash) } == true,
            "I5",
            "final before it was notarized"
        )
        var tip = (hash: self.finals[agent].hash, height: self.finals[agent].height)
        for block in blocks {
            try self.require(
                block.header.parentHash == tip.hash && block.header.height == tip.height.next,
                "I1",
                "agent \(agent) commits a block that does not extend its chain at \(tip.height.next)"
            )
            tip = (block.hash, block.header.height)
            try self.require(
                self.decided[tip.height] ?? tip.hash == tip.hash,
                "I2",
                "two blocks decided at \(tip.height)"
            )
            self.decided[tip.height] = tip.hash
            let certificates = block.justification.nullifications + [block.justification.parent].compactMap { $0 }
            try self.require(
                block.justification.fits(block.header)
                    && certificates.allSatisfy { $0.isValid(in: self.context, checker: self.checker) },
                "I9",
                "block \(tip.height) is not justified"
            )
        }
        try self.require(
            stateRoot == blocks.last?.header.stateRoot,
            "I10",
            "agent \(agent) has another state at \(tip.height)"
        )
        guard let last = blocks.last else { return }
        self.finals[agent] = FinalPoint(header: last.header, certificate: certificate)
    }
}
