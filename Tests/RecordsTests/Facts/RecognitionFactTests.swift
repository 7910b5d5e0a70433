import Primitives
import Records
import TestSupport
import Testing

@Suite("Recognition facts have one byte form each")
struct RecognitionFactTests {
    private static func digest(_ byte: UInt8) -> Digest { Digest(hashing: [byte]) }

    private static var institution: InstitutionID {
        guard let id = InstitutionID("hospital-a") else { preconditionFailure("a name") }
        return id
    }

    static let contents: [RecognitionFact.Content] = [
        .match(
            RecognitionMatch(
                id: MatchID(digest(1)),
                verdict: digest(2),
                policy: digest(3),
                items: [
                    RecognitionMatch.Item(
                        code: "胸部CT",
                        itemClass: .computedTomography,
                        eligibility: .mayRecognise,
                        candidate: ContentAddress(digest(4)),
                        source: institution
                    )
                ]
            )
        ),
        .view(MatchID(digest(1)), items: [0, 3]), .closed(MatchID(digest(1))),
        .decision(
            RecognitionDecision(
                match: MatchID(digest(1)),
                number: 1,
                outcomes: [.adopted(0, amount: Fen(5)), .adopted(1), .refused(2, "D08", text: digest(5))]
            )
        ),
        .undo(MatchID(digest(1)), decision: 1), .citation([CitedItem(match: MatchID(digest(1)), item: 2)]),
        .void(ContentAddress(digest(6)), .wrongPatient),
        .production(ProductionDay(day: -3, produced: 9, committed: 8, lagSeconds: 77, late: 1)),
    ]

    static func fact(_ content: RecognitionFact.Content) -> RecognitionFact {
        RecognitionFact(
            content: content,
            time: Timestamp(milliseconds: 1_000_000),
            branch: "east",
            department: DepartmentKey(department: "心内科", salt: [UInt8](repeating: 3, count: 32)),
            detail: self.digest(7)
        )
    }

    @Test("The bytes of every kind come back, and no shortening or lengthening of them is a fact", arguments: contents)
    func bytes(content: RecognitionFact.Content) throws {
        let fact = Self.fact(content)
        let bytes = fact.canonicalBytes
        #expect(try RecognitionFact(canonicalBytes: bytes) == fact)
        for count in 0..<bytes.count {
            #expect(throws: CanonicalError.self) { try RecognitionFact(canonicalBytes: Array(bytes.prefix(count))) }
        }
        #expect(throws: CanonicalError.trailing) { try RecognitionFact(canonicalBytes: bytes + [0]) }
    }

    @Test("Hostile bytes are refused and never trap", arguments: 0..<200)
    func hostile(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for content in Self.contents {
            var bytes = Self.fact(content).canonicalBytes
            for _ in 0..<4 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            if let fact = try? RecognitionFact(canonicalBytes: bytes) { #expect(fact.canonicalBytes == bytes) }
        }
    }

    @Test("A manifest comes back, its root covers fact and sealed detail, and too many entries are refused")
    func manifest() throws {
        let sealed = [UInt8](repeating: 1, count: RecognitionDetail.sealedBytes)
        let entries = Self.contents.map { FactManifest.Entry(fact: Self.fact($0), sealedDetail: sealed) }
        let manifest = FactManifest(institution: Self.institution, batch: 4, entries: entries)
        #expect(try FactManifest(canonicalBytes: manifest.canonicalBytes) == manifest)
        var other = manifest
        other.entries[2].sealedDetail[100] ^= 1
        #expect(other.root != manifest.root)
        other = manifest
        other.entries[2].fact.time = Timestamp(milliseconds: 1)
        #expect(other.root != manifest.root)
        other = manifest
        other.entries.swapAt(0, 1)
        #expect(other.root != manifest.root)
        other.entries = Array(repeating: entries[1], count: FactManifest.entriesMax + 1)
        #expect(throws: CanonicalError.overLimit) { try FactManifest(canonicalBytes: other.canonicalBytes) }
    }

    @Test("The longest detail fits its size and comes back; its commitment needs the salt")
    func detail() throws {
        let long = String(repeating: "心", count: 200)
        let detail = RecognitionDetail(
            doctorID: long,
            doctorName: long,
            departmentID: long,
            departmentName: long,
            visitNumber: long,
            isExplained: true,
            text: long
        )
        let salt = [UInt8](repeating: 5, count: RecognitionDetail.saltBytes)
        let padded = detail.padded(salt: salt)
        #expect(padded.count == RecognitionDetail.paddedBytes)
        let read = try RecognitionDetail.read(padded: padded)
        #expect(read.detail == detail && read.salt == salt)
        #expect(detail.commitment(salt: salt) != detail.commitment(salt: [UInt8](repeating: 6, count: 32)))
        var dirty = padded
        dirty[dirty.count - 1] = 1
        #expect(throws: CanonicalError.trailing) { try RecognitionDetail.read(padded: dirty) }
        #expect(
            RecognitionDetail.textCommitment("糖尿病", salt: salt) != RecognitionDetail.textCommitment("高血压", salt: salt)
        )
    }

    @Test("A department's key is the same every time and says nothing without the salt")
    func department() {
        let salt = [UInt8](repeating: 1, count: 32)
        let key = DepartmentKey(department: "psychiatry", salt: salt)
        #expect(key == DepartmentKey(department: "psychiatry", salt: salt))
        #expect(key != DepartmentKey(department: "surgery", salt: salt))
        #expect(key != DepartmentKey(department: "psychiatry", salt: [UInt8](repeating: 2, count: 32)))
        #expect(key.text.count == 32)
    }
}
