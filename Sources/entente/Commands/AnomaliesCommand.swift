import AgentAPI
import ArgumentParser
import Foundation

struct AnomaliesCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "anomalies",
        abstract: "List what institutions reported to be wrong about their exams, newest first."
    )

    @OptionGroup var options: GlobalOptions

    @Option(name: .long, help: "Only those of this institution.")
    var institution: String?

    @Option(name: .long, help: "At most so many.")
    var limit: UInt32 = 100

    func execute() async throws {
        guard self.limit > 0 else {
            throw CommandFailure.usage("limit", "--limit takes a number above 0", hint: "The default is 100.")
        }
        var request = Entente_Api_V1_AnomaliesRequest()
        request.institution = self.institution ?? ""
        request.limit = self.limit
        let reply = try await self.options.call { [request] in try await $0.anomalies(request) }
        Answer(["anomalies": reply.anomalies.map(self.json)], text: self.table(reply.anomalies))
            .print(asJSON: self.options.json)
    }

    private func json(_ line: Entente_Api_V1_AnomalyLine) -> [String: Any] {
        var object: [String: Any] = [
            "institution": line.institution, "kind": line.kind, "records": line.records.map(\.hex),
            "count": Int(line.count), "time": Times.format(line.time), "commitment": line.commitment.hex,
            "reported": line.reported,
            "facts": line.facts.map { ["name": $0.name, "text": $0.text] },
        ]
        if line.reported {
            object["report"] = line.report
            object["position"] = Int(line.position)
            object["height"] = line.height
            object["blockTime"] = Times.format(line.blockTime)
        }
        return object
    }

    private func table(_ lines: [Entente_Api_V1_AnomalyLine]) -> String {
        guard !lines.isEmpty else { return "Nothing was reported." }
        var table = TextTable(["Found", "Institution", "Kind", "Exams", "Records", "Height", "Why"])
        for line in lines {
            table.add([
                Times.format(line.time), line.institution, line.kind, String(line.count),
                line.records.map { String($0.hex.prefix(16)) }.joined(separator: " "),
                line.reported ? String(line.height) : "waits",
                line.facts.map { "\($0.name) \($0.text)" }.joined(separator: ", "),
            ])
        }
        return table.text
    }
}
