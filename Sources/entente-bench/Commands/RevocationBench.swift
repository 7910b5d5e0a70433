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

    func run() async throws {
        let cluster = try AgentCluster(4)
        defer { cluster.remove() }
        let (names, folder, rounds) = (cluster.names, cluster.folder, self.rounds)
        let (granting, revoking, refusing, opened) = try await cluster.connected { clients in
            let scene = try await ReadingScene(clients, names: names, folder: folder, exams: 40)
            let (granting, revoking, refusing) = (Durations(), Durations(), Durations())
            var opened = 0
            for _ in 0..<rounds {
                let grant = try await scene.grant()
                let granted = Stopwatch()
                try await Waiting.until("the granted record opens") {
                    try await scene.clinician.opens(scene.records[0])
                }
                granting.add(granted.milliseconds)
                let asked = Stopwatch()
                try await scene.revoke(grant)
                revoking.add(asked.milliseconds)
                let revoked = Stopwatch()
                while try await scene.clinician.opens(scene.records[0]) { opened += 1 }
                refusing.add(revoked.milliseconds)
            }
            return (granting.all, revoking.all, refusing.all, opened)
        }
        let sheet = FigureSheet(self.report, ["agents": 4, "rounds": self.rounds])
        sheet.add("grant-to-opened", durations: granting)
        sheet.add("revocation-finality", durations: revoking)
        sheet.add("revocation-to-refusal", durations: refusing)
        sheet.add("revocation-opened-after", Double(opened), "reads")
        sheet.finish()
    }
}
