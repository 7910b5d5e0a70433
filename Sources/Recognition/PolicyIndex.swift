internal import Primitives
internal import Records

/// A pack with what evaluation looks up in it.
///
/// Of entries with one name the first counts: a pack with errors gives the same verdicts everywhere, too.
struct PolicyIndex: Sendable {
    struct ConversionKey: Hashable {
        var item: String
        var unit: String
    }

    let pack: PolicyPack
    let hash: Digest
    let lattice: ScopeLattice
    private let codes: [String: Int]
    /// By item, the windows that can be about it, in the pack's order: a search through all would be most of a verdict.
    private let windowsByItem: [String: [PolicyPack.Window]]
    private let conversions: [ConversionKey: PolicyPack.Conversion]
    private let ordinals: Set<String>
    private let authorities: [String: Scope]
    private let labels: [String: PolicyPack.LabelRule]
    private let flags: [ClinicalFlag: PolicyPack.FlagRule]
    /// The pack's words for specimens, body sites and methods, by their small letters.
    let specimens: [String: String]
    let bodySites: [String: String]
    let methods: [String: String]
    private let marks: [String: [PolicyPack.MemberMark]]
    private let assessments: [String: [PolicyPack.MemberAssessment]]

    init(_ pack: PolicyPack) {
        self.pack = pack
        self.hash = pack.hash
        self.lattice = ScopeLattice(pack.pacts)
        var codes: [String: Int] = [:]
        for (index, item) in pack.items.enumerated() {
            for code in [item.code] + item.aliases where codes[code] == nil { codes[code] = index }
        }
        self.codes = codes
        var windows: [String: [PolicyPack.Window]] = [:]
        for item in pack.items where windows[item.code] == nil {
            windows[item.code] = pack.windows.filter { window in
                (window.selector.items.isEmpty || window.selector.items.contains(item.code))
                    && (window.selector.categories.isEmpty || window.selector.categories.contains(item.category))
            }
        }
        self.windowsByItem = windows
        self.conversions = Dictionary(
            pack.conversions.map { (ConversionKey(item: $0.item, unit: $0.unit), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        self.ordinals = Set(pack.ordinals.map { ResultValue.folded($0.text) })
        self.authorities = Dictionary(
            pack.authorities.map { ($0.name, $0.scope) },
            uniquingKeysWith: { first, _ in first }
        )
        self.labels = Dictionary(pack.labels.map { ($0.label, $0) }, uniquingKeysWith: { first, _ in first })
        self.specimens = Self.words(pack.items.flatMap(\.specimens))
        self.bodySites = Self.words(pack.items.flatMap(\.bodySites))
        self.methods = Self.words(pack.items.flatMap(\.methods) + pack.negatives.flatMap(\.methods))
        self.marks = Dictionary(grouping: pack.marks, by: \.institution)
        self.assessments = Dictionary(grouping: pack.assessments, by: \.institution)
        self.flags = Dictionary(pack.flags.map { ($0.flag, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func words(_ words: [String]) -> [String: String] {
        Dictionary(words.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    }

    func item(_ code: String) -> PolicyPack.Item? { self.codes[code].map { self.pack.items[$0] } }

    func windows(of item: PolicyPack.Item) -> [PolicyPack.Window] { self.windowsByItem[item.code, default: []] }

    /// Whether `code` names one of two items.
    func names(_ code: String, _ one: PolicyPack.Item, _ other: PolicyPack.Item) -> Bool {
        guard let found = self.codes[code] else { return false }
        return self.pack.items[found].code == one.code || self.pack.items[found].code == other.code
    }

    func conversion(of item: String, from unit: String) -> PolicyPack.Conversion? {
        self.conversions[ConversionKey(item: item, unit: unit)]
    }

    func hasConversion(of item: String, from unit: String) -> Bool {
        self.conversions.index(forKey: ConversionKey(item: item, unit: unit)) != nil
    }

    func isOrdinal(_ text: String) -> Bool { self.ordinals.contains(text) }

    func authorityScope(_ name: String) -> Scope? { self.authorities[name] }

    func marks(of institution: String) -> [PolicyPack.MemberMark] { self.marks[institution, default: []] }

    func assessments(of institution: String) -> [PolicyPack.MemberAssessment] {
        self.assessments[institution, default: []]
    }

    func label(_ name: String) -> PolicyPack.LabelRule? { self.labels[name] }

    /// A circumstance that an unsound pack leaves out is still one for the doctor.
    func flag(_ flag: ClinicalFlag) -> PolicyPack.FlagRule {
        self.flags[flag] ?? PolicyPack.FlagRule(flag: flag, reason: .doctorsJudgement, clause: "")
    }
}
