import AgentRuntime
import ArgumentParser
import Foundation
import Ledger
import LedgerStore
import Logging
import Oblivious
import Primitives
import Records
import Vault

struct ObliviousBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "oprf",
        abstract: "Form the pseudonyms of new patients with a key that several institutions share.",
        discussion: "All holders are in this process: their work and the requester's share its processors."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "New patients.")
    var patients = 100_000

    @Option(name: .long, help: "Holders of the key.")
    var holders = 5

    @Option(name: .long, help: "Holders that must help.")
    var threshold = 3

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "entente-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let key = try BenchKey(folder, holders: self.holders, threshold: self.threshold)
        let sheet = FigureSheet(
            self.report,
            ["patients": self.patients, "holders": self.holders, "threshold": self.threshold]
        )
        try self.evaluator(key, sheet)
        let identifiers = try (0..<self.patients).map { try PatientIdentifier(system: "CN-PP", value: "B\($0)") }
        let desk = try key.desk()
        var watch = Stopwatch()
        _ = try await desk.pseudonyms(identifiers)
        sheet.add("oprf-new-patients", watch.milliseconds / 1000, "s")
        watch = Stopwatch()
        _ = try await desk.pseudonyms(identifiers)
        sheet.add("oprf-known-patients", watch.milliseconds / 1000, "s")
        sheet.finish()
    }

    /// What one evaluator does in a second on one processor, and what checking it costs.
    private func evaluator(_ key: BenchKey, _ sheet: FigureSheet) throws {
        let blinds = BlindSource()
        let count = PartialEvaluation.elementsMax
        var watch = Stopwatch()
        let blinded = (0..<count).compactMap {
            ObliviousFunction.verifiable.blind(Array("patient \($0)".utf8), with: blinds.blind($0))
        }
        sheet.add("oprf-blind", Double(count) / watch.milliseconds * 1000, "elements/s")
        let (vault, shareKey) = (key.vaults[0], key.shareKey(0))
        watch = Stopwatch()
        guard let answer = vault.pseudonyms.evaluate(blinded, generation: 1, shareKey: shareKey) else {
            throw BenchFailure("a holder has no share")
        }
        sheet.add("oprf-evaluate", Double(count) / watch.milliseconds * 1000, "elements/s")
        watch = Stopwatch()
        guard answer.isValid(blinded, shareKey: shareKey) else { throw BenchFailure("a proof does not hold") }
        sheet.add("oprf-check-proof", Double(count) / watch.milliseconds * 1000, "elements/s")
        sheet.add("oprf-answer-bytes", Double(answer.canonicalBytes.count) / Double(count), "bytes/element")
    }
}

/// Homes that share a key.
struct BenchKey {
    let vaults: [Vault]
    private let custody: CustodyStore
    private let state: PseudonymKeyState

    init(_ folder: URL, holders: Int, threshold: Int) throws {
        let context = CeremonyContext(chain: ChainID(.zero), number: 1)
        let vaults = try (0..<holders).map { index in
            let home = folder.appending(path: "h\(index)").path
            guard let id = InstitutionID("h\(index)") else { throw BenchFailure("a name") }
            _ = try HomeKeys.create(home: home, institution: id, passphrase: nil)
            return try Vault.open(home: home, passphrase: nil)
        }
        let keys = try vaults.map { try $0.pseudonyms.join(context).element }
        var dealings: [(dealer: InstitutionID, dealing: Dealing)] = []
        for vault in vaults {
            let dealing = try vault.pseudonyms.deal(context, sharing: nil, threshold: threshold, holders: keys)
            guard let dealing else { throw BenchFailure("nothing was dealt") }
            dealings.append((vault.institution, dealing))
        }
        guard let polynomial = KeySharing.new.polynomial(dealings.map(\.dealing)) else {
            throw BenchFailure("the dealings give no key")
        }
        var list: [PseudonymKeyState.Holder] = []
        for (position, vault) in vaults.enumerated() {
            let index = UInt16(position + 1)
            let shareKey = polynomial.shareKey(index)
            let isAdopted = try vault.pseudonyms.adopt(
                context,
                generation: 1,
                dealings: dealings,
                sharing: .new,
                index: index,
                shareKey: shareKey
            )
            guard isAdopted else { throw BenchFailure("a share is wrong") }
            list.append(PseudonymKeyState.Holder(institution: vault.institution, shareKey: shareKey))
        }
        self.vaults = vaults
        self.custody = try CustodyStore(path: folder.appending(path: "custody.sqlite").path)
        self.state = PseudonymKeyState(
            generation: 1,
            ceremony: 1,
            threshold: UInt16(threshold),
            publicKey: polynomial.constant,
            holders: list,
            dealers: vaults.map(\.institution),
            dealerIndexes: [],
            height: Height(1),
            time: Timestamp(milliseconds: 0)
        )
    }

    func shareKey(_ position: Int) -> RistrettoElement { self.state.holders[position].shareKey ?? .generator }

    /// The first home's desk: it holds a share, and asks the others for theirs.
    func desk() throws -> PseudonymDesk {
        let (state, vaults) = (self.state, self.vaults)
        return PseudonymDesk(
            vault: vaults[0],
            custody: self.custody,
            logger: Logger(label: "bench"),
            key: { state },
            ask: { holder, request in
                guard case .evaluate(let generation, let blinded) = request,
                    let vault = vaults.first(where: { $0.institution == holder }),
                    let shareKey = state.shareKey(of: holder),
                    let answer = vault.pseudonyms.evaluate(blinded, generation: generation, shareKey: shareKey)
                else { return .notHolder }
                return .evaluated(answer)
            }
        )
    }
}
