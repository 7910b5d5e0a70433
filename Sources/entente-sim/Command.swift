import ArgumentParser
import SimulationKit

/// Runs simulated clusters from seeds.
@main
struct Command: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entente-sim",
        abstract: "Runs a simulated cluster through crashes, losses and lies, and checks every promise of the protocol."
    )

    @Option(help: "The seed, which decides everything.")
    var seed: UInt64

    @Option(help: "How many seeds to run, from this one on.")
    var count: UInt64 = 1

    @Option(help: "How many validators, 1 to 20; by default the seed decides.")
    var validators: Int?

    @Flag(help: "Print every event.")
    var verbose = false

    func validate() throws {
        guard self.validators.map({ (1...20).contains($0) }) ?? true else {
            throw ValidationError("--validators must be between 1 and 20.")
        }
        guard !self.seed.addingReportingOverflow(self.count).overflow else {
            throw ValidationError("--seed plus --count is too large.")
        }
    }

    func run() throws {
        var failures = 0
        for seed in self.seed..<self.seed + self.count {
            let scenario = Scenario(seed: seed, validators: self.validators)
            var cluster = self.verbose ? Cluster(scenario) { print($0) } : Cluster(scenario)
            do {
                try cluster.run()
                print(cluster.report)
            } catch {
                failures += 1
                print("seed \(seed) FAILED: \(error)")
            }
        }
        guard failures == 0 else {
            print("\(failures) of \(self.count) seeds failed")
            throw ExitCode(1)
        }
    }
}
