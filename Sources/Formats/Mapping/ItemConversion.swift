package import Records

/// A result's amount in the unit that the catalogue has for its item.
package struct CatalogueQuantity: Hashable, Sendable {
    package let comparator: Quantity.Comparator?
    package let value: ConvertedValue
    /// UCUM expression of the catalogue.
    package let unit: String
    /// How the source's unit was read.
    package let reading: UnitReading
}

extension CatalogueItem {
    /// Converts a result's amount; the result itself stays what it is.
    ///
    /// A unit that the source declares as UCUM is read as UCUM, any other by its spelling. Without a unit a value is taken
    /// only where the catalogue's unit is no amount of anything (`{INR}`, `1`, `[pH]`), for such results have none; nothing
    /// else is converted: the catalogue's unit is no fact about the source.
    package func convert(_ quantity: Quantity) throws(UnitRefusal) -> CatalogueQuantity {
        guard let unit = self.unit else { throw .empty }
        guard let value = quantity.value else { throw .badNumber }
        let target = try UCUMUnit(unit)
        let isWritten = [quantity.unit, quantity.code].contains { !($0 ?? "").isEmpty }
        if !isWritten, target.isNumber {
            let reading = UnitReading(original: "", origin: .normalised, unit: target, others: [])
            let value = try UnitConversion(from: target, to: target).convert(value)
            return CatalogueQuantity(comparator: quantity.comparator, value: value, unit: unit, reading: reading)
        }
        let isDeclared = quantity.system.map { CodeSystem(recognising: $0).name == CodeSystem.ucum } ?? false
        let reading: UnitReading
        if isDeclared, let code = quantity.code {
            reading = UnitReading(original: code, origin: .ucum, unit: try UCUMUnit(code), others: [])
        } else {
            reading = try UnitSpelling.read(quantity.unit ?? quantity.code ?? "")
        }
        let meaning = try reading.meaning(for: target, molarMass: self.molarMass.flatMap { MolarMass($0) })
        return CatalogueQuantity(
            comparator: quantity.comparator,
            value: try meaning.conversion.convert(value),
            unit: unit,
            reading: reading
        )
    }
}
