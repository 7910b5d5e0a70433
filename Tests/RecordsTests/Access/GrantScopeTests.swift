import Primitives
import Records
import Testing

private func exam(_ kind: ExamKind, _ itemCode: String, _ time: Timestamp?) -> ExamFacts {
    ExamFacts(record: ContentAddress(.zero), kind: kind, itemCode: itemCode, examTime: time, sensitive: [])
}

@Suite("A grant's scope")
struct GrantScopeTests {
    private let day = Timestamp(milliseconds: 1_790_000_000_000)

    @Test("An empty scope covers everything, a time range only exams with a time in it")
    func covers() {
        let open = GrantScope()
        #expect(open.covers(exam(.imaging, "x", nil)))
        let ranged = GrantScope(examsFrom: self.day, examsUntil: self.day.advanced(byMilliseconds: 1000))
        #expect(ranged.covers(exam(.imaging, "x", self.day)))
        #expect(!ranged.covers(exam(.imaging, "x", self.day.advanced(byMilliseconds: 1000))))
        #expect(!ranged.covers(exam(.imaging, "x", self.day.advanced(byMilliseconds: -1))))
        #expect(!ranged.covers(exam(.imaging, "x", nil)))
    }

    @Test("Kinds and items narrow together")
    func narrow() {
        let scope = GrantScope(kinds: [.laboratory], items: ["718-7"])
        #expect(scope.covers(exam(.laboratory, "718-7", nil)))
        #expect(!scope.covers(exam(.laboratory, "777-3", nil)))
        #expect(!scope.covers(exam(.imaging, "718-7", nil)))
    }

    @Test("It has one encoding, whatever the order in which it was written")
    func canonical() throws {
        let left = GrantScope(kinds: [.imaging, .laboratory], items: ["b", "a"])
        let right = GrantScope(kinds: [.laboratory, .imaging, .imaging], items: ["a", "b"])
        #expect(left.canonicalBytes == right.canonicalBytes)
        #expect(try GrantScope(canonicalBytes: left.canonicalBytes) == left)
        var bytes = left.canonicalBytes
        bytes.swapAt(1, 2)
        #expect(throws: CanonicalError.notCanonical) { try GrantScope(canonicalBytes: bytes) }
    }

    @Test("A lease of nothing or of more than a week is refused", arguments: [0, 604_801] as [UInt32])
    func lease(seconds: UInt32) {
        let scope = GrantScope(leaseSeconds: seconds)
        #expect(throws: CanonicalError.invalid) { try GrantScope(canonicalBytes: scope.canonicalBytes) }
    }

    @Test("Every limit reads back as written, and lists out of order or a grant for no use are refused")
    func limits() throws {
        let salt = [UInt8](repeating: 1, count: AccessGrant.saltBytes)
        let b = try #require(InstitutionID("b"))
        var scope = GrantScope(
            records: [ContentAddress(Digest(hashing: [2])), ContentAddress(Digest(hashing: [1]))],
            usesMax: 1,
            sensitive: [.abuse, .psychiatry],
            readers: [ReaderHandle(role: "nurse", salt: salt), ReaderHandle(clinician: "lin", at: b, salt: salt)],
            hidden: ["b", "a"],
            referral: ReferralID(Digest(hashing: [3]))
        )
        #expect(try GrantScope(canonicalBytes: scope.canonicalBytes) == scope)
        #expect(scope.records == scope.records.sorted() && scope.hidden == ["a", "b"])
        #expect(scope.canonicalBytes.count <= GrantScope.paddedBytes)
        scope.hidden = ["b", "a"]
        #expect(throws: CanonicalError.notCanonical) { try GrantScope(canonicalBytes: scope.canonicalBytes) }
        scope = GrantScope(usesMax: 0)
        #expect(throws: CanonicalError.invalid) { try GrantScope(canonicalBytes: scope.canonicalBytes) }
    }

    @Test("A record named covers itself, and a sensitive exam needs its class named")
    func recordsAndClasses() {
        let named = GrantScope(records: [ContentAddress(Digest(hashing: [1]))])
        var facts = exam(.laboratory, "718-7", nil)
        #expect(!named.covers(facts))
        facts.record = ContentAddress(Digest(hashing: [1]))
        #expect(named.covers(facts) && named.admits(facts))
        facts.sensitive = [.psychiatry, .abuse]
        #expect(!named.admits(facts))
        #expect(!GrantScope(sensitive: [.abuse]).admits(facts))
        #expect(GrantScope(sensitive: [.abuse, .psychiatry]).admits(facts))
    }

    @Test("A reader's handle is of one role, or of one person at one institution, under one salt")
    func readers() throws {
        let salt = [UInt8](repeating: 1, count: AccessGrant.saltBytes)
        let (a, b) = (try #require(InstitutionID("a")), try #require(InstitutionID("b")))
        let handles = [
            ReaderHandle(role: "lin", salt: salt), ReaderHandle(clinician: "lin", at: a, salt: salt),
            ReaderHandle(clinician: "lin", at: b, salt: salt), ReaderHandle(role: "nurse", salt: salt),
            ReaderHandle(role: "lin", salt: [UInt8](repeating: 2, count: AccessGrant.saltBytes)),
        ]
        #expect(Set(handles).count == handles.count)
    }

    @Test("The widest scope fits its padded size")
    func widest() {
        let scope = GrantScope(
            kinds: ExamKind.allCases,
            items: (0..<GrantScope.itemsMax).map { String($0) + String(repeating: "x", count: 47) },
            examsFrom: self.day,
            examsUntil: self.day
        )
        #expect(scope.canonicalBytes.count <= GrantScope.paddedBytes)
    }
}
