import Primitives
import Records
import TestSupport
import Testing

@Suite("A locator entry's summary")
struct LocatorSummaryTests {
    private func summary(_ text: String, full: Bool) -> LocatorSummary {
        LocatorSummary(
            record: ContentAddress(Digest(hashing: Array(text.utf8))),
            kind: .laboratory,
            status: .final,
            itemSystem: text,
            itemCode: text,
            display: text,
            bodySite: text,
            examTime: full ? Timestamp(milliseconds: .max) : nil,
            reportTime: full ? Timestamp(milliseconds: .min) : nil,
            recordBytes: .max,
            imageCount: .max,
            marks: full ? [text, text, text] : [],
            supersedes: full ? ContentAddress(.zero) : nil
        )
    }

    @Test("The identity level takes no room, and every other value of the status byte is refused")
    func identityLevel() throws {
        let plain = LocatorSummary(
            record: ContentAddress(.zero),
            kind: .laboratory,
            status: .final,
            itemSystem: "s",
            itemCode: "c",
            display: "d",
            bodySite: "",
            examTime: nil,
            reportTime: nil,
            recordBytes: 1,
            imageCount: 0
        )
        var marked = plain
        marked.identity = .possible
        #expect(marked.canonicalBytes.count == plain.canonicalBytes.count)
        #expect(zip(marked.canonicalBytes, plain.canonicalBytes).filter { $0 != $1 }.count == 1)
        #expect(try LocatorSummary(paddedBytes: marked.paddedBytes) == marked)
        #expect(try LocatorSummary(paddedBytes: plain.paddedBytes) == plain)
        var broken = marked.paddedBytes
        broken[33] = 0xff
        #expect(throws: CanonicalError.self) { try LocatorSummary(paddedBytes: broken) }
    }

    @Test("It always has one size and reads back", arguments: ["", "58410-2", String(repeating: "血", count: 100)])
    func size(text: String) throws {
        for full in [false, true] {
            let summary = self.summary(text, full: full)
            #expect(summary.paddedBytes.count == LocatorSummary.byteCount)
            #expect(try LocatorSummary(paddedBytes: summary.paddedBytes) == summary)
        }
    }

    @Test("A text that is too long is cut at a character, not inside one")
    func cut() {
        let summary = self.summary(String(repeating: "血", count: 100), full: true)
        #expect(summary.display == String(repeating: "血", count: 24))
        #expect(summary.itemCode == String(repeating: "血", count: 10))
    }

    @Test("Anything but zeros behind it is refused")
    func padding() {
        var bytes = self.summary("x", full: false).paddedBytes
        bytes[bytes.count - 1] = 1
        #expect(throws: CanonicalError.trailing) { try LocatorSummary(paddedBytes: bytes) }
    }
}

@Suite("A manifest")
struct ManifestTests {
    private func manifest(count: Int) throws -> Manifest {
        let hospital = try #require(InstitutionID("hospital-a"))
        let entries = (0..<count).map { index in
            let sealed = [UInt8](repeating: UInt8(index), count: LocatorEntry.sealedByteCount)
            let locator = LocatorEntry(tag: LocatorTag(Digest(hashing: [UInt8(index)])), sealed: sealed)
            let leaf = ExamLeaf(
                record: ContentAddress(Digest(hashing: [1, UInt8(index)])),
                sealedBytes: UInt32(index),
                commitment: Digest(hashing: [2, UInt8(index)]),
                locatorDigest: locator.digest,
                supersedes: nil
            )
            return Manifest.Entry(leaf: leaf, locator: locator)
        }
        return Manifest(institution: hospital, batch: 4, entries: entries, aliases: entries.map(\.locator))
    }

    @Test("It reads back, and its root commits to every leaf in order")
    func roundTrip() throws {
        let manifest = try self.manifest(count: 5)
        #expect(try Manifest(canonicalBytes: manifest.canonicalBytes) == manifest)
        var swapped = manifest
        swapped.entries.swapAt(0, 1)
        #expect(swapped.root != manifest.root)
    }

    @Test("A leaf that commits to another entry than the one beside it is refused")
    func lie() throws {
        var manifest = try self.manifest(count: 2)
        manifest.entries[0].locator = manifest.entries[1].locator
        #expect(throws: CanonicalError.invalid) { try Manifest(canonicalBytes: manifest.canonicalBytes) }
    }

    @Test("Truncated and altered bytes never trap", arguments: 0..<40 as Range<UInt64>)
    func hostile(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var bytes = try self.manifest(count: 3).canonicalBytes
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
        _ = try? Manifest(canonicalBytes: bytes)
        _ = try? Manifest(canonicalBytes: Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator))))
    }
}
