import ArgumentParser
import Foundation

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Write exams of people who do not exist as FHIR R4 NDJSON."
    )

    @Option(name: .long, help: "How many exams.")
    var exams = 100_000

    @Option(name: .long, help: "The same seed gives the same bytes.")
    var seed: UInt64 = 1

    @Flag(name: .long, help: "Patients, reports and observations in separate files, as bulk exports have them.")
    var bulk = false

    @Option(name: .shortAndLong, help: "The file to write; with --bulk, the folder.")
    var output: String

    func run() throws {
        let url = URL(fileURLWithPath: self.output)
        if self.bulk {
            _ = try ExamFiles.writeBulk(self.exams, seed: self.seed, to: url)
        } else {
            _ = try ExamFiles.writeBundles(self.exams, seed: self.seed, to: url)
        }
    }
}
