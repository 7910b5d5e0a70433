import Records

extension CodeMap {
    /// Reads the form that people write: `version`, `effective`, `items` and `map`.
    ///
    /// An item has `code`, `display` and optionally `system` (LOINC if absent), `names`, `specimen`, `unit` and
    /// `molarMass`. An entry of `map` has `code`, `item` and optionally `source`, `system`, `itemSystem`, `name`,
    /// `specimen` and `unit`.
    package init(author node: MappingNode) throws(CodeMapFault) {
        let top = try AuthorFields(node, at: "", allowed: ["version", "effective", "items", "map"])
        let effective = try top.text("effective")
        guard let time = FHIRTime.date(effective), time.precision == .day,
            let date = GregorianDate(
                year: Int(effective.prefix(4)) ?? 0,
                month: Int(effective.dropFirst(5).prefix(2)) ?? 0,
                day: Int(effective.dropFirst(8)) ?? 0
            )
        else { throw CodeMapFault(.badDate, at: "effective") }
        var items: [CatalogueItem] = []
        for (index, node) in try top.list("items").enumerated() {
            items.append(try Self.item(node, at: "items[\(index)]"))
        }
        var entries: [CodeMapEntry] = []
        for (index, node) in try top.list("map").enumerated() {
            entries.append(try Self.entry(node, at: "map[\(index)]"))
        }
        self = try CodeMap(version: try top.text("version"), effective: date, items: items, entries: entries)
    }

    private static func item(_ node: MappingNode, at path: String) throws(CodeMapFault) -> CatalogueItem {
        let fields = try AuthorFields(
            node,
            at: path,
            allowed: ["code", "system", "display", "names", "specimen", "unit", "molarMass"]
        )
        var names: [String] = []
        for (index, name) in try fields.list("names").enumerated() {
            guard case .text(let text) = name else { throw CodeMapFault(.badShape, at: "\(path).names[\(index)]") }
            names.append(text)
        }
        return CatalogueItem(
            code: CatalogueCode(system: try Self.system(fields, "system"), code: try fields.text("code")),
            display: try fields.text("display"),
            names: names,
            specimen: try fields.optionalText("specimen"),
            unit: try fields.optionalText("unit"),
            molarMass: try fields.optionalText("molarMass")
        )
    }

    private static func entry(_ node: MappingNode, at path: String) throws(CodeMapFault) -> CodeMapEntry {
        let fields = try AuthorFields(
            node,
            at: path,
            allowed: ["source", "system", "code", "name", "specimen", "unit", "item", "itemSystem"]
        )
        return CodeMapEntry(
            source: try fields.optionalText("source"),
            system: try fields.optionalText("system"),
            code: try fields.text("code"),
            name: try fields.optionalText("name"),
            specimen: try fields.optionalText("specimen"),
            unit: try fields.optionalText("unit"),
            item: CatalogueCode(system: try Self.system(fields, "itemSystem"), code: try fields.text("item"))
        )
    }

    private static func system(_ fields: AuthorFields, _ key: String) throws(CodeMapFault) -> String {
        try fields.optionalText(key).map { CodeSystem(recognising: $0).name } ?? CodeSystem.loinc
    }
}

/// The keys of one map that a person wrote.
struct AuthorFields {
    private let path: String
    private var values: [String: MappingNode] = [:]

    init(_ node: MappingNode, at path: String, allowed: Set<String>) throws(CodeMapFault) {
        self.path = path
        guard case .map(let entries) = node else { throw CodeMapFault(.badShape, at: path) }
        for entry in entries {
            // The key may be anything; the path shows only keys that exist.
            guard allowed.contains(entry.key) else { throw CodeMapFault(.unknownKey, at: path) }
            guard self.values.updateValue(entry.value, forKey: entry.key) == nil else {
                throw CodeMapFault(.duplicateKey, at: self.path(of: entry.key))
            }
        }
    }

    private func path(of key: String) -> String { self.path.isEmpty ? key : self.path + "." + key }

    func text(_ key: String) throws(CodeMapFault) -> String {
        guard let text = try self.optionalText(key) else { throw CodeMapFault(.missing, at: self.path(of: key)) }
        return text
    }

    func optionalText(_ key: String) throws(CodeMapFault) -> String? {
        guard let value = self.values[key] else { return nil }
        guard case .text(let text) = value else { throw CodeMapFault(.badShape, at: self.path(of: key)) }
        return text
    }

    /// An absent list is empty.
    func list(_ key: String) throws(CodeMapFault) -> [MappingNode] {
        guard let value = self.values[key] else { return [] }
        guard case .list(let list) = value else { throw CodeMapFault(.badShape, at: self.path(of: key)) }
        return list
    }
}
