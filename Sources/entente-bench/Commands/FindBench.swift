import AgentAPI
import AgentRuntime
import ArgumentParser
import Foundation
import LedgerStore
import Primitives
import Records
import Vault

struct FindBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find",
        abstract: "Look patients up at an agent whose index holds the exams of many institutions."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "Exams in the index.")
    var entries = 1_000_000

    @Option(name: .long, help: "Members of the chain.")
    var institutions = 400

    @Option(name: .long, help: "Patients that are looked up, one after another.")
    var rounds = 2000

    func run() async throws {
        let plan = IndexPlan(entries: self.entries, institutions: self.institutions)
        let cluster = try AgentCluster(1, silent: self.institutions - 1) { try plan.fill($0) }
        defer { cluster.remove() }
        let (folder, rounds) = (cluster.folder, self.rounds)
        let (inside, outside, found) = try await AgentClient.connected(to: cluster.sockets[0]) { client in
            let clinician = try await Clinician(at: client, folder: folder)
            let (inside, outside) = (Durations(), Durations())
            var found = 0
            var random = SeededRandom(7)
            for _ in 0..<rounds {
                let patient = SyntheticPatient(Int(random.next() % UInt64(plan.patients)))
                let watch = Stopwatch()
                let reply = try await clinician.find(patient)
                outside.add(watch.milliseconds)
                inside.add(Double(reply.elapsedMicroseconds) / 1000)
                found += reply.results.count
            }
            return (inside.all, outside.all, found)
        }
        guard found == plan.entriesPerPatient * self.rounds else {
            throw BenchFailure("found \(found) exams where \(plan.entriesPerPatient * self.rounds) are")
        }
        let sheet = FigureSheet(
            self.report,
            [
                "entries": plan.patients * plan.entriesPerPatient, "institutions": self.institutions,
                "rounds": self.rounds,
            ]
        )
        sheet.add("find-results", Double(found) / Double(self.rounds), "exams")
        sheet.add("find-at-agent", durations: inside)
        sheet.add("find-round-trip", durations: outside)
        sheet.add("find-rss", try ProcessFigures(cluster.processes[0]).resident, "MiB")
        sheet.finish()
    }
}

/// Which institution lists which exams of whom.
struct IndexPlan: Sendable {
    /// A patient was at so many institutions, and so often at each.
    private static let visited = 5
    private static let exams = 4

    let institutions: Int
    let patients: Int

    var entriesPerPatient: Int { self.visited * Self.exams }

    private var visited: Int { min(Self.visited, self.institutions) }

    init(entries: Int, institutions: Int) {
        self.institutions = institutions
        self.patients = max(1, entries / (min(Self.visited, institutions) * Self.exams))
    }

    /// Writes the manifests of all institutions into the index of the first agent.
    func fill(_ cluster: AgentCluster) throws {
        let layout = HomeLayout(root: cluster.home(cluster.names[0]))
        let genesis = try Founding.readGenesis(Array(try Data(contentsOf: cluster.genesis)))
        let identifiers = try (0..<self.patients).map {
            try PatientIdentifier(parsing: SyntheticPatient($0).identifier)
        }
        // As if the home had met all these patients before: any value does for a pseudonym.
        let pseudonyms = identifiers.map { PatientPseudonym(Digest(hashing: $0.pseudonymInput)) }
        let custody = try CustodyStore(path: layout.custodyDatabase.path)
        let cache = PseudonymCache(vault: try Vault.open(home: layout.root.path, passphrase: nil), custody: custody)
        try cache.store(Dictionary(zip(identifiers, pseudonyms)) { first, _ in first })
        try custody.close()
        let store = try LocatorStore(path: layout.locatorDatabase.path)
        for (number, member) in genesis.members.enumerated() {
            let patients = (0..<self.patients).filter { self.isVisited(number, by: $0) }
            // A batch commits at most 1,024 exams.
            let perBatch = 1024 / Self.exams
            for (batch, start) in stride(from: 0, to: patients.count, by: perBatch).enumerated() {
                let listed = patients[start..<min(start + perBatch, patients.count)]
                let manifest = Manifest(
                    institution: member.card.id,
                    batch: UInt64(batch + 1),
                    entries: listed.flatMap { patient in
                        (0..<Self.exams).map { Self.entry(member.card.id, pseudonyms[patient], patient, $0) }
                    },
                    aliases: []
                )
                try store.add(manifest, address: Self.address("\(member.card.id) \(batch)"))
            }
        }
    }

    private func isVisited(_ institution: Int, by patient: Int) -> Bool {
        (institution - patient % self.institutions + self.institutions) % self.institutions < self.visited
    }

    private static func address(_ name: String) -> ContentAddress { ContentAddress(Digest(hashing: Array(name.utf8))) }

    private static func entry(
        _ institution: InstitutionID,
        _ pseudonym: PatientPseudonym,
        _ patient: Int,
        _ index: Int
    ) -> Manifest.Entry {
        let record = Self.address("\(institution) \(patient) \(index)")
        let panel = Panel.all[(patient + index) % Panel.all.count]
        let day = Timestamp(milliseconds: 1_735_700_000_000 + Int64(patient % 300 + index) * 86_400_000)
        let summary = LocatorSummary(
            record: record,
            kind: .laboratory,
            status: .final,
            itemSystem: "http://loinc.org",
            itemCode: panel.code,
            display: panel.display,
            bodySite: "",
            examTime: day,
            reportTime: day,
            recordBytes: 4096,
            imageCount: 0
        )
        let locator = PseudonymSealing.sealLocator(
            summary,
            pseudonym: pseudonym,
            institution: institution,
            index: UInt64(index)
        )
        let leaf = ExamLeaf(
            record: record,
            sealedBytes: 2048,
            commitment: record.digest,
            locatorDigest: locator.digest,
            supersedes: nil
        )
        return Manifest.Entry(leaf: leaf, locator: locator)
    }
}
