/// A unit as a source writes it, with what it means in UCUM.
package struct UnitReading: Hashable, Sendable {
    /// How the text became a unit.
    package enum Origin: Hashable, Sendable {
        /// The text is UCUM and stays as it is.
        case ucum
        /// The text is another spelling; ``UnitReading/unit`` holds the UCUM expression.
        case normalised
    }

    /// Exactly as the source wrote it.
    package let original: String
    package let origin: Origin
    /// The meaning, the first where the spelling has several in use.
    package let unit: UCUMUnit
    /// What the same spelling means elsewhere: `G/L` is 10*9/L of cells and g/L on a device that knows only capitals.
    package let others: [UCUMUnit]

    /// The meaning that can be turned into `target`, if there is exactly one kind of quantity that can.
    ///
    /// This is how the unit that the consortium expects of an item settles a spelling that is ambiguous by itself.
    package func meaning(
        for target: UCUMUnit,
        molarMass: MolarMass? = nil
    ) throws(UnitRefusal) -> (unit: UCUMUnit, conversion: UnitConversion) {
        var refusal: UnitRefusal?
        for unit in [self.unit] + self.others {
            do {
                return (unit, try UnitConversion(from: unit, to: target, molarMass: molarMass))
            } catch {
                refusal = refusal ?? error
            }
        }
        throw refusal ?? .notCommensurable
    }
}

/// Reads the units that laboratories write: UCUM, and the spellings of instruments, information systems and people.
///
/// Rules, in this order; the first that gives a unit counts:
/// 1. Full-width forms, both micro signs, superscripts, `×`, `℃` and the square unit characters become ASCII.
/// 2. Whole spellings of ``UnitSpellingTable``.
/// 3. Each part between `/`, `.` and parentheses: spellings of parts, then, of texts without small letters, the
///    case-insensitive variant of UCUM, then UCUM itself.
/// 4. The whole text as UCUM.
///
/// Texts that are UCUM by accident and mean something absurd in a laboratory (`pH` picohenry, `u/L` atomic mass units)
/// have their spelling's meaning; without one they are ambiguous and refused.
package enum UnitSpelling {
    /// Longer than any unit that people write, in UTF-8.
    package static let bytesMax = 128

    package static func read(_ text: String) throws(UnitRefusal) -> UnitReading {
        guard text.utf8.count <= self.bytesMax else { throw .tooLong }
        let folded = UnitFolding.fold(text)
        guard !folded.isEmpty else { throw .empty }
        if let meanings = UnitSpellingTable.whole[folded] ?? UnitSpellingTable.whole[Self.lowercased(folded)] {
            guard let first = meanings.first else { throw .ambiguous }
            return try Self.reading(text, first, Array(meanings.dropFirst()))
        }
        do {
            let rewritten = try UnitRewriter.rewrite(folded)
            return try Self.reading(text, rewritten.code, rewritten.others)
        } catch {
            guard error != .ambiguous else { throw error }
            // Units with signs inside brackets are none that people spell.
            guard folded.utf8.contains(UInt8(ascii: "[")), (try? UCUMUnit(folded)) != nil else { throw error }
            return try Self.reading(text, folded, [])
        }
    }

    private static func reading(_ text: String, _ code: String, _ others: [String]) throws(UnitRefusal) -> UnitReading {
        let unit = try UCUMUnit(code)
        let isUnchanged = code.utf8.elementsEqual(text.utf8)
        var meanings: [UCUMUnit] = []
        for other in others { meanings.append(try UCUMUnit(other)) }
        return UnitReading(original: text, origin: isUnchanged ? .ucum : .normalised, unit: unit, others: meanings)
    }

    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
