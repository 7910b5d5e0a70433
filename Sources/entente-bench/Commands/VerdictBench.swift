import ArgumentParser
import Foundation
import Primitives
import Recognition
import Records

struct VerdictBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdicts",
        abstract: "Judge orders against exams on one core: verdicts of mutual recognition per second."
    )

    @OptionGroup var report: ReportOptions

    @Option(name: .long, help: "Exams that could answer each order.")
    var candidates = 10

    @Option(name: .long, help: "Orders that are judged.")
    var rounds = 200_000

    /// 2026-09-16T02:00:00Z.
    private static let now: Int64 = 1_789_524_000

    func run() async throws {
        guard (1...Verdict.candidatesMax).contains(self.candidates), self.rounds > 0 else {
            throw ValidationError("give 1 to 256 candidates and at least one round")
        }
        let engine = RecognitionEngine(Self.policy)
        let orders = (0..<64).map(Self.order)
        let candidates = (0..<self.candidates).map(Self.candidate)
        let access = RecognitionAccess(
            height: 1,
            entries: [RecognitionAccess.Entry(access: .granted, checkedAt: Self.now)]
        )
        // Every digest is looked at, so that no verdict can be left out.
        var check: UInt64 = 0
        let watch = Stopwatch()
        let start = Self.processorSeconds
        for round in 0..<self.rounds {
            let verdict = try engine.verdict(for: orders[round & 63], among: candidates, access: access)
            check ^= verdict.inputHash.prefix64
            guard verdict.outcome.hasChoice else { throw BenchFailure("an order found no exam") }
        }
        let (seconds, processor) = (watch.seconds, Self.processorSeconds - start)
        let sheet = FigureSheet(
            self.report,
            ["candidates": self.candidates, "rounds": self.rounds, "check": Int(check & 0xffff)]
        )
        sheet.add("verdicts", Double(self.rounds) / seconds, "1/s")
        sheet.add("verdicts-per-processor-second", Double(self.rounds) / processor, "1/s")
        sheet.add("verdict-processor-time", processor / Double(self.rounds) * 1e6, "µs")
        sheet.finish()
    }

    /// Of this process: what other programs take of the core does not count.
    private static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(microseconds) / 1e6
    }

    /// Two hundred items with windows of their own, as many as a real catalogue has.
    private static var policy: PolicyPack {
        var pack = PolicyPack(
            name: "bench",
            version: 1,
            effectiveFrom: 0,
            effectiveTo: nil,
            isExample: true,
            clockSkewSeconds: 300,
            staleAfterSeconds: 86_400,
            undoMinutes: 30
        )
        for number in 0..<200 {
            var item = PolicyPack.Item(code: "i\(number)", chinese: "项目", english: "item", category: .laboratory)
            (item.valueKind, item.unit, item.specimens, item.schemes) = (.quantity, "mmol/L", ["serum"], ["NCCL"])
            pack.items.append(item)
            pack.windows.append(
                PolicyPack.Window(
                    rule: "w\(number)",
                    clause: "",
                    selector: PolicyPack.Selector(items: [item.code]),
                    amount: 7,
                    unit: .days,
                    basis: .specimen
                )
            )
        }
        pack.authorities = [
            PolicyPack.Authority(name: "nhc", chinese: "委", english: "commission", scope: .national)
        ]
        return pack
    }

    private static func order(_ number: Int) -> OrderContext {
        OrderContext(
            patient: "p\(number)",
            item: ItemReference(code: "i100"),
            time: self.now,
            offsetMinutes: 480,
            institution: "hospital-b",
            level: 33,
            area: AreaPath(["110000", "110100", "110102"]),
            department: "cardiology",
            doctor: "d\(number)",
            visitType: .outpatient,
            visit: "v\(number)",
            diagnoses: ["I10"],
            ageDays: 18_262
        )
    }

    /// One in ten is eligible; the others fail at different steps.
    private static func candidate(_ number: Int) -> Candidate {
        let mark = RecognitionMark(scope: .national, authority: "nhc", validFrom: 0, validTo: .max)
        let round = QualityAssessment(scheme: "NCCL", item: "i100", from: 0, to: .max, passed: true)
        let age = Int64(number) * 3600
        var candidate = Candidate(
            key: CandidateKey(report: "report-\(number)"),
            state: .final,
            newestVersion: 1,
            item: ItemReference(code: "i100", specimen: "serum"),
            identity: .match,
            performer: "hospital-a",
            performerLevel: 32,
            performerArea: AreaPath(["120000", "120100"]),
            specimenTime: self.now - age - 10_800,
            examTime: self.now - age - 7200,
            reportTime: self.now - age - 3600,
            marks: [mark],
            assessments: [round],
            value: "5.6",
            unit: "mmol/L",
            signatureOK: true,
            anchor: 100
        )
        switch number % 10 {
        case 1: candidate.identity = .possible
        case 2: candidate.newestVersion = 2
        case 3: candidate.item.code = "i101"
        case 4: candidate.unit = "mg/dL"
        case 5: candidate.reportTime = candidate.examTime - 1
        case 6: candidate.specimenTime = self.now - 30 * 86_400
        case 7: candidate.marks = []
        case 8: candidate.assessments[0].passed = false
        default: break
        }
        return candidate
    }
}
