import AgentAPI
import ArgumentParser
import Foundation

struct RevocationBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revocation",
        abstract: "Revoke at one agent, and see from when on another one refuses to open."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "How many grants are made and revoked.")
    var rounds = 20

    @Option(name: .long, help: "Agents; all but the first, whose records they are, may read.")
    var agents = 4

    func validate() throws {
        guard self.agents >= 3 else { throw ValidationError("a source, a reader and a witness are three agents") }
    }

    func run() async throws {
        let cluster = try AgentCluster(self.agents)
        defer { cluster.remove() }
        let (names, folder, rounds) = (cluster.names, cluster.folder, self.rounds)
        let (granting, revoking, refusing, opened) = try await cluster.connected { clients in
            let scene = try await ReadingScene(clients, names: names, folder: folder, exams: 40)
            var readers: [Clinician] = []
            for index in 1..<names.count {
                try await Waiting.until("the agent lists the exams") {
                    try await clients[index].status(.init()).locatorEntries >= 40
                }
                readers.append(try await scene.clinician(at: index, folder: folder))
            }
            let (granting, revoking, refusing) = (Durations(), Durations(), Durations())
            var opened = 0
            for _ in 0..<rounds {
                let grant = try await scene.grant(to: Array(names.dropFirst()))
                let granted = Stopwatch()
                for reader in readers {
                    try await Waiting.until("the granted record opens") { try await reader.opens(scene.records[0]) }
                }
                granting.add(granted.milliseconds)
                let asked = Stopwatch()
                try await scene.revoke(grant)
                revoking.add(asked.milliseconds)
                let revoked = Stopwatch()
                let still = try await Self.untilAllRefuse(readers, scene.records[0])
                refusing.add(revoked.milliseconds)
                opened += still
            }
            return (granting.all, revoking.all, refusing.all, opened)
        }
        let sheet = FigureSheet(self.report, ["agents": self.agents, "rounds": self.rounds])
        sheet.add("grant-to-opened", durations: granting)
        sheet.add("revocation-finality", durations: revoking)
        sheet.add("revocation-to-refusal", durations: refusing)
        sheet.add("revocation-opened-after", Double(opened), "reads")
        sheet.finish()
    }

    /// Asks at every reader at once until each refuses; how many readings still succeeded.
    private static func untilAllRefuse(_ readers: [Clinician], _ record: Data) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for reader in readers {
                group.addTask {
                    var opened = 0
                    while try await reader.opens(record) { opened += 1 }
                    return opened
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
