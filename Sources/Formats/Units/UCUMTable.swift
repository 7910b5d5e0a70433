/// The units of UCUM 2.2, each worked out from its definition.
struct UCUMTable: Sendable {
    /// One unit of the table.
    struct Atom: Sendable {
        let dimension: UnitDimension
        let factor: Ratio
        let scale: UCUMUnit.Scale
        let takesPrefixes: Bool
    }

    /// Units that UCUM defines as plain numbers or as one another, and that are kept apart here because taking one for
    /// the other would falsify a result.
    ///
    /// UCUM has `mol` as 6.02214076 x 10^23, which makes mmol/L commensurable with a count of cells; `eq` and `osm` as
    /// `mol`, which holds only for a charge of one and for what does not dissociate; both fields of view and the units of
    /// Hounsfield and of turbidity as numbers.
    static let countedApart: Set = ["mol", "eq", "osm", "[HPF]", "[LPF]", "[hnsf'U]", "[NTU]", "[FNU]"]

    /// Of these, the amounts of substance.
    static let amounts = ["mol", "eq", "osm"]

    private(set) var atoms: [String: Atom] = [:]
    private(set) var prefixes: [(code: String, factor: Ratio)] = []

    /// The units by their case-sensitive codes.
    static let standard = UCUMTable()

    /// Codes of the case-insensitive variant, with those of the case-sensitive one.
    private static let prefixNames = Self.names(Self.rows(UCUMTableData.prefixes))
    private static let unitNames = Self.names(Self.rows(UCUMTableData.bases) + Self.rows(UCUMTableData.units))

    private static func names(_ rows: [[String]]) -> [String: String] {
        // Two codes of one unit (`l` and `L`, `[iU]` and `[IU]`) are one there; the later is the usual.
        Dictionary(rows.map { ($0[1], $0[0]) }, uniquingKeysWith: { $1 })
    }

    /// The case-sensitive code of a unit in the case-insensitive variant, with its prefix.
    func caseSensitiveCode(_ code: String) -> String? {
        if let name = Self.unitNames[code] { return name }
        // No prefix of the variant is longer than three letters.
        for length in stride(from: min(3, code.utf8.count - 1), to: 0, by: -1) {
            guard let prefix = Self.prefixNames[String(code.prefix(length))],
                let unit = Self.unitNames[String(code.dropFirst(length))], self.atoms[unit]?.takesPrefixes == true
            else { continue }
            return prefix + unit
        }
        return nil
    }

    /// The unit `code`, or a prefix and a unit that takes prefixes.
    func atom(_ code: String) -> Atom? {
        if let atom = self.atoms[code] { return atom }
        for (prefix, factor) in self.prefixes where code.utf8.starts(with: prefix.utf8) {
            guard let atom = self.atoms[String(code.dropFirst(prefix.count))], atom.takesPrefixes else { continue }
            return Atom(
                dimension: atom.dimension,
                factor: atom.factor * factor,
                scale: atom.scale,
                takesPrefixes: false
            )
        }
        return nil
    }

    private static func rows(_ text: String) -> [[String]] {
        text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    private static func number(_ text: String) -> Ratio {
        guard let number = DecimalNumber(text) else { preconditionFailure("the table is generated and tested") }
        return number.ratio
    }

    private init() {
        for row in Self.rows(UCUMTableData.prefixes) { self.prefixes.append((row[0], Self.number(row[2]))) }
        // Longest first: `da` before `d`.
        self.prefixes.sort { ($1.code.utf8.count, $0.code) < ($0.code.utf8.count, $1.code) }
        for row in Self.rows(UCUMTableData.bases) {
            let dimension = UnitDimension(base: row[0])
            self.atoms[row[0]] = Atom(dimension: dimension, factor: .one, scale: .ratio, takesPrefixes: true)
        }
        var pending = Self.rows(UCUMTableData.units)
        // A definition may use a unit that comes after it.
        while !pending.isEmpty {
            let before = pending.count
            pending.removeAll { row in
                guard let atom = self.define(row) else { return false }
                self.atoms[row[0]] = atom
                return true
            }
            precondition(pending.count < before, "every definition of the table ends at base units")
        }
    }

    /// Returns `nil` if the definition uses a unit that is not defined yet.
    private func define(_ row: [String]) -> Atom? {
        let (code, flags) = (row[0], row[2])
        let takesPrefixes = flags.contains("m")
        if flags.contains("a"), row[4] == "1" {
            let dimension = UnitDimension(base: code)
            return Atom(dimension: dimension, factor: .one, scale: .ratio, takesPrefixes: takesPrefixes)
        }
        if Self.countedApart.contains(code) {
            let dimension = UnitDimension(base: code)
            return Atom(dimension: dimension, factor: .one, scale: .ratio, takesPrefixes: takesPrefixes)
        }
        guard let definition = try? UCUMParser.unit(row[4], table: self) else { return nil }
        let factor = Self.number(row[3]) * definition.factor
        guard row.count == 6 else {
            return Atom(dimension: definition.dimension, factor: factor, scale: .ratio, takesPrefixes: takesPrefixes)
        }
        guard let zero = Self.zeroPoints[row[5]] else {
            let dimension = UnitDimension(base: code)
            return Atom(dimension: dimension, factor: .one, scale: .logarithmic, takesPrefixes: takesPrefixes)
        }
        let offset = Self.number(zero)
        return Atom(
            dimension: definition.dimension,
            factor: factor,
            scale: .interval(offset: offset * factor),
            takesPrefixes: takesPrefixes
        )
    }

    /// By UCUM's name of the function, the distance from absolute zero in the unit's own degrees (UCUM table 12 and 4.2).
    private static let zeroPoints = ["Cel": "273.15", "degF": "459.67", "degRe": "218.52"]
}
