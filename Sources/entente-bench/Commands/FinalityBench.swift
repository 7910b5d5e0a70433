import AgentAPI
import ArgumentParser
import Foundation

struct FinalityBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finality",
        abstract: "Submit witnessed grants and wait until each is final."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "Transactions a second, at even distances.")
    var rate = 50

    @Option(name: .long, help: "How long.")
    var seconds = 20

    @Option(name: .long, help: "Agents of the chain.")
    var agents = 4

    @Flag(name: .long, help: "As many as the chain takes: every submitter waits for its last one only.")
    var ceiling = false

    @Option(name: .long, help: "Submitters at each agent, with --ceiling.")
    var submitters = 64

    func run() async throws {
        guard self.rate > 0, self.seconds > 0, self.agents > 1 else { throw ValidationError("too little to measure") }
        let cluster = try AgentCluster(self.agents)
        defer { cluster.remove() }
        let submission = Submission(names: cluster.names)
        let before = try cluster.processes.map(ProcessFigures.init)
        let (ceiling, rate, seconds, submitters) = (self.ceiling, self.rate, self.seconds, self.submitters)
        let outcome = try await cluster.connected { clients in
            // The first transactions wake the agents up.
            for index in clients.indices { try await submission.submit(-1 - index, clients) }
            let height = try await clients[0].status(Entente_Api_V1_StatusRequest()).height
            let watch = Stopwatch()
            let durations =
                ceiling
                ? try await submission.closed(clients, submitters: submitters, seconds: seconds)
                : try await submission.open(clients, rate: rate, seconds: seconds)
            let elapsed = watch.seconds
            let blocks = try await clients[0].status(Entente_Api_V1_StatusRequest()).height - height
            return (durations: durations, elapsed: elapsed, blocks: blocks)
        }
        let after = try cluster.processes.map(ProcessFigures.init)
        let cpu = zip(before, after).reduce(0) { $0 + $1.1.cpuSeconds - $1.0.cpuSeconds }
        let count = Double(outcome.durations.count)
        let sheet = FigureSheet(
            self.report,
            self.ceiling
                ? ["agents": self.agents, "seconds": self.seconds, "submitters": self.submitters * self.agents]
                : ["agents": self.agents, "seconds": self.seconds, "rate": self.rate]
        )
        let name = self.ceiling ? "ceiling" : "finality"
        sheet.add(name, durations: outcome.durations)
        sheet.add(name + "-rate", count / outcome.elapsed, "tx/s")
        sheet.add(name + "-transactions-per-block", count / Double(max(1, outcome.blocks)), "tx")
        sheet.add(name + "-cpu-per-transaction", cpu / count * 1000, "ms")
        sheet.finish()
    }
}

/// Submits grants that an institution witnesses for another one.
struct Submission: Sendable {
    let names: [String]

    /// Submits the `index`-th grant at one of the agents; returns the milliseconds until it was final.
    @discardableResult
    func submit(_ index: Int, _ clients: [AgentClient]) async throws -> Double {
        let place = abs(index) % clients.count
        var wish = Entente_Api_V1_PrepareGrantRequest()
        wish.patient = SyntheticPatient(abs(index)).identifier
        wish.grantees = [self.names[(place + 1) % self.names.count]]
        wish.purpose = "TREAT"
        wish.leaseSeconds = 3600
        wish.witnessEvidence = Data(repeating: UInt8(truncatingIfNeeded: index), count: 32)
        let prepared = try await clients[place].prepareGrant(wish)
        var request = Entente_Api_V1_SubmitTransactionRequest()
        request.transaction = prepared.transaction
        let watch = Stopwatch()
        _ = try await clients[place].submitTransaction(request)
        return watch.milliseconds
    }

    /// Begins a transaction at even distances, whether or not those before are final.
    func open(_ clients: [AgentClient], rate: Int, seconds: Int) async throws -> [Double] {
        try await withThrowingTaskGroup(of: Double.self) { group in
            let start = ContinuousClock.now
            for index in 0..<rate * seconds {
                try await Task.sleep(until: start + .nanoseconds(1_000_000_000 / rate * index), clock: .continuous)
                group.addTask { try await self.submit(index, clients) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// Keeps a number of transactions in flight at each agent.
    func closed(_ clients: [AgentClient], submitters: Int, seconds: Int) async throws -> [Double] {
        let durations = Durations()
        let end = ContinuousClock.now + .seconds(seconds)
        let lanes = submitters * clients.count
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    var index = lane
                    while ContinuousClock.now < end {
                        durations.add(try await self.submit(index, clients))
                        index += lanes
                    }
                }
            }
            try await group.waitForAll()
        }
        return durations.all
    }
}
