import Foundation
import GRDB
import LedgerStore
import Primitives
import Records
import TestSupport
import Testing

@Suite("A database file that cannot be used gives a coded error")
struct StoreFileTests {
    private let folder: TemporaryFolder

    init() throws { self.folder = try TemporaryFolder() }

    private func opened(_ name: String) -> LedgerStoreError.Code? {
        code { () throws(LedgerStoreError) in _ = try CustodyStore(path: self.folder.path(name)) }
    }

    @Test("A file that a newer release wrote is refused")
    func newer() throws {
        let path = self.folder.path("custody.sqlite")
        try CustodyStore(path: path).close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('custody-999')") }
        try queue.close()
        #expect(self.opened("custody.sqlite") == .schemaTooNew)
    }

    @Test("A file that is no database is refused")
    func noDatabase() throws {
        try Data(repeating: 0x55, count: 9_000).write(to: self.folder.file("custody.sqlite"))
        #expect(self.opened("custody.sqlite") == .corrupt)
    }

    @Test("A folder that does not exist is refused")
    func noFolder() {
        #expect(self.opened("none/custody.sqlite") == .notAccessible)
    }

    @Test("A new file and its log are readable by this user only")
    func permissions() throws {
        let store = try CustodyStore(path: self.folder.path("custody.sqlite"))
        try store.save(OutgoingTransaction(id: .zero, bytes: [1]))
        for name in ["custody.sqlite", "custody.sqlite-wal"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: self.folder.path(name))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("A value of the wrong type in a row is corrupt, not a crash")
    func wrongType() throws {
        let path = self.folder.path("chain.sqlite")
        let store = try ChainStore(path: path)
        let block = Fixture.chain(count: 1)[0]
        try store.begin(genesis: [1], block: block, stateChanges: [])
        try store.close()
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "UPDATE blocks SET header = x'00', receipts = x'ff'") }
        try queue.close()
        let damaged = try ChainStore(path: path)
        #expect(code { () throws(LedgerStoreError) in _ = try damaged.tip() } == .corrupt)
        #expect(code { () throws(LedgerStoreError) in _ = try damaged.block(at: Height(0)) } == .corrupt)
        try damaged.check()
    }

    @Test("Bytes overwritten anywhere in a file never crash a reader", arguments: 0..<40 as Range<UInt64>)
    func overwritten(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let path = self.folder.path("locators.sqlite")
        let store = try LocatorStore(path: path)
        let manifest = Fixture.manifest(institution: 1, batch: 0, count: 200)
        try store.add(manifest, address: Fixture.address(0))
        try store.close()
        var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        for _ in 0..<Int.random(in: 1...20, using: &generator) {
            let start = Int.random(in: 0..<bytes.count, using: &generator)
            for index in start..<min(start + Int.random(in: 1...64, using: &generator), bytes.count) {
                bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let codes: Set<LedgerStoreError.Code> = [.corrupt, .schemaTooNew, .internalFailure, .notAccessible, .conflict]
        do {
            let damaged = try LocatorStore(path: path)
            try damaged.add(Fixture.manifest(institution: 1, batch: 1, count: 50), address: Fixture.address(1))
            let probes = manifest.entries.map {
                LocatorProbe(institution: Fixture.institution(1), tag: $0.locator.tag)
            }
            _ = try damaged.lookup(probes)
            for entry in manifest.entries { _ = try damaged.entries(record: entry.leaf.record) }
            _ = try damaged.coverage(.exams, institution: Fixture.institution(1))
            try damaged.check()
        } catch {
            #expect(codes.contains(error.code), "seed \(seed): \(error)")
        }
    }

    @Test("Errors say what to do and carry no value of the row")
    func messages() throws {
        let store = try CustodyStore(path: self.folder.path("custody.sqlite"))
        let secret = Array("secret-marker".utf8)
        try store.append(receipt: secret, leafHash: .zero, patient: Fixture.patient(1))
        do {
            try store.append(receipt: secret, leafHash: .zero, patient: Fixture.patient(1))
            Issue.record("the second receipt is a conflict")
        } catch {
            let shown = "\(error)" + (error.cause.map { "\($0)" } ?? "")
            #expect(shown.contains("custody.sqlite"))
            #expect(!shown.contains("secret-marker"))
        }
    }
}
