package import Primitives

/// A code as an institution's system gives it.
package struct LocalCode: Hashable, Sendable {
    /// The institution or system that the result comes from.
    package var source: String
    /// The code system as the source names it: URI, OID or HL7 v2 name.
    package var system: String?
    package var code: String
    package var specimen: String?

    package init(source: String, system: String? = nil, code: String, specimen: String? = nil) {
        self.source = source
        self.system = system
        self.code = code
        self.specimen = specimen
    }
}

/// What a local code stands for in the catalogue.
package struct CodeMapEntry: Hashable, Sendable {
    /// The institution or system that uses the code; `nil` for any.
    package let source: String?
    /// The code system, a URI where it is a known one; `nil` if the source names none.
    package let system: String?
    package let code: String
    /// The source's own name for it, for people and for suggestions.
    package let name: String?
    /// The only specimen for which the entry holds; `nil` for any.
    package let specimen: String?
    /// UCUM expression of the values that the source writes without a unit, or with one that cannot be read.
    package let unit: String?
    package let item: CatalogueCode

    package init(
        source: String?,
        system: String?,
        code: String,
        name: String? = nil,
        specimen: String? = nil,
        unit: String? = nil,
        item: CatalogueCode
    ) {
        self.source = source
        self.system = system.map { CodeSystem(recognising: $0).name }
        self.code = code
        self.name = name
        self.specimen = specimen
        self.unit = unit
        self.item = item
    }

    /// What makes an entry one: no two entries of a map have the same.
    struct Key: Hashable, Comparable {
        let parts: [String]

        static func < (left: Key, right: Key) -> Bool {
            for (first, second) in zip(left.parts, right.parts) where first != second {
                return first.utf8.lexicographicallyPrecedes(second.utf8)
            }
            return false
        }
    }

    var key: Key { Key(parts: [self.source ?? "", self.system ?? "", self.code, self.specimen ?? ""]) }

    /// What is wrong with the entry, and in which key.
    var fault: (refusal: CodeMapRefusal, key: String)? {
        let texts: [(String, String?)] = [
            ("source", self.source), ("system", self.system), ("code", self.code), ("name", self.name),
            ("specimen", self.specimen), ("unit", self.unit),
        ]
        for (key, text) in texts {
            guard let text else { continue }
            guard TextForm.isPlain(text, bytesMax: CatalogueItem.textBytesMax) else { return (.badText, key) }
            guard TextForm.isComposed(text) else { return (.notComposed, key) }
        }
        // A code of nobody in particular needs at least a system that says what it is.
        if self.source == nil, self.system == nil { return (.missing, "source") }
        if self.system == CodeSystem.loinc, !CodePattern.isLOINC(self.code) { return (.badCode, "code") }
        if let unit = self.unit, (try? UCUMUnit(unit)) == nil { return (.badUnit, "unit") }
        return nil
    }
}

extension CodeMapEntry: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.source)
        encoder.encode(self.system)
        encoder.encode(self.code)
        encoder.encode(self.name)
        encoder.encode(self.specimen)
        encoder.encode(self.unit)
        encoder.encode(self.item.system)
        encoder.encode(self.item.code)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let max = CatalogueItem.textBytesMax
        self.source = try decoder.decodeOptionalString(max: max)
        let system = try decoder.decodeOptionalString(max: max)
        // A name that has a URI would be a second form of the same entry.
        guard system == system.map({ CodeSystem(recognising: $0).name }) else { throw .notCanonical }
        self.system = system
        self.code = try decoder.decodeString(max: max)
        self.name = try decoder.decodeOptionalString(max: max)
        self.specimen = try decoder.decodeOptionalString(max: max)
        self.unit = try decoder.decodeOptionalString(max: max)
        self.item = CatalogueCode(
            system: try decoder.decodeString(max: max),
            code: try decoder.decodeString(max: max)
        )
    }
}
