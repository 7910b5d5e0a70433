import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("The store keeps sealed objects by address")
struct StoreTests {
    private let disk = SimulatedDisk()

    private func vault(segmentBytesMax: UInt64 = 64 << 10) throws -> Vault {
        let limits = Vault.Limits(segmentBytesMax: segmentBytesMax, reserveBytes: 0)
        let exists = self.disk.paths.contains(Fixtures.home + "/keys")
        return try Fixtures.vault(self.disk, keys: exists ? nil : Fixtures.keys(self.disk), limits: limits)
    }

    @Test("Records of many segments are found before and after a restart")
    func manySegments() async throws {
        var vault = try self.vault()
        var records: [SealedRecord] = []
        for batch in 0..<20 {
            let sealed = try (0..<20).map { try vault.seal(Fixtures.content(UInt64(batch * 20 + $0))) }
            try await vault.append(sealed)
            records += sealed
        }
        for round in 0..<2 {
            for (index, record) in records.enumerated() {
                #expect(try vault.read(record.object.address) == record.object)
                #expect(try vault.openOwn(record.object.address).content == Fixtures.content(UInt64(index)))
            }
            let statistics = try vault.statistics()
            #expect(statistics.objects == 400)
            #expect(statistics.segments > 3)
            #expect(statistics.incidents.isEmpty)
            #expect(statistics.contentBytes == records.reduce(0) { $0 + UInt64($1.object.body.count) })
            let verified = try vault.verifyAll()
            #expect(verified.objects == 400)
            #expect(verified.problems.isEmpty)
            if round == 0 {
                await vault.close()
                vault = try self.vault()
            }
        }
    }

    @Test("An unknown address is not found")
    func notFound() async throws {
        let vault = try self.vault()
        for seed in 0..<200 as Range<UInt64> { try await vault.append([vault.seal(Fixtures.content(seed))]) }
        let unknown = ContentAddress(Digest(hashing: [1]))
        #expect(try !vault.contains(unknown))
        let error = #expect(throws: VaultError.self) { try vault.read(unknown) }
        #expect(error?.code == .notFound)
    }

    @Test("An object is stored once, however often it is appended")
    func duplicates() async throws {
        let vault = try self.vault()
        let object = try vault.seal(Fixtures.content(1)).object
        try await vault.append([object, object])
        try await vault.append([object])
        #expect(try vault.statistics().objects == 1)
        #expect(try vault.objects(of: nil, from: .start, limit: 10).objects == [object])
    }

    @Test("Own objects are numbered without gaps, also across a restart")
    func sequence() async throws {
        var vault = try self.vault()
        var expected: UInt64 = 0
        for _ in 0..<3 {
            let record = try vault.seal(Fixtures.content(expected))
            let manifest = try vault.makeObject(.manifest, body: [UInt8(expected)])
            #expect(record.object.header.sequence == expected)
            #expect(manifest.header.sequence == expected + 1)
            try await vault.append([record])
            try await vault.append([manifest])
            expected += 2
            await vault.close()
            vault = try self.vault()
        }
    }

    @Test("Objects of a kind are listed in order, in portions, and new ones behind the last position")
    func listing() async throws {
        let vault = try self.vault()
        var manifests: [SealedObject] = []
        for number in 0..<150 as Range<UInt64> {
            try await vault.append([vault.seal(Fixtures.content(number))])
            let manifest = try vault.makeObject(.manifest, body: [UInt8](repeating: UInt8(number), count: 500))
            try await vault.append([manifest])
            manifests.append(manifest)
        }
        var found: [SealedObject] = []
        var position = StorePosition.start
        while true {
            let (objects, next) = try vault.objects(of: .manifest, from: position, limit: 7)
            if objects.isEmpty { break }
            #expect(objects.count <= 7)
            #expect(next > position)
            found += objects
            position = next
        }
        #expect(found == manifests)
        let last = try vault.makeObject(.manifest, body: [1])
        try await vault.append([last])
        #expect(try vault.objects(of: .manifest, from: position, limit: 7).objects == [last])
    }

    @Test("Many appends at once share their syncs")
    func groupCommit() async throws {
        let vault = try self.vault(segmentBytesMax: 8 << 20)
        let records = try (0..<200).map { try vault.seal(Fixtures.content($0)) }
        let before = self.disk.count(.sync)
        try await withThrowingTaskGroup { group in
            for record in records { group.addTask { try await vault.append([record], .bulk) } }
            try await group.waitForAll()
        }
        #expect(self.disk.count(.sync) - before < 100)
        for record in records { #expect(try vault.contains(record.object.address)) }
    }

    @Test("An object larger than a segment has one of its own")
    func large() async throws {
        let vault = try self.vault()
        let large = try vault.makeObject(.manifest, body: [UInt8](repeating: 7, count: 500_000))
        let small = try vault.makeObject(.manifest, body: [7])
        try await vault.append([small, large, small])
        #expect(try vault.read(large.address) == large)
        #expect(try vault.read(small.address) == small)
        let again = try self.vault()
        #expect(try again.read(large.address) == large)
    }

    @Test("An object that a peer made up under this institution's name is refused")
    func notOwn() async throws {
        let vault = try self.vault()
        let record = try vault.seal(Fixtures.content(1))
        try await vault.append([record])
        for sequence in [1, 1000, UInt64.max - 1, UInt64.max] {
            var header = record.object.header
            header.sequence = sequence
            let forged = SealedObject(header: header, body: [1])
            let error = await #expect(throws: VaultError.self) { try await vault.append([forged]) }
            #expect(error?.code == .notOwn)
        }
        #expect(try vault.makeObject(.manifest, body: []).header.sequence == 1)
        // A copy of an own object is welcome: it may replace a damaged one.
        try await vault.append([record.object])
        // Numbers of others are their own affair.
        var header = record.object.header
        header.origin = try Fixtures.institution("hospital-b")
        header.sequence = .max
        let foreign = SealedObject(header: header, body: [1])
        try await vault.append([foreign])
        #expect(try vault.read(foreign.address) == foreign)
        await vault.close()
        #expect(try self.vault().makeObject(.manifest, body: []).header.sequence == 1)
    }

    @Test("A closed vault refuses to store and still reads")
    func closed() async throws {
        let vault = try self.vault()
        let object = try vault.makeObject(.manifest, body: [1])
        try await vault.append([object])
        await vault.close()
        #expect(try vault.read(object.address) == object)
        let error = await #expect(throws: VaultError.self) { try await vault.append([object]) }
        #expect(error?.code == .closed)
    }

    @Test("Local secrets open in their place only; local tags are equal for equal bytes in one home")
    func localSecrets() throws {
        let vault = try self.vault()
        let secret = vault.protect([1, 2, 3], label: "counter")
        #expect(try vault.unprotect(secret, label: "counter") == [1, 2, 3])
        #expect(throws: VaultError.self) { try vault.unprotect(secret, label: "other") }
        #expect(throws: VaultError.self) { try vault.unprotect(Array(secret.dropLast()), label: "counter") }
        #expect(vault.localTag([1]) == vault.localTag([1]))
        let otherDisk = SimulatedDisk()
        let other = try Fixtures.vault(otherDisk, keys: Fixtures.keys(otherDisk))
        #expect(vault.localTag([1]) != other.localTag([1]))
        #expect(throws: VaultError.self) { try other.unprotect(secret, label: "counter") }
    }
}
