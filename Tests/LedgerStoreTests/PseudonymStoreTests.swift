import LedgerStore
import Primitives
import TestSupport
import Testing

@Suite("Evaluated pseudonyms are remembered, and evaluations for others counted")
struct PseudonymStoreTests {
    private let folder: TemporaryFolder
    private let store: CustodyStore

    init() throws {
        self.folder = try TemporaryFolder()
        self.store = try CustodyStore(path: self.folder.path("custody.sqlite"))
    }

    private func institution(_ name: String) throws -> InstitutionID { try #require(InstitutionID(name)) }

    @Test("A cached pseudonym is found by its tag, in the order of the question")
    func cache() throws {
        let tags = (0..<300).map { Fixture.digest("identifier", $0) }
        try self.store.cache(tags.dropLast().map { CachedPseudonym(tag: $0, sealed: $0.bytes.reversed()) })
        let found = try self.store.cachedPseudonyms(tags: tags.reversed())
        #expect(found.first == .some(nil))
        #expect(found.dropFirst().map { $0 } == tags.dropLast().reversed().map { $0.bytes.reversed() })
        try self.store.cache([CachedPseudonym(tag: tags[0], sealed: [1])])
        #expect(try self.store.cachedPseudonyms(tags: [tags[0]]) == [[1]])
        #expect(try self.store.cachedPseudonyms(tags: []).isEmpty)
    }

    @Test("What would go over the quota is not counted and not served")
    func quota() throws {
        let a = try self.institution("a")
        #expect(try self.store.countServed(a, day: 5, count: 60, quota: 100))
        #expect(try !self.store.countServed(a, day: 5, count: 41, quota: 100))
        #expect(try self.store.countServed(a, day: 5, count: 40, quota: 100))
        #expect(try !self.store.countServed(a, day: 5, count: 1, quota: 100))
        #expect(try self.store.countServed(a, day: 6, count: 100, quota: 100))
        #expect(try self.store.countServed(try self.institution("b"), day: 5, count: 100, quota: 100))
    }

    @Test("Each requester's oldest unreported day comes first, and what is reported comes no more until it grows")
    func reports() throws {
        let (a, b) = (try self.institution("a"), try self.institution("b"))
        for (requester, day, count) in [(a, 4, 1), (a, 5, 2), (b, 5, 3), (a, 3, 9)] as [(InstitutionID, UInt32, UInt64)]
        {
            _ = try self.store.countServed(requester, day: day, count: count, quota: 100)
        }
        let first = try self.store.unreportedServed(day: 5, limit: 12)
        #expect(
            first == [
                ServedCount(requester: a, day: 4, total: 1), ServedCount(requester: b, day: 5, total: 3),
            ]
        )
        try self.store.markReported(first)
        let second = try self.store.unreportedServed(day: 5, limit: 12)
        #expect(second == [ServedCount(requester: a, day: 5, total: 2)])
        try self.store.markReported(second)
        #expect(try self.store.unreportedServed(day: 5, limit: 12).isEmpty)
        _ = try self.store.countServed(b, day: 5, count: 4, quota: 100)
        #expect(
            try self.store.unreportedServed(day: 5, limit: 12) == [ServedCount(requester: b, day: 5, total: 7)]
        )
        #expect(try self.store.unreportedServed(day: 9, limit: 12).isEmpty)
    }
}
