import Foundation

/// A running agent of the program `entente`.
final class AgentProcess {
    private let process = Process()
    // Held open: an agent that writes into a closed pipe fails.
    private let output = Pipe()

    /// Starts an agent and returns when it says that it serves.
    init(program: URL, home: URL) throws {
        let log = home.appending(path: "agent.log")
        try Data().write(to: log)
        self.process.executableURL = program
        self.process.arguments = ["--home", home.path, "agent"]
        self.process.standardInput = FileHandle.nullDevice
        self.process.standardOutput = self.output
        self.process.standardError = try FileHandle(forWritingTo: log)
        try self.process.run()
        var line = Data()
        while let byte = try self.output.fileHandleForReading.read(upToCount: 1), byte.first != UInt8(ascii: "\n") {
            // End of file: the agent ended without becoming ready.
            guard !byte.isEmpty else { break }
            line.append(byte)
        }
        guard line == Data("ready".utf8) else {
            self.stop()
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            throw BenchFailure("an agent did not start: \(text.suffix(500))")
        }
    }

    var identifier: Int32 { self.process.processIdentifier }

    /// Asks the agent to stop and waits until it has.
    func stop() {
        guard self.process.isRunning else { return }
        self.process.terminate()
        self.process.waitUntilExit()
    }
}

/// What the kernel says about a process.
struct ProcessFigures: Sendable {
    /// MiB.
    var resident: Double
    /// The most that it ever was, MiB.
    var residentPeak: Double
    /// User and system time.
    var cpuSeconds: Double

    init(_ process: Int32) throws {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let stat = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        self.resident = Self.kibibytes("VmRSS:", status) / 1024
        self.residentPeak = Self.kibibytes("VmHWM:", status) / 1024
        // proc(5): after the name in parentheses comes field 3; utime and stime are 14 and 15.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ").dropFirst()
        let ticks = fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
        self.cpuSeconds = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func kibibytes(_ name: String, _ status: String) -> Double {
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Double($0) } ?? 0
    }
}

/// A measurement that cannot be made.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
