import Foundation
import TestSupport

/// The `entente` program as the tests run it: real processes, real files.
enum Program {
    /// Beside the test bundle, where the build put it.
    static let url: URL = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for folder in [bundle, TestData.repositoryFile(".build/release")] {
            let candidate = folder.appending(path: "entente")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
        }
        preconditionFailure("the entente program is built before the tests run")
    }()

    struct Result {
        var status: Int32
        var output: String
        var errors: String

        /// The JSON object on standard output.
        func object() throws -> [String: Any] {
            guard let object = try JSONSerialization.jsonObject(with: Data(self.output.utf8)) as? [String: Any] else {
                throw Unexpected(text: "no JSON object in \(self.output)")
            }
            return object
        }

        /// The last JSON line of a stream.
        func lastObject() throws -> [String: Any] {
            let line = self.output.split(separator: "\n").last.map(String.init) ?? ""
            return try Result(status: self.status, output: line, errors: self.errors).object()
        }
    }

    struct Unexpected: Error, CustomStringConvertible {
        var text: String
        var description: String { self.text }
    }

    /// Runs the program to its end.
    ///
    /// Blocks the calling thread.
    static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws -> Result {
        let process = Process()
        process.executableURL = self.url
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let folder = try TemporaryFolder()
        // Files in place of pipes: no output can fill a pipe that nobody reads yet.
        let streams = ["in", "out", "err"].map { folder.file($0) }
        try Data(input.utf8).write(to: streams[0])
        for stream in streams.dropFirst() { _ = FileManager.default.createFile(atPath: stream.path, contents: nil) }
        process.standardInput = try FileHandle(forReadingFrom: streams[0])
        process.standardOutput = try FileHandle(forWritingTo: streams[1])
        process.standardError = try FileHandle(forWritingTo: streams[2])
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: String(decoding: try Data(contentsOf: streams[1]), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: streams[2]), as: UTF8.self)
        )
    }
}

/// A running agent.
final class AgentProcess {
    let home: URL
    private let process = Process()
    private let log: URL

    /// Starts an agent on `home` and returns when it says that it serves.
    init(home: URL, environment: [String: String] = [:]) throws {
        self.home = home
        self.log = home.appending(path: "agent.test.log")
        if !FileManager.default.fileExists(atPath: self.log.path) {
            _ = FileManager.default.createFile(atPath: self.log.path, contents: nil)
        }
        let output = Pipe()
        self.process.executableURL = Program.url
        self.process.arguments = ["--home", home.path, "agent"]
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let errors = try FileHandle(forWritingTo: self.log)
        try errors.seekToEnd()
        self.process.standardError = errors
        self.process.standardOutput = output
        try self.process.run()
        // End of file means that the agent ended without becoming ready.
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty {
            guard byte.first != UInt8(ascii: "\n") else { break }
            line.append(byte)
        }
        guard line == Data("ready".utf8) else {
            self.process.waitUntilExit()
            throw Program.Unexpected(
                text: "agent ended with \(self.process.terminationStatus): \(self.logText.suffix(2000))"
            )
        }
    }

    deinit { self.kill() }

    var isRunning: Bool { self.process.isRunning }
    var identifier: Int32 { self.process.processIdentifier }
    var logText: String { (try? String(contentsOf: self.log, encoding: .utf8)) ?? "" }

    /// SIGTERM, and waits for the end.
    @discardableResult
    func stop() -> Int32 {
        guard self.process.isRunning else { return self.process.terminationStatus }
        self.process.terminate()
        self.process.waitUntilExit()
        return self.process.terminationStatus
    }

    /// SIGKILL, and waits for the end.
    func kill() {
        guard self.process.isRunning else { return }
        Foundation.kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }
}
