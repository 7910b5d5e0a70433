package import Dispatch
package import Foundation
import TestSupport

/// The `entente` program as the tests run it: real processes, real files.
package enum Program {
    /// Beside the test bundle, where the build put it.
    package static let url: URL = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for folder in [bundle, TestData.repositoryFile(".build/release")] {
            let candidate = folder.appending(path: "entente")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
        }
        preconditionFailure("the entente program is built before the tests run")
    }()

    package struct Result {
        package var status: Int32
        package var output: String
        package var errors: String

        package init(status: Int32, output: String, errors: String) {
            self.status = status
            self.output = output
            self.errors = errors
        }

        /// The JSON object on standard output; nothing where there is none.
        package var json: JSON { (try? JSON(self.output)) ?? JSON(nil) }

        /// The code of `error[code]: …`, or of the JSON object that `--json` prints in its place.
        package var code: String {
            if let object = try? JSON(self.errors) { return object["error"]["code"].string }
            guard let start = self.errors.firstRange(of: "error[")?.upperBound,
                let end = self.errors[start...].firstRange(of: "]: ")?.lowerBound
            else { return "" }
            return String(self.errors[start..<end])
        }
    }

    package struct Unexpected: Error, CustomStringConvertible {
        package var text: String
        package var description: String { self.text }

        package init(text: String) { self.text = text }
    }

    /// A command that has been started.
    package final class Running {
        private let process = Process()
        private let folder: TemporaryFolder

        package init(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws {
            self.folder = try TemporaryFolder()
            self.process.executableURL = Program.url
            self.process.arguments = arguments
            self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            // Files in place of pipes: no output can fill a pipe that nobody reads yet.
            let streams = ["in", "out", "err"].map { self.folder.file($0) }
            try Data(input.utf8).write(to: streams[0])
            for stream in streams.dropFirst() { try Data().write(to: stream) }
            self.process.standardInput = try FileHandle(forReadingFrom: streams[0])
            self.process.standardOutput = try FileHandle(forWritingTo: streams[1])
            self.process.standardError = try FileHandle(forWritingTo: streams[2])
            try self.process.run()
        }

        package var isRunning: Bool { self.process.isRunning }
        package var processIdentifier: Int32 { self.process.processIdentifier }

        /// Waits for the end; blocks the calling thread.
        package func result() throws -> Result {
            let watchdog = Program.watchdog(self.process)
            self.process.waitUntilExit()
            watchdog.cancel()
            return Result(
                status: Program.status(of: self.process),
                output: String(decoding: try Data(contentsOf: self.folder.file("out")), as: UTF8.self),
                errors: String(decoding: try Data(contentsOf: self.folder.file("err")), as: UTF8.self)
            )
        }
    }

    /// Kills a process that hangs: then its test fails, and the tests go on.
    ///
    /// Cancelled by whoever sees the process come to its end, or become ready.
    package static func watchdog(_ process: Process) -> DispatchWorkItem {
        let identifier = process.processIdentifier
        let item = DispatchWorkItem { Foundation.kill(identifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Self.hangSeconds), execute: item)
        return item
    }

    /// Far more than any command takes on the slowest machine.
    private static let hangSeconds = 30

    /// The exit status of a process that has ended; below zero the signal that ended it.
    package static func status(of process: Process) -> Int32 {
        process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Runs the program to its end.
    ///
    /// Blocks the calling thread.
    package static func run(
        _ arguments: [String],
        input: String = "",
        environment: [String: String] = [:]
    ) throws -> Result {
        try Running(arguments, input: input, environment: environment).result()
    }
}

/// A running agent.
package final class AgentProcess {
    /// The agent ended in place of becoming ready.
    package struct Ended: Error, CustomStringConvertible {
        package var status: Int32
        /// The end of its log.
        package var log: String

        package var description: String { "agent ended with \(self.status): \(self.log)" }
    }

    package let home: URL
    private let process = Process()
    private let log: URL

    /// Starts an agent on `home` and returns when it says that it serves.
    package init(home: URL, arguments: [String] = [], environment: [String: String] = [:]) throws {
        self.home = home
        // Beside the home, so that a home on a full disk can still be told about.
        self.log = home.appendingPathExtension("log")
        if !FileManager.default.fileExists(atPath: self.log.path) {
            try Data().write(to: self.log)
        }
        let output = Pipe()
        self.process.executableURL = Program.url
        self.process.arguments = ["--home", home.path, "agent"] + arguments
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let errors = try FileHandle(forWritingTo: self.log)
        try errors.seekToEnd()
        self.process.standardError = errors
        self.process.standardOutput = output
        try self.process.run()
        // End of file means that the agent ended without becoming ready.
        let watchdog = Program.watchdog(self.process)
        defer { watchdog.cancel() }
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            guard byte.first != UInt8(ascii: "\n") else { break }
            line.append(byte)
        }
        guard line == Data("ready".utf8) else {
            self.process.waitUntilExit()
            throw Ended(status: Program.status(of: self.process), log: String(self.logText.suffix(2000)))
        }
    }

    deinit { self.kill() }

    package var isRunning: Bool { self.process.isRunning }
    package var processIdentifier: Int32 { self.process.processIdentifier }
    package var logText: String { (try? String(contentsOf: self.log, encoding: .utf8)) ?? "" }

    /// SIGTERM, and waits for the end.
    @discardableResult
    package func stop() -> Int32 {
        guard self.process.isRunning else { return self.process.terminationStatus }
        self.process.terminate()
        self.process.waitUntilExit()
        return self.process.terminationStatus
    }

    /// Sends a signal that ends it, SIGKILL unless another is named, and waits for the end.
    package func kill(_ signal: Int32 = SIGKILL) {
        guard self.process.isRunning else { return }
        Foundation.kill(self.process.processIdentifier, signal)
        self.process.waitUntilExit()
    }
}
