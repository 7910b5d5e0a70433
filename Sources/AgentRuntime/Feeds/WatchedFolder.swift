import Foundation
import ImportPipeline
import Logging
import Primitives
import ServiceLifecycle

/// Imports the files of a folder as they come, one after another, and moves each to `done` or `failed` when what it holds is
/// durable and final.
///
/// A kill at any moment leaves the file where it was or moves it: it is imported again, and its exams are recognised. Names of
/// files may name patients, so none is logged.
struct WatchedFolder: Service {
    /// Between two looks.
    private static let interval: Duration = .milliseconds(2_100)
    /// After a failure that is not the file's: a full disk is not cleared faster.
    private static let retryMilliseconds: Int64 = 60_000
    /// Lines of a report; the quarantine has all.
    private static let reportLinesMax = 10_000
    private static let namesMax = 10_000

    private let folder: URL
    private let imports: ImportSession
    private let logger: Logger

    private var done: URL { self.folder.appending(path: "done") }
    private var failed: URL { self.folder.appending(path: "failed") }

    /// Opens the folder and makes the two in it.
    init(_ path: String, imports: ImportSession, logger: Logger) throws {
        // As it is reached without links, so that files are known under one name.
        self.folder = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        self.imports = imports
        self.logger = logger
        do {
            guard access(self.folder.path, R_OK | W_OK | X_OK) == 0 else { throw CocoaError(.fileReadNoPermission) }
            for made in [self.done, self.failed] {
                try FileManager.default.createDirectory(
                    at: made,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            }
        } catch {
            throw AgentFailure(
                .badRequest,
                "the folder to be watched cannot be used",
                hint:
                    "It must exist, and the agent's user must be allowed to write to it: files are moved when they are done.",
                cause: error
            )
        }
    }

    /// Runs until it is cancelled or shut down; an import that is under way then is done again at the next start.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var poll = FolderPoll()
            while !Task.isCancelled {
                for name in poll.look(self.files(), uptime: Clock.uptime) where !Task.isCancelled {
                    do {
                        try await self.take(name)
                    } catch {
                        poll.postpone(name, until: Clock.uptime + Self.retryMilliseconds)
                        self.tell(error)
                    }
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func tell(_ error: any Error) {
        let failure = AgentFailure(any: error)
        guard failure.code != .stopping else { return }
        self.logger.error(
            "a file of the watched folder is not imported yet",
            metadata: ["code": "\(failure.code.rawValue)", "what": "\(failure.message)"]
        )
    }

    // MARK: One file

    private func take(_ name: String) async throws {
        guard let before = self.signature(name) else { return }
        let path = self.folder.appending(path: name).path
        let report = Report(linesMax: Self.reportLinesMax)
        let summary = try await self.imports.run([.path(path)], isDryRun: false, feed: .folder) { event in
            if case .rejection(let rejection) = event { report.add(rejection) }
        }
        // What changed while it was read is another file now, and is imported as one.
        guard self.signature(name) == before else { return }
        let isFine = summary.quarantined == 0
        let target = try Self.free(name, in: isFine ? self.done : self.failed)
        if !isFine { try Self.write(report.text, to: target.appendingPathExtension("report")) }
        guard rename(path, target.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        self.logger.info(
            "a file of the watched folder is imported",
            metadata: [
                "committed": "\(summary.committed)", "duplicates": "\(summary.duplicates)",
                "quarantined": "\(summary.quarantined)", "duration-ms": "\(summary.elapsedMilliseconds)",
            ]
        )
    }

    /// A name in `folder` that nothing has yet; only this service writes there.
    private static func free(_ name: String, in folder: URL) throws -> URL {
        var candidate = folder.appending(path: name)
        var number = 1
        while Self.exists(candidate) {
            guard number < Self.namesMax else { throw CocoaError(.fileWriteFileExists) }
            number += 1
            candidate = folder.appending(path: "\(name).\(number)")
        }
        return candidate
    }

    private static func exists(_ file: URL) -> Bool {
        var status = stat()
        return lstat(file.path, &status) == 0
    }

    /// Writes a report that is whole when it has its name; one of a run that was killed is replaced.
    private static func write(_ text: String, to file: URL) throws {
        let partial = file.appendingPathExtension("tmp")
        try Data(text.utf8).write(to: partial)
        let handle = try FileHandle(forWritingTo: partial)
        try handle.synchronize()
        try handle.close()
        guard rename(partial.path, file.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    // MARK: Looking

    private func files() -> [String: FolderPoll.Signature] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: self.folder.path)) ?? []
        var files: [String: FolderPoll.Signature] = [:]
        for name in names where !FolderPoll.isPartial(name) { files[name] = self.signature(name) }
        return files
    }

    /// `nil` for what is no regular file: links are not followed, folders not entered.
    private func signature(_ name: String) -> FolderPoll.Signature? {
        var status = stat()
        guard lstat(self.folder.appending(path: name).path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        return FolderPoll.Signature(
            device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino),
            bytes: Int64(status.st_size),
            modifiedSeconds: Int64(status.st_mtim.tv_sec),
            modifiedNanoseconds: Int64(status.st_mtim.tv_nsec)
        )
    }
}
