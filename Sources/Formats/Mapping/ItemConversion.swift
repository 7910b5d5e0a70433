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
    /// else is converted: the catalogue's unit is no fact about the source. `assumed` is what an entry of the code map says
    /// of the source: the UCUM unit of its values that have none, or one that cannot be read.
    package func convert(
        _ quantity: Quantity,
        assumed: String? = nil
    ) throws(UnitRefusal) -> CatalogueQuantity {
        guard self.unit != nil else { throw .empty }
        guard let value = quantity.value else { throw .badNumber }
        let way = try self.way(from: quantity, assumed: assumed)
        return CatalogueQuantity(
            comparator: quantity.comparator,
            value: try way.conversion.convert(value),
            unit: way.unit,
            reading: way.reading
        )
    }

    /// How amounts in the unit of `quantity` become amounts in the catalogue's; its value plays no part.
    func way(
        from quantity: Quantity,
        assumed: String?
    ) throws(UnitRefusal) -> (unit: String, reading: UnitReading, conversion: UnitConversion) {
        guard let unit = self.unit else { throw .empty }
        let target = try UCUMUnit(unit)
        let isWritten = [quantity.unit, quantity.code].contains { !($0 ?? "").isEmpty }
        if !isWritten, assumed == nil, target.isNumber {
            let reading = UnitReading(original: "", origin: .normalised, unit: target, others: [])
            return (unit, reading, try UnitConversion(from: target, to: target))
        }
        let reading = try Self.reading(quantity, assumed: isWritten ? nil : assumed, otherwise: assumed)
        let meaning = try reading.meaning(for: target, molarMass: self.molarMass.flatMap { MolarMass($0) })
        return (unit, reading, meaning.conversion)
    }

    private static func reading(
        _ quantity: Quantity,
        assumed: String?,
        otherwise: String?
    ) throws(UnitRefusal) -> UnitReading {
        if let assumed {
            return UnitReading(original: "", origin: .normalised, unit: try UCUMUnit(assumed), others: [])
        }
        let isDeclared = quantity.system.map { CodeSystem(recognising: $0).name == CodeSystem.ucum } ?? false
        do throws(UnitRefusal) {
            if isDeclared, let code = quantity.code {
                return UnitReading(original: code, origin: .ucum, unit: try UCUMUnit(code), others: [])
            }
            return try UnitSpelling.read(quantity.unit ?? quantity.code ?? "")
        } catch {
            guard let otherwise else { throw error }
            let original = quantity.unit ?? quantity.code ?? ""
            return UnitReading(original: original, origin: .normalised, unit: try UCUMUnit(otherwise), others: [])
        }
    }
}
