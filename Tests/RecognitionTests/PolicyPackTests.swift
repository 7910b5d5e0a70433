import Formats
import Foundation
import Primitives
import Recognition
import Records
import TestSupport
import Testing

@Suite("A policy pack")
struct PolicyPackTests {
    private static func sample() throws -> PolicyPack {
        try PolicyPack(author: YAMLFiles.read("Samples/policy/example.yaml"))
    }

    @Test("The sample is sound, says that it is an example, and has texts for every code")
    func sample() throws {
        let pack = try Self.sample()
        #expect(pack.findings == [])
        #expect(pack.isExample)
        #expect(pack.texts.count == IneligibilityCode.allCases.count + RefusalReason.allCases.count)
    }

    @Test("The corpus's pack is sound, and has the hash that is pinned")
    func frozen() throws {
        let pack = try PolicyPack(author: YAMLFiles.read("\(Corpus.folder)/policy.yaml"))
        #expect(pack.isSound)
        #expect(pack.hash.hex == "2e12402ea59f5898c248daecc080fccafdd55e703dccef028735bbbb0ced0af2")
    }

    @Test("The pack comes back from its bytes; no cut and no flip is taken for another form of the same pack")
    func bytes() throws {
        let pack = try Self.sample()
        let bytes = pack.canonicalBytes
        #expect(try PolicyPack(canonicalBytes: bytes) == pack)
        #expect(throws: CanonicalError.self) { try PolicyPack(canonicalBytes: bytes + [0]) }
        for count in stride(from: 0, to: bytes.count, by: 61) {
            #expect(throws: CanonicalError.self) { try PolicyPack(canonicalBytes: Array(bytes.prefix(count))) }
        }
        for position in stride(from: 0, to: bytes.count, by: 13) {
            var changed = bytes
            changed[position] ^= 0x41
            if let other = try? PolicyPack(canonicalBytes: changed) { #expect(other.canonicalBytes == changed) }
        }
    }

    @Test("A length that claims more than the limit is refused before anything is allocated")
    func limits() throws {
        var encoder = CanonicalEncoder()
        encoder.encode(PolicyPack.schema)
        encoder.encode(length: PolicyPack.nameBytesMax + 1)
        #expect(throws: CanonicalError.overLimit) { try PolicyPack(canonicalBytes: encoder.bytes) }
    }

    /// A change of the sample, and the one finding that it leads to.
    private static let changes: [(PolicyFinding.Code, String, @Sendable (inout PolicyPack) -> Void)] = [
        (.badName, "name", { $0.name = "" }),
        (.badPeriod, "effectiveTo", { $0.effectiveTo = $0.effectiveFrom - 1 }),
        (.tooMany, "", { $0.items[0].aliases = (0...64).map { "x\($0)" } }),
        (.emptyText, "items[0]", { $0.items[0].english = "" }),
        (.duplicateCode, "items[1]", { $0.items[1].aliases.append("hba1c") }),
        (.unknownItem, "negatives[0].items", { $0.negatives[0].selector.items.append("unheard") }),
        (.nestedComponents, "items[11].components", { $0.items[11].components.append("ct-chest-3d") }),
        (.jointWithoutComponents, "items[0]", { $0.items[0].isJoint = true }),
        (.unitMissing, "items[0].unit", { $0.items[0].unit = nil }),
        (.unitUnexpected, "items[16].unit", { $0.items[16].unit = "g/L" }),
        (.zeroFactor, "conversions[0].factor", { $0.conversions[0].factor = .zero }),
        (.duplicateConversion, "conversions[1].unit", { $0.conversions[1] = $0.conversions[0] }),
        (.duplicateOrdinal, "ordinals[1]", { $0.ordinals[1].text = $0.ordinals[0].text }),
        (.duplicatePact, "pacts[1]", { $0.pacts[1].name = $0.pacts[0].name }),
        (.emptyPact, "pacts[1]", { $0.pacts[1].members = [] }),
        (.unknownPact, "authorities[1].scope", { $0.authorities[1].scope = .pact("none") }),
        (.duplicateAuthority, "authorities[1]", { $0.authorities[1].name = $0.authorities[0].name }),
        (.duplicateRule, "levels[0].rule", { $0.levels[0].rule = $0.windows[0].rule }),
        (.badAgeBand, "windows[5].age", { $0.windows[5].selector.ageFromDays = 29 }),
        (.windowMissing, "items[10]", { $0.items[10].category = .other }),
        (.windowShadowed, "windows[1]", { $0.windows[1].selector = $0.windows[0].selector }),
        (.unboundedNegative, "negatives[3]", { $0.negatives[3].performers = [] }),
        (.duplicateLabel, "labels[1]", { $0.labels[1].label = $0.labels[0].label }),
        (.flagMissing, "flags", { $0.flags.removeLast() }),
        (.duplicateFlag, "flags[7]", { $0.flags.append($0.flags[0]) }),
        (.textMissing, "texts", { $0.texts.removeLast() }),
        (.unknownCode, "texts[33]", { $0.texts.append(.init(code: "N24", chinese: "无", english: "none")) }),
        (.duplicateText, "texts[33]", { $0.texts.append($0.texts[0]) }),
        (.duplicateReason, "reasonMaps[19]", { $0.reasonMaps.append($0.reasonMaps[0]) }),
        (.modalityMissing, "items[24].modality", { $0.items[24].modality = nil }),
        (.noAuthority, "authorities", { $0.authorities = [] }),
        (.unknownAuthority, "marks[0].authority", { $0.marks = [Self.mark(authority: "none")] }),
        (.markBeyondAuthority, "marks[0].scope", { $0.marks = [Self.mark(authority: "bj-hc")] }),
        (.badInstitution, "marks[0].institution", { $0.marks = [Self.mark(institution: "Hospital A")] }),
    ]

    private static func mark(institution: String = "a", authority: String = "nhc") -> PolicyPack.MemberMark {
        PolicyPack.MemberMark(
            institution: institution,
            authority: authority,
            scope: .national,
            items: [],
            validFrom: 0,
            validTo: 1
        )
    }

    @Test("Every finding is found, at its place, and nothing is found in vain")
    func findings() throws {
        #expect(Set(Self.changes.map(\.0)) == Set(PolicyFinding.Code.allCases))
        for (code, place, change) in Self.changes {
            var pack = try Self.sample()
            change(&pack)
            #expect(pack.findings.contains(PolicyFinding(code, at: place)), "\(code.rawValue): \(pack.findings)")
            #expect(pack.isSound == pack.findings.allSatisfy(\.code.isWarning))
        }
    }

    @Test(
        "Text that is no pack is refused with its code and place",
        arguments: [
            ("name: [a]", PolicyRefusal.badShape, "name"),
            ("nmae: a", .unknownKey, ""),
            ("name: \" a\"", .badText, "name"),
            ("name: a", .missing, "effectiveFrom"),
            ("effectiveFrom: \"2026-02-30T00:00:00+08:00\"", .badTime, "effectiveFrom"),
            ("example: yes", .badWord, "example"),
            ("version: -1", .badNumber, "version"),
            ("items: [{code: a, zh: b, en: c}]", .missing, "items[0].category"),
            ("items: [{code: a, zh: b, en: c, category: xray}]", .badWord, "items[0].category"),
            ("items: [{code: \"e\\u0301\", zh: b, en: c, category: ct}]", .notComposed, "items[0].code"),
            ("conversions: [{item: a, unit: b, factor: \"1e3\"}]", .badDecimal, "conversions[0].factor"),
            ("authorities: [{name: a, zh: b, en: c, scope: everywhere}]", .badScope, "authorities[0].scope"),
            ("windows: [{rule: a, ageTo: 14, within: 1 days, basis: exam}]", .badAge, "windows[0].ageTo"),
            ("windows: [{rule: a, within: 1 weeks, basis: exam}]", .badWord, "windows[0].within"),
            ("reasonMaps: {national: {\"1\": D77}}", .badWord, "reasonMaps.national.1"),
        ] as [(String, PolicyRefusal, String)]
    )
    func refusals(text: String, refusal: PolicyRefusal, path: String) throws {
        let top =
            "name: n\nversion: 1\neffectiveFrom: \"2026-01-01T00:00:00+08:00\"\nclockSkewSeconds: 1\n"
            + "staleAfterSeconds: 1\nundoMinutes: 1\n"
        let change = try YAMLFiles.parse(text)
        let node = refusal == .missing && path == "effectiveFrom" ? change : try YAMLFiles.parse(top).merged(change)
        do throws(PolicyFault) {
            _ = try PolicyPack(author: node)
            Issue.record("the text was taken")
        } catch {
            #expect(error.refusal == refusal)
            #expect(error.path == path)
        }
    }

    @Test("A key that stands twice is refused")
    func duplicateKey() throws {
        let node = MappingNode.map([.init("name", .text("a")), .init("name", .text("b"))])
        do throws(PolicyFault) {
            _ = try PolicyPack(author: node)
            Issue.record("the text was taken")
        } catch {
            #expect(error.refusal == .duplicateKey)
        }
    }
}

@Suite("Scopes and exact numbers")
struct ScopeTests {
    @Test("Inclusion of scopes is a partial order and agrees with whom they cover")
    func lattice() throws {
        let pack = try PolicyPack(author: YAMLFiles.read("Samples/policy/example.yaml"))
        let lattice = ScopeLattice(pack.pacts)
        let areas = [
            ["110000"], ["110000", "110100"], ["110000", "110100", "110102"], ["120000"], ["130000", "130100"],
            ["500000"], ["510000"], ["510000", "510100"], ["510000", "510600"], ["310000"],
        ].map(AreaPath.init)
        let scopes: [Scope] =
            [.national, .consortium("union-a"), .consortium("union-b")] + pack.pacts.map { .pact($0.name) }
            + areas.map { .area($0) }
        for one in scopes {
            #expect(lattice.includes(one, one))
            #expect(lattice.includes(.national, one))
            #expect(Scope(one.description) == one)
            for other in scopes {
                if one != other, lattice.includes(one, other) { #expect(!lattice.includes(other, one)) }
                for third in scopes where lattice.includes(one, other) && lattice.includes(other, third) {
                    #expect(lattice.includes(one, third))
                }
                guard lattice.includes(one, other) else { continue }
                for area in areas where lattice.covers(other, area: area, consortia: ["union-a"]) {
                    #expect(lattice.covers(one, area: area, consortia: ["union-a"]))
                }
            }
        }
        #expect(lattice.includes(.pact("jingjinji"), .area(AreaPath(["110000", "110100"]))))
        #expect(!lattice.includes(.pact("chengyu"), .area(AreaPath(["510000"]))))
    }

    @Test(
        "Exact numbers keep their digits",
        arguments: [
            ("0", "0"), ("-0", "0"), ("1.50", "1.5"), ("0.001", "0.001"), ("-12.30", "-12.3"),
            ("999999999999999999", "999999999999999999"), ("0.000000000000000001", nil), ("1.", nil), (".5", nil),
            ("1e3", nil), ("", nil), ("+1", nil), ("1,5", nil), ("--1", nil), ("1-", nil),
        ] as [(String, String?)]
    )
    func decimals(text: String, expected: String?) throws {
        #expect(ExactDecimal(text)?.text == expected)
        if let number = ExactDecimal(text) {
            #expect(try ExactDecimal(canonicalBytes: number.canonicalBytes) == number)
        }
    }

    @Test("Conversion is exact, and none where digits would be lost")
    func conversion() throws {
        let number = try #require(ExactDecimal("48"))
        let factor = try #require(ExactDecimal("0.09148"))
        let offset = try #require(ExactDecimal("2.152"))
        #expect(number.converted(factor: factor, offset: offset)?.text == "6.54304")
        let large = try #require(ExactDecimal("999999999999999999"))
        #expect(large.converted(factor: factor, offset: offset) == nil)
        #expect(large.converted(factor: .one, offset: .one) == nil)
    }

    @Test("A zero at the end of a fraction is not canonical")
    func canonicalDecimals() {
        var encoder = CanonicalEncoder()
        encoder.encode(Int64(10))
        encoder.encode(UInt8(1))
        #expect(throws: CanonicalError.notCanonical) { try ExactDecimal(canonicalBytes: encoder.bytes) }
    }

    @Test("A leap day is a day of the calendar like any other")
    func leapDay() throws {
        let corpus = try Corpus()
        var pack = corpus.policy
        pack.effectiveTo = nil
        let golden = try #require(corpus.cases.first { $0.order.item.code == "vitamin-d" })
        // 2028-03-07T02:00:00Z; the window of the item is 7 calendar days.
        var order = golden.order
        order.time = 1_836_007_200
        func outcome(specimen: Int64) throws -> VerdictOutcome {
            var candidate = try #require(golden.candidates.first)
            candidate.specimenTime = specimen
            candidate.examTime = order.time - 7200
            candidate.reportTime = order.time - 3600
            candidate.marks[0].validTo = .max
            let access = RecognitionAccess(
                height: 1,
                entries: [RecognitionAccess.Entry(access: .granted, checkedAt: order.time)]
            )
            return try RecognitionEngine(pack).verdict(for: order, among: [candidate], access: access).outcome
        }
        // 2028-02-29T00:00:00+08:00 and the second before it.
        #expect(try outcome(specimen: 1_835_366_400) == .mustRecognise)
        #expect(try outcome(specimen: 1_835_366_399) == .notEligible)
    }
}
