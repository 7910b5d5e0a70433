import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("A flipped bit in any file of a home is noticed and never changes what is read")
struct BitFlipTests {
    private static let limits = Vault.Limits(segmentBytesMax: 2 << 10, reserveBytes: 0)

    /// A home with a sealed segment, an open one and a page of data keys, and what its records hold.
    private static func makeHome() async throws -> (SimulatedDisk, [(ContentAddress, RecordContent)]) {
        let disk = SimulatedDisk()
        let vault = try Fixtures.vault(disk, keys: Fixtures.keys(disk), limits: limits)
        var records: [(ContentAddress, RecordContent)] = []
        for seed in 0..<4 as Range<UInt64> {
            let content = Fixtures.content(seed, results: 2)
            let record = try vault.seal(content)
            try await vault.append([record])
            records.append((record.object.address, content))
        }
        await vault.close()
        #expect(try vault.statistics().segments == 2)
        return (disk, records)
    }

    @Test("Every byte of every file", arguments: 0..<8 as Range<UInt8>)
    func everyByte(bit: UInt8) async throws {
        let (disk, records) = try await Self.makeHome()
        for path in disk.paths {
            let bytes = disk.bytes(path)
            #expect(!bytes.isEmpty)
            // Each of the eight cases takes every eighth byte, so that all together flip one bit in every byte.
            for index in stride(from: Int(bit), to: bytes.count, by: 8) {
                var changed = bytes
                changed[index] ^= 1 << (bit ^ UInt8(index / 8 % 8))
                let copy = disk.copy()
                copy.set(path, changed)
                let isNoticed = Self.isNoticed(copy, records, "\(path) at \(index)")
                #expect(isNoticed, "\(path) at \(index)")
            }
        }
    }

    @Test("Every file cut at any length", arguments: [1, 2, 3, 5, 8, 20, 60, 200, 500, 1000, 2000, 3000, 4000, 5119])
    func cut(length: Int) async throws {
        let (disk, records) = try await Self.makeHome()
        for path in disk.paths where disk.bytes(path).count > length {
            let copy = disk.copy()
            copy.set(path, Array(disk.bytes(path).prefix(length)))
            _ = Self.isNoticed(copy, records, "\(path) cut at \(length)")
        }
    }

    /// Opens the home, reads everything and checks everything.
    ///
    /// Records read must be right; returns whether anything was refused or reported.
    private static func isNoticed(
        _ disk: SimulatedDisk,
        _ records: [(ContentAddress, RecordContent)],
        _ comment: Comment
    ) -> Bool {
        do {
            let vault = try Fixtures.vault(disk, limits: Self.limits)
            var isNoticed = false
            for (address, content) in records {
                do throws(VaultError) {
                    let opened = try vault.openOwn(address)
                    #expect(opened.content == content, comment)
                } catch {
                    isNoticed = true
                    #expect([.notFound, .damaged, .keyMissing, .sealBroken].contains(error.code), comment)
                }
            }
            let problems = try vault.verifyAll().problems
            let incidents = try vault.statistics().incidents
            return isNoticed || !problems.isEmpty || !incidents.isEmpty
        } catch is VaultError {
            return true
        } catch {
            Issue.record(error, comment)
            return false
        }
    }
}
