internal import AgentCore
internal import Consensus
internal import Ledger
internal import Primitives

/// Drives the agents: gives them their inputs and does what they want done.
///
/// It promises an agent less than production does. There the agent waits while its votes are written; here other
/// inputs come in between, and the effects after a `persist` are performed before its records are on disk.
extension Cluster {
    mutating func step(_ agent: Int, _ input: AgentInput) throws(Violation) {
        guard self.agents[agent].core != nil else { return }
        if let trace = self.trace { trace("\(self.now) agent \(agent) <- \(Trace.line(input))") }
        let clock = Timestamp(milliseconds: 1_700_000_000_000 + self.now + self.agents[agent].clockOffset)
        for effect in self.agents[agent].core?.step(input, now: clock) ?? [] {
            if let trace = self.trace { trace("\(self.now) agent \(agent) -> \(Trace.line(effect))") }
            try self.perform(effect, agent)
            // It may have crashed half way through.
            guard self.agents[agent].core != nil else { return }
        }
        guard let core = self.agents[agent].core else { return }
        try self.invariants.stepped(agent, view: core.view, final: core.final.hash)
        self.report.views = max(self.report.views, core.view.value)
    }

    private mutating func perform(_ effect: AgentEffect, _ agent: Int) throws(Violation) {
        switch effect {
        case .persist(let token, let drafts): self.persist(token, drafts, agent)
        case .broadcast(let message):
            try self.send(message, from: agent, to: self.agents.indices.filter { $0 != agent })
        case .send(let message, let peer): try self.send(message, from: agent, to: [Committee.agent(peer)])
        case .setTimer(let timer, let generation, let after):
            let incarnation = self.agents[agent].incarnation
            let event = Event.timer(timer, generation: generation, agent: agent, incarnation: incarnation)
            self.queue.insert(event, at: self.now + after)
        case .commit(let range): try self.commit(agent, range)
        case .serveBlock(let hash, let peer):
            guard let block = self.agents[agent].disk.block(hash) else { return }
            try self.send(.consensus(.block(block)), from: agent, to: [Committee.agent(peer)])
        case .serveRange(let from, _, let peer):
            guard let range = self.agents[agent].disk.range(from: from) else { return }
            try self.send(.consensus(.range(range)), from: agent, to: [Committee.agent(peer)])
        case .admitted(let id):
            guard !self.forged.contains(id) else {
                throw Violation(invariant: "I23", detail: "agent \(agent) admits a forged transaction", time: self.now)
            }
            self.agents[agent].admitted.insert(id)
        case .expired(let id):
            self.agents[agent].admitted.remove(id)
            self.retry(id, at: agent)
        case .refused(let id, _): self.retry(id, at: agent)
        case .malformed(let peer):
            guard Committee.agent(peer) == self.equivocatorIndex else {
                throw Violation(invariant: "I22", detail: "an honest agent sends no message", time: self.now)
            }
        case .conflict(let conflict):
            self.report.conflicts += 1
            guard Int(conflict.first.signer) == self.equivocatorIndex else {
                throw Violation(invariant: "I6", detail: "an honest validator is accused", time: self.now)
            }
        case .halt(let reason):
            throw Violation(invariant: "I17", detail: "agent \(agent) halts: \(reason)", time: self.now)
        // A cancelled timer's generation makes a late alarm harmless.
        case .cancelTimer, .confirmed, .peerStatus, .pagesPublished: break
        }
    }

    private mutating func persist(_ token: UInt64, _ drafts: [VoteLogDraft], _ agent: Int) {
        let signatures = drafts.map { self.committee.sign($0.body, by: agent) }
        let records = zip(drafts, signatures).map { $0.signed(by: UInt16(agent), $1) }
        let write = Write(
            token: token,
            frames: records.map { SimulatedDisk.frame($0) },
            signatures: signatures,
            records: records
        )
        let time =
            max(self.now, self.agents[agent].lastWrite) + self.random.number(in: 0...self.scenario.diskDelayMax)
        self.agents[agent].writes.append(write)
        self.agents[agent].lastWrite = time
        self.queue.insert(.written(agent: agent, incarnation: self.agents[agent].incarnation), at: time)
    }

    private mutating func commit(_ agent: Int, _ range: CommittedRange) throws(Violation) {
        try self.invariants.committed(agent, range)
        self.agents[agent].disk.commit(range)
        for (block, executed) in range.blocks where block.header.height.value > UInt64(self.report.blocks) {
            self.report.blocks += 1
            if executed.receipts.isEmpty { self.report.emptyBlocks += 1 }
            self.report.transactions += executed.receipts.count
            self.report.refusals += executed.receipts.count { $0.code != .ok }
        }
        self.report.mix(3, range.certificate.hash?.prefix64 ?? 0)
        let time = self.now + self.random.number(in: 20...500)
        self.queue.insert(.synced(agent: agent, incarnation: self.agents[agent].incarnation), at: time)
    }

    /// To some agents, unless the sender crashes meanwhile.
    private mutating func send(_ message: AgentMessage, from agent: Int, to peers: [Int]) throws(Violation) {
        if case .consensus(let message) = message { try self.check(message, by: agent) }
        let bytes = message.canonicalBytes
        for peer in peers {
            if let rest = self.agents[agent].sendsUntilCrash {
                guard rest > 0 else {
                    try self.crash(agent)
                    return
                }
                self.agents[agent].sendsUntilCrash = rest - 1
            }
            self.send(bytes, from: agent, to: peer)
        }
    }

    /// I3, I4, I6 and I7 for whatever an honest agent sends.
    private mutating func check(_ message: ConsensusMessage, by agent: Int) throws(Violation) {
        switch message {
        case .proposal(let proposal): try self.checkVote(proposal.vote, by: agent)
        case .vote(let vote): try self.checkVote(vote, by: agent)
        case .certificate(let certificate): try self.invariants.saw(certificate)
        case .certificates(let certificates):
            for certificate in certificates { try self.invariants.saw(certificate) }
        case .getBlock, .block, .getCertificates, .getRange, .range, .status: break
        }
    }

    private mutating func checkVote(_ vote: Vote, by agent: Int) throws(Violation) {
        try self.invariants.sent(vote, by: agent, isDurable: self.agents[agent].disk.holds(vote.body))
        guard Int(vote.signer) == agent else { return }
        guard !self.agents[agent].isObserver else {
            throw Violation(invariant: "I6", detail: "agent \(agent) votes without its log", time: self.now)
        }
        self.lastVote = self.now
    }
}
