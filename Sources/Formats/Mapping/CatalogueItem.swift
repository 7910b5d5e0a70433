package import Primitives

/// A code of the consortium's catalogue of items.
package struct CatalogueCode: Hashable, Comparable, Sendable {
    /// URI of the code system, LOINC or the consortium's own.
    package let system: String
    package let code: String

    package init(system: String, code: String) {
        self.system = system
        self.code = code
    }

    /// By the bytes of system and code, so that the order is the same everywhere.
    package static func < (left: CatalogueCode, right: CatalogueCode) -> Bool {
        left.system == right.system
            ? left.code.utf8.lexicographicallyPrecedes(right.code.utf8)
            : left.system.utf8.lexicographicallyPrecedes(right.system.utf8)
    }
}

/// An item of the catalogue: what institutions agree to call one examination.
package struct CatalogueItem: Hashable, Sendable {
    package let code: CatalogueCode
    /// Name for readers.
    package let display: String
    /// Other names, for suggestions only.
    package let names: [String]
    package let specimen: String?
    /// UCUM expression in which values are compared; absent for items without one.
    package let unit: String?
    /// Grams per mole, where mass and amount of substance are both in use for the item.
    package let molarMass: String?

    package init(
        code: CatalogueCode,
        display: String,
        names: [String] = [],
        specimen: String? = nil,
        unit: String? = nil,
        molarMass: String? = nil
    ) {
        self.code = code
        self.display = display
        self.names = names
        self.specimen = specimen
        self.unit = unit
        self.molarMass = molarMass
    }

    static let textBytesMax = 256
    /// Names are compared with every unmapped code.
    static let namesMax = 32

    /// What is wrong with the item, and in which key.
    var fault: (refusal: CodeMapRefusal, key: String)? {
        let texts =
            [("system", self.code.system), ("code", self.code.code), ("display", self.display)]
            + self.names.map { ("names", $0) }
            + [("specimen", self.specimen), ("unit", self.unit)].compactMap { key, text in
                text.map { (key, $0) }
            }
        for (key, text) in texts {
            guard TextForm.isPlain(text, bytesMax: Self.textBytesMax) else { return (.badText, key) }
            guard TextForm.isComposed(text) else { return (.notComposed, key) }
        }
        guard self.names.count <= Self.namesMax else { return (.tooLarge, "names") }
        if self.code.system == CodeSystem.loinc, !CodePattern.isLOINC(self.code.code) { return (.badCode, "code") }
        var unit: UCUMUnit?
        if let code = self.unit {
            unit = try? UCUMUnit(code)
            if unit == nil { return (.badUnit, "unit") }
        }
        if let molarMass = self.molarMass {
            guard MolarMass(molarMass) != nil, let dimension = unit?.dimension,
                (dimension["mol"] == 1) != (dimension["mol"] == 0 && dimension["g"] > 0)
            else { return (.badMolarMass, "molarMass") }
        }
        return nil
    }
}

extension CatalogueItem: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.code.system)
        encoder.encode(self.code.code)
        encoder.encode(self.display)
        encoder.encode(self.names)
        encoder.encode(self.specimen)
        encoder.encode(self.unit)
        encoder.encode(self.molarMass)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let max = Self.textBytesMax
        self.init(
            code: CatalogueCode(
                system: try decoder.decodeString(max: max),
                code: try decoder.decodeString(max: max)
            ),
            display: try decoder.decodeString(max: max),
            names: try decoder.decodeStrings(max: Self.namesMax, lengthMax: max),
            specimen: try decoder.decodeOptionalString(max: max),
            unit: try decoder.decodeOptionalString(max: max),
            molarMass: try decoder.decodeOptionalString(max: max)
        )
    }
}
