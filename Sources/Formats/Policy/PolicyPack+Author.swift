package import Records

/// Reads the form that people write. Documentation/Protocol/Recognition.md lists the keys.
extension PolicyPack {
    private static let topKeys: Set<String> = [
        "name", "version", "effectiveFrom", "effectiveTo", "example", "clockSkewSeconds", "staleAfterSeconds",
        "undoMinutes", "items", "conversions", "ordinals", "pacts", "authorities", "windows", "levels", "negatives",
        "labels", "flags", "texts", "reasonMaps", "marks", "assessments",
    ]

    /// - Throws: ``PolicyFault`` with the first place that is not of the form.
    package init(author node: MappingNode) throws(PolicyFault) {
        let top = try PolicyFields(node, at: "", allowed: Self.topKeys)
        guard let start = try top.optionalTime("effectiveFrom") else {
            throw PolicyFault(.missing, at: "effectiveFrom")
        }
        self.init(
            name: try top.text("name"),
            version: try top.number("version"),
            effectiveFrom: start,
            effectiveTo: try top.optionalTime("effectiveTo"),
            isExample: try top.flag("example", default: false),
            clockSkewSeconds: try top.number("clockSkewSeconds"),
            staleAfterSeconds: try top.number("staleAfterSeconds"),
            undoMinutes: try top.number("undoMinutes")
        )
        self.items = try Self.list(top, "items", Item.init(author:at:))
        self.conversions = try Self.list(top, "conversions", Conversion.init(author:at:))
        self.pacts = try Self.list(top, "pacts", Pact.init(author:at:))
        self.authorities = try Self.list(top, "authorities", Authority.init(author:at:))
        self.windows = try Self.list(top, "windows", Window.init(author:at:))
        self.levels = try Self.list(top, "levels", LevelRule.init(author:at:))
        self.negatives = try Self.list(top, "negatives", NegativeRule.init(author:at:))
        self.labels = try Self.list(top, "labels", LabelRule.init(author:at:))
        self.flags = try Self.list(top, "flags", FlagRule.init(author:at:))
        self.marks = try Self.list(top, "marks", MemberMark.init(author:at:))
        self.assessments = try Self.list(top, "assessments", MemberAssessment.init(author:at:))
        try self.readOrdinals(top)
        try self.readReasons(top)
    }

    private static func list<Value>(
        _ fields: PolicyFields,
        _ key: String,
        _ read: (MappingNode, String) throws(PolicyFault) -> Value
    ) throws(PolicyFault) -> [Value] {
        var values: [Value] = []
        for (node, path) in try fields.nodes(key) { values.append(try read(node, path)) }
        return values
    }

    /// By result, its spellings.
    private mutating func readOrdinals(_ top: PolicyFields) throws(PolicyFault) {
        for (value, node, path) in try top.members("ordinals") {
            guard case .list(let spellings) = node else { throw PolicyFault(.badShape, at: path) }
            for (index, spelling) in spellings.enumerated() {
                let text = try PolicyFields.text(spelling, at: "\(path)[\(index)]")
                self.ordinals.append(Ordinal(text: text, value: value))
            }
        }
    }

    private mutating func readReasons(_ top: PolicyFields) throws(PolicyFault) {
        for (code, node, path) in try top.members("texts") {
            let fields = try PolicyFields(node, at: path, allowed: ["zh", "en"])
            self.texts.append(
                ReasonText(code: code, chinese: try fields.text("zh"), english: try fields.text("en"))
            )
        }
        for (set, node, path) in try top.members("reasonMaps") {
            guard case .map(let members) = node else { throw PolicyFault(.badShape, at: path) }
            for member in members {
                let place = "\(path).\(member.key)"
                guard let reason = RefusalReason(name: try PolicyFields.text(member.value, at: place)) else {
                    throw PolicyFault(.badWord, at: place)
                }
                self.reasonMaps.append(ReasonMap(set: set, code: member.key, reason: reason))
            }
        }
    }
}

extension PolicyPack.Item {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(
            node,
            at: path,
            allowed: [
                "code", "aliases", "zh", "en", "category", "modality", "bodySites", "specimens", "methods", "value",
                "unit", "components", "joint", "standsAlone", "activeFrom", "activeTo", "schemes",
            ]
        )
        self.init(
            code: try fields.text("code"),
            chinese: try fields.text("zh"),
            english: try fields.text("en"),
            category: try fields.word("category")
        )
        self.aliases = try fields.texts("aliases")
        self.modality = try fields.optionalText("modality")
        self.bodySites = try fields.texts("bodySites")
        self.specimens = try fields.texts("specimens")
        self.methods = try fields.texts("methods")
        self.valueKind = try fields.word("value", default: ValueKind.none)
        self.unit = try fields.optionalText("unit")
        self.components = try fields.texts("components")
        self.isJoint = try fields.flag("joint", default: false)
        self.standsAlone = try fields.flag("standsAlone", default: true)
        self.activeFrom = try fields.optionalTime("activeFrom")
        self.activeTo = try fields.optionalTime("activeTo")
        self.schemes = try fields.texts("schemes")
    }
}

extension PolicyPack.Conversion {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(node, at: path, allowed: ["item", "unit", "factor", "offset"])
        guard fields.has("factor") else { throw PolicyFault(.missing, at: fields.path(of: "factor")) }
        self.init(
            item: try fields.text("item"),
            unit: try fields.text("unit"),
            factor: try fields.decimal("factor", default: .one),
            offset: try fields.decimal("offset", default: .zero)
        )
    }
}

extension PolicyPack.Pact {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(node, at: path, allowed: ["name", "zh", "en", "members"])
        var members: [AreaPath] = []
        for (node, place) in try fields.nodes("members") {
            guard case .area(let area) = Scope("area:" + (try PolicyFields.text(node, at: place))) else {
                throw PolicyFault(.badScope, at: place)
            }
            members.append(area)
        }
        self.init(
            name: try fields.text("name"),
            chinese: try fields.text("zh"),
            english: try fields.text("en"),
            members: members
        )
    }
}

extension PolicyPack.Authority {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(node, at: path, allowed: ["name", "zh", "en", "scope"])
        self.init(
            name: try fields.text("name"),
            chinese: try fields.text("zh"),
            english: try fields.text("en"),
            scope: try fields.scope("scope")
        )
    }
}

extension PolicyPack.Selector {
    fileprivate static let keys: Set<String> = [
        "items", "categories", "departments", "visitTypes", "ageFrom", "ageTo",
    ]

    fileprivate init(_ fields: PolicyFields) throws(PolicyFault) {
        self.init(
            items: try fields.texts("items"),
            categories: try fields.words("categories"),
            departments: try fields.texts("departments"),
            visitTypes: try fields.words("visitTypes"),
            ageFromDays: try fields.age("ageFrom", default: 0),
            ageToDays: try fields.age("ageTo", default: .max)
        )
    }
}

extension PolicyPack.Window {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let keys = PolicyPack.Selector.keys.union(["rule", "clause", "within", "basis"])
        let fields = try PolicyFields(node, at: path, allowed: keys)
        let parts = try fields.text("within").split(separator: " ")
        guard parts.count == 2, let amount = UInt32(parts[0]), let unit = WindowUnit(name: parts[1]) else {
            throw PolicyFault(.badWord, at: fields.path(of: "within"))
        }
        self.init(
            rule: try fields.text("rule"),
            clause: try fields.optionalText("clause") ?? "",
            selector: try PolicyPack.Selector(fields),
            amount: amount,
            unit: unit,
            basis: try fields.word("basis")
        )
    }
}

extension PolicyPack.LevelRule {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let keys = PolicyPack.Selector.keys.union([
            "rule", "clause", "receiverFrom", "performerFrom", "exceptConsortium",
        ])
        let fields = try PolicyFields(node, at: path, allowed: keys)
        self.init(
            rule: try fields.text("rule"),
            clause: try fields.optionalText("clause") ?? "",
            selector: try PolicyPack.Selector(fields),
            receiverFrom: try fields.number("receiverFrom", default: 0),
            performerFrom: try fields.number("performerFrom"),
            exemptsConsortium: try fields.flag("exceptConsortium", default: false)
        )
    }
}

extension PolicyPack.NegativeRule {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let keys = PolicyPack.Selector.keys.union(["rule", "clause", "performers", "diagnoses", "methods"])
        let fields = try PolicyFields(node, at: path, allowed: keys)
        self.init(
            rule: try fields.text("rule"),
            clause: try fields.optionalText("clause") ?? "",
            selector: try PolicyPack.Selector(fields),
            performers: try fields.texts("performers"),
            diagnoses: try fields.texts("diagnoses"),
            methods: try fields.texts("methods")
        )
    }
}

extension PolicyPack.LabelRule {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(node, at: path, allowed: ["label", "clause", "departments"])
        self.init(
            label: try fields.text("label"),
            clause: try fields.optionalText("clause") ?? "",
            departments: try fields.texts("departments")
        )
    }
}

extension PolicyPack.FlagRule {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(node, at: path, allowed: ["flag", "reason", "clause"])
        self.init(
            flag: try fields.word("flag"),
            reason: try fields.word("reason"),
            clause: try fields.optionalText("clause") ?? ""
        )
    }
}

extension PolicyPack.MemberMark {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(
            node,
            at: path,
            allowed: ["institution", "authority", "scope", "items", "validFrom", "validTo"]
        )
        self.init(
            institution: try fields.text("institution"),
            authority: try fields.text("authority"),
            scope: try fields.scope("scope"),
            items: try fields.texts("items"),
            validFrom: try fields.time("validFrom"),
            validTo: try fields.time("validTo")
        )
    }
}

extension PolicyPack.MemberAssessment {
    fileprivate init(author node: MappingNode, at path: String) throws(PolicyFault) {
        let fields = try PolicyFields(
            node,
            at: path,
            allowed: ["institution", "scheme", "items", "from", "to", "passed"]
        )
        self.init(
            institution: try fields.text("institution"),
            scheme: try fields.text("scheme"),
            items: try fields.texts("items"),
            from: try fields.time("from"),
            to: try fields.time("to"),
            passed: try fields.flag("passed", default: true)
        )
    }
}
