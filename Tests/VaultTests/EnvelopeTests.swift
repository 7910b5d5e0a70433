import Primitives
import Records
import TestSupport
import Testing
import Vault

@Suite("Grantees, and only they, open a custodian's records")
struct EnvelopeTests {
    private struct Side {
        let vault: Vault

        init(_ institution: String) throws {
            let disk = SimulatedDisk()
            self.vault = try Fixtures.vault(disk, keys: Fixtures.keys(disk, institution: institution))
        }

        var recipient: (institution: InstitutionID, encryptionKey: [UInt8]) {
            (self.vault.institution, self.vault.keys.encryptionKey)
        }
    }

    private let grant = GrantID(Digest(hashing: [2]))
    private let source: Side
    private let grantee: Side
    private let stranger: Side
    private let records: [SealedRecord]

    init() async throws {
        self.source = try Side("hospital-a")
        self.grantee = try Side("hospital-b")
        self.stranger = try Side("hospital-c")
        let vault = self.source.vault
        self.records = try (0..<3).map { try vault.seal(Fixtures.content($0)) }
        try await vault.append(self.records)
    }

    private func page(_ records: [SealedRecord]? = nil) throws -> KeyEnvelopePage {
        try self.source.vault.makeEnvelopePage(
            grant: self.grant,
            page: 0,
            recipients: [self.grantee.recipient],
            records: (records ?? self.records).map(\.object.address),
            chain: Fixtures.chain
        )
    }

    private func code(_ body: () throws -> Void) -> VaultError.Code? {
        do { try body() } catch { return (error as? VaultError)?.code }
        return nil
    }

    @Test("A grantee opens every record on the page, and the page survives its canonical form")
    func opens() throws {
        let page = try KeyEnvelopePage(canonicalBytes: self.page().canonicalBytes)
        #expect(page.isSigned(by: self.source.vault.keys.verifyingKey, chain: Fixtures.chain))
        for (index, record) in self.records.enumerated() {
            let opened = try self.grantee.vault.openGranted(record.object, page: page, chain: Fixtures.chain)
            #expect(opened.content == Fixtures.content(UInt64(index)))
            #expect(opened.commitment == record.commitment)
        }
    }

    @Test("Whoever is not a recipient, and whatever is not on the page, is not granted")
    func notGranted() throws {
        let page = try self.page(Array(self.records.prefix(1)))
        #expect(
            self.code {
                _ = try self.stranger.vault.openGranted(self.records[0].object, page: page, chain: Fixtures.chain)
            } == .notGranted
        )
        #expect(
            self.code {
                _ = try self.grantee.vault.openGranted(self.records[1].object, page: page, chain: Fixtures.chain)
            } == .notGranted
        )
    }

    @Test("A page moved to another chain, grant, page number or custodian opens nothing")
    func bound() throws {
        let page = try self.page()
        let object = self.records[0].object
        let vault = self.grantee.vault
        let otherChain = ChainID(Digest(hashing: [9]))
        #expect(self.code { _ = try vault.openGranted(object, page: page, chain: otherChain) } == .sealBroken)
        #expect(!page.isSigned(by: self.source.vault.keys.verifyingKey, chain: otherChain))
        var moved = page
        moved.grant = GrantID(Digest(hashing: [9]))
        #expect(self.code { _ = try vault.openGranted(object, page: moved, chain: Fixtures.chain) } == .sealBroken)
        #expect(!moved.isSigned(by: self.source.vault.keys.verifyingKey, chain: Fixtures.chain))
        moved = page
        moved.page = 1
        #expect(self.code { _ = try vault.openGranted(object, page: moved, chain: Fixtures.chain) } == .sealBroken)
        moved = page
        moved.custodian = self.stranger.vault.institution
        #expect(self.code { _ = try vault.openGranted(object, page: moved, chain: Fixtures.chain) } == .notGranted)
        moved = page
        moved.recipients[0].institution = self.stranger.vault.institution
        let stranger = self.stranger.vault
        #expect(self.code { _ = try stranger.openGranted(object, page: moved, chain: Fixtures.chain) } == .sealBroken)
    }

    @Test("Keys swapped between two records open neither")
    func swapped() throws {
        var page = try self.page()
        let first = page.entries[0].wrappedKey
        page.entries[0].wrappedKey = page.entries[1].wrappedKey
        page.entries[1].wrappedKey = first
        for record in self.records.prefix(2) {
            #expect(
                self.code {
                    _ = try self.grantee.vault.openGranted(record.object, page: page, chain: Fixtures.chain)
                } == .sealBroken
            )
        }
    }

    @Test("A flipped bit in any byte of a recipient's key opens nothing")
    func tampered() throws {
        let page = try self.page()
        for index in stride(from: 0, to: KeyEnvelopePage.sealedGrantKeyBytes, by: 13) {
            var changed = page
            changed.recipients[0].sealedGrantKey[index] ^= 1 << UInt8(index % 8)
            #expect(
                self.code {
                    let object = self.records[0].object
                    _ = try self.grantee.vault.openGranted(object, page: changed, chain: Fixtures.chain)
                } == .sealBroken
            )
        }
    }

    @Test("Only own records have keys to wrap")
    func foreign() async throws {
        let object = self.records[0].object
        try await self.grantee.vault.append([object])
        #expect(
            self.code {
                _ = try self.grantee.vault.makeEnvelopePage(
                    grant: self.grant,
                    page: 0,
                    recipients: [self.stranger.recipient],
                    records: [object.address],
                    chain: Fixtures.chain
                )
            } == .keyMissing
        )
        #expect(self.code { _ = try self.grantee.vault.openOwn(object.address) } == .keyMissing)
    }

    @Test("A key that is no X-Wing key is refused")
    func badRecipient() throws {
        #expect(
            self.code {
                _ = try self.source.vault.makeEnvelopePage(
                    grant: self.grant,
                    page: 0,
                    recipients: [(self.stranger.vault.institution, [UInt8](repeating: 0xff, count: 1216))],
                    records: [],
                    chain: Fixtures.chain
                )
            } == .sealBroken
        )
    }
}
