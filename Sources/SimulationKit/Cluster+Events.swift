internal import AgentCore
internal import Consensus
internal import Ledger
internal import Primitives

/// What happens, and the faults among it.
extension Cluster {
    mutating func take(_ event: Event) throws(Violation) {
        switch event {
        case .deliver(let bytes, let from, let to):
            self.report.mix(1, UInt64(self.now), UInt64(from), UInt64(to))
            self.report.mix(bytes)
            if to == self.equivocatorIndex {
                self.send(self.equivocator?.received(bytes, from: from) ?? [])
            } else {
                try self.step(to, .message(bytes, from: Committee.id(from)))
            }
        case .timer(let timer, let generation, let agent, let incarnation):
            guard self.agents[agent].incarnation == incarnation else { return }
            self.report.mix(2, UInt64(self.now), UInt64(agent))
            try self.step(agent, .timer(timer, generation: generation))
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
        case .connect(let first, let second): try self.open(first, second)
        case .submit(let agent): try self.submit(agent)
        case .crash(let agent): try self.crash(agent)
        case .crashSoon(let agent, let sends): self.agents[agent].sendsUntilCrash = sends
        case .crashAll: for agent in self.honest { try self.crash(agent) }
        case .restart(let agent): try self.restart(agent)
        case .partition(let partition): self.divide(self.isCalm ? nil : partition)
        case .tick: self.send(self.equivocator?.tick() ?? [])
        case .heal: try self.heal()
        }
    }

    /// The faults end.
    ///
    /// Whoever is down comes back, and new work arrives.
    private mutating func heal() throws(Violation) {
        self.isCalm = true
        self.divide(nil)
        for agent in self.honest {
            self.agents[agent].sendsUntilCrash = nil
            if self.agents[agent].core == nil { try self.restart(agent) }
            // From here on nothing that anybody holds may get lost, whoever it was handed to.
            for id in self.submitted where self.agents[agent].core?.isPending(id) == true {
                self.agents[agent].admitted.insert(id)
            }
        }
        for number in 1...Self.calmTransactionCount {
            let agent = self.honest[self.random.index(below: self.honest.count)]
            self.queue.insert(.submit(agent: agent), at: self.now + Int64(number) * 700)
        }
    }

    private mutating func submit(_ agent: Int) throws(Violation) {
        guard let core = self.agents[agent].core else { return }
        let wish = self.workload.next(for: agent, at: core.final, isOrderly: self.isCalm, using: &self.random)
        let id = wish.transaction.id
        if wish.isForged { self.forged.insert(id) }
        if self.isCalm { self.calmTransactions.append(id) }
        self.submitted.append(id)
        try self.step(agent, .submit(wish.transaction))
    }

    /// A user of a calm cluster asks anew: its agent may have been too far behind to know how long is long enough.
    mutating func retry(_ id: TransactionID, at agent: Int) {
        guard let index = self.calmTransactions.firstIndex(of: id) else { return }
        self.calmTransactions.remove(at: index)
        self.queue.insert(.submit(agent: agent), at: self.now + 300)
    }

    // MARK: Crashes

    mutating func crash(_ agent: Int) throws(Violation) {
        guard self.agents[agent].core != nil, !self.isCalm else { return }
        self.report.crashes += 1
        self.report.mix(4, UInt64(agent))
        self.trace?("\(self.now) agent \(agent) crashes")
        self.agents[agent].core = nil
        self.agents[agent].incarnation += 1
        self.agents[agent].sendsUntilCrash = nil
        self.agents[agent].admitted = []
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
        guard self.agents[agent].core == nil else { return }
        var records = self.agents[agent].disk.recoverRecords()
        if agent == self.damagedLogIndex, !records.isEmpty { self.agents[agent].isObserver = true }
        // As in production: what a damaged log still holds is worth nothing, because it may lack any vote.
        if self.agents[agent].isObserver { records = [] }
        guard let tip = self.agents[agent].disk.tip(self.committee.rules.genesisBlock) else {
            throw Violation(invariant: "I11", detail: "agent \(agent) stored another state", time: self.now)
        }
        self.agents[agent].core = self.committee.core(agent, from: tip, seed: self.random.next())
        self.invariants.started(agent, at: tip.block)
        try self.step(agent, .start(records, mayVote: !self.agents[agent].isObserver))
        for peer in self.agents.indices where peer != agent { self.reconnect(agent, peer) }
    }

    // MARK: Network

    /// Puts a partition in the place of the present one, and lets those find each other again whom it kept apart.
    private mutating func divide(_ partition: Partition?) {
        let former = self.partition
        self.partition = partition
        guard let former else { return }
        for first in self.agents.indices {
            for second in self.agents.indices where first < second && former.separates(first, second) {
                self.reconnect(first, second)
            }
        }
    }

    private mutating func reconnect(_ first: Int, _ second: Int) {
        let delayMax = self.isCalm ? self.scenario.calmDelayMax : self.scenario.chaosDelayMax
        self.queue.insert(.connect(first, second), at: self.now + self.random.number(in: 1...delayMax))
    }

    /// A channel needs both directions and both ends; where one is missing, its return brings the next attempt.
    private mutating func open(_ first: Int, _ second: Int) throws(Violation) {
        guard self.partition?.separates(first, second) != true else { return }
        let ends: [Int] = [first, second].filter { $0 != self.equivocatorIndex && $0 != self.silentIndex }
        guard ends.allSatisfy({ self.agents[$0].core != nil }) else { return }
        for end in ends { try self.step(end, .connected(Committee.id(end == first ? second : first))) }
    }

    private mutating func send(_ letters: [Equivocator.Letter]) {
        guard let from = self.equivocatorIndex else { return }
        for letter in letters { self.send(letter.bytes, from: from, to: letter.peer) }
    }

    mutating func send(_ bytes: [UInt8], from: Int, to: Int) {
        self.report.messages += 1
        guard to != self.silentIndex, to != from, self.partition?.blocks(from, to) != true else { return }
        guard !self.isCalm else {
            let time = self.now + self.random.number(in: 1...self.scenario.calmDelayMax)
            self.queue.insert(.deliver(bytes, from: from, to: to), at: time)
            return
        }
        guard !self.random.happens(perMille: self.scenario.lossPerMille) else { return }
        let copies = self.random.happens(perMille: self.scenario.duplicationPerMille) ? 2 : 1
        for _ in 0..<copies {
            let time = self.now + self.random.number(in: 1...self.scenario.chaosDelayMax)
            self.queue.insert(.deliver(bytes, from: from, to: to), at: time)
        }
    }
}
