import Glibc
import Primitives
import Records
import Synchronization
import TestSupport
import Testing
import Vault

/// A vault with records, and what an erasure has to leave and to take.
private struct Erasing {
    var records: [SealedRecord] = []
    /// Names of files and their bytes before anything was erased.
    var backup: [String: [UInt8]] = [:]

    static let doomed = Set([3, 17, 40])

    var doomedAddresses: Set<ContentAddress> { Set(Self.doomed.map { self.records[$0].object.address }) }
    var doomedSequences: Set<UInt64> { Set(Self.doomed.map { self.records[$0].object.header.sequence }) }

    static func filled(_ disk: SimulatedDisk, count: Int = 60) async throws -> Erasing {
        if disk.bytes(Fixtures.home + "/keys").isEmpty { _ = try Fixtures.keys(disk) }
        let vault = try Fixtures.vault(disk)
        var erasing = Erasing()
        for seed in 0..<UInt64(count) {
            let record = try vault.seal(Fixtures.content(seed))
            erasing.records.append(record)
            try await vault.append([record])
        }
        await vault.close()
        for path in disk.paths { erasing.backup[path] = disk.bytes(path) }
        return erasing
    }

    /// How many of the doomed records still open; the others must, whole.
    func opening(_ vault: Vault) throws -> Int {
        var open = 0
        for (index, record) in self.records.enumerated() {
            do throws(VaultError) {
                #expect(try vault.openOwn(record.object.address).commitment == record.commitment)
                if Self.doomed.contains(index) { open += 1 }
            } catch {
                #expect(Self.doomed.contains(index), "record \(index): \(error)")
            }
        }
        return open
    }

    func erase(_ vault: Vault) throws -> UInt64 {
        let generation = try vault.destroyDataKeys(self.doomedSequences)
        try vault.remove(self.doomedAddresses)
        return generation
    }
}

@Suite("Erased records open to nobody")
struct ErasureTests {
    @Test("Erased records are gone, the others are whole, and numbers are not given out again")
    func erased() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        #expect(try erasing.opening(vault) == 3)
        let generation = try erasing.erase(vault)
        #expect(generation > 1)
        #expect(try erasing.opening(vault) == 0)
        for sequence in erasing.doomedSequences { #expect(try vault.isDestroyed(sequence)) }
        for address in erasing.doomedAddresses { #expect(try !vault.contains(address)) }
        #expect(try vault.verifyAll().problems.isEmpty)
        // Again: nothing happens, and the generation stays.
        #expect(try erasing.erase(vault) == generation)
        await vault.close()
        let reopened = try Fixtures.vault(disk)
        #expect(try erasing.opening(reopened) == 0)
        #expect(try reopened.verifyAll().problems.isEmpty)
        #expect(try reopened.statistics().incidents.isEmpty)
        let next = try reopened.seal(Fixtures.content(99))
        #expect(next.object.header.sequence == 60)
        try await reopened.append([next])
        #expect(try reopened.openOwn(next.object.address).commitment == next.commitment)
    }

    @Test("The newest number is not given out again when its object is the one that goes")
    func newestNumber() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk, count: 41)
        let vault = try Fixtures.vault(disk)
        _ = try erasing.erase(vault)
        await vault.close()
        #expect(try Fixtures.vault(disk).seal(Fixtures.content(1)).object.header.sequence == 41)
    }

    @Test("A backup of objects and data keys opens nothing erased with the keys of today")
    func backup() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        _ = try erasing.erase(vault)
        await vault.close()
        // All that stood in the vault before, under its old name and under the name that is read now.
        let old = erasing.backup.filter { $0.key.contains("/segments/") || $0.key.contains("/vault/keys/") }
        let names = disk.paths.filter { $0.hasSuffix(".keys") }
        for takesName in [false, true] {
            let restored = disk.copy()
            for (path, bytes) in old {
                let name = takesName && path.hasSuffix(".keys") ? names[0] : path
                try? restored.remove(name)
                _ = try restored.open(name, creating: true)
                restored.set(name, bytes)
            }
            let vault = try Fixtures.vault(restored)
            for index in Erasing.doomed {
                #expect(throws: VaultError.self) { try vault.openOwn(erasing.records[index].object.address) }
            }
        }
    }

    @Test("A backup that holds the old table of keys too does open: it has to be destroyed as well")
    func backupWithTable() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        _ = try erasing.erase(vault)
        await vault.close()
        let restored = disk.copy()
        for path in restored.paths where path.contains("/vault/") { try restored.remove(path) }
        for (path, bytes) in erasing.backup where path.contains("/vault/") {
            _ = try restored.open(path, creating: true)
            restored.set(path, bytes)
        }
        #expect(try erasing.opening(Fixtures.vault(restored)) == 3)
    }

    @Test("Neither ciphertext nor wrapped keys of erased records are left in any byte of the home")
    func everyByte() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        let patterns = Erasing.doomed.map { Array(erasing.records[$0].object.body.prefix(64)) }
        for pattern in patterns { #expect(disk.holds(pattern)) }
        // Sealed keys as they stand before: each page's and the table's.
        let sealed = erasing.backup.filter { $0.key.hasSuffix(".keys") || $0.key.hasSuffix("/roots") }.values
            .flatMap { bytes in stride(from: 24, to: bytes.count - 64, by: 2560).map { Array(bytes[$0..<$0 + 60]) } }
            .filter { $0.contains { $0 != 0 } }
        #expect(sealed.count >= 3)
        _ = try erasing.erase(vault)
        for pattern in patterns + sealed { #expect(!disk.holds(pattern)) }
        await vault.close()
    }

    @Test(
        "After a crash at any moment each record opens or is destroyed, and erasing again destroys",
        arguments: 0..<120
    )
    func crash(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        // The disk stops at the n-th write or sync, and then the power fails.
        let call: SimulatedDisk.Call = Bool.random(using: &generator) ? .write : .sync
        disk.fail(call, after: Int.random(in: 0..<24, using: &generator), with: EIO, isLasting: true)
        var isDone = false
        do {
            _ = try erasing.erase(vault)
            isDone = true
        } catch { #expect(error is VaultError) }
        disk.heal()
        let after = disk.crashed(using: &generator)
        let reopened = try Fixtures.vault(after)
        let open = try erasing.opening(reopened)
        #expect(!isDone || open == 0, "what was reported as destroyed is destroyed")
        _ = try erasing.erase(reopened)
        #expect(try erasing.opening(reopened) == 0)
        #expect(try reopened.verifyAll().problems.isEmpty)
        for index in Erasing.doomed {
            #expect(!after.holds(Array(erasing.records[index].object.body.prefix(64))))
        }
        let next = try reopened.seal(Fixtures.content(500))
        try await reopened.append([next])
        await reopened.close()
        let last = try Fixtures.vault(after)
        #expect(try last.openOwn(next.object.address).commitment == next.commitment)
        #expect(try erasing.opening(last) == 0)
    }

    @Test("One call that the disk refuses is survived without a restart", arguments: 0..<120 as Range<UInt64>)
    func refusal(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        let calls: [(SimulatedDisk.Call, Int32)] = [
            (.write, EIO), (.write, ENOSPC), (.sync, EIO), (.rename, EIO), (.create, ENOSPC), (.read, EIO),
        ]
        let (call, number) = calls[Int.random(in: 0..<calls.count, using: &generator)]
        disk.fail(call, after: Int.random(in: 0..<12, using: &generator), with: number)
        let first = try? erasing.erase(vault)
        disk.heal()
        if first == nil {
            // Keys that come after the refusal are not lost by it.
            let next = try vault.seal(Fixtures.content(700))
            try await vault.append([next])
            _ = try erasing.erase(vault)
            #expect(try vault.openOwn(next.object.address).commitment == next.commitment)
            await vault.close()
            #expect(try Fixtures.vault(disk).openOwn(next.object.address).commitment == next.commitment)
        }
        let reopened = try Fixtures.vault(disk)
        #expect(try erasing.opening(reopened) == 0)
        #expect(try reopened.verifyAll().problems.isEmpty)
    }

    @Test("Reading goes on while segments are written anew, and finds what it looks for")
    func reading() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<3 {
                group.addTask {
                    for round in 0..<200 {
                        let index = (round * 7 + worker) % erasing.records.count
                        guard !Erasing.doomed.contains(index) else { continue }
                        let address = erasing.records[index].object.address
                        #expect((try? vault.read(address)) == erasing.records[index].object)
                    }
                }
            }
            group.addTask { #expect((try? erasing.erase(vault)) != nil) }
        }
        #expect(try vault.statistics().incidents.isEmpty)
    }

    @Test("Bytes that were set aside are overwritten, and their number stays taken")
    func quarantine() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let path = Fixtures.home + "/vault/segments/00000001.seg.32.quarantine"
        _ = try disk.open(path, creating: true)
        disk.set(path, erasing.records[3].object.body)
        let vault = try Fixtures.vault(disk)
        _ = try erasing.erase(vault)
        #expect(disk.paths.contains(path) && disk.bytes(path).isEmpty)
        #expect(try Fixtures.vault(disk).statistics().incidents.isEmpty)
    }

    @Test("A table of keys that is gone, damaged or older than the files is refused, and nothing is touched")
    func table() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let roots = Fixtures.home + "/vault/roots"
        let vault = try Fixtures.vault(disk)
        _ = try erasing.erase(vault)
        await vault.close()
        let keyFiles = disk.paths.filter { $0.hasSuffix(".keys") }
        func expectRefused(_ change: (SimulatedDisk) throws -> Void) throws {
            let broken = disk.copy()
            try change(broken)
            let error = #expect(throws: VaultError.self) { try Fixtures.vault(broken) }
            #expect(error?.code == .keyFileDamaged)
            for path in keyFiles { #expect(broken.bytes(path) == disk.bytes(path)) }
        }
        try expectRefused { try $0.remove(roots) }
        try expectRefused { $0.set(roots, Array(repeating: 1, count: 1000)) }
        try expectRefused { $0.set(roots, erasing.backup[roots] ?? []) }
        // One damaged slot is mended from the other.
        let mended = disk.copy()
        var bytes = mended.bytes(roots)
        bytes[40] ^= 1
        mended.set(roots, bytes)
        #expect(try erasing.opening(Fixtures.vault(mended)) == 0)
        let whole = mended.bytes(roots)
        #expect(whole.prefix(whole.count / 2) == whole.suffix(whole.count / 2))
    }

    @Test("The data keys of an earlier release come under a key of their own, and then erase like others")
    func legacy() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        try LegacyPages.rewrite(disk)
        let vault = try Fixtures.vault(disk)
        #expect(try erasing.opening(vault) == 3)
        #expect(!disk.paths.contains(Fixtures.home + "/vault/keys/00000000.keys"))
        _ = try erasing.erase(vault)
        #expect(try erasing.opening(vault) == 0)
        await vault.close()
        #expect(try erasing.opening(Fixtures.vault(disk)) == 0)
    }

    @Test("A page of wrapped keys is trimmed: the rest opens, the erased does not")
    func trimmed() async throws {
        let disk = SimulatedDisk()
        let erasing = try await Erasing.filled(disk)
        let vault = try Fixtures.vault(disk)
        let otherDisk = SimulatedDisk()
        let otherKeys = try Fixtures.keys(otherDisk, institution: "hospital-b")
        let other = try Fixtures.vault(otherDisk, keys: otherKeys)
        let page = try vault.makeEnvelopePage(
            grant: GrantID(.zero),
            page: 0,
            recipients: [(otherKeys.institution, otherKeys.encryptionKey)],
            records: [2, 3].map { erasing.records[$0].object.address },
            chain: Fixtures.chain
        )
        let doomed = erasing.doomedAddresses
        let own = try vault.trimmed(page, without: doomed, chain: Fixtures.chain)
        #expect(own.isSigned(by: vault.keys.verifyingKey, chain: Fixtures.chain))
        let received = try other.trimmed(page, without: doomed, chain: Fixtures.chain)
        for trimmed in [own, received] {
            #expect(trimmed.entries.map(\.record) == [erasing.records[2].object.address])
            let opened = try other.openGranted(erasing.records[2].object, page: trimmed, chain: Fixtures.chain)
            #expect(opened.commitment == erasing.records[2].commitment)
            let error = #expect(throws: VaultError.self) {
                try other.openGranted(erasing.records[3].object, page: trimmed, chain: Fixtures.chain)
            }
            #expect(error?.code == .notGranted)
        }
    }
}

extension SimulatedDisk {
    /// Whether any byte that a file has or had, as far as the disk was told nothing else, holds `pattern`.
    fileprivate func holds(_ pattern: [UInt8]) -> Bool {
        self.state.withLock { state in
            state.contents.values.contains { content in
                Self.find(pattern, in: content.current) || Self.find(pattern, in: content.durable)
            }
        }
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8]) -> Bool {
        guard bytes.count >= pattern.count, let first = pattern.first else { return false }
        return bytes.withUnsafeBufferPointer { buffer in
            (0...buffer.count - pattern.count).contains { start in
                buffer[start] == first && buffer[start..<start + pattern.count].elementsEqual(pattern)
            }
        }
    }
}
