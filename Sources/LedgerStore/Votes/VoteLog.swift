internal import Glibc
package import Primitives
internal import Synchronization

/// What this agent has voted, in its own append-only file: `HOME/votes.log`.
///
/// A vote that was sent and then forgotten is a vote for two sides. ``append(_:)`` therefore returns only when its group
/// of records is durable; opening returns every record ever made durable above the last compaction; and a log that
/// cannot be read in full is refused. After a failed write or sync nothing more is taken: what the disk holds is then
/// unknown until the file is read again.
///
/// A last frame that was damaged in its closing bytes as well as elsewhere passes for a torn one and is cut; the
/// consensus rule to listen before voting after a start covers that.
package final class VoteLog: Sendable {
    private struct State {
        var descriptor: LogDescriptor
        var end: Int
        /// Bytes of the file, all zero from `end` on.
        var size: Int
        var nextSequence: UInt64
        var failed = false
    }

    /// Zeros are written this far ahead: overwriting written blocks syncs in half the time of appending.
    private static let preallocationBytes = 1 << 20

    private let path: String
    private let disk: LogDisk
    private let state: Mutex<State>
    /// Bytes of an unacknowledged frame that were cut when the log was opened; a copy is kept in `votes.log.torn`.
    package let cutBytes: Int

    /// Opens or creates the log.
    ///
    /// - Returns: The log and all its records, in the order of their groups.
    /// - Throws: `voteLogDamaged` if durable records cannot be read.
    package static func open(
        path: String,
        disk: LogDisk = .real
    ) throws(LedgerStoreError) -> (log: VoteLog, records: [Record]) {
        let descriptor: LogDescriptor
        do {
            descriptor = try LogDescriptor(path: path, flags: O_RDWR)
        } catch {
            guard error.code == .notFound else { throw error }
            let sequence = UInt64.random(in: .min ... .max)
            let created = try Self.prepare(path: path, frames: [], firstSequence: sequence, disk: disk)
            try LogDescriptor.replace(path, with: path + ".new", disk: disk)
            return (VoteLog(path: path, disk: disk, state: created, cutBytes: 0), [])
        }
        let bytes = try descriptor.contents(path: path)
        let file = try VoteLogFile(bytes)
        if file.tornEnd > file.end {
            try Self.setAside(Array(bytes[file.end..<file.tornEnd]), path: path + ".torn", disk: disk)
            let zeros = [UInt8](repeating: 0, count: file.tornEnd - file.end)
            try Self.check(disk.write(descriptor.number, zeros, file.end), "clear the tail of", path)
            try Self.check(disk.sync(descriptor.number), "sync", path)
        }
        let state = State(
            descriptor: descriptor,
            end: file.end,
            size: max(bytes.count, file.end),
            nextSequence: file.nextSequence
        )
        let log = VoteLog(path: path, disk: disk, state: state, cutBytes: file.tornEnd - file.end)
        return (log, file.frames.flatMap { $0 })
    }

    private init(path: String, disk: LogDisk, state: sending State, cutBytes: Int) {
        self.path = path
        self.disk = disk
        self.state = Mutex(state)
        self.cutBytes = cutBytes
    }

    /// Bytes in use.
    ///
    /// Compact when it reaches a few megabytes.
    package var byteCount: Int { self.state.withLock { $0.end } }

    /// Makes a group of records durable: after a crash all of it is there or none.
    ///
    /// - Throws: `diskFull` with nothing changed if there is no room; `syncFailed` or `ioFailure` if the disk failed,
    ///   and `syncFailed` from then on.
    package func append(_ group: [Record]) throws(LedgerStoreError) {
        guard !group.isEmpty else { return }
        try self.state.withLock { state throws(LedgerStoreError) in
            guard !state.failed else { throw Self.refused }
            let frame = try VoteLogFile.frame(group, sequence: state.nextSequence)
            try self.reserve(frame.count, &state)
            state.failed = true
            try Self.check(self.disk.write(state.descriptor.number, frame, state.end), "write", self.path)
            try Self.check(self.disk.sync(state.descriptor.number), "sync", self.path, .syncFailed)
            state.failed = false
            state.end += frame.count
            state.nextSequence &+= 1
        }
    }

    /// Drops the records of earlier epochs and those of `epoch` up to view `floor`.
    ///
    /// Call it only when the finalization of `floor` is durable.
    package func compact(epoch: Epoch, floor: View) throws(LedgerStoreError) {
        try self.state.withLock { state throws(LedgerStoreError) in
            guard !state.failed else { throw Self.refused }
            let file = try VoteLogFile(try state.descriptor.contents(path: self.path))
            let kept = file.frames.map { frame in
                frame.filter { $0.epoch > epoch || ($0.epoch == epoch && $0.view > floor) }
            }
            .filter { !$0.isEmpty }
            let compacted = try Self.prepare(
                path: self.path,
                frames: kept,
                firstSequence: UInt64.random(in: .min ... .max),
                disk: self.disk
            )
            // If the new name does not become durable, a power cut could bring the old file back without later votes.
            state.failed = true
            try LogDescriptor.replace(self.path, with: self.path + ".new", disk: self.disk)
            state = compacted
        }
    }

    /// Extends the zeros so that `count` bytes fit.
    private func reserve(_ count: Int, _ state: inout State) throws(LedgerStoreError) {
        guard state.end + count > state.size else { return }
        let size = state.end + count + Self.preallocationBytes
        let zeros = [UInt8](repeating: 0, count: size - state.size)
        try Self.check(self.disk.write(state.descriptor.number, zeros, state.size), "extend", self.path)
        try Self.check(self.disk.sync(state.descriptor.number), "extend", self.path)
        state.size = size
    }

    /// Writes a new log beside the place where it goes.
    private static func prepare(
        path: String,
        frames: [[Record]],
        firstSequence: UInt64,
        disk: LogDisk
    ) throws(LedgerStoreError) -> State {
        var bytes = VoteLogFile.header(firstSequence: firstSequence)
        var sequence = firstSequence
        for frame in frames {
            bytes += try VoteLogFile.frame(frame, sequence: sequence)
            sequence &+= 1
        }
        let end = bytes.count
        bytes += [UInt8](repeating: 0, count: Self.preallocationBytes)
        let descriptor = try Self.write(bytes, path: path + ".new", disk: disk)
        return State(descriptor: descriptor, end: end, size: bytes.count, nextSequence: sequence)
    }

    /// Keeps the newest cut tail, for whoever investigates the crash.
    private static func setAside(_ bytes: [UInt8], path: String, disk: LogDisk) throws(LedgerStoreError) {
        _ = try Self.write(bytes, path: path, disk: disk)
    }

    private static func write(
        _ bytes: [UInt8],
        path: String,
        disk: LogDisk
    ) throws(LedgerStoreError) -> LogDescriptor {
        let descriptor = try LogDescriptor(path: path, flags: O_RDWR | O_CREAT | O_TRUNC)
        try Self.check(disk.write(descriptor.number, bytes, 0), "write", path)
        try Self.check(disk.sync(descriptor.number), "sync", path)
        return descriptor
    }

    private static let refused = LedgerStoreError(
        .syncFailed,
        "the vote log takes no votes since the disk failed; restart the agent when the disk is repaired"
    )

    private static func check(
        _ code: Int32,
        _ action: String,
        _ path: String,
        _ asCode: LedgerStoreError.Code? = nil
    ) throws(LedgerStoreError) {
        guard code != 0 else { return }
        var error = LogDescriptor.failure(code, action, path)
        if let asCode { error.code = asCode }
        throw error
    }
}
