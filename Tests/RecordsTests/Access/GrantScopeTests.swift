import Primitives
import Records
import Testing

@Suite("A grant's scope")
struct GrantScopeTests {
    private let day = Timestamp(milliseconds: 1_790_000_000_000)

    @Test("An empty scope covers everything, a time range only exams with a time in it")
    func covers() {
        let open = GrantScope()
        #expect(open.covers(kind: .imaging, itemCode: "x", examTime: nil))
        let ranged = GrantScope(examsFrom: self.day, examsUntil: self.day.advanced(byMilliseconds: 1000))
        #expect(ranged.covers(kind: .imaging, itemCode: "x", examTime: self.day))
        #expect(!ranged.covers(kind: .imaging, itemCode: "x", examTime: self.day.advanced(byMilliseconds: 1000)))
        #expect(!ranged.covers(kind: .imaging, itemCode: "x", examTime: self.day.advanced(byMilliseconds: -1)))
        #expect(!ranged.covers(kind: .imaging, itemCode: "x", examTime: nil))
    }

    @Test("Kinds and items narrow together")
    func narrow() {
        let scope = GrantScope(kinds: [.laboratory], items: ["718-7"])
        #expect(scope.covers(kind: .laboratory, itemCode: "718-7", examTime: nil))
        #expect(!scope.covers(kind: .laboratory, itemCode: "777-3", examTime: nil))
        #expect(!scope.covers(kind: .imaging, itemCode: "718-7", examTime: nil))
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
