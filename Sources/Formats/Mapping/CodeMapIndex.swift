/// What a local code was found to be.
package enum CodeMapMatch: Hashable, Sendable {
    /// An entry names source, code system and code.
    case exact(CatalogueItem)
    /// An entry names source and code, under another code system or none, and no other entry of the source disagrees.
    case byCode(CatalogueItem)
    /// The code is the catalogue's own.
    case catalogue(CatalogueItem)
    /// Entries lead to several items, or to one that holds only for a specimen that the result does not give.
    case ambiguous([CatalogueCode])
    case none

    /// The item, if there is exactly one.
    package var item: CatalogueItem? {
        switch self {
        case .exact(let item), .byCode(let item), .catalogue(let item): item
        case .ambiguous, .none: nil
        }
    }
}

/// Finds what local codes stand for; made once for a map and then only read.
///
/// Names are never looked up: a name that looks alike is a suggestion for a person (``suggestions(for:limit:)``).
package struct CodeMapIndex: Sendable {
    private struct SystemKey: Hashable {
        let source: String?
        let system: String?
        let code: String
    }

    private struct CodeKey: Hashable {
        let source: String
        let code: String
    }

    package let map: CodeMap
    private var items: [CatalogueCode: Int] = [:]
    private var bySystem: [SystemKey: [Int]] = [:]
    private var byCode: [CodeKey: [Int]] = [:]
    let names: SuggestionNames

    package init(_ map: CodeMap) {
        self.map = map
        for (index, item) in map.items.enumerated() { self.items[item.code] = index }
        for (index, entry) in map.entries.enumerated() {
            self.bySystem[SystemKey(source: entry.source, system: entry.system, code: entry.code), default: []].append(
                index
            )
            if let source = entry.source {
                self.byCode[CodeKey(source: source, code: entry.code), default: []].append(index)
            }
        }
        self.names = SuggestionNames(map)
    }

    package func item(_ code: CatalogueCode) -> CatalogueItem? { self.items[code].map { self.map.items[$0] } }

    /// By source, system and code; then by system and code of any source; then as a code of the catalogue; then, unless the
    /// system is a known one, by source and code alone.
    package func lookup(_ local: LocalCode) -> CodeMapMatch { self.find(local).match }

    /// The same, with the entry that decided, if one did.
    func find(_ local: LocalCode) -> (match: CodeMapMatch, entry: CodeMapEntry?) {
        let system = local.system.map { CodeSystem(recognising: $0) }
        let name = system?.name
        for source in [local.source, nil] where source != nil || name != nil {
            let key = SystemKey(source: source, system: name, code: local.code)
            switch self.decide(self.bySystem[key] ?? [], specimen: local.specimen) {
            case .none: continue
            case .one(let item, let entry): return (.exact(item), entry)
            case .several(let codes): return (.ambiguous(codes), nil)
            }
        }
        if let name, let item = self.item(CatalogueCode(system: name, code: local.code)) {
            return (.catalogue(item), nil)
        }
        // LOINC's 718-7 is not a laboratory's own 718-7.
        if let system, system.isStandard { return (.none, nil) }
        let entries = self.byCode[CodeKey(source: local.source, code: local.code)] ?? []
        // An entry of a known system says nothing about another system's codes.
        let own = entries.filter { index in
            self.map.entries[index].system.map { !CodeSystem(recognising: $0).isStandard } ?? true
        }
        switch self.decide(own, specimen: local.specimen) {
        case .none: return (.none, nil)
        case .one(let item, let entry): return (.byCode(item), entry)
        case .several(let codes): return (.ambiguous(codes), nil)
        }
    }

    private enum Decision {
        case none
        case one(CatalogueItem, CodeMapEntry)
        case several([CatalogueCode])
    }

    /// Entries for the result's specimen go before those for any.
    private func decide(_ entries: [Int], specimen: String?) -> Decision {
        let candidates = entries.map { self.map.entries[$0] }
        var fitting = candidates.filter { $0.specimen != nil && $0.specimen == specimen }
        if fitting.isEmpty { fitting = candidates.filter { $0.specimen == nil } }
        if fitting.isEmpty, specimen == nil, !candidates.isEmpty {
            return .several(Array(Set(candidates.map(\.item))).sorted())
        }
        let codes = Set(fitting.map(\.item))
        guard codes.count <= 1 else { return .several(codes.sorted()) }
        guard let entry = fitting.first, let item = self.item(entry.item) else { return .none }
        return .one(item, entry)
    }
}
