import Foundation
import LedgerStore
import Primitives
import Synchronization
import TestSupport
import Testing

@Suite("The vote log forgets nothing that was acknowledged")
struct VoteLogTests {
    private let folder: TemporaryFolder

    init() throws { self.folder = try TemporaryFolder() }

    private var path: String { self.folder.path("votes.log") }

    /// Groups of one to three records of up to `bytesMax` bytes.
    private static func groups(_ count: Int, bytesMax: Int = 90, seed: UInt64 = 1) -> [[VoteLog.Record]] {
        var generator = SeededGenerator(seed: seed)
        return (1...count).map { view in
            (0..<Int.random(in: 1...3, using: &generator)).map { kind in
                let size = Int.random(in: 0...bytesMax, using: &generator)
                return VoteLog.Record(
                    epoch: Epoch(0),
                    kind: UInt8(kind),
                    view: View(UInt64(view)),
                    payload: .random(count: size, using: &generator)
                )
            }
        }
    }

    private func write(_ groups: [[VoteLog.Record]]) throws {
        let (log, records) = try VoteLog.open(path: self.path)
        #expect(records.isEmpty)
        for group in groups { try log.append(group) }
    }

    /// The file without most of its preallocation.
    private func contents() throws -> [UInt8] {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: self.path)))
        return Array(bytes[...min(bytes.count - 1, (bytes.lastIndex { $0 != 0 } ?? 0) + 4_096)])
    }

    private func replace(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: self.path)) }

    /// The records of the log, `nil` if it is refused as damaged.
    private func reopened() throws -> [VoteLog.Record]? {
        do {
            return try VoteLog.open(path: self.path).records
        } catch  where error.code == .voteLogDamaged {
            return nil
        }
    }

    @Test("Every group is read back in order, over several openings")
    func roundTrip() throws {
        let groups = Self.groups(40, bytesMax: 100_000)
        for part in [groups[..<10], groups[10..<11], groups[11...]] {
            let log = try VoteLog.open(path: self.path).log
            for group in part { try log.append(group) }
        }
        let (log, records) = try VoteLog.open(path: self.path)
        #expect(records == groups.flatMap { $0 })
        #expect(log.cutBytes == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: self.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("A group torn at any byte is cut and kept aside, the groups before it stay, and the log goes on")
    func torn() throws {
        let groups = Self.groups(4)
        let added = Self.groups(1, seed: 9)[0]
        try self.write(Array(groups[..<3]))
        let start = try VoteLog.open(path: self.path).log.byteCount
        try VoteLog.open(path: self.path).log.append(groups[3])
        let whole = try self.contents()
        let end = try VoteLog.open(path: self.path).log.byteCount
        for cut in start...end {
            // Preallocated: what was not written is zero. And a file without preallocation simply ends.
            for torn in [Array(whole[..<cut]) + [UInt8](repeating: 0, count: 4_096), Array(whole[..<cut])] {
                try self.replace(torn)
                let (log, records) = try VoteLog.open(path: self.path)
                let kept = records.count == groups.joined().count ? 4 : 3
                #expect(records == groups[..<kept].flatMap { $0 }, "cut at \(cut)")
                // Without its closing bytes a group may still be whole.
                #expect(kept == 3 || cut >= end - 9, "cut at \(cut)")
                if kept == 3, torn[start..<cut].contains(where: { $0 != 0 }) {
                    let aside = Array(try Data(contentsOf: URL(fileURLWithPath: self.path + ".torn")))
                    #expect(log.cutBytes == aside.count)
                    #expect(Array(torn[start...]).starts(with: aside))
                }
                try log.append(added)
                #expect(try VoteLog.open(path: self.path).records == records + added)
            }
        }
    }

    @Test("A group of which some sectors never reached the disk counts as torn")
    func missingSectors() throws {
        let first = Self.groups(1)
        try self.write(first)
        let start = try VoteLog.open(path: self.path).log.byteCount
        let large = VoteLog.Record(
            epoch: Epoch(0),
            kind: 1,
            view: View(2),
            payload: [UInt8](repeating: 0xee, count: 3_000)
        )
        try VoteLog.open(path: self.path).log.append([large])
        let whole = try self.contents()
        for sector in (start / 512)...((start + 3_000) / 512) {
            var torn = whole
            for index in max(start, sector * 512)..<min((sector + 1) * 512, torn.count) { torn[index] = 0 }
            try self.replace(torn)
            #expect(try self.reopened() == first[0], "sector \(sector)")
        }
    }

    @Test("Any flipped bit before the last group refuses the log")
    func flippedBits() throws {
        let groups = Self.groups(5, bytesMax: 20)
        try self.write(Array(groups[..<4]))
        let protected = try VoteLog.open(path: self.path).log.byteCount
        try VoteLog.open(path: self.path).log.append(groups[4])
        let whole = try self.contents()
        let all = groups.flatMap { $0 }
        for bit in 0..<protected * 8 {
            var flipped = whole
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            try self.replace(flipped)
            let records = try self.reopened()
            // The closing bytes of a group say nothing new while the group itself reads.
            #expect(records == nil || records == all, "bit \(bit)")
        }
    }

    @Test("A flipped bit in the last group refuses the log or, in its closing bytes, changes nothing")
    func flippedBitsAtTheEnd() throws {
        let groups = Self.groups(3, bytesMax: 20)
        try self.write(Array(groups[..<2]))
        let start = try VoteLog.open(path: self.path).log.byteCount
        try VoteLog.open(path: self.path).log.append(groups[2])
        let end = try VoteLog.open(path: self.path).log.byteCount
        let whole = try self.contents()
        let all = groups.flatMap { $0 }
        for bit in start * 8..<end * 8 {
            var flipped = whole
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            try self.replace(flipped)
            let records = try self.reopened()
            #expect(bit / 8 < end - 9 ? records == nil : records == all, "bit \(bit)")
        }
    }

    @Test("Bytes of a proposal that look like a group do not make a torn tail look like damage")
    func forgedGroup() throws {
        try self.write(Self.groups(1))
        let start = try VoteLog.open(path: self.path).log.byteCount
        // The inner bytes are a whole group of another log, as a proposer could have made them.
        let other = try TemporaryFolder()
        let inner = try VoteLog.open(path: other.path("votes.log")).log
        try inner.append(Self.groups(1, seed: 3)[0])
        let forged = Array(try Data(contentsOf: other.file("votes.log")).prefix(inner.byteCount).dropFirst(20))
        let log = try VoteLog.open(path: self.path).log
        try log.append([VoteLog.Record(epoch: Epoch(0), kind: 1, view: View(2), payload: forged + forged)])
        var torn = try self.contents()
        for index in log.byteCount - 12..<torn.count { torn[index] = 0 }
        try self.replace(torn)
        #expect(try self.reopened() == Self.groups(1)[0])
        #expect(try VoteLog.open(path: self.path).log.byteCount == start)
    }

    @Test("After a failed sync nothing is taken until the log is opened again")
    func failingSync() throws {
        let fails = Mutex(false)
        let disk = LogDisk(
            write: LogDisk.real.write,
            sync: { fails.withLock { $0 } ? EIO : LogDisk.real.sync($0) }
        )
        let groups = Self.groups(3)
        let log = try VoteLog.open(path: self.path, disk: disk).log
        try log.append(groups[0])
        fails.withLock { $0 = true }
        #expect(code { () throws(LedgerStoreError) in try log.append(groups[1]) } == .syncFailed)
        fails.withLock { $0 = false }
        #expect(code { () throws(LedgerStoreError) in try log.append(groups[2]) } == .syncFailed)
        #expect(code { () throws(LedgerStoreError) in try log.compact(epoch: Epoch(0), floor: View(0)) } == .syncFailed)
        let records = try VoteLog.open(path: self.path).records
        #expect(records.starts(with: groups[0]))
    }

    @Test("A full disk is told before anything is written, and the log works again when there is room")
    func fullDisk() throws {
        let isFull = Mutex(false)
        let disk = LogDisk(
            write: { descriptor, bytes, offset in
                // Overwriting preallocated bytes needs no room.
                let needsRoom = bytes.allSatisfy { $0 == 0 }
                return needsRoom && isFull.withLock { $0 } ? ENOSPC : LogDisk.real.write(descriptor, bytes, offset)
            },
            sync: LogDisk.real.sync
        )
        let log = try VoteLog.open(path: self.path, disk: disk).log
        let large = VoteLog.Record(
            epoch: Epoch(0),
            kind: 1,
            view: View(1),
            payload: [UInt8](repeating: 1, count: 600_000)
        )
        isFull.withLock { $0 = true }
        try log.append([large])
        #expect(code { () throws(LedgerStoreError) in try log.append([large]) } == .diskFull)
        isFull.withLock { $0 = false }
        try log.append([large])
        #expect(try VoteLog.open(path: self.path).records == [large, large])
    }

    @Test("Compaction keeps later views and later epochs, and the log goes on")
    func compaction() throws {
        let log = try VoteLog.open(path: self.path).log
        let groups = Self.groups(20)
        for group in groups { try log.append(group) }
        let next = VoteLog.Record(epoch: Epoch(1), kind: 0, view: View(1), payload: [])
        try log.append([next])
        let before = log.byteCount
        try log.compact(epoch: Epoch(0), floor: View(15))
        #expect(log.byteCount < before)
        let last = VoteLog.Record(epoch: Epoch(1), kind: 0, view: View(2), payload: [8])
        try log.append([last])
        let expected = groups[15...].flatMap { $0 } + [next, last]
        #expect(try VoteLog.open(path: self.path).records == expected)
        try log.compact(epoch: Epoch(1), floor: View(1))
        #expect(try VoteLog.open(path: self.path).records == [last])
    }

    @Test("A compaction that fails leaves the old log")
    func failingCompaction() throws {
        let fails = Mutex(false)
        let disk = LogDisk(
            write: { descriptor, bytes, offset in
                fails.withLock { $0 } ? ENOSPC : LogDisk.real.write(descriptor, bytes, offset)
            },
            sync: LogDisk.real.sync
        )
        let groups = Self.groups(4)
        let log = try VoteLog.open(path: self.path, disk: disk).log
        for group in groups[..<3] { try log.append(group) }
        fails.withLock { $0 = true }
        #expect(code { () throws(LedgerStoreError) in try log.compact(epoch: Epoch(0), floor: View(2)) } == .diskFull)
        fails.withLock { $0 = false }
        try log.append(groups[3])
        #expect(try VoteLog.open(path: self.path).records == groups.flatMap { $0 })
    }

    @Test("Anything that is not a vote log is refused", arguments: [0, 1, 19, 20, 5_000])
    func garbage(size: Int) throws {
        var generator = SeededGenerator(seed: UInt64(size))
        try self.replace(.random(count: size, using: &generator))
        #expect(try self.reopened() == nil)
    }

    @Test("A folder that does not exist is a coded error")
    func noFolder() {
        let refusal = code { () throws(LedgerStoreError) in
            _ = try VoteLog.open(path: self.folder.path("none/votes.log"))
        }
        #expect(refusal == .notFound)
    }
}
