internal import Consensus
internal import Primitives

/// What happens, and what agents want done about it.
extension Cluster {
    mutating func take(_ event: Event) throws(Violation) {
        switch event {
        case .deliver(let message, let from, let to):
            self.report.mix(1, UInt64(self.now), UInt64(from), UInt64(to))
            if to == self.equivocatorIndex {
                guard let actions = self.equivocator?.received(message, from: from) else { return }
                for case .send(let message, let peer) in actions { self.send(message, from: to, to: peer) }
            } else {
                try self.step(to, .received(message, from: from))
            }
        case .inside(let inner, let agent, let incarnation):
            guard self.agents[agent].incarnation == incarnation else { return }
            self.report.mix(2, UInt64(self.now), UInt64(agent))
            try self.step(agent, inner)
        case .written(let agent, let incarnation):
            guard self.agents[agent].incarnation == incarnation else { return }
            let write = self.agents[agent].writes.removeFirst()
            for frame in write.frames { self.agents[agent].disk.append(frame) }
            for record in write.records { try self.invariants.persisted(agent, record) }
            try self.step(agent, .durable(token: write.token, signatures: write.signatures))
        case .synced(let agent, let incarnation):
            guard self.agents[agent].incarnation == incarnation else { return }
            self.agents[agent].disk.syncCommits()
            if self.random.happens(perMille: 300) { self.agents[agent].disk.compact() }
        case .submit(let agent):
            let transaction = self.nextTransaction
            self.nextTransaction += 1
            if self.isCalm { self.calmTransactions.append(transaction) }
            try self.step(agent, .submitted(transaction))
        case .crash(let agent): try self.crash(agent)
        case .crashSoon(let agent, let sends): self.agents[agent].sendsUntilCrash = sends
        case .crashAll: for agent in self.honest { try self.crash(agent) }
        case .restart(let agent): try self.restart(agent)
        case .partition(let partition): self.partition = self.isCalm ? nil : partition
        case .tick:
            guard let agent = self.equivocatorIndex, let actions = self.equivocator?.tick() else { return }
            for case .send(let message, let peer) in actions { self.send(message, from: agent, to: peer) }
        case .heal: try self.heal()
        }
    }

    /// The faults end.
    ///
    /// Whoever is down comes back, and new work arrives.
    private mutating func heal() throws(Violation) {
        self.isCalm = true
        self.partition = nil
        for agent in self.honest {
            self.agents[agent].sendsUntilCrash = nil
            if self.agents[agent].replica == nil { try self.restart(agent) }
        }
        let voters = self.honest.filter { $0 < self.scenario.validators }
        for number in 1...Self.calmTransactionCount {
            let agent = voters[self.random.index(below: voters.count)]
            self.queue.insert(.submit(agent: agent), at: self.now + Int64(number) * 700)
        }
    }

    // MARK: Agents

    private mutating func step(_ agent: Int, _ event: ReplicaEvent) throws(Violation) {
        guard self.agents[agent].replica != nil else { return }
        if let trace = self.trace { trace("\(self.now) agent \(agent) <- \(Self.line(event))") }
        var actions = self.advance(agent, event)
        var next = 0
        while next < actions.count {
            let action = actions[next]
            next += 1
            if let trace = self.trace { trace("\(self.now) agent \(agent) -> \(Self.line(action))") }
            if case .answer(let input) = action, self.scenario.answerDelayMax == 0 {
                actions += self.advance(agent, .answered(input))
                continue
            }
            try self.perform(action, agent)
            // It may have crashed half way through.
            guard self.agents[agent].replica != nil else { return }
        }
        guard let machine = self.agents[agent].replica?.machine else { return }
        try self.invariants.stepped(agent, view: machine.view, final: machine.final)
        self.report.views = max(self.report.views, machine.view.value)
    }

    private mutating func advance(_ agent: Int, _ event: ReplicaEvent) -> [ReplicaAction] {
        let clock = Timestamp(milliseconds: 1_700_000_000_000 + self.now + self.agents[agent].clockOffset)
        return self.agents[agent].replica?.step(event, now: clock) ?? []
    }

    private mutating func perform(_ action: ReplicaAction, _ agent: Int) throws(Violation) {
        let incarnation = self.agents[agent].incarnation
        switch action {
        case .persist(let token, let drafts):
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
            self.queue.insert(.written(agent: agent, incarnation: incarnation), at: time)
        case .send(let message, let peer):
            try self.check(message, by: agent)
            for to in peer.map({ [$0] }) ?? self.agents.indices.filter({ $0 != agent }) {
                if let rest = self.agents[agent].sendsUntilCrash {
                    guard rest > 0 else {
                        try self.crash(agent)
                        return
                    }
                    self.agents[agent].sendsUntilCrash = rest - 1
                }
                self.send(message, from: agent, to: to)
            }
        case .setTimer(let timer, let generation, let after):
            let event = Event.inside(.timer(timer, generation: generation), agent: agent, incarnation: incarnation)
            self.queue.insert(event, at: self.now + after)
        case .answer(let input):
            let time = self.now + self.random.number(in: 0...self.scenario.answerDelayMax)
            self.queue.insert(.inside(.answered(input), agent: agent, incarnation: incarnation), at: time)
        case .commit(let blocks, let certificate, let stateRoot):
            try self.invariants.committed(agent, blocks, certificate, stateRoot: stateRoot)
            self.commit(agent, blocks, certificate)
        case .serveBlock(let hash, let peer):
            guard let block = self.agents[agent].disk.block(hash) else { return }
            self.send(.consensus(.block(block)), from: agent, to: peer)
        case .serveRange(let from, let peer):
            guard let range = self.agents[agent].disk.range(from: from, commitsMax: 5) else { return }
            self.send(.consensus(.range(range)), from: agent, to: peer)
        case .conflict(let conflict):
            self.report.conflicts += 1
            guard Int(conflict.first.signer) == self.equivocatorIndex else {
                throw Violation(invariant: "I6", detail: "an honest validator is accused", time: self.now)
            }
        case .halt(let reason):
            throw Violation(invariant: "I17", detail: "agent \(agent) halts: \(reason)", time: self.now)
        }
    }

    private mutating func commit(_ agent: Int, _ blocks: [Block], _ certificate: Certificate) {
        self.agents[agent].disk.commit(blocks, certificate)
        for block in blocks where block.header.height.value > UInt64(self.report.blocks) {
            self.report.blocks += 1
            if block.header.transactionCount == 0 { self.report.emptyBlocks += 1 }
        }
        self.report.mix(3, blocks.last?.hash.prefix64 ?? 0)
        let time = self.now + self.random.number(in: 20...500)
        self.queue.insert(.synced(agent: agent, incarnation: self.agents[agent].incarnation), at: time)
    }

    /// I3, I4, I6 and I7 for whatever an honest agent sends.
    private mutating func check(_ message: SimulatedMessage, by agent: Int) throws(Violation) {
        guard case .consensus(let message) = message else { return }
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
        self.lastVote = self.now
    }

    // MARK: Crashes

    private mutating func crash(_ agent: Int) throws(Violation) {
        guard self.agents[agent].replica != nil, !self.isCalm else { return }
        self.report.crashes += 1
        self.report.mix(4, UInt64(agent))
        self.trace?("\(self.now) agent \(agent) crashes")
        self.agents[agent].replica = nil
        self.agents[agent].incarnation += 1
        self.agents[agent].sendsUntilCrash = nil
        // Of the records under way some had reached the disk, and one perhaps in part.
        let frames = self.agents[agent].writes.flatMap(\.frames)
        let records = self.agents[agent].writes.flatMap(\.records)
        let whole = self.random.index(below: frames.count + 1)
        for (frame, record) in zip(frames, records).prefix(whole) {
            self.agents[agent].disk.append(frame)
            try self.invariants.persisted(agent, record)
        }
        if whole < frames.count {
            let part = self.random.index(below: frames[whole].count)
            self.agents[agent].disk.appendTorn(frames[whole].prefix(part))
        }
        self.agents[agent].writes = []
        self.agents[agent].lastWrite = self.now
        let lost = self.random.index(below: self.agents[agent].disk.unsyncedCommits + 1)
        self.agents[agent].disk.crash(losing: lost)
        if agent >= self.scenario.validators, self.random.happens(perMille: 500) {
            self.agents[agent].disk = SimulatedDisk()
        }
        self.queue.insert(.restart(agent: agent), at: self.now + self.random.number(in: 10...2_000))
    }

    private mutating func restart(_ agent: Int) throws(Violation) {
        guard self.agents[agent].replica == nil else { return }
        self.agents[agent].disk.cutTornTail()
        let recovery = self.agents[agent].disk.recovery(genesis: self.committee.genesis)
        self.agents[agent].replica = Replica(
            committee: self.committee,
            agent: agent,
            checker: self.checker,
            replaying: self.agents[agent].disk.commits
        )
        self.invariants.started(agent, at: recovery.final)
        try self.step(agent, .start(recovery))
    }

    // MARK: Network

    /// To one agent, or to all others.
    private mutating func send(_ message: SimulatedMessage, from: Int, to peer: Int?) {
        for to in peer.map({ [$0] }) ?? self.agents.indices.filter({ $0 != from }) {
            self.report.messages += 1
            guard to != self.silentIndex, to != from, self.partition?.blocks(from, to) != true else { continue }
            guard !self.isCalm else {
                let time = self.now + self.random.number(in: 1...self.scenario.calmDelayMax)
                self.queue.insert(.deliver(message, from: from, to: to), at: time)
                continue
            }
            guard !self.random.happens(perMille: self.scenario.lossPerMille) else { continue }
            let copies = self.random.happens(perMille: self.scenario.duplicationPerMille) ? 2 : 1
            for _ in 0..<copies {
                let time = self.now + self.random.number(in: 1...self.scenario.chaosDelayMax)
                self.queue.insert(.deliver(message, from: from, to: to), at: time)
            }
        }
    }

    // MARK: Trace

    private static func line(_ event: ReplicaEvent) -> String {
        switch event {
        case .start(let recovery): "start at \(recovery.final.height) with \(recovery.records.count) records"
        case .received(let message, let peer): "\(peer): \(self.line(message))"
        case .timer(let timer, _): "timer \(timer)"
        case .durable: "durable"
        case .submitted(let transaction): "transaction \(transaction) of a user"
        case .answered(.built(let view, .block)): "built \(view)"
        case .answered(.built(let view, let outcome)): "built \(view): \(outcome)"
        case .answered(.verified(let hash, let outcome)): "verified \(hash): \(outcome)"
        case .answered: "answer"
        }
    }

    private static func line(_ action: ReplicaAction) -> String {
        switch action {
        case .persist(_, let drafts): "persist " + drafts.map { self.line($0.body) }.joined(separator: ", ")
        case .send(let message, let peer): "\(peer.map { "\($0)" } ?? "all"): \(self.line(message))"
        case .setTimer(let timer, _, let after): "timer \(timer) after \(after)"
        case .answer: "answer"
        case .commit(let blocks, _, _): "commit " + blocks.map { "\($0.header.height)" }.joined(separator: ", ")
        case .serveBlock(let hash, let peer): "serve block \(hash) to \(peer)"
        case .serveRange(let from, let peer): "serve range from \(from) to \(peer)"
        case .conflict(let conflict): "conflict of \(conflict.first.signer)"
        case .halt(let reason): "halt \(reason)"
        }
    }

    private static func line(_ message: SimulatedMessage) -> String {
        switch message {
        case .transaction(let transaction): "transaction \(transaction)"
        case .consensus(.proposal(let proposal)): "proposal \(proposal.block.header.view) \(proposal.block.hash)"
        case .consensus(.vote(let vote)): "vote \(self.line(vote.body))"
        case .consensus(.certificate(let certificate)): "certificate \(self.line(certificate.body))"
        case .consensus(.getBlock(let hash)): "get block \(hash)"
        case .consensus(.block(let block)): "block \(block.hash)"
        case .consensus(.getCertificates(_, let from, let through)): "get certificates \(from)-\(through)"
        case .consensus(.certificates(let all)):
            "certificates " + all.map { self.line($0.body) }.joined(separator: ", ")
        case .consensus(.getRange(let from, _)): "get range \(from)"
        case .consensus(.range(let range)): "range of \(range.blocks.count)"
        case .consensus(.status(let status)): "status \(status.view) \(status.finalView)"
        }
    }

    private static func line(_ body: VoteBody) -> String {
        "\(body.kind) \(body.view)" + (body.hash.map { " \($0)" } ?? "")
    }
}
