import AgentAPI
import ArgumentParser
import Foundation

struct IdleBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle",
        abstract: "Leave agents alone: blocks, processor time, memory."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "How long.")
    var seconds = 120

    @Option(name: .long, help: "Agents of the chain.")
    var agents = 4

    func run() async throws {
        let cluster = try AgentCluster(self.agents)
        defer { cluster.remove() }
        let (seconds, processes) = (self.seconds, cluster.processes)
        let (blocks, cpu) = try await cluster.connected { clients in
            let height = try await clients[0].status(Entente_Api_V1_StatusRequest()).height
            let before = try processes.map(ProcessFigures.init)
            try await Task.sleep(for: .seconds(seconds))
            let after = try processes.map(ProcessFigures.init)
            let blocks = try await clients[0].status(Entente_Api_V1_StatusRequest()).height - height
            return (blocks, zip(before, after).map { $1.cpuSeconds - $0.cpuSeconds })
        }
        let resident = try processes.map { try ProcessFigures($0).resident }
        let sheet = FigureSheet(self.report, ["seconds": self.seconds, "agents": self.agents])
        sheet.add("idle-blocks", Double(blocks), "blocks")
        sheet.add("idle-cpu-per-agent", cpu.reduce(0, +) / Double(self.agents), "s")
        sheet.add("idle-rss-max", resident.max() ?? 0, "MiB")
        sheet.finish()
    }
}
