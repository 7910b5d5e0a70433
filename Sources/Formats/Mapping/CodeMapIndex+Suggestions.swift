/// An item that a local code may stand for; a person decides.
package struct CodeSuggestion: Hashable, Sendable {
    package let item: CatalogueItem
    /// How alike the names are, in thousandths.
    package let likeness: Int
    /// Whether the local unit can be converted into the item's.
    package let fitsUnit: Bool
    /// Whether both name the same specimen.
    package let fitsSpecimen: Bool

    /// 0 to 1200: likeness of the names up to 1000, 100 for a unit that can be converted, 100 for the same specimen.
    package var score: Int { self.likeness + (self.fitsUnit ? 100 : 0) + (self.fitsSpecimen ? 100 : 0) }
}

/// The names of a map's items, prepared for comparison.
struct SuggestionNames: Sendable {
    struct Candidate: Sendable {
        let item: Int
        let names: [NameTokens]
        let unit: UCUMUnit?
        let molarMass: MolarMass?
    }

    let candidates: [Candidate]

    init(_ map: CodeMap) {
        var names: [CatalogueCode: [String]] = [:]
        // What sources call an item are names of the item, too.
        for entry in map.entries { if let name = entry.name { names[entry.item, default: []].append(name) } }
        self.candidates = map.items.enumerated().map { index, item in
            let all = Set(([item.display] + item.names + (names[item.code] ?? [])).map { NameTokens($0) })
            return Candidate(
                item: index,
                names: Array(all),
                unit: item.unit.flatMap { try? UCUMUnit($0) },
                molarMass: item.molarMass.flatMap { MolarMass($0) }
            )
        }
    }
}

extension CodeMapIndex {
    /// Below it, names have little in common: one pair of characters of five.
    static let similarityMin = 250
    static let suggestionsMax = 20

    /// The items whose names are most like the local one, best first; equal scores in the order of the items' codes.
    ///
    /// An item whose unit measures something else, or whose specimen is another, is none.
    package func suggestions(
        for local: LocalCode,
        name: String?,
        unit: String?,
        limit: Int = 5
    ) -> [CodeSuggestion] {
        guard let name else { return [] }
        let tokens = NameTokens(name)
        let reading = unit.flatMap { try? UnitSpelling.read($0) }
        var found: [CodeSuggestion] = []
        for candidate in self.names.candidates {
            let item = self.map.items[candidate.item]
            let likeness = candidate.names.map { $0.similarity(to: tokens) }.max() ?? 0
            guard likeness >= Self.similarityMin else { continue }
            var fitsUnit = false
            if let reading, let unit = candidate.unit {
                guard (try? reading.meaning(for: unit, molarMass: candidate.molarMass)) != nil else { continue }
                fitsUnit = true
            }
            var fitsSpecimen = false
            if let specimen = local.specimen, let expected = item.specimen {
                guard specimen == expected else { continue }
                fitsSpecimen = true
            }
            found.append(
                CodeSuggestion(item: item, likeness: likeness, fitsUnit: fitsUnit, fitsSpecimen: fitsSpecimen)
            )
        }
        // Candidates are in the order of codes, and the sort is stable only if told so.
        found.sort { $0.score == $1.score ? $0.item.code < $1.item.code : $0.score > $1.score }
        return Array(found.prefix(max(0, min(limit, Self.suggestionsMax))))
    }
}
