import AgentAPI
import ArgumentParser
import Formats
import Foundation
import Records
import Synchronization

struct ImportCommand: EntenteCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import exams from files, folders, NDJSON exports or standard input; each exactly once."
    )

    @OptionGroup var options: GlobalOptions

    @Argument(help: "Files or folders of the agent's machine; - for standard input.")
    var paths: [String]

    @Option(name: .long, help: "auto, fhir, hl7v2, cda, csv or dicom; auto tells by each file's content.")
    var format = "auto"

    @Option(name: .long, help: "What the columns of tables mean: a YAML file; mapping columns suggests one.")
    var mapping: String?

    @Flag(name: .long, help: "Read and check everything, change nothing.")
    var dryRun = false

    @Option(name: .long, help: "Write a line per rejected input to this CSV file.")
    var report: String?

    @Option(name: .long, help: "Import at most so many exams a second, so that other work goes on beside it.")
    var rate: UInt32?

    @Option(name: .long, help: "Import only in this part of the day, such as 22:00-06:00, and wait in between.")
    var between: String?

    func execute() async throws {
        guard self.rate != 0 else {
            throw CommandFailure.usage("rate", "a rate is at least 1", hint: "Leave it out to import at full speed.")
        }
        let formats = ["auto"] + SourceFormat.allCases.map(\.name)
        guard formats.contains(self.format) else {
            throw CommandFailure.usage(
                "format",
                "there is no such format",
                hint: "Formats: " + formats.joined(separator: ", ")
            )
        }
        var request = Entente_Api_V1_ImportRequest()
        if let mapping = self.mapping { request.mapping = Data(try MappingFile.read(mapping).canonicalBytes) }
        request.format = self.format
        request.dryRun = self.dryRun
        request.examsPerSecond = self.rate ?? 0
        request.window = self.between ?? ""
        if let report = self.report { try PrivateFile.checkWritable(report) }
        let sink = ImportSink(json: self.options.json, dryRun: self.dryRun)
        if self.paths == ["-"] {
            try await self.options.importUpload(request, from: .standardInput, into: sink)
        } else {
            guard !self.paths.contains("-") else {
                throw CommandFailure.usage(
                    "paths",
                    "- stands alone",
                    hint: "Import standard input in a run of its own."
                )
            }
            request.paths = self.paths.map { URL(fileURLWithPath: $0).path }
            for path in request.paths where !FileManager.default.fileExists(atPath: path) {
                throw CommandFailure("input.not-found", "no such file or folder: \(path)", status: .notFound)
            }
            try await self.options.importPaths(request, into: sink)
        }
        try sink.finish(report: self.report)
    }
}

struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine",
        abstract: "Inputs that were set aside, and why.",
        subcommands: [List.self, Show.self, Retry.self]
    )

    struct List: EntenteCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List quarantined inputs.")

        @OptionGroup var options: GlobalOptions

        func execute() async throws {
            let reply = try await self.options.call {
                try await $0.quarantineList(Entente_Api_V1_QuarantineListRequest())
            }
            var table = TextTable(["Id", "File", "Position", "Code", "Reason"])
            for item in reply.items { table.add([item.id, item.file, item.position, item.code, item.message]) }
            Answer(
                ["items": reply.items.map(\.json)],
                text: reply.items.isEmpty ? "Nothing in quarantine." : table.text
            ).print(asJSON: self.options.json)
        }
    }

    struct Show: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract:
                "Show one quarantined input with its position and an excerpt in which names and long numbers are masked."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The id, as list prints it.")
        var id: String

        @Flag(name: .long, help: "Show the whole content as it came, with everything that names the patient.")
        var full = false

        func execute() async throws {
            var request = Entente_Api_V1_QuarantineShowRequest()
            request.id = self.id
            request.full = self.full
            let reply = try await self.options.call { [request] in try await $0.quarantineShow(request) }
            var object = reply.item.json
            let text = String(decoding: reply.content, as: UTF8.self)
            if self.full { object["content"] = reply.content.base64EncodedString() } else { object["excerpt"] = text }
            let content =
                text
                .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                .map { Terminal.harmless(String($0)) }.joined(separator: "\n")
            Answer(
                object,
                text: """
                    File      \(Terminal.harmless(reply.item.file))
                    Position  \(reply.item.position)
                    Code      \(reply.item.code)
                    Reason    \(Terminal.harmless(reply.item.message))
                    Set aside \(Times.format(reply.item.time)), \(reply.item.bytes) bytes

                    \(content)
                    """
            ).print(asJSON: self.options.json)
        }
    }

    struct Retry: EntenteCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Import quarantined inputs again; what succeeds leaves the quarantine."
        )

        @OptionGroup var options: GlobalOptions

        @Argument(help: "The id; without one, everything.")
        var id: String?

        @Option(
            name: .long,
            help: "What the columns of tables mean, in place of the mapping they were refused with."
        )
        var mapping: String?

        func execute() async throws {
            var request = Entente_Api_V1_QuarantineRetryRequest()
            request.id = self.id ?? ""
            if let mapping = self.mapping { request.mapping = Data(try MappingFile.read(mapping).canonicalBytes) }
            let sink = ImportSink(json: self.options.json, dryRun: false)
            try await self.options.retryQuarantine(request, into: sink)
            try sink.finish(report: nil)
        }
    }
}

extension Entente_Api_V1_QuarantineItem {
    var json: [String: Any] {
        [
            "id": self.id, "file": self.file, "position": self.position, "code": self.code, "message": self.message,
            "time": Times.format(self.time), "bytes": self.bytes,
        ]
    }
}

/// Shows an import's progress on standard error and its result on standard output.
final class ImportSink: Sendable {
    private struct State {
        var rejections: [Entente_Api_V1_ImportRejection] = []
        var summary: Entente_Api_V1_ImportSummary?
        var didShowProgress = false
    }

    private let json: Bool
    private let dryRun: Bool
    private let state = Mutex(State())
    /// Shown one by one; more are counted only.
    ///
    /// The report file and the quarantine hold all.
    private static let shownMax = 10

    init(json: Bool, dryRun: Bool) {
        self.json = json
        self.dryRun = dryRun
    }

    func take(_ event: Entente_Api_V1_ImportEvent) {
        self.state.withLock { state in
            switch event.event {
            case .progress(let progress): self.show(progress, &state)
            case .rejection(let rejection): state.rejections.append(rejection)
            case .summary(let summary): state.summary = summary
            case nil: break
            }
        }
    }

    private func show(_ progress: Entente_Api_V1_ImportProgress, _ state: inout State) {
        guard progress.elapsedMilliseconds >= 1000, Terminal.isErrorTerminal else { return }
        state.didShowProgress = true
        guard progress.waitingMilliseconds == 0 else {
            let minutes = (progress.waitingMilliseconds + 59_999) / 60_000
            let line = "\r\u{1b}[K\(progress.exams) exams, waiting \(minutes) min for the time of day"
            FileHandle.standardError.write(Data(line.utf8))
            return
        }
        let seconds = Double(progress.elapsedMilliseconds) / 1000
        let rate = Double(progress.exams) / seconds
        var line = String(format: "\r\u{1b}[K%llu exams, %.0f/s", progress.exams, rate)
        if progress.bytesTotal > 0, progress.bytesRead > 0 {
            let share = min(1, Double(progress.bytesRead) / Double(progress.bytesTotal))
            let left = seconds / share - seconds
            line += String(format: ", %.0f %%, %.0f s left", share * 100, left)
        }
        if progress.quarantined > 0 { line += ", \(progress.quarantined) set aside" }
        FileHandle.standardError.write(Data(line.utf8))
    }

    func finish(report: String?) throws {
        let state = self.state.withLock { $0 }
        if state.didShowProgress { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
        guard let summary = state.summary else {
            throw CommandFailure(
                "import.interrupted",
                "the agent ended before the import did",
                hint: "Start the agent and import again: what is committed is recognised.",
                status: .notReady
            )
        }
        if let report { try PrivateFile.write(Data(Self.report(state.rejections).utf8), to: report) }
        Answer(self.object(summary), text: self.text(summary, state.rejections)).print(asJSON: self.json)
        if summary.quarantined > 0 { throw ExitCode(CommandFailure.Status.quarantined.rawValue) }
    }

    private static func report(_ rejections: [Entente_Api_V1_ImportRejection]) -> String {
        let lines = rejections.map { rejection in
            [rejection.file, rejection.position, rejection.code, rejection.message, rejection.quarantineID]
                .map { "\"" + $0.replacingOccurrences(of: "\"", with: "\"\"") + "\"" }.joined(separator: ",")
        }
        return (["file,position,code,message,quarantine"] + lines).joined(separator: "\r\n") + "\r\n"
    }

    private func object(_ summary: Entente_Api_V1_ImportSummary) -> [String: Any] {
        [
            "read": summary.read, "committed": summary.committed, "duplicates": summary.duplicates,
            "newVersions": summary.newVersions, "quarantined": summary.quarantined,
            "skipped": summary.skipped, "rejections": summary.rejections,
            "batches": summary.batches.map { batch in
                ["number": batch.number, "root": batch.root.hex, "count": batch.count, "height": batch.height]
                    as [String: Any]
            },
            "seconds": Double(summary.elapsedMilliseconds) / 1000, "dryRun": self.dryRun,
        ]
    }

    private func text(
        _ summary: Entente_Api_V1_ImportSummary,
        _ rejections: [Entente_Api_V1_ImportRejection]
    ) -> String {
        let seconds = Double(summary.elapsedMilliseconds) / 1000
        var lines = [
            "\(summary.read) exams read, \(summary.committed) \(self.dryRun ? "would be " : "")committed, "
                + "\(summary.duplicates) duplicates, \(summary.newVersions) new versions, "
                + "\(summary.quarantined) quarantined, in \(String(format: "%.1f", seconds)) s"
        ]
        if let first = summary.batches.first, let last = summary.batches.last,
            summary.batches.count > Self.shownMax
        {
            lines.append(
                "batches \(first.number) to \(last.number), blocks \(first.height) to \(last.height); --json lists them"
            )
        }
        for batch in summary.batches where summary.batches.count <= Self.shownMax {
            lines.append("batch \(batch.number): \(batch.count) exams, root \(batch.root.hex), block \(batch.height)")
        }
        if !summary.skipped.isEmpty {
            let skipped = summary.skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            lines.append("skipped: " + skipped.joined(separator: ", "))
        }
        for rejection in rejections.prefix(Self.shownMax) {
            lines.append(
                "set aside: \(Terminal.harmless(rejection.file)) \(rejection.position): \(rejection.code): \(Terminal.harmless(rejection.message))"
            )
        }
        if rejections.count > Self.shownMax {
            lines.append("and \(rejections.count - Self.shownMax) more: entente quarantine list")
        }
        return lines.joined(separator: "\n")
    }
}
