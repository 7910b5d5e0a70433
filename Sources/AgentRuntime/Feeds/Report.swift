import Synchronization

/// Where a file was refused and why, as it lies beside the file: codes, positions and meanings, nothing of the content.
final class Report: Sendable {
    private let linesMax: Int
    private let lines = Mutex<(kept: [String], count: Int)>(([], 0))

    init(linesMax: Int) { self.linesMax = linesMax }

    func add(_ rejection: ImportSession.Rejection) {
        self.lines.withLock { lines in
            lines.count += 1
            guard lines.kept.count < self.linesMax else { return }
            lines.kept.append("\(rejection.code),\"\(rejection.position)\",\"\(rejection.message)\"")
        }
    }

    /// CSV (RFC 4180), with a last line that says how many more there are.
    var text: String {
        let (kept, count) = self.lines.withLock { $0 }
        let more = count > kept.count ? ["more,\"\(count - kept.count)\",\"See the agent's quarantine.\""] : []
        return (["code,position,message"] + kept + more).map { $0 + "\r\n" }.joined()
    }
}
