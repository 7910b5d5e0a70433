package import Primitives
package import Records

/// A version of the consortium's catalogue of items and of what local codes stand for in it.
///
/// Has one byte form whatever the author's order, and so one digest. Every value of this type is valid.
package struct CodeMap: Hashable, Sendable {
    /// A catalogue of all LOINC laboratory codes has fewer.
    package static let itemsMax = 100_000
    /// Ten thousand codes of each of a hundred institutions.
    package static let entriesMax = 1_000_000
    static let versionBytesMax = 64

    package let version: String
    /// From this day on the map applies.
    package let effective: GregorianDate
    /// In the order of their codes.
    package let items: [CatalogueItem]
    /// In the order of source, system, code and specimen.
    package let entries: [CodeMapEntry]

    /// Sorts and checks; positions in a fault's path are those of the arguments.
    package init(
        version: String,
        effective: GregorianDate,
        items: [CatalogueItem],
        entries: [CodeMapEntry]
    ) throws(CodeMapFault) {
        guard TextForm.isPlain(version, bytesMax: Self.versionBytesMax) else {
            throw CodeMapFault(.badText, at: "version")
        }
        guard TextForm.isComposed(version) else { throw CodeMapFault(.notComposed, at: "version") }
        guard items.count <= Self.itemsMax else { throw CodeMapFault(.tooLarge, at: "items") }
        guard entries.count <= Self.entriesMax else { throw CodeMapFault(.tooLarge, at: "map") }
        var codes: Set<CatalogueCode> = []
        for (index, item) in items.enumerated() {
            if let fault = item.fault { throw CodeMapFault(fault.refusal, at: "items[\(index)].\(fault.key)") }
            guard codes.insert(item.code).inserted else {
                throw CodeMapFault(.duplicateItem, at: "items[\(index)].code")
            }
        }
        var keys: Set<CodeMapEntry.Key> = []
        for (index, entry) in entries.enumerated() {
            if let fault = entry.fault { throw CodeMapFault(fault.refusal, at: "map[\(index)].\(fault.key)") }
            guard codes.contains(entry.item) else { throw CodeMapFault(.unknownItem, at: "map[\(index)].item") }
            guard keys.insert(entry.key).inserted else { throw CodeMapFault(.duplicateEntry, at: "map[\(index)].code") }
        }
        self.version = version
        self.effective = effective
        self.items = items.sorted { $0.code < $1.code }
        self.entries = entries.sorted { $0.key < $1.key }
    }

    /// SHA-256 of the canonical bytes.
    package var digest: Digest { Digest(hashing: self.canonicalBytes) }
}

extension CodeMap: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.version)
        encoder.encode(UInt16(self.effective.year))
        encoder.encode(UInt8(self.effective.month))
        encoder.encode(UInt8(self.effective.day))
        encoder.encode(self.items)
        encoder.encode(self.entries)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let version = try decoder.decodeString(max: Self.versionBytesMax)
        let year = Int(try decoder.decode(UInt16.self))
        let month = Int(try decoder.decode(UInt8.self))
        let day = Int(try decoder.decode(UInt8.self))
        guard let effective = GregorianDate(year: year, month: month, day: day) else { throw .invalid }
        let items = try decoder.decodeArray(of: CatalogueItem.self, max: Self.itemsMax)
        let entries = try decoder.decodeArray(of: CodeMapEntry.self, max: Self.entriesMax)
        do {
            self = try CodeMap(version: version, effective: effective, items: items, entries: entries)
        } catch {
            throw .invalid
        }
        guard self.items == items, self.entries == entries else { throw .notCanonical }
    }
}
