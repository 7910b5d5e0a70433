import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

/// A case of `Tests/Corpus/identity/persons.yaml`.
struct IdentityCase: CustomTestStringConvertible {
    var name: String
    var left: PersonTraits
    var right: PersonTraits
    var level: String
    var score: Int
    var reasons: [String]

    var testDescription: String { self.name }

    static let all: [IdentityCase] = {
        guard let file = try? YAMLFiles.read("Tests/Corpus/identity/persons.yaml"), let base = file["base"] else {
            preconditionFailure("the corpus can be read")
        }
        return (file["cases"]?.list ?? []).map { node in
            IdentityCase(
                name: node["name"]?.text ?? "",
                left: Self.traits(base.merged(node["a"])),
                right: Self.traits(base.merged(node["b"])),
                level: node["level"]?.text ?? "",
                score: node["score"]?.text.flatMap(Int.init) ?? .min,
                reasons: node["reasons"]?.texts ?? []
            )
        }
    }()

    private static func traits(_ node: MappingNode) -> PersonTraits {
        let identifiers = (node["ids"]?.texts ?? []).map { text in
            let isVerified = !text.hasPrefix("?")
            guard let identifier = try? PatientIdentifier(parsing: isVerified ? text : String(text.dropFirst())) else {
                preconditionFailure("\(text) is an identifier")
            }
            return PersonTraits.KnownIdentifier(identifier, isVerified: isVerified)
        }
        let born = node["born"]?.text.map { $0.split(separator: "-").compactMap { Int($0) } } ?? []
        return PersonTraits(
            identifiers: identifiers,
            name: node["name"]?.text.flatMap { IdentityName(composed: $0.precomposedStringWithCanonicalMapping) },
            sex: node["sex"]?.text.flatMap(PatientDemographics.Sex.init(rawValue:)),
            birthDate: born.first.map {
                PersonTraits.BirthDate(
                    year: $0,
                    month: born.count > 1 ? born[1] : nil,
                    day: born.count > 2 ? born[2] : nil
                )
            }
        )
    }
}

@Suite("Whether two descriptions are of one person")
struct IdentityGoldenTests {
    @Test(
        "A golden case has its level, score and reasons, whichever description comes first",
        arguments: IdentityCase.all
    )
    func golden(item: IdentityCase) {
        for match in [IdentityMatch(item.left, item.right), IdentityMatch(item.right, item.left)] {
            #expect(match.level.name == item.level)
            #expect(match.score == item.score)
            #expect(match.reasons.map(\.rawValue) == item.reasons)
        }
    }

    @Test("Every reason is reached by a case")
    func complete() {
        let reached = Set(IdentityCase.all.flatMap(\.reasons))
        #expect(reached == Set(IdentityMatch.Reason.allCases.map(\.rawValue)))
        #expect(IdentityCase.all.count >= 35)
    }

    @Test("A name has its pinned form")
    func names() throws {
        let cases = try YAMLFiles.read("Tests/Corpus/identity/names.yaml").list
        #expect(cases.count >= 30)
        for item in cases {
            let text = item["text"]?.text ?? ""
            let form = IdentityName(composed: text.precomposedStringWithCanonicalMapping)?.form
            #expect(
                form.map { Array($0.utf8) } == item["form"]?.text.map { Array($0.utf8) },
                "\(item["name"]?.text ?? "")"
            )
        }
    }

    @Test(
        "All pairs of the corpus: symmetric, whatever the order of identifiers; a match only with all four agreements"
    )
    func properties() {
        let persons = IdentityCase.all.flatMap { [$0.left, $0.right] }
        for left in persons {
            for right in persons {
                let match = IdentityMatch(left, right)
                #expect(match == IdentityMatch(right, left))
                var turned = left
                turned.identifiers.reverse()
                #expect(match == IdentityMatch(turned, right))
                #expect(match.score == match.reasons.reduce(0) { $0 + $1.points })
                if match.level == .match {
                    #expect(Set(match.reasons).isSuperset(of: [.strongIdentifier, .nameEqual, .sexEqual, .birthEqual]))
                    #expect(!match.disagrees && match.score >= 170)
                }
            }
        }
    }

    @Test("A date of birth is taken as far as its source knows it")
    func birthDates() {
        func date(_ text: String, _ precision: ClinicalTime.Precision) -> PersonTraits.BirthDate? {
            PersonTraits.BirthDate(
                ClinicalTime(text: text, precision: precision, offsetMinutes: nil, earliest: Timestamp(milliseconds: 0))
            )
        }
        #expect(date("1958-03-12", .day) == PersonTraits.BirthDate(year: 1958, month: 3, day: 12))
        #expect(date("19580312", .day) == PersonTraits.BirthDate(year: 1958, month: 3, day: 12))
        #expect(date("1958-03-12T08:00:00+08:00", .second) == PersonTraits.BirthDate(year: 1958, month: 3, day: 12))
        #expect(date("1958-03", .month) == PersonTraits.BirthDate(year: 1958, month: 3))
        #expect(date("1958", .year) == PersonTraits.BirthDate(year: 1958))
        #expect(date("", .day) == nil && date("0000", .year) == nil && date("19581412", .day) == nil)
    }
}
