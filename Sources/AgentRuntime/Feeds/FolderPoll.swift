/// Tells which files of a folder are complete, from what the folder looks like now and then.
///
/// A file that is renamed into place is whole at once; one that is written in place is taken to be whole when it was the same
/// at two looks that are at least ``settleMilliseconds`` apart.
package struct FolderPoll: Sendable {
    package init() {}

    /// What changes when a file is written to or replaced.
    package struct Signature: Hashable, Sendable {
        package var device: UInt64
        package var inode: UInt64
        package var bytes: Int64
        package var modifiedSeconds: Int64
        package var modifiedNanoseconds: Int64

        package init(
            device: UInt64,
            inode: UInt64,
            bytes: Int64,
            modifiedSeconds: Int64,
            modifiedNanoseconds: Int64
        ) {
            self.device = device
            self.inode = inode
            self.bytes = bytes
            self.modifiedSeconds = modifiedSeconds
            self.modifiedNanoseconds = modifiedNanoseconds
        }
    }

    /// Longer than the pauses of a program that writes a file, also over a network share that is slow to show its size.
    package static let settleMilliseconds: Int64 = 2_000
    /// Files that are watched at a time; more wait for those to be moved away.
    static let filesMax = 10_000

    private struct Known {
        var signature: Signature
        /// When it was first seen like this.
        var since: Int64
        /// After a failure: not before this.
        var notBefore: Int64 = 0
    }

    private var known: [String: Known] = [:]

    /// Whether a name stands for a file that its writer will rename.
    package static func isPartial(_ name: String) -> Bool {
        let lower = name.lowercased()
        return name.hasPrefix(".") || lower.hasSuffix(".tmp") || lower.hasSuffix(".part")
    }

    /// Takes what lies in the folder now, and returns the names of what is complete, in the order of their bytes.
    package mutating func look(_ files: [String: Signature], uptime: Int64) -> [String] {
        let names = files.keys.filter { !Self.isPartial($0) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var now: [String: Known] = [:]
        var complete: [String] = []
        for name in names.prefix(Self.filesMax) {
            // An empty file is one that its writer has not begun.
            guard let signature = files[name], signature.bytes > 0 else { continue }
            guard let before = self.known[name], before.signature == signature else {
                now[name] = Known(signature: signature, since: uptime)
                continue
            }
            now[name] = before
            if uptime - before.since >= Self.settleMilliseconds, uptime >= before.notBefore { complete.append(name) }
        }
        self.known = now
        return complete
    }

    /// Leaves a file alone until `uptime`.
    package mutating func postpone(_ name: String, until uptime: Int64) { self.known[name]?.notBefore = uptime }
}
