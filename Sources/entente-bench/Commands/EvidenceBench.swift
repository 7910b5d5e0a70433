import AgentAPI
import AgentCore
import ArgumentParser
import Foundation
import Primitives
import Records

struct EvidenceBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Open granted records with evidence: its size beyond the record, and the time to verify it."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "Exams of the importing hospital.")
    var exams = 2000

    @Option(name: .long, help: "How often a record is opened and its evidence verified.")
    var rounds = 200

    func run() async throws {
        let cluster = try AgentCluster(4)
        defer { cluster.remove() }
        let genesis = try Genesis(canonicalBytes: Array(try Data(contentsOf: cluster.genesis)))
        let (names, folder, exams, rounds) = (cluster.names, cluster.folder, self.exams, self.rounds)
        let (fetching, files) = try await cluster.connected { clients in
            let scene = try await ReadingScene(clients, names: names, folder: folder, exams: exams)
            _ = try await scene.grant()
            for record in scene.records {
                try await Waiting.until("the granted record opens") { try await scene.clinician.opens(record) }
            }
            let fetching = Durations()
            var files: [Data] = []
            for round in 0..<rounds {
                let watch = Stopwatch()
                let record = scene.records[round % scene.records.count]
                files.append(try await scene.clinician.fetch(record, wantsEvidence: true).evidence)
                fetching.add(watch.milliseconds)
            }
            return (fetching.all, files)
        }
        let verifier = EvidenceVerifier(genesis: genesis)
        let verifying = Durations()
        var overheads: [Double] = []
        for file in files {
            let bytes = Array(file)
            let watch = Stopwatch()
            let isValid = verifier.verify(bytes).isValid
            verifying.add(watch.milliseconds)
            guard isValid else { throw BenchFailure("an agent's evidence is not valid") }
            overheads.append(Double(bytes.count - (try EvidenceFile(canonicalBytes: bytes)).record.content.count))
        }
        let sheet = FigureSheet(self.report, ["agents": 4, "exams": self.exams, "rounds": self.rounds])
        sheet.add("evidence-bytes-beyond-record", overheads.max() ?? 0, "B")
        sheet.add("evidence-verify", durations: verifying.all)
        sheet.add("fetch", durations: fetching)
        sheet.finish()
    }
}
