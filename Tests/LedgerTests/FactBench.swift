import Ledger
import Primitives
import Records

/// A book that facts are written into, one block each; times are milliseconds.
struct FactBench {
    static let minute: Int64 = 60_000
    static let undoMinutes: UInt16 = 30

    var book: RecognitionBook
    private(set) var height: UInt64 = 0

    init(policies: PolicyTimeline = FactBench.policies([("pack", 0)])) {
        self.book = RecognitionBook(policies: policies)
    }

    /// Packs by name and the time at which they take effect.
    static func policies(_ packs: [(name: String, effective: Int64)]) -> PolicyTimeline {
        PolicyTimeline(
            packs.enumerated().map { index, pack in
                PolicyState(
                    index: UInt32(index),
                    proposal: PolicyProposal(
                        institution: institution("a"),
                        version: UInt64(index + 1),
                        previous: .zero,
                        pack: self.digest(pack.name),
                        bytes: [1],
                        effectiveFrom: Timestamp(milliseconds: pack.effective),
                        undoMinutes: self.undoMinutes
                    ),
                    chunkHeights: [Height(1)],
                    approvals: 3,
                    adoptedHeight: Height(1),
                    adoptedTime: Timestamp(milliseconds: min(0, pack.effective))
                )
            }
        )
    }

    static func digest(_ name: String) -> Digest { Digest(hashing: Array(name.utf8)) }

    static func record(_ name: String) -> ContentAddress { ContentAddress(self.digest("record \(name)")) }

    static func id(_ name: String) -> MatchID { MatchID(self.digest("match \(name)")) }

    static func leaf(_ name: String, supersedes: String? = nil) -> ExamLeaf {
        ExamLeaf(
            record: self.record(name),
            sealedBytes: 1000,
            commitment: self.digest("commitment \(name)"),
            locatorDigest: self.digest("locator \(name)"),
            supersedes: supersedes.map { self.record($0) }
        )
    }

    static func item(
        _ candidate: String,
        code: String = "CT-CHEST",
        itemClass: ItemClass = .computedTomography,
        eligibility: ItemEligibility = .mustRecognise,
        source: String = "a"
    ) -> RecognitionMatch.Item {
        RecognitionMatch.Item(
            code: code,
            itemClass: itemClass,
            eligibility: eligibility,
            candidate: self.record(candidate),
            source: institution(source)
        )
    }

    static func fact(
        _ content: RecognitionFact.Content,
        at time: Int64,
        department: String = "surgery",
        detail: String = "detail"
    ) -> RecognitionFact {
        RecognitionFact(
            content: content,
            time: Timestamp(milliseconds: time),
            branch: "",
            department: DepartmentKey(department: department, salt: [UInt8](repeating: 1, count: 32)),
            detail: self.digest(detail)
        )
    }

    static func match(
        _ name: String,
        _ items: [RecognitionMatch.Item],
        policy: String = "pack"
    ) -> RecognitionFact.Content {
        .match(
            RecognitionMatch(
                id: self.id(name),
                verdict: self.digest("verdict"),
                policy: self.digest(policy),
                items: items
            )
        )
    }

    static func decision(
        _ name: String,
        _ outcomes: [RecognitionDecision.Outcome],
        number: UInt8 = 0
    ) -> RecognitionFact.Content {
        .decision(RecognitionDecision(match: self.id(name), number: number, outcomes: outcomes))
    }

    static func citation(_ items: [(String, UInt8)]) -> RecognitionFact.Content {
        .citation(items.map { CitedItem(match: self.id($0.0), item: $0.1) }.sorted())
    }

    mutating func commit(_ name: String, supersedes: String? = nil, by source: String = "a", at time: Int64 = 0) {
        self.height += 1
        self.book.commit(
            [Self.leaf(name, supersedes: supersedes)],
            by: institution(source),
            at: Height(self.height),
            transaction: 0,
            time: Timestamp(milliseconds: time)
        )
    }

    /// Records one fact of `name` in a block of `block`, or of the fact's own time.
    mutating func record(_ fact: RecognitionFact, by name: String = "b", block: Int64? = nil) -> FactOutcome {
        self.height += 1
        return self.book.record(
            [fact],
            by: institution(name),
            at: Height(self.height),
            transaction: 0,
            time: block.map { Timestamp(milliseconds: $0) } ?? fact.time
        )[0]
    }

    mutating func record(
        _ content: RecognitionFact.Content,
        at time: Int64,
        by name: String = "b",
        block: Int64? = nil,
        detail: String = "detail"
    ) -> FactOutcome {
        self.record(Self.fact(content, at: time, detail: detail), by: name, block: block)
    }

    /// Commits `records` of institution `a` and reminds `b` of them at 1000.
    mutating func remind(_ name: String = "m", of records: [String] = ["r"], code: String = "CT") -> FactOutcome {
        for record in records where self.book.candidates[Self.record(record)] == nil { self.commit(record) }
        let items = records.enumerated().map { Self.item($1, code: "\(code)-\($0)") }
        return self.record(Self.match(name, items), at: 1000)
    }

    func state(_ name: String = "m") -> MatchState? { self.book.matches[Self.id(name)] }
}
