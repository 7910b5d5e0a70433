import Records

extension CSVExamAssembly {
    /// One result of a row; `nil` if it was not measured.
    func item(
        _ result: [CSVResultField: CSVField],
        _ cells: CSVCells,
        _ element: Int,
        _ specimen: ExamSpecimen?,
        _ collected: ClinicalTime?
    ) throws(CSVFault) -> ExamItem? {
        let table = self.table
        let status = try table.status(result, cells, element)
        let unit = try table.text(result[.unit], cells, element)
        let value = try self.value(result, cells, element, unit)
        guard value != nil || CSVTerms.withoutValue.contains(status),
            let code = try self.concept(result[.name], result[.code], cells, element)
        else { return nil }
        var item = ExamItem(code: code, status: status, effective: collected.map(ClinicalPeriod.time), level: 0)
        item.value = value
        item.specimen = specimen
        if let flag = try table.text(result[.flag], cells, element) { item.interpretations = [Self.flag(flag)] }
        if let range = try self.range(result, cells, element, unit) { item.referenceRanges = [range] }
        if let comment = try table.text(result[.comment], cells, element) { item.notes = [comment] }
        item.method = try table.text(result[.method], cells, element).map { CodedConcept(text: $0, codings: []) }
        item.device = try table.text(result[.device], cells, element)
        return item
    }

    private static func flag(_ text: String) -> CodedConcept {
        let coding = CSVTerms.flags[text].map { Coding(system: CSVTerms.flagSystem, code: $0, display: nil) }
        return CodedConcept(text: text, codings: coding.map { [$0] } ?? [])
    }

    /// A code if there is one, a quantity if the text is a number, else the text with its unit.
    private func value(
        _ result: [CSVResultField: CSVField],
        _ cells: CSVCells,
        _ element: Int,
        _ unit: String?
    ) throws(CSVFault) -> ItemValue? {
        let text = try self.table.text(result[.value], cells, element)
        if let field = result[.valueCode], let code = try self.table.text(field, cells, element) {
            return .coded(
                CodedConcept(text: text, codings: [Coding(system: field.system, code: code, display: nil)])
            )
        }
        guard let text else { return nil }
        if let quantity = self.quantity(text, unit, system: result[.unit]?.system) { return .quantity(quantity) }
        return .text(unit.map { "\(text) \($0)" } ?? text)
    }

    private func range(
        _ result: [CSVResultField: CSVField],
        _ cells: CSVCells,
        _ element: Int,
        _ unit: String?
    ) throws(CSVFault) -> ReferenceRange? {
        let system = result[.unit]?.system
        var text = try self.table.text(result[.range], cells, element)
        let lowText = try self.table.text(result[.low], cells, element)
        let highText = try self.table.text(result[.high], cells, element)
        var low = lowText.flatMap { self.limit($0, unit, system) }
        var high = highText.flatMap { self.limit($0, unit, system) }
        if lowText == nil, highText == nil, let text, let bounds = Self.bounds(text) {
            low = self.limit(bounds.low, unit, system)
            high = self.limit(bounds.high, unit, system)
        }
        // A limit that is no number, such as `<5`, is shown as it is written.
        let words = [low == nil ? lowText : nil, high == nil ? highText : nil].compactMap { $0 }
        if !words.isEmpty { text = ([text].compactMap { $0 } + words).joined(separator: "; ") }
        guard low != nil || high != nil || text != nil else { return nil }
        return ReferenceRange(low: low, high: high, text: text, appliesTo: [])
    }

    private func limit(_ text: String, _ unit: String?, _ system: String?) -> Quantity? {
        self.quantity(text, unit, system: system).flatMap { $0.comparator == nil ? $0 : nil }
    }

    /// A number with a sign of comparison before it or none; its digits stay as they are written.
    private func quantity(_ text: String, _ unit: String?, system: String?) -> Quantity? {
        var rest = text.utf8[...]
        var comparator: Quantity.Comparator?
        for (sign, meaning) in Self.comparators where rest.starts(with: sign) {
            comparator = meaning
            rest = rest.dropFirst(sign.count).drop { $0 == 0x20 }
            break
        }
        var digits = Array(rest)
        if self.table.mapping.decimalMark == .comma {
            guard !digits.contains(UInt8(ascii: ".")) else { return nil }
            if let comma = digits.firstIndex(of: UInt8(ascii: ",")) { digits[comma] = UInt8(ascii: ".") }
        }
        guard CSVText.isNumber(digits) else { return nil }
        return Quantity(
            comparator: comparator,
            value: String(decoding: digits, as: UTF8.self),
            unit: unit,
            system: unit == nil ? nil : system,
            code: system == nil ? nil : unit
        )
    }

    /// Longer signs first.
    private static let comparators: [([UInt8], Quantity.Comparator)] = [
        (Array("<=".utf8), .lessOrEqual), (Array(">=".utf8), .greaterOrEqual), (Array("≤".utf8), .lessOrEqual),
        (Array("≥".utf8), .greaterOrEqual), (Array("<".utf8), .less), (Array(">".utf8), .greater),
        (Array("＜".utf8), .less), (Array("＞".utf8), .greater),
    ]

    /// The two numbers of `3.5-5.5`; of a text with signs or words, none.
    private static func bounds(_ text: String) -> (low: String, high: String)? {
        let isDigit: (Unicode.Scalar) -> Bool = { ("0"..."9").contains($0) || $0 == "." || $0 == "," }
        let scalars = text.unicodeScalars
        let low = scalars.prefix(while: isDigit)
        let high = scalars.reversed().prefix(while: isDigit)
        guard !low.isEmpty, low.count + high.count < scalars.count else { return nil }
        let between = String(String.UnicodeScalarView(scalars.dropFirst(low.count).dropLast(high.count)))
        guard Self.separators.contains(CSVText.trimmed(between)) else { return nil }
        return (String(low), String(String.UnicodeScalarView(high.reversed())))
    }

    private static let separators: Set<String> = ["-", "--", "~", "～", "–", "—", "－", "至"]
}
