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

    @Flag(name: .long, help: "Judge an order at each look-up; for a chain of one member, whose approval is a quorum.")
    var verdicts = false

    func validate() throws {
        guard !self.verdicts || self.institutions == 1 else {
            throw ValidationError("--verdicts needs --institutions 1: a pack takes the approval of a quorum")
        }
    }

    func run() async throws {
        let plan = IndexPlan(entries: self.entries, institutions: self.institutions)
        let cluster = try AgentCluster(1, silent: self.institutions - 1) { try plan.fill($0) }
        defer { cluster.remove() }
        let (folder, rounds, judges) = (cluster.folder, self.rounds, self.verdicts)
        let (inside, outside, found) = try await AgentClient.connected(to: cluster.sockets[0]) { client in
            let clinician = try await Clinician(at: client, folder: folder)
            let (inside, outside) = (Durations(), Durations())
            if judges {
                var proposal = Entente_Api_V1_ProposePolicyRequest()
                proposal.pack = Data(BenchPolicy.pack.canonicalBytes)
                _ = try await client.proposePolicy(proposal)
            }
            var found = 0
            var random = SeededRandom(7)
            for _ in 0..<rounds {
                let patient = SyntheticPatient(Int(random.next() % UInt64(plan.patients)))
                let watch = Stopwatch()
                let reply = try await clinician.find(patient, order: judges ? BenchPolicy.ordered : "")
                outside.add(watch.milliseconds)
                inside.add(Double(reply.elapsedMicroseconds) / 1000)
                found += reply.results.count
                guard reply.verdict.exams.count == (judges ? reply.results.count : 0) else {
                    throw BenchFailure("not every exam was judged")
                }
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
                "rounds": self.rounds, "verdicts": self.verdicts ? 1 : 0,
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
    /// A patient was at so many institutions.
    private static let visitedMax = 5

    let institutions: Int
    let patients: Int
    let entriesPerPatient = 20

    private let visited: Int
    /// At each of them.
    private let exams: Int

    init(entries: Int, institutions: Int) {
        self.institutions = institutions
        self.visited = min(Self.visitedMax, institutions)
        self.exams = self.entriesPerPatient / self.visited
        self.patients = max(1, entries / self.entriesPerPatient)
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
            let perBatch = 1024 / self.exams
            for (batch, start) in stride(from: 0, to: patients.count, by: perBatch).enumerated() {
                let listed = patients[start..<min(start + perBatch, patients.count)]
                let manifest = Manifest(
                    institution: member.card.id,
                    batch: UInt64(batch + 1),
                    entries: listed.flatMap { patient in
                        (0..<self.exams).map { Self.entry(member.card.id, pseudonyms[patient], patient, $0) }
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
