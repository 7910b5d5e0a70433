internal import Primitives

/// Something that is wrong, or looks wrong, in a pack that can be read.
package struct PolicyFinding: Hashable, Sendable {
    /// Stable names: scripts depend on them.
    package enum Code: String, CaseIterable, Hashable, Sendable {
        case badName = "policy.bad-name"
        case badPeriod = "policy.bad-period"
        case tooMany = "policy.too-many"
        case emptyText = "policy.empty-text"
        case duplicateCode = "policy.duplicate-code"
        case unknownItem = "policy.unknown-item"
        case nestedComponents = "policy.nested-components"
        case jointWithoutComponents = "policy.joint-without-components"
        case unitMissing = "policy.unit-missing"
        case unitUnexpected = "policy.unit-unexpected"
        case zeroFactor = "policy.zero-factor"
        case duplicateConversion = "policy.duplicate-conversion"
        case duplicateOrdinal = "policy.duplicate-ordinal"
        case duplicatePact = "policy.duplicate-pact"
        case emptyPact = "policy.empty-pact"
        case unknownPact = "policy.unknown-pact"
        case duplicateAuthority = "policy.duplicate-authority"
        case duplicateRule = "policy.duplicate-rule"
        case badAgeBand = "policy.bad-age-band"
        case windowMissing = "policy.window-missing"
        case windowShadowed = "policy.window-shadowed"
        case unboundedNegative = "policy.unbounded-negative"
        case duplicateLabel = "policy.duplicate-label"
        case flagMissing = "policy.flag-missing"
        case duplicateFlag = "policy.duplicate-flag"
        case textMissing = "policy.text-missing"
        case unknownCode = "policy.unknown-code"
        case duplicateText = "policy.duplicate-text"
        case duplicateReason = "policy.duplicate-reason"
        case modalityMissing = "policy.modality-missing"
        case noAuthority = "policy.no-authority"
        case unknownAuthority = "policy.unknown-authority"
        case markBeyondAuthority = "policy.mark-beyond-authority"
        case badInstitution = "policy.bad-institution"

        /// Whether the pack can be used all the same.
        package var isWarning: Bool {
            self == .windowShadowed || self == .modalityMissing || self == .noAuthority
        }

        /// One sentence for people.
        package var message: String {
            switch self {
            case .badName: "A name is empty, or the version is 0."
            case .badPeriod: "A period ends before it begins."
            case .tooMany: "A list is longer, or a text larger, than the form of packs allows."
            case .emptyText: "A text is missing in Chinese or in English."
            case .duplicateCode: "Two items have the same code or alias."
            case .unknownItem: "No item has this code."
            case .nestedComponents: "A component is the item itself or has components of its own."
            case .jointWithoutComponents: "A joint item needs at least two components."
            case .unitMissing: "A quantity needs the unit in which it is compared."
            case .unitUnexpected: "Only a quantity has a unit or a conversion."
            case .zeroFactor: "A conversion multiplies by a number above zero."
            case .duplicateConversion: "A unit is converted twice, or is the item's own."
            case .duplicateOrdinal: "A spelling stands for two results."
            case .duplicatePact: "Two pacts have the same name."
            case .emptyPact: "A pact has no members."
            case .unknownPact: "No pact has this name."
            case .duplicateAuthority: "Two authorities have the same name."
            case .duplicateRule: "Two rules have the same name."
            case .badAgeBand: "An age band ends before it begins."
            case .windowMissing: "Some orders of this item have no window; end the list with a rule for all of them."
            case .windowShadowed: "The rule never applies: an earlier one matches all that it matches."
            case .unboundedNegative: "The rule would exclude every exam."
            case .duplicateLabel: "A label has two rules."
            case .flagMissing: "A clinical circumstance suggests no reason."
            case .duplicateFlag: "A clinical circumstance has two rules."
            case .textMissing: "A code has no text."
            case .unknownCode: "There is no such code."
            case .duplicateText: "A code has two texts."
            case .duplicateReason: "A code of a set stands for two reasons."
            case .modalityMissing: "An item of imaging names no modality, so that any will do."
            case .noAuthority: "Nobody may give marks, so that nothing is ever recognised."
            case .unknownAuthority: "No authority has this name."
            case .markBeyondAuthority: "The mark reaches further than its authority may give marks for."
            case .badInstitution: "An institution is named by 1 to 32 of a-z, 0-9 and -."
            }
        }
    }

    package let code: Code
    /// Keys and positions from the top, such as `items[3].unit`; positions count from 0.
    package let place: String

    package init(_ code: Code, at place: String) {
        self.code = code
        self.place = place
    }
}

extension PolicyPack {
    /// What is wrong with the pack, in the order of its parts; without an error it may be published.
    package var findings: [PolicyFinding] {
        var check = PolicyCheck(self)
        check.top()
        check.catalogue()
        check.conversionsAndOrdinals()
        check.pactsAndAuthorities()
        check.windows()
        check.levelsAndNegatives()
        check.labelsAndFlags()
        check.reasons()
        check.attestations()
        return check.findings
    }

    /// Whether no finding is an error.
    package var isSound: Bool { self.findings.allSatisfy(\.code.isWarning) }
}

private struct PolicyCheck {
    let pack: PolicyPack
    private(set) var findings: [PolicyFinding] = []
    private var ruleNames: Set<String> = []
    private let items: [String: PolicyPack.Item]

    init(_ pack: PolicyPack) {
        self.pack = pack
        self.items = Dictionary(pack.items.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private mutating func add(_ code: PolicyFinding.Code, _ place: String) {
        self.findings.append(PolicyFinding(code, at: place))
    }

    private mutating func texts(_ chinese: String, _ english: String, _ place: String) {
        if chinese.isEmpty || english.isEmpty { self.add(.emptyText, place) }
    }

    private mutating func rule(_ name: String, _ place: String) {
        if name.isEmpty { self.add(.badName, place + ".rule") }
        if !self.ruleNames.insert(name).inserted { self.add(.duplicateRule, place + ".rule") }
    }

    private mutating func selector(_ selector: PolicyPack.Selector, _ place: String) {
        for code in selector.items where self.items[code] == nil { self.add(.unknownItem, place + ".items") }
        if selector.ageFromDays > selector.ageToDays { self.add(.badAgeBand, place + ".age") }
    }

    mutating func top() {
        // The decoder holds every limit, so that a pack that it does not read back has passed one.
        if (try? PolicyPack(canonicalBytes: self.pack.canonicalBytes)) == nil { self.add(.tooMany, "") }
        if self.pack.name.isEmpty { self.add(.badName, "name") }
        if self.pack.version == 0 { self.add(.badName, "version") }
        if let end = self.pack.effectiveTo, end < self.pack.effectiveFrom { self.add(.badPeriod, "effectiveTo") }
    }

    mutating func catalogue() {
        var codes: Set<String> = []
        for (index, item) in self.pack.items.enumerated() {
            let place = "items[\(index)]"
            if item.code.isEmpty { self.add(.badName, place + ".code") }
            for code in [item.code] + item.aliases where !codes.insert(code).inserted {
                self.add(.duplicateCode, place)
            }
            self.texts(item.chinese, item.english, place)
            if let from = item.activeFrom, let to = item.activeTo, to < from { self.add(.badPeriod, place) }
            if item.valueKind == .quantity, item.unit == nil { self.add(.unitMissing, place + ".unit") }
            if item.valueKind != .quantity, item.unit != nil { self.add(.unitUnexpected, place + ".unit") }
            if item.isJoint, item.components.count < 2 { self.add(.jointWithoutComponents, place) }
            if item.category.isImaging, item.modality == nil { self.add(.modalityMissing, place + ".modality") }
            for code in item.components {
                guard let component = self.items[code] else {
                    self.add(.unknownItem, place + ".components")
                    continue
                }
                if code == item.code || !component.components.isEmpty {
                    self.add(.nestedComponents, place + ".components")
                }
            }
        }
    }

    mutating func conversionsAndOrdinals() {
        var seen: Set<[String]> = []
        for (index, conversion) in self.pack.conversions.enumerated() {
            let place = "conversions[\(index)]"
            let item = self.items[conversion.item]
            if item == nil { self.add(.unknownItem, place + ".item") }
            if let item, item.valueKind != .quantity { self.add(.unitUnexpected, place) }
            if conversion.factor.digits <= 0 { self.add(.zeroFactor, place + ".factor") }
            if conversion.unit == item?.unit || !seen.insert([conversion.item, conversion.unit]).inserted {
                self.add(.duplicateConversion, place + ".unit")
            }
        }
        var spellings: Set<String> = []
        for (index, ordinal) in self.pack.ordinals.enumerated() {
            if ordinal.text.isEmpty || ordinal.value.isEmpty { self.add(.badName, "ordinals[\(index)]") }
            if !spellings.insert(ordinal.text).inserted { self.add(.duplicateOrdinal, "ordinals[\(index)]") }
        }
    }

    mutating func pactsAndAuthorities() {
        var pacts: Set<String> = []
        for (index, pact) in self.pack.pacts.enumerated() {
            let place = "pacts[\(index)]"
            if pact.name.isEmpty { self.add(.badName, place) }
            if !pacts.insert(pact.name).inserted { self.add(.duplicatePact, place) }
            if pact.members.isEmpty || pact.members.contains(where: \.codes.isEmpty) { self.add(.emptyPact, place) }
            self.texts(pact.chinese, pact.english, place)
        }
        if self.pack.authorities.isEmpty { self.add(.noAuthority, "authorities") }
        var authorities: Set<String> = []
        for (index, authority) in self.pack.authorities.enumerated() {
            let place = "authorities[\(index)]"
            if authority.name.isEmpty { self.add(.badName, place) }
            if !authorities.insert(authority.name).inserted { self.add(.duplicateAuthority, place) }
            if case .pact(let name) = authority.scope, !pacts.contains(name) {
                self.add(.unknownPact, place + ".scope")
            }
            self.texts(authority.chinese, authority.english, place)
        }
    }

    mutating func windows() {
        for (index, window) in self.pack.windows.enumerated() {
            let place = "windows[\(index)]"
            self.rule(window.rule, place)
            self.selector(window.selector, place)
            if self.pack.windows[..<index].contains(where: { $0.selector.includes(window.selector) }) {
                self.add(.windowShadowed, place)
            }
        }
        for (index, item) in self.pack.items.enumerated() where item.standsAlone {
            let all = PolicyPack.Selector(items: [item.code], categories: [item.category])
            if !self.pack.windows.contains(where: { $0.selector.includes(all) }) {
                self.add(.windowMissing, "items[\(index)]")
            }
        }
    }

    mutating func levelsAndNegatives() {
        for (index, level) in self.pack.levels.enumerated() {
            self.rule(level.rule, "levels[\(index)]")
            self.selector(level.selector, "levels[\(index)]")
        }
        for (index, negative) in self.pack.negatives.enumerated() {
            let place = "negatives[\(index)]"
            self.rule(negative.rule, place)
            self.selector(negative.selector, place)
            if negative.selector == PolicyPack.Selector(), negative.performers.isEmpty,
                negative.diagnoses.isEmpty, negative.methods.isEmpty
            {
                self.add(.unboundedNegative, place)
            }
        }
    }

    mutating func labelsAndFlags() {
        var labels: Set<String> = []
        for (index, label) in self.pack.labels.enumerated() where !labels.insert(label.label).inserted {
            self.add(.duplicateLabel, "labels[\(index)]")
        }
        var flags: Set<ClinicalFlag> = []
        for (index, rule) in self.pack.flags.enumerated() where !flags.insert(rule.flag).inserted {
            self.add(.duplicateFlag, "flags[\(index)]")
        }
        for flag in ClinicalFlag.allCases where !flags.contains(flag) { self.add(.flagMissing, "flags") }
    }

    mutating func attestations() {
        let lattice = ScopeLattice(self.pack.pacts)
        let limits = Dictionary(
            self.pack.authorities.map { ($0.name, $0.scope) },
            uniquingKeysWith: { first, _ in first }
        )
        for (index, mark) in self.pack.marks.enumerated() {
            let place = "marks[\(index)]"
            if InstitutionID(mark.institution) == nil { self.add(.badInstitution, place + ".institution") }
            if let limit = limits[mark.authority] {
                if !lattice.includes(limit, mark.scope) { self.add(.markBeyondAuthority, place + ".scope") }
            } else {
                self.add(.unknownAuthority, place + ".authority")
            }
            if mark.validTo < mark.validFrom { self.add(.badPeriod, place) }
            for code in mark.items where self.items[code] == nil { self.add(.unknownItem, place + ".items") }
        }
        for (index, round) in self.pack.assessments.enumerated() {
            let place = "assessments[\(index)]"
            if InstitutionID(round.institution) == nil { self.add(.badInstitution, place + ".institution") }
            if round.scheme.isEmpty { self.add(.badName, place + ".scheme") }
            if round.to < round.from { self.add(.badPeriod, place) }
            if round.items.isEmpty { self.add(.unknownItem, place + ".items") }
            for code in round.items where self.items[code] == nil { self.add(.unknownItem, place + ".items") }
        }
    }

    mutating func reasons() {
        let known = IneligibilityCode.allCases.map(\.name) + RefusalReason.allCases.map(\.name)
        var codes: Set<String> = []
        for (index, text) in self.pack.texts.enumerated() {
            let place = "texts[\(index)]"
            if !known.contains(text.code) { self.add(.unknownCode, place) }
            if !codes.insert(text.code).inserted { self.add(.duplicateText, place) }
            self.texts(text.chinese, text.english, place)
        }
        for code in known where !codes.contains(code) { self.add(.textMissing, "texts") }
        var mapped: Set<[String]> = []
        for (index, map) in self.pack.reasonMaps.enumerated() {
            if map.set.isEmpty || map.code.isEmpty { self.add(.badName, "reasonMaps[\(index)]") }
            if !mapped.insert([map.set, map.code]).inserted { self.add(.duplicateReason, "reasonMaps[\(index)]") }
        }
    }
}
