import Glibc
import Primitives
import Records
import TestSupport
import Testing
import Vault

/// What a test has appended, and which of it was acknowledged.
private struct Ledger {
    var acknowledged: [ContentAddress: UInt64] = [:]
    var refused: [ContentAddress: UInt64] = [:]

    /// Everything acknowledged opens to what was sealed; everything else is absent or intact.
    func check(_ vault: Vault, _ comment: Comment) throws {
        for (address, seed) in self.acknowledged {
            #expect(throws: Never.self, comment) {
                let opened = try vault.openOwn(address)
                #expect(opened.content == Fixtures.content(seed, results: 1), comment)
            }
        }
        for (address, seed) in self.refused where try vault.contains(address) {
            let opened = try vault.openOwn(address)
            #expect(opened.content == Fixtures.content(seed, results: 1), comment)
        }
    }

    /// Appends a few records; stops at the first refusal and returns its code.
    mutating func append(
        _ count: Int,
        to vault: Vault,
        seed: inout UInt64,
        together: Int = 3
    ) async throws -> VaultError.Code? {
        for _ in 0..<count {
            let first = seed
            let records = try (0..<together).map {
                try vault.seal(Fixtures.content(first + UInt64($0), results: 1))
            }
            seed += UInt64(together)
            let addresses = records.enumerated().map { ($1.object.address, first + UInt64($0)) }
            do throws(VaultError) {
                try await vault.append(records)
                for (address, seed) in addresses { self.acknowledged[address] = seed }
            } catch {
                for (address, seed) in addresses { self.refused[address] = seed }
                return error.code
            }
        }
        return nil
    }
}

@Suite("Whatever the disk does, nothing acknowledged is lost")
struct FaultTests {
    /// Small segments: a few appends reach every path.
    private static let limits = Vault.Limits(segmentBytesMax: 6 << 10, reserveBytes: 0)

    private func open(_ disk: SimulatedDisk) throws -> Vault { try Fixtures.vault(disk, limits: Self.limits) }

    @Test("Power fails at any moment, also while recovering", arguments: 0..<200 as Range<UInt64>)
    func powerFailure(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        var ledger = Ledger()
        var content = seed * 1000
        for round in 0..<4 {
            let vault = try self.open(disk)
            try ledger.check(vault, "seed \(seed), round \(round)")
            // A sync refused some time before: what it dropped must not be built upon.
            disk.fail(.sync, after: Int.random(in: 0..<6, using: &generator), with: EIO)
            _ = try await ledger.append(4, to: vault, seed: &content)
            let call = [SimulatedDisk.Call.write, .sync, .rename, .create].randomElement(using: &generator) ?? .sync
            disk.fail(call, after: Int.random(in: 0..<12, using: &generator), with: EIO, isLasting: true)
            _ = try await ledger.append(10, to: vault, seed: &content)
            disk = disk.crashed(using: &generator)

            // A crash while the vault is being opened.
            disk.fail(.write, after: Int.random(in: 0..<3, using: &generator), with: EIO, isLasting: true)
            _ = try? self.open(disk)
            disk = disk.crashed(using: &generator)
        }
        let vault = try self.open(disk)
        try ledger.check(vault, "seed \(seed), at the end")
        #expect(try await ledger.append(3, to: vault, seed: &content) == nil)
        try ledger.check(vault, "seed \(seed), after the end")
        let problems = try vault.verifyAll().problems.filter { $0.kind != .keyPageDamaged }
        // A torn slot of a key page stays until its page is written again; the other slot holds the keys.
        #expect(problems.isEmpty)
    }

    @Test(
        "The disk refuses one call and works again",
        arguments: [SimulatedDisk.Call.write, .sync, .rename, .create],
        0..<16
    )
    func refusedOnce(call: SimulatedDisk.Call, after: Int) async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try self.open(disk)
        var ledger = Ledger()
        var content: UInt64 = 0
        disk.fail(call, after: after, with: EIO)
        let refusal = try await ledger.append(12, to: vault, seed: &content)
        if refusal != nil { #expect(refusal == .inputOutput) }
        try ledger.check(vault, "after the refusal")
        disk.heal()
        #expect(try await ledger.append(4, to: vault, seed: &content) == nil)
        try ledger.check(vault, "after the disk came back")
        if refusal != nil { #expect(try !vault.statistics().incidents.isEmpty) }
        #expect(try vault.verifyAll().problems.isEmpty)

        // What the refused sync may have dropped must not be needed.
        var generator = SeededGenerator(seed: UInt64(after))
        let again = try self.open(disk.crashed(using: &generator))
        try ledger.check(again, "after a crash")
    }

    @Test("The disk fills up and gets room again", arguments: Array(stride(from: 0, to: 24_000, by: 257)))
    func diskFull(room: Int) async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try self.open(disk)
        var ledger = Ledger()
        var content: UInt64 = 0
        disk.setCapacity(disk.usedBytes + room)
        #expect(try await ledger.append(40, to: vault, seed: &content) == .diskFull)
        try ledger.check(vault, "on the full disk")
        #expect(try await ledger.append(1, to: vault, seed: &content) == .diskFull)
        try ledger.check(vault, "still on the full disk")
        let segments = disk.paths.filter { $0.hasSuffix(".seg") }.reduce(0) { $0 + disk.bytes($1).count }
        #expect(UInt64(segments) == (try vault.statistics().fileBytes), "what was refused takes no room")

        disk.setCapacity(.max)
        #expect(try await ledger.append(8, to: vault, seed: &content) == nil)
        try ledger.check(vault, "with room again")
        #expect(try vault.verifyAll().problems.filter { $0.kind != .keyPageDamaged }.isEmpty)
        try ledger.check(try self.open(disk), "after a restart")
    }

    @Test("The reserve lets a damaged segment be rewritten on a full disk")
    func reserve() async throws {
        let limits = Vault.Limits(segmentBytesMax: 6 << 10, reserveBytes: 16 << 10)
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try Fixtures.vault(disk, limits: limits)
        var ledger = Ledger()
        var content: UInt64 = 0
        #expect(try await ledger.append(2, to: vault, seed: &content) == nil)
        #expect(disk.paths.contains(Fixtures.home + "/vault/reserve"))
        // Room for three more frames, not for a second copy of the segment. The first sync is that of the data keys.
        disk.setCapacity(disk.usedBytes + 3000)
        disk.fail(.sync, after: 1, with: EIO)
        #expect(try await ledger.append(1, to: vault, seed: &content) == .inputOutput)
        #expect(try vault.statistics().incidents.map(\.kind) == [.writeRefused, .segmentRewritten])
        #expect(!disk.paths.contains(Fixtures.home + "/vault/reserve"))
        try ledger.check(vault, "on the full disk")
        try ledger.check(try Fixtures.vault(disk, limits: limits), "after a restart")
    }

    @Test("A disk that writes a few bytes at a time stores the same", arguments: [1, 7, 100])
    func shortWrites(writeBytesMax: Int) async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        disk.setWriteBytesMax(writeBytesMax)
        let vault = try self.open(disk)
        var ledger = Ledger()
        var content: UInt64 = 0
        #expect(try await ledger.append(3, to: vault, seed: &content) == nil)
        try ledger.check(try self.open(disk), "after short writes")
    }

    @Test("A torn tail is set aside, and the segment goes on")
    func tornTail() async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        var ledger = Ledger()
        var content: UInt64 = 0
        let vault = try self.open(disk)
        #expect(try await ledger.append(1, to: vault, seed: &content) == nil)
        let path = Fixtures.home + "/vault/segments/00000001.seg"
        let whole = disk.bytes(path)
        disk.set(path, whole + [1, 2, 3])
        let again = try self.open(disk)
        #expect(try again.statistics().incidents.map(\.kind) == [.tornTail])
        #expect(disk.bytes("\(path).\(whole.count).quarantine") == [1, 2, 3])
        #expect(disk.bytes(path) == whole)
        #expect(try await ledger.append(1, to: again, seed: &content) == nil)
        try ledger.check(again, "behind the tail")
    }

    @Test("Zeros behind the last frame are cut without an incident")
    func zeroTail() async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try self.open(disk)
        try await vault.append([vault.seal(Fixtures.content(1))])
        let path = Fixtures.home + "/vault/segments/00000001.seg"
        let whole = disk.bytes(path)
        disk.set(path, whole + [UInt8](repeating: 0, count: 5000))
        #expect(try self.open(disk).statistics().incidents.isEmpty)
        #expect(disk.bytes(path) == whole)
    }

    @Test(
        "Damage in the middle of the open segment leaves the frames behind it readable",
        arguments: [0, 3, 20, 90, 300]
    )
    func damagedMiddle(offset: Int) async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let limits = Vault.Limits(segmentBytesMax: 1 << 20, reserveBytes: 0)
        let vault = try Fixtures.vault(disk, limits: limits)
        let records = try (0..<9).map { try vault.seal(Fixtures.content($0)) }
        try await vault.append(records)
        let path = Fixtures.home + "/vault/segments/00000001.seg"
        var bytes = disk.bytes(path)
        let frameStart = 32 + records.prefix(4).reduce(0) { $0 + 20 + 54 + $1.object.body.count }
        let start = frameStart + offset
        bytes.replaceSubrange(start..<start + 40, with: repeatElement(0x45, count: 40))
        disk.set(path, bytes)
        let again = try Fixtures.vault(disk, limits: limits)
        let readable = records.filter { (try? again.openOwn($0.object.address)) != nil }
        #expect(readable.count == 8)
        #expect(try again.statistics().incidents.map(\.kind) == [.segmentRewritten])
        #expect(disk.paths.contains(path + ".quarantine"))

        // The lost one can be stored again.
        try await again.append(records)
        for record in records { #expect(try again.read(record.object.address) == record.object) }
    }

    @Test("A damaged object is refused, named by the check, and replaced by a good copy")
    func repaired() async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try self.open(disk)
        let records = try (0..<30).map { try vault.seal(Fixtures.content($0)) }
        for record in records { try await vault.append([record]) }
        let path = Fixtures.home + "/vault/segments/00000001.seg"
        var bytes = disk.bytes(path)
        bytes[200] ^= 4
        disk.set(path, bytes)
        let error = #expect(throws: VaultError.self) { try vault.read(records[0].object.address) }
        #expect(error?.code == .damaged)
        #expect(try !vault.contains(records[0].object.address))
        let problems = try vault.verifyAll().problems
        #expect(!problems.isEmpty && problems.allSatisfy { $0.file == "00000001.seg" })
        try await vault.append([records[0]])
        #expect(try vault.read(records[0].object.address) == records[0].object)
        #expect(try self.open(disk).read(records[0].object.address) == records[0].object)
    }

    @Test("An intact frame in the place of another is refused by its address")
    func exchangedFrames() async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try self.open(disk)
        let first = try vault.makeObject(.manifest, body: [1, 2, 3])
        let second = try vault.makeObject(.manifest, body: [4, 5, 6])
        try await vault.append([first, second])
        let path = Fixtures.home + "/vault/segments/00000001.seg"
        let bytes = disk.bytes(path)
        let length = (bytes.count - 32) / 2
        disk.set(path, Array(bytes[..<32] + bytes[(32 + length)...] + bytes[32..<32 + length]))
        for object in [first, second] {
            let error = #expect(throws: VaultError.self) { try vault.read(object.address) }
            #expect(error?.code == .damaged)
        }
    }

    @Test("A segment that cannot be read hides nothing in the others")
    func unreadable() async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        var vault = try self.open(disk)
        var records: [SealedRecord] = []
        for seed in 0..<30 as Range<UInt64> {
            records.append(try vault.seal(Fixtures.content(seed)))
            try await vault.append([records[records.count - 1]])
        }
        vault = try self.open(disk)
        try disk.remove(Fixtures.home + "/vault/segments/00000002.seg")
        let codes = records.map { record -> VaultError.Code? in
            do throws(VaultError) {
                return try vault.read(record.object.address) == record.object ? nil : .damaged
            } catch { return error.code }
        }
        #expect(codes.contains(.inputOutput))
        #expect(codes.first == .some(nil) && codes.last == .some(nil))
        for (record, code) in zip(records, codes) where code != nil {
            #expect(code == .inputOutput)
            try await vault.append([record])
            #expect(try vault.read(record.object.address) == record.object)
        }
    }

    @Test("A segment that is gone is reported")
    func missingSegment() async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try self.open(disk)
        for seed in 0..<30 as Range<UInt64> { try await vault.append([vault.seal(Fixtures.content(seed))]) }
        try disk.remove(Fixtures.home + "/vault/segments/00000002.seg")
        let kinds = try self.open(disk).statistics().incidents.map(\.kind)
        #expect(kinds == [.segmentMissing])
    }

    @Test("Objects under a peer's hand that look like frames are never taken for frames")
    func framesInBodies() async throws {
        let disk = SimulatedDisk()
        _ = try Fixtures.keys(disk)
        let vault = try self.open(disk)
        let inner = try vault.makeObject(.manifest, body: [1, 2, 3])
        try await vault.append([inner])
        let frames = Array(disk.bytes(Fixtures.home + "/vault/segments/00000001.seg").dropFirst(32))
        let outer = try vault.makeObject(.manifest, body: frames + frames)
        let otherDisk = SimulatedDisk()
        _ = try Fixtures.keys(otherDisk, institution: "hospital-b")
        let other = try self.open(otherDisk)
        try await other.append([outer])
        #expect(try self.open(otherDisk).statistics().objects == 1)

        // Even when the frame around them is damaged.
        let path = Fixtures.home + "/vault/segments/00000001.seg"
        var bytes = otherDisk.bytes(path)
        bytes[bytes.count - 1] ^= 1
        otherDisk.set(path, bytes)
        #expect(try self.open(otherDisk).statistics().objects == 0)
    }
}
