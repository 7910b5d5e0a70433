import Foundation
import Ledger
import Primitives
import Records
import TestSupport
import Testing

@Suite("Who may read is decided in one place")
struct AccessRuleTests {
    /// Sets of grants in one test; `ENTENTE_ACCESS_SETS` asks for more.
    private static let sets =
        ProcessInfo.processInfo.environment["ENTENTE_ACCESS_SETS"].flatMap(UInt64.init) ?? 20_000

    @Test("Random sets of grants are judged as by an oracle that tries every rule on every grant")
    func oracle() throws {
        var reached: [Int: Int] = [:]
        for seed in 0..<Self.sets {
            var random = SeededGenerator(seed: seed)
            let story = AccessStory(using: &random)
            let terms = story.grants.indices.map(story.terms)
            let ids = terms.map(\.id)
            let order = ids.indices.sorted { ids[$0] < ids[$1] }
            let expected = AccessOracle(story: story).verdict(order: order)
            let answer = AccessRule.answer(story.question(ids), under: terms.shuffled(using: &random))
            let found: AccessOracle.Verdict
            switch answer {
            case .own: found = .own
            case .allowed(let permission):
                found = .allowed(
                    ids.firstIndex(of: permission.grant) ?? -1,
                    hidden: Set(permission.hidden),
                    uses: permission.usesMax
                )
                #expect(permission.hidden == Set(permission.hidden).sorted())
                reached[0, default: 0] += 1
            case .refused(let refusal, let nearest):
                found = .refused(Int(refusal.rawValue))
                #expect((nearest == nil) == (refusal == .grantee))
                reached[Int(refusal.rawValue), default: 0] += 1
            }
            try #require(found == expected, "seed \(seed)")
        }
        // Every rule had its turn, so that agreement means something.
        for rule in AccessRefusal.allCases { #expect(reached[Int(rule.rawValue), default: 0] > 0, "\(rule)") }
        #expect(reached[0, default: 0] > 100)
    }

    @Test("Codes and rules have stable, unique names")
    func names() {
        let rules = AccessRefusal.allCases.map(\.rule)
        #expect(Set(rules).count == rules.count)
        #expect(AccessRefusal.allCases.allSatisfy { $0.code.hasPrefix("access.") })
        #expect(AccessRefusal.allCases.map(\.rawValue) == Array(1...17))
    }

    @Test("R7: a grant's end says nothing about readings before it: an earlier height is judged as it was then")
    func earlierHeight() {
        var random = SeededGenerator(seed: 1)
        var story = AccessStory(using: &random)
        story.reader = "b"
        story.custodian = "a"
        story.stage = .open
        story.sensitive = []
        story.silence = 0
        story.now = 5
        story.purpose = .treatment
        story.grants = [
            AccessStory.Grant(
                made: 2,
                revoked: 7,
                from: 0,
                until: 9,
                custodians: [],
                readers: ["b"],
                groups: [],
                scope: AccessStory.Scope(),
                narrowed: [],
                mandate: nil
            )
        ]
        let terms = story.terms(0)
        for height in 1...9 as ClosedRange<UInt64> {
            story.height = height
            let answer = AccessRule.answer(story.question([terms.id]), under: [terms])
            switch height {
            case 1: #expect(answer == .refused(.grantee, nearest: nil))
            case 2...6: #expect(answer == .allowed(AccessPermission(grant: terms.id)))
            default: #expect(answer == .refused(.revoked, nearest: terms.id))
            }
        }
    }

    @Test("What may not be opened is listed, unless it is sensitive or the patient hides")
    func listing() {
        let plain = ExamFacts(
            record: ContentAddress(.zero),
            kind: .laboratory,
            itemCode: "718-7",
            examTime: nil,
            sensitive: []
        )
        var sensitive = plain
        sensitive.sensitive = [.sexualHealth]
        let refused = AccessAnswer.refused(.grantee, nearest: nil)
        let allowed = AccessAnswer.allowed(AccessPermission(grant: GrantID(.zero)))
        #expect(AccessRule.isListed(refused, exam: plain, isPatientHidden: false))
        #expect(!AccessRule.isListed(refused, exam: plain, isPatientHidden: true))
        #expect(!AccessRule.isListed(refused, exam: sensitive, isPatientHidden: false))
        for isHidden in [false, true] {
            for exam in [plain, sensitive] {
                #expect(AccessRule.isListed(allowed, exam: exam, isPatientHidden: isHidden))
                #expect(AccessRule.isListed(.own, exam: exam, isPatientHidden: isHidden))
            }
        }
        #expect(SensitivityPolicy.standard.classes(of: "56888-1") == [.sexualHealth])
        #expect(SensitivityPolicy.standard.classes(of: "718-7").isEmpty)
    }
}
