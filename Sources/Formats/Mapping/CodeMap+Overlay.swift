extension CodeMap {
    /// The map with entries of an institution's own over it, the later before the earlier and each before the map's own.
    ///
    /// An entry whose item the map does not have is left out. The version says how many entries were ever set:
    /// `2026.1+3`; without any it is the map itself.
    package func overlaid(by entries: [CodeMapEntry]) throws(CodeMapFault) -> CodeMap {
        guard !entries.isEmpty else { return self }
        let items = Set(self.items.map(\.code))
        var merged: [CodeMapEntry.Key: CodeMapEntry] = [:]
        for entry in self.entries { merged[entry.key] = entry }
        for entry in entries where items.contains(entry.item) { merged[entry.key] = entry }
        return try CodeMap(
            version: "\(self.version)+\(entries.count)",
            effective: self.effective,
            items: self.items,
            entries: Array(merged.values)
        )
    }
}
