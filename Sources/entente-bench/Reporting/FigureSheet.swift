import ArgumentParser
import Foundation
import Synchronization

/// How the figures are printed.
struct ReportOptions: ParsableArguments {
    @Flag(name: .long, help: "JSON lines on a terminal, too.")
    var json = false
}

/// One measured value.
struct Figure {
    var name: String
    var value: Double
    var unit: String
    var parameters: [String: Int]
}

/// Prints figures: a JSON object a line as they come, or a table at the end where a person reads.
final class FigureSheet {
    private let isTable: Bool
    private let parameters: [String: Int]
    private var figures: [Figure] = []

    /// `parameters` are what was asked for; they stand with every figure.
    init(_ options: ReportOptions, _ parameters: [String: Int]) {
        self.isTable = !options.json && isatty(STDOUT_FILENO) == 1
        self.parameters = parameters
    }

    func add(_ name: String, _ value: Double, _ unit: String) {
        // Three decimals are more than any of these figures can be repeated to.
        let rounded = (value * 1000).rounded() / 1000
        let figure = Figure(name: name, value: rounded, unit: unit, parameters: self.parameters)
        if self.isTable { self.figures.append(figure) } else { Self.print(Self.json(figure)) }
    }

    /// The values that stand for a list of durations in milliseconds.
    func add(_ name: String, durations: [Double]) {
        let sorted = durations.sorted()
        self.add(name + "-p50", Statistics.percentile(50, ofSorted: sorted), "ms")
        self.add(name + "-p99", Statistics.percentile(99, ofSorted: sorted), "ms")
        self.add(name + "-max", sorted.last ?? 0, "ms")
    }

    /// Prints the table, if there is one.
    func finish() {
        guard self.isTable else { return }
        let width = self.figures.map(\.name.count).max() ?? 0
        for figure in self.figures {
            let name = figure.name.padding(toLength: width + 2, withPad: " ", startingAt: 0)
            Self.print("\(name)\(String(format: "%14.3f", figure.value)) \(figure.unit)")
        }
        let parameters = self.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        Self.print("(" + parameters.joined(separator: ", ") + ")")
    }

    private static func json(_ figure: Figure) -> String {
        let object: [String: Any] = [
            "name": figure.name, "value": figure.value, "unit": figure.unit, "parameters": figure.parameters,
        ]
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: options) else {
            preconditionFailure("names and finite numbers can be written")
        }
        return String(decoding: data, as: UTF8.self)
    }

    private static func print(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

/// What stands for a list of measured values.
enum Statistics {
    /// The nearest-rank percentile; 0 for an empty list.
    static func percentile(_ percent: Int, ofSorted values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        let rank = (values.count * percent + 99) / 100
        return values[min(max(rank, 1), values.count) - 1]
    }
}

/// Time that has passed since it was made.
struct Stopwatch: Sendable {
    private let start = ContinuousClock.now

    var milliseconds: Double {
        let (seconds, attoseconds) = (ContinuousClock.now - self.start).components
        return Double(seconds) * 1000 + Double(attoseconds) / 1e15
    }

    var seconds: Double { self.milliseconds / 1000 }
}

/// Durations that several tasks add to.
final class Durations: Sendable {
    private let list = Mutex<[Double]>([])

    func add(_ milliseconds: Double) { self.list.withLock { $0.append(milliseconds) } }

    var all: [Double] { self.list.withLock { $0 } }
}
