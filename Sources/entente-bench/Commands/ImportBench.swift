import AgentAPI
import ArgumentParser
import Foundation
import Synchronization

struct ImportBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import exams at one agent: rate, memory, bytes on disk."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "How many exams.")
    var exams = 100_000

    @Option(name: .long, help: "Agents of the chain.")
    var agents = 1

    @Flag(name: .long, help: "Patients, reports and observations in separate files.")
    var bulk = false

    @Option(name: .long, help: "The same seed gives the same bytes.")
    var seed: UInt64 = 1

    func run() async throws {
        let cluster = try AgentCluster(self.agents)
        defer { cluster.remove() }
        let input = cluster.folder.appending(path: "input.ndjson")
        let bytes =
            self.bulk
            ? try ExamFiles.writeBulk(self.exams, seed: self.seed, to: input)
            : try ExamFiles.writeBundles(self.exams, seed: self.seed, to: input)
        let before = HomeFiles(cluster.home(cluster.names[0]))
        let (seconds, replicated) = try await self.measure(cluster, input.path)
        let figures = try cluster.processes.map(ProcessFigures.init)
        cluster.stop()
        let after = HomeFiles(cluster.home(cluster.names[0]))
        let exams = Double(self.exams)
        let sheet = FigureSheet(self.report, ["exams": self.exams, "agents": self.agents, "bulk": self.bulk ? 1 : 0])
        sheet.add("import-rate", exams / seconds, "exams/s")
        sheet.add("import-throughput", Double(bytes) / seconds / 1e6, "MB/s")
        sheet.add("import-time", seconds, "s")
        sheet.add("import-input-bytes-per-exam", Double(bytes) / exams, "B")
        sheet.add("import-cpu-per-exam", figures[0].cpuSeconds / exams * 1e6, "us")
        sheet.add("import-rss-peak", figures[0].residentPeak, "MiB")
        if self.agents > 1 {
            sheet.add("import-rss-peak-others", figures.dropFirst().map(\.residentPeak).max() ?? 0, "MiB")
            sheet.add("import-index-lag", replicated * 1000, "ms")
        }
        sheet.add("import-disk-bytes-per-exam", (after.total - before.total) / exams, "B")
        sheet.add("import-vault-bytes-per-exam", (after.vault - before.vault) / exams, "B")
        sheet.add("import-locator-bytes-per-exam", (after.locators - before.locators) / exams, "B")
        sheet.add("import-custody-bytes-per-exam", (after.custody - before.custody) / exams, "B")
        sheet.add("import-chain-bytes-per-exam", (after.chain - before.chain) / exams, "B")
        sheet.finish()
    }

    /// Seconds until all is final at the importing agent, and from then until all agents list it.
    private func measure(_ cluster: AgentCluster, _ path: String) async throws -> (Double, Double) {
        let exams = UInt64(self.exams)
        return try await cluster.connected { clients in
            let summary = Mutex<Entente_Api_V1_ImportSummary?>(nil)
            var request = Entente_Api_V1_ImportRequest()
            request.format = "auto"
            request.paths = [path]
            let watch = Stopwatch()
            try await clients[0].importFiles(request) { event in
                if case .summary(let result) = event.event { summary.withLock { $0 = result } }
            }
            let seconds = watch.seconds
            guard summary.withLock({ $0?.committed }) == exams else {
                throw BenchFailure("not every exam was committed: \(summary.withLock { $0?.rejections ?? [:] })")
            }
            let lag = Stopwatch()
            for client in clients {
                try await Waiting.until("every agent lists every exam") {
                    try await client.status(Entente_Api_V1_StatusRequest()).locatorEntries >= exams
                }
            }
            return (seconds, lag.seconds)
        }
    }
}
