import Crypto
import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("A record is sealed so that only its own key opens it")
struct RecordSealingTests {
    private let cipher = RecordCipher()
    private let key = SymmetricKey(size: .bits256)

    private func seal(_ content: RecordContent, sequence: UInt64 = 7) throws -> SealedRecord {
        try self.cipher.seal(content, dataKey: self.key, origin: Fixtures.institution(), sequence: sequence)
    }

    @Test("What is opened is what was sealed, in every size", arguments: [0, 1, 8, 40, 1000])
    func roundTrip(results: Int) throws {
        let content = Fixtures.content(UInt64(results), results: results)
        let sealed = try self.seal(content)
        let opened = try self.cipher.open(sealed.object, dataKey: self.key)
        #expect(opened.content == content)
        #expect(opened.salt == sealed.salt)
        #expect(opened.commitment == sealed.commitment)
        #expect(
            sealed.commitment
                == RecordContent.commitment(
                    suite: .international,
                    salt: sealed.salt,
                    canonicalContent: content.canonicalBytes
                )
        )
        #expect(sealed.plainBytes == content.canonicalBytes.count)
    }

    @Test("Bytes that do not compress are kept as they are")
    func incompressible() throws {
        var generator = SeededGenerator(seed: 1)
        let part = RecordContent.Part(type: "Binary", bytes: .random(count: 300_000, using: &generator))
        let content = RecordContent(format: .fhirR4JSON, parts: [part])
        let sealed = try self.seal(content)
        #expect(sealed.object.body.count > 300_000)
        #expect(try self.cipher.open(sealed.object, dataKey: self.key).content == content)
    }

    @Test("A report compresses at least five times")
    func compresses() throws {
        let content = Fixtures.content(3, results: 10)
        let sealed = try self.seal(content)
        #expect(sealed.object.body.count * 3 < sealed.plainBytes, "even with padding")
    }

    @Test("The same content never gives the same bytes or commitment twice")
    func salted() throws {
        let content = Fixtures.content(1)
        let first = try self.cipher.seal(
            content,
            dataKey: SymmetricKey(size: .bits256),
            origin: Fixtures.institution(),
            sequence: 0
        )
        let second = try self.seal(content)
        #expect(first.object.body != second.object.body)
        #expect(first.commitment != second.commitment)
    }

    @Test("Another key is refused before anything is decrypted")
    func wrongKey() throws {
        let sealed = try self.seal(Fixtures.content(1))
        let error = #expect(throws: VaultError.self) {
            try self.cipher.open(sealed.object, dataKey: SymmetricKey(size: .bits256))
        }
        #expect(error?.code == .sealBroken)
    }

    @Test("A flipped bit in any byte of the body, or a header of another record, is refused")
    func tampered() throws {
        let sealed = try self.seal(Fixtures.content(1)).object
        for index in sealed.body.indices {
            var body = sealed.body
            body[index] ^= 1 << UInt8(index % 8)
            let changed = SealedObject(header: sealed.header, body: body)
            let error = #expect(throws: VaultError.self) { try self.cipher.open(changed, dataKey: self.key) }
            #expect(error?.code == .sealBroken)
        }
        var header = sealed.header
        header.sequence += 1
        let moved = SealedObject(header: header, body: sealed.body)
        #expect(throws: VaultError.self) { try self.cipher.open(moved, dataKey: self.key) }
        header = sealed.header
        header.suite = SuiteID(1)
        let downgraded = SealedObject(header: header, body: sealed.body)
        let error = #expect(throws: VaultError.self) { try self.cipher.open(downgraded, dataKey: self.key) }
        #expect(error?.code == .unsupported)
    }

    @Test("Content over the limit is refused")
    func tooLarge() throws {
        let bytes = [UInt8](repeating: 0, count: RecordCipher.contentBytesMax)
        let content = RecordContent(format: .fhirR4JSON, parts: [RecordContent.Part(type: "Binary", bytes: bytes)])
        let error = #expect(throws: VaultError.self) { try self.seal(content) }
        #expect(error?.code == .tooLarge)
    }

    @Test("Sizes are padded: steps of 256 up to 4 KiB, then Padmé with at most 12 percent more")
    func padding() {
        #expect(Padding.size(0) == 256)
        #expect(Padding.size(256) == 256)
        #expect(Padding.size(257) == 512)
        #expect(Padding.size(4096) == 4096)
        #expect(Padding.size(4097) == 4352)
        #expect(Padding.size(1_000_000) == 1_015_808)
        var previous = 0
        for count in stride(from: 0, to: 3_000_000, by: 997) {
            let padded = Padding.size(count)
            #expect(padded >= count && padded >= previous)
            if count > 4096 { #expect(padded * 100 <= count * 112) }
            previous = padded
        }
    }
}

@Suite("A chunk stream cannot be cut, extended or reordered")
struct ChunkStreamTests {
    private let key = SymmetricKey(size: .bits256)
    private static let chunk = ChunkStream.chunkBytes

    @Test(
        "Streams of every shape come back",
        arguments: [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 2 * chunk + 1, 3 * chunk]
    )
    func roundTrip(count: Int) {
        let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let sealed = ChunkStream.seal(plain, key: self.key)
        #expect(sealed.count == ChunkStream.sealedBytes(count))
        #expect(ChunkStream.open(sealed, key: self.key) == plain)
    }

    @Test("Cut at any chunk boundary or byte near it, nothing opens")
    func truncated() {
        let sealed = ChunkStream.seal([UInt8](repeating: 5, count: 3 * Self.chunk), key: self.key)
        let whole = Self.chunk + 16
        for cut in [0, 1, 15, 16, 17, whole - 1, whole, whole + 1, 2 * whole, 2 * whole + 16, 3 * whole - 1] {
            #expect(ChunkStream.open(Array(sealed.prefix(cut)), key: self.key) == nil)
        }
        #expect(ChunkStream.open(sealed + [0], key: self.key) == nil)
        #expect(ChunkStream.open(sealed + sealed.prefix(whole), key: self.key) == nil)
        let swapped = sealed[whole..<2 * whole] + sealed[..<whole] + sealed[(2 * whole)...]
        #expect(ChunkStream.open(Array(swapped), key: self.key) == nil)
    }

    @Test("An empty last chunk behind others is refused, though it is well sealed")
    func emptyLastChunk() throws {
        let plain = [UInt8](repeating: 5, count: Self.chunk)
        var nonce = [UInt8](repeating: 0, count: 12)
        let first = try AES.GCM.seal(plain, using: self.key, nonce: AES.GCM.Nonce(data: nonce))
        nonce[10] = 1
        nonce[11] = 1
        let last = try AES.GCM.seal([UInt8](), using: self.key, nonce: AES.GCM.Nonce(data: nonce))
        let sealed = Array(first.ciphertext) + Array(first.tag) + Array(last.tag)
        #expect(ChunkStream.open(sealed, key: self.key) == nil)
    }
}
