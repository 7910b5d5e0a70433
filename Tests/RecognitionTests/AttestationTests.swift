import Formats
import Primitives
import Recognition
import Records
import TestSupport
import Testing

@Suite("What a pack attests of members")
struct AttestationTests {
    private static func pack() throws -> PolicyPack {
        try PolicyPack(author: YAMLFiles.read("Samples/policy/quickstart.yaml"))
    }

    private static func candidate(_ performer: String, _ code: String) -> Candidate {
        Candidate(
            key: CandidateKey(report: "r"),
            state: .final,
            newestVersion: 1,
            item: ItemReference(code: code),
            identity: .match,
            performer: performer,
            performerLevel: 33,
            performerArea: AreaPath(["330000"]),
            specimenTime: 1_789_000_000,
            examTime: 1_789_000_000,
            reportTime: 1_789_000_000,
            signatureOK: true,
            anchor: 1
        )
    }

    private static func order(_ code: String) -> OrderContext {
        OrderContext(
            patient: "",
            item: ItemReference(code: code),
            time: 1_789_100_000,
            offsetMinutes: 480,
            institution: "hospital-b",
            level: 33,
            area: AreaPath(["330000"]),
            department: "d",
            doctor: "d",
            visitType: .outpatient,
            visit: "",
            ageDays: 20_000
        )
    }

    private func outcome(
        _ performer: String,
        _ examined: String,
        for ordered: String
    ) throws -> (VerdictOutcome, String?) {
        let engine = RecognitionEngine(try Self.pack())
        let order = Self.order(ordered)
        let verdict = try engine.verdict(
            for: order,
            among: [engine.attested(Self.candidate(performer, examined), for: order.item)],
            access: RecognitionAccess(height: 1, entries: [.init(access: .granted, checkedAt: order.time)])
        )
        return (verdict.outcome, verdict.rejected.first?.reason.code.name)
    }

    @Test("The sample is sound, and its second form comes back from its bytes, which an empty one does not take")
    func bytes() throws {
        let pack = try Self.pack()
        #expect(pack.findings == [])
        let bytes = pack.canonicalBytes
        #expect(bytes.first == PolicyPack.attestedSchema)
        #expect(try PolicyPack(canonicalBytes: bytes) == pack)
        for count in stride(from: bytes.count - 1, to: bytes.count - 200, by: -1) {
            #expect(throws: CanonicalError.self) { try PolicyPack(canonicalBytes: Array(bytes.prefix(count))) }
        }
        var plain = pack
        (plain.marks, plain.assessments) = ([], [])
        #expect(plain.canonicalBytes.first == PolicyPack.schema)
        let empty = [PolicyPack.attestedSchema] + plain.canonicalBytes.dropFirst() + [0, 0, 0, 0, 0, 0, 0, 0]
        #expect(throws: CanonicalError.self) { try PolicyPack(canonicalBytes: empty) }
    }

    @Test("A mark and an assessment of the pack make an exam recognised, at the institution and for the item they name")
    func attested() throws {
        #expect(try self.outcome("hospital-a", "cbc", for: "cbc") == (.mustRecognise, nil))
        #expect(try self.outcome("hospital-a", "58410-2", for: "hgb") == (.mustRecognise, nil), "a panel has its parts")
        #expect(try self.outcome("hospital-b", "cbc", for: "cbc") == (.notEligible, "N03"))
        #expect(try self.outcome("hospital-a", "ct-chest", for: "ct-chest") == (.mayRecognise, nil))
    }

    @Test("No more is attached than an exam can carry, whatever the pack lists")
    func bounded() throws {
        var pack = try Self.pack()
        pack.marks = Array(repeating: pack.marks[0], count: 40)
        pack.assessments = Array(repeating: pack.assessments[0], count: 40)
        let exam = RecognitionEngine(pack).attested(
            Self.candidate("hospital-a", "cbc"),
            for: ItemReference(code: "cbc")
        )
        #expect(exam.marks.count == Candidate.marksMax && exam.assessments.count == Candidate.assessmentsMax)
    }

    @Test("An input comes back from its bytes, and no shortening of them is one")
    func input() throws {
        let engine = RecognitionEngine(try Self.pack())
        let order = Self.order("cbc")
        let input = VerdictInput(
            policy: engine.policyHash,
            order: order,
            candidates: [engine.attested(Self.candidate("hospital-a", "cbc"), for: order.item)],
            access: RecognitionAccess(height: 1, entries: [.init(access: .own, checkedAt: 5)])
        )
        let bytes = input.canonicalBytes
        #expect(try VerdictInput(canonicalBytes: bytes) == input)
        for count in 0..<bytes.count {
            #expect(throws: CanonicalError.self) { try VerdictInput(canonicalBytes: Array(bytes.prefix(count))) }
        }
    }
}
