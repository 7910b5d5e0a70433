internal import AgentCore
internal import Consensus
internal import Ledger
internal import Primitives

/// A whole run: agents, their disks and clocks, the network between them, and everything that goes wrong.
///
/// There are no tasks and no real time; the seed decides everything. After `chaosEnd` nothing goes wrong any more, and
/// the cluster must decide all transactions, agree, and fall silent.
package struct Cluster: Sendable {
    enum Event: Sendable {
        case deliver([UInt8], from: Int, to: Int)
        /// Void if the agent crashed since.
        case timer(ConsensusTimer, generation: UInt64, agent: Int, incarnation: Int)
        case written(agent: Int, incarnation: Int)
        case synced(agent: Int, incarnation: Int)
        /// Two agents find each other, if they can.
        case connect(Int, Int)
        case submit(agent: Int)
        case crash(agent: Int)
        /// The agent crashes in the middle of a later broadcast.
        case crashSoon(agent: Int, sends: Int)
        case crashAll
        case restart(agent: Int)
        case partition(Partition?)
        case tick
        case heal
    }

    /// Which agents cannot reach which.
    struct Partition: Sendable {
        let left: Set<Int>
        /// Messages from right to left still arrive.
        let isOneWay: Bool

        func blocks(_ from: Int, _ to: Int) -> Bool {
            let (fromLeft, toLeft) = (self.left.contains(from), self.left.contains(to))
            return fromLeft && !toLeft || !self.isOneWay && !fromLeft && toLeft
        }

        func separates(_ first: Int, _ second: Int) -> Bool {
            self.left.contains(first) != self.left.contains(second)
        }
    }

    struct Write: Sendable {
        let token: UInt64
        let frames: [[UInt8]]
        let signatures: [Signature]
        let records: [VoteLogRecord]
    }

    struct Agent: Sendable {
        /// `nil` while the agent is down.
        var core: AgentCore?
        var disk = SimulatedDisk()
        var incarnation = 0
        /// Records at the disk, not yet durable.
        var writes: [Write] = []
        var lastWrite: Int64 = 0
        /// Milliseconds the agent's clock is ahead.
        var clockOffset: Int64 = 0
        var sendsUntilCrash: Int?
        /// Its vote log was found damaged.
        var isObserver = false
        /// Transactions that it holds or held since it started, but for those it has given up aloud.
        var admitted: Set<TransactionID> = []
    }

    package let scenario: Scenario
    package internal(set) var report: RunReport
    let committee: Committee
    var workload: Workload
    var invariants: Invariants
    var agents: [Agent]
    var equivocator: Equivocator?
    let equivocatorIndex: Int?
    let silentIndex: Int?
    let hastyClockIndex: Int?
    let damagedLogIndex: Int?
    var queue = EventQueue<Event>()
    var random: SimulationRandom
    package internal(set) var now: Int64 = 0
    var partition: Partition?
    var isCalm = false
    /// All that users handed in, in order; and those that nobody may take.
    var submitted: [TransactionID] = []
    var forged: Set<TransactionID> = []
    /// Those handed in after the faults had ended, which must all be decided.
    var calmTransactions: [TransactionID] = []
    /// When an honest agent last sent a vote or a block.
    var lastVote: Int64 = 0
    let trace: (@Sendable (String) -> Void)?

    /// Prepares a run.
    ///
    /// - Parameters:
    /// - scenario: what will happen.
    /// - trace: is given one line for each event.
    package init(_ scenario: Scenario, trace: (@Sendable (String) -> Void)? = nil) {
        self.scenario = scenario
        self.trace = trace
        self.report = RunReport(seed: scenario.seed)
        self.committee = Committee(validators: scenario.validators, agents: scenario.agents)
        self.workload = Workload(committee: self.committee, agents: scenario.agents)
        self.invariants = Invariants(committee: self.committee, agents: scenario.agents)
        self.agents = Array(repeating: Agent(), count: scenario.agents)
        var random = SimulationRandom(seed: scenario.seed ^ 0x5EED)
        var free = Array(0..<scenario.validators).shuffled(using: &random)
        self.equivocatorIndex = scenario.hasEquivocator ? free.removeLast() : nil
        self.silentIndex = scenario.hasSilent ? free.removeLast() : nil
        self.hastyClockIndex = scenario.hasWrongClock ? free.removeLast() : nil
        self.damagedLogIndex = scenario.hasDamagedLog ? free.removeLast() : nil
        for index in self.agents.indices { self.agents[index].clockOffset = random.number(in: -2_000...2_000) }
        if let index = self.hastyClockIndex {
            self.agents[index].clockOffset = random.happens(perMille: 500) ? 3_600_000 : -3_600_000
        }
        if let index = self.equivocatorIndex {
            self.equivocator = Equivocator(committee: self.committee, agent: index, seed: random.next())
        }
        self.random = random
        self.schedule()
    }

    /// Agents that follow the protocol.
    var honest: [Int] { self.agents.indices.filter { $0 != self.equivocatorIndex && $0 != self.silentIndex } }

    private mutating func schedule() {
        let end = self.scenario.chaosEnd
        for agent in self.honest { self.queue.insert(.restart(agent: agent), at: self.random.number(in: 0...200)) }
        for _ in 0..<self.scenario.transactions {
            let agent = self.honest[self.random.index(below: self.honest.count)]
            self.queue.insert(.submit(agent: agent), at: self.random.number(in: 100...end))
        }
        for _ in 0..<self.scenario.crashes {
            let agent = self.honest[self.random.index(below: self.honest.count)]
            let time = self.random.number(in: 300...end)
            let sends = self.random.index(below: 12)
            let event = sends < 6 ? Event.crash(agent: agent) : .crashSoon(agent: agent, sends: sends - 5)
            self.queue.insert(event, at: time)
        }
        for _ in 0..<self.scenario.clusterCrashes {
            self.queue.insert(.crashAll, at: self.random.number(in: 500...end))
        }
        for _ in 0..<self.scenario.partitions {
            let start = self.random.number(in: 200...end - 500)
            let left = Set((0..<self.scenario.agents).filter { _ in self.random.happens(perMille: 500) })
            let partition = Partition(left: left, isOneWay: self.random.happens(perMille: 400))
            self.queue.insert(.partition(partition), at: start)
            self.queue.insert(.partition(nil), at: start + self.random.number(in: 200...3_000))
        }
        if self.equivocator != nil {
            for time in stride(from: 250, to: end, by: 250) { self.queue.insert(.tick, at: time) }
        }
        self.queue.insert(.heal, at: end)
    }

    /// Runs to the end.
    ///
    /// - Throws: ``Violation`` at the first broken promise.
    package mutating func run() throws(Violation) {
        try self.runUntil(self.scenario.chaosEnd + 1)
        let delay = self.honest.compactMap { self.agents[$0].core?.delay }.max() ?? 100
        // I13. The slack is for restarts, the listening period, two heartbeats, and views that fail meanwhile.
        let views = Int64(2 * self.scenario.faultLimit + 4)
        let deadline = self.now + 2 * views * 4 * delay + 15_000
        // I14: a lying leader can wake the others once more in its view; then there are only heartbeats for ten minutes.
        var settledAt: Int64?
        while settledAt.map({ self.now - $0 < 1_000 }) ?? true {
            guard self.now < deadline else {
                throw Violation(invariant: "I13", detail: self.unsettled, time: self.now)
            }
            try self.runUntil(self.now + 50)
            settledAt = self.isSettled ? settledAt ?? self.now : nil
        }
        self.report.settled = (settledAt ?? self.now) - self.scenario.chaosEnd
        try self.checkNothingLost()
        let (quietFrom, blocks) = (self.now, self.report.blocks)
        try self.runUntil(self.now + 600_000)
        guard self.lastVote <= quietFrom, self.report.blocks == blocks, self.isSettled else {
            throw Violation(invariant: "I14", detail: "an idle cluster voted", time: self.lastVote)
        }
        self.report.time = self.now
    }

    private mutating func runUntil(_ time: Int64) throws(Violation) {
        while let next = self.queue.nextTime, next <= time {
            guard let event = self.queue.removeFirst() else { return }
            self.now = next
            self.invariants.now = next
            try self.take(event)
        }
        self.now = time
    }

    /// Whether every honest agent has decided everything, agrees, and sleeps.
    private var isSettled: Bool {
        guard self.calmTransactions.count == Self.calmTransactionCount,
            self.calmTransactions.allSatisfy({ self.invariants.isDecided($0) })
        else { return false }
        return self.honest.allSatisfy { index in
            guard let core = self.agents[index].core else { return false }
            return core.pendingCount == 0 && core.final.hash == self.invariants.replay.hash && !core.isAwake
                && !core.isSyncing
        }
    }

    /// I13: what an honest agent took is decided, or the agent said that its time was over.
    private func checkNothingLost() throws(Violation) {
        for agent in self.honest {
            let lost = self.agents[agent].admitted.filter { !self.invariants.isDecided($0) }
            guard lost.isEmpty else {
                let detail = "agent \(agent) lost \(lost.count) transactions"
                throw Violation(invariant: "I13", detail: detail, time: self.now)
            }
        }
    }

    /// For a failure: where every agent stands.
    private var unsettled: String {
        self.honest.map { index in
            guard let core = self.agents[index].core else { return "\(index) is down" }
            return "\(index): view \(core.view) final \(core.final.header.height)@\(core.final.header.view)"
                + " pool \(core.pendingCount)\(core.isAwake ? " awake" : "")\(core.isSyncing ? " syncing" : "")"
        }.joined(separator: "; ")
    }

    /// Transactions handed in after the faults have ended.
    static let calmTransactionCount = 2
}
