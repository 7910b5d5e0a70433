import Records

/// Reads values of results by the type that OBX-2 names.
struct HL7v2Values {
    let text: HL7v2Text

    /// A result's unit (OBX-6).
    struct Unit {
        var text: String?
        var system: String?
        var code: String?

        init() {}

        /// A unit without a system is text: it may be UCUM or anything else.
        init(_ field: HL7v2Field, _ reader: HL7v2Text) {
            guard !field.bytes.isEmpty else { return }
            let code = reader.string(field.component(1))
            self.text = reader.string(field.component(2)) ?? code
            guard field.hasComponents, let system = reader.string(field.component(3)) else { return }
            (self.system, self.code) = (HL7v2CodeSystem.uri(system), code)
        }

        func quantity(_ value: String?, _ comparator: Quantity.Comparator? = nil) -> Quantity {
            Quantity(comparator: comparator, value: value, unit: self.text, system: self.system, code: self.code)
        }
    }

    /// The value of one repetition of OBX-5; text as it is written where it is not of its type.
    ///
    /// - Returns: `nil` if there is none.
    /// - Throws: `badTime` for a time that does not exist.
    func value(_ field: HL7v2Field, type: String, unit: Unit, _ segment: HL7v2Segment) throws(HL7v2Fault) -> ItemValue?
    {
        if field.isEmpty { return nil }
        var value: ItemValue?
        switch type {
        case "NM": value = self.number(field, unit)
        case "SN": value = self.structuredNumber(field, unit)
        case "CE", "CWE", "CNE", "CF", "IS", "ID": value = self.text.concept(field).map { .coded($0) }
        case "DT", "TS", "DTM": value = try self.dateTime(field, segment)
        case "TM": value = try self.timeOfDay(field, segment)
        case "DR": value = try self.period(field, segment)
        case "NR": value = self.range(field, unit)
        case "RP": value = self.text.string(field.component(1)).map { .text($0) }
        default: break
        }
        return value ?? self.text.whole(field).map { .text($0) }
    }

    /// NM, and what analysers send for it beyond their range, such as `<0.01`.
    private func number(_ field: HL7v2Field, _ unit: Unit) -> ItemValue? {
        let (comparator, digits) = Self.comparison(HL7v2Text.trimmed(field.bytes))
        return Self.decimal(digits).map { .quantity(unit.quantity($0, comparator)) }
    }

    /// SN: `comparator^number^separator or suffix^number`.
    private func structuredNumber(_ field: HL7v2Field, _ unit: Unit) -> ItemValue? {
        let sign = HL7v2Text.trimmed(field.component(1))
        let first = Self.decimal(HL7v2Text.trimmed(field.component(2)))
        let separator = HL7v2Text.trimmed(field.component(3))
        let second = Self.decimal(HL7v2Text.trimmed(field.component(4)))
        var comparator: Quantity.Comparator?
        if !sign.isEmpty, !sign.elementsEqual("=".utf8) {
            comparator = Quantity.Comparator(rawValue: String(decoding: sign, as: UTF8.self))
            guard comparator != nil else { return nil }
        }
        guard let first else { return nil }
        if separator.isEmpty, field.component(4).isEmpty { return .quantity(unit.quantity(first, comparator)) }
        guard separator.count == 1, let kind = separator.first, let second else { return nil }
        switch kind {
        case UInt8(ascii: "-") where comparator == nil:
            return .range(low: unit.quantity(first), high: unit.quantity(second))
        case UInt8(ascii: ":") where comparator == nil, UInt8(ascii: "/") where comparator == nil:
            // A titre or a fraction: the unit is that of the whole.
            return .ratio(
                numerator: Unit().quantity(first),
                denominator: Unit().quantity(second)
            )
        case UInt8(ascii: "."):
            return Self.decimal(Array("\(first).\(second)".utf8)[...]).map { .quantity(unit.quantity($0, comparator)) }
        default: return nil
        }
    }

    private func dateTime(_ field: HL7v2Field, _ segment: HL7v2Segment) throws(HL7v2Fault) -> ItemValue? {
        let precision = field.component(2).count == 1 ? field.component(2).first : nil
        switch HL7v2Time.dateTime(HL7v2Text.trimmed(field.component(1)), precision: precision) {
        case .time(let time): return .dateTime(time)
        case .impossible: throw HL7v2Fault(.badTime, segment, field: 5)
        case .notATime: return nil
        }
    }

    private func timeOfDay(_ field: HL7v2Field, _ segment: HL7v2Segment) throws(HL7v2Fault) -> ItemValue? {
        let (text, isImpossible) = HL7v2Time.timeOfDay(HL7v2Text.trimmed(field.bytes))
        if isImpossible { throw HL7v2Fault(.badTime, segment, field: 5) }
        return text.map { .time($0) }
    }

    private func period(_ field: HL7v2Field, _ segment: HL7v2Segment) throws(HL7v2Fault) -> ItemValue? {
        var ends: [ClinicalTime?] = []
        for component in 1...2 {
            let bytes = HL7v2Text.trimmed(field.subcomponent(component, 1))
            guard !bytes.isEmpty else {
                ends.append(nil)
                continue
            }
            switch HL7v2Time.dateTime(bytes) {
            case .time(let time): ends.append(time)
            case .impossible: throw HL7v2Fault(.badTime, segment, field: 5)
            case .notATime: return nil
            }
        }
        return .period(start: ends[0], end: ends[1])
    }

    private func range(_ field: HL7v2Field, _ unit: Unit) -> ItemValue? {
        let low = Self.decimal(HL7v2Text.trimmed(field.component(1)))
        let high = Self.decimal(HL7v2Text.trimmed(field.component(2)))
        guard low != nil || high != nil, low != nil || field.component(1).isEmpty,
            high != nil || field.component(2).isEmpty
        else { return nil }
        return .range(low: low.map { unit.quantity($0) }, high: high.map { unit.quantity($0) })
    }

    // MARK: Reference ranges

    /// OBX-7: `low-high`, `<high`, `>low` and their like as numbers, always with the text.
    func referenceRange(_ field: HL7v2Field, unit: Unit) -> ReferenceRange? {
        guard let text = self.text.whole(field) else { return nil }
        var range = ReferenceRange(low: nil, high: nil, text: text, appliesTo: [])
        let bytes = HL7v2Text.trimmed(field.bytes)
        let (comparator, rest) = Self.comparison(bytes)
        if let comparator {
            guard let limit = Self.decimal(rest) else { return range }
            let quantity = unit.quantity(limit, comparator)
            switch comparator {
            case .less, .lessOrEqual: range.high = quantity
            case .greater, .greaterOrEqual: range.low = quantity
            }
            return range
        }
        // The first hyphen after the first digit: a lower limit may be negative.
        guard let digit = bytes.firstIndex(where: { JSONReader.isDigit($0) }) else { return range }
        guard let hyphen = bytes[digit...].firstIndex(of: UInt8(ascii: "-")) else { return range }
        // Two hyphens are a dash to some and a minus to others; so are limits in the wrong order no range.
        guard let low = Self.decimal(HL7v2Text.trimmed(bytes[..<hyphen])),
            let high = Self.decimal(HL7v2Text.trimmed(bytes[(hyphen + 1)...])), !high.hasPrefix("-"),
            Self.isOrdered(low, high)
        else { return range }
        (range.low, range.high) = (unit.quantity(low), unit.quantity(high))
        return range
    }

    // MARK: Numbers

    /// A comparator, in one of the forms that are in use, and what follows it.
    private static func comparison(_ bytes: ArraySlice<UInt8>) -> (Quantity.Comparator?, ArraySlice<UInt8>) {
        // Every sign is after the digits in ASCII, or beyond it.
        guard let first = bytes.first, first >= UInt8(ascii: "<") else { return (nil, bytes) }
        for (sign, comparator) in Self.comparators where bytes.starts(with: sign) {
            return (comparator, HL7v2Text.trimmed(bytes.dropFirst(sign.count)))
        }
        return (nil, bytes)
    }

    private static let comparators: [([UInt8], Quantity.Comparator)] = [
        (Array("<=".utf8), .lessOrEqual), (Array("≤".utf8), .lessOrEqual), (Array("＜".utf8), .less),
        (Array("<".utf8), .less), (Array(">=".utf8), .greaterOrEqual), (Array("≥".utf8), .greaterOrEqual),
        (Array("＞".utf8), .greater), (Array(">".utf8), .greater),
    ]

    /// Whether `low` is at most `high`, which is not negative.
    private static func isOrdered(_ low: String, _ high: String) -> Bool {
        if low.hasPrefix("-") { return true }
        func parts(_ text: String) -> (whole: String, fraction: String) {
            let halves = text.drop { $0 == "+" || $0 == "0" }.split(separator: ".", omittingEmptySubsequences: false)
            return (String(halves.first ?? ""), String(halves.dropFirst().first ?? ""))
        }
        let (left, right) = (parts(low), parts(high))
        if left.whole.utf8.count != right.whole.utf8.count { return left.whole.utf8.count < right.whole.utf8.count }
        if left.whole != right.whole { return left.whole < right.whole }
        // Digits of fractions compare like words, but for zeros at the end.
        return left.fraction <= right.fraction
            || left.fraction.dropFirst(right.fraction.utf8.count).allSatisfy { $0 == "0" }
                && left.fraction.hasPrefix(right.fraction)
    }

    /// A number exactly as written: a sign, digits and at most one point; `nil` for anything else.
    static func decimal(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.count <= 128 else { return nil }
        var (digits, points, isFirst) = (0, 0, true)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "."): points += 1
            case UInt8(ascii: "-") where isFirst, UInt8(ascii: "+") where isFirst: break
            default: return nil
            }
            isFirst = false
        }
        return digits > 0 && points <= 1 ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
