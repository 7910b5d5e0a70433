import Records

extension CDABuilder {
    /// Reads what was found: the first value into the item, further ones into components of it.
    mutating func readValues(of observation: XMLElement, into item: inout ExamItem) throws(CDAFault) {
        for (index, value) in observation.children("value").enumerated() {
            if index == 0 {
                try self.readValue(value, into: &item)
            } else {
                guard index < Self.valuesMax else { throw CDAFault(.tooManyItems, at: value) }
                var component = item
                (component.value, component.dataAbsentReason, component.components) = (nil, nil, [])
                try self.readValue(value, into: &component)
                item.components.append(component)
            }
        }
    }

    /// Turns what a negated observation (`negationInd`) says was not found into a text that nobody takes for a finding.
    ///
    /// Without a value, its code is what was not found.
    static func negate(_ item: inout ExamItem, _ observation: XMLElement) throws(CDAFault) {
        let name = "negationInd"
        guard try CDADocument.boolean(observation.attribute(name), at: observation, name) == true else { return }
        item.value = .text("\(name)=true" + (item.value.map { ": " + Self.label($0) } ?? ""))
        for index in item.components.indices {
            let value = item.components[index].value
            item.components[index].value = value.map { .text("\(name)=true: " + Self.label($0)) }
        }
    }

    private static func label(_ value: ItemValue) -> String {
        func text(_ quantity: Quantity?) -> String {
            guard let quantity else { return "" }
            return [(quantity.comparator?.rawValue ?? "") + (quantity.value ?? ""), quantity.unit ?? ""]
                .filter { !$0.isEmpty }.joined(separator: " ")
        }
        return switch value {
        case .quantity(let quantity): text(quantity)
        case .coded(let concept): concept.label ?? ""
        case .text(let text), .time(let text): text
        case .boolean(let flag): String(flag)
        case .integer(let number): String(number)
        case .range(let low, let high): text(low) + " - " + text(high)
        case .ratio(let numerator, let denominator): text(numerator) + " / " + text(denominator)
        case .sampledData(let data): text(data.origin)
        case .dateTime(let time): time.text
        case .period(let start, let end): (start?.text ?? "") + " - " + (end?.text ?? "")
        }
    }

    /// One observation with more values than this is a series, which has its own form.
    private static let valuesMax = 256

    private mutating func readValue(_ value: XMLElement, into item: inout ExamItem) throws(CDAFault) {
        guard let type = value.schemaType else {
            // Without a value there is no type to be wrong about.
            guard value.attribute("nullFlavor") != nil else { throw CDAFault(.valueTypeMissing, at: value) }
            item.dataAbsentReason = CDADocument.nullFlavor(value)
            return
        }
        guard let isReadable = Self.types[type] else { throw CDAFault(.unknownValueType, at: value) }
        if isReadable { item.value = try self.value(value, type: type) }
        guard item.value == nil else { return }
        item.dataAbsentReason = CDADocument.nullFlavor(value)
        // Where the value stays in the original, a reader learns that there is one.
        if item.dataAbsentReason == nil, !isReadable { item.dataAbsentReason = Self.absent("unsupported") }
        if item.dataAbsentReason == nil, self.isDangling(value) { item.dataAbsentReason = Self.absent("error") }
    }

    private static func absent(_ code: String) -> CodedConcept {
        CodedConcept(text: nil, codings: [Coding(system: CDAVocabulary.absentReasons, code: code, display: nil)])
    }

    /// Whether a value is a reference to no place in the narrative, or to one of several with the same ID.
    private func isDangling(_ value: XMLElement) -> Bool {
        guard let reference = value.child("reference")?.attribute("value"), reference.hasPrefix("#") else {
            return false
        }
        if case .found = self.document.target(of: reference.dropFirst()) { return false }
        return true
    }

    /// The data types of CDA R2 (schema `datatypes.xsd`), and whether an exam has a form for their values.
    private static let types: [String: Bool] = {
        let readable = [
            "PQ", "INT", "REAL", "IVL_PQ", "IVL_INT", "IVL_REAL", "RTO", "RTO_PQ_PQ", "RTO_QTY_QTY", "PPD_PQ",
            "SXCM_PQ",
            "CD", "CE", "CV", "CO", "CS", "SC", "ST", "ED", "BL", "BN", "TS", "IVL_TS", "PPD_TS", "SXCM_TS", "II",
            "PN", "ON", "EN", "TN",
        ]
        let others = [
            "ANY", "AD", "TEL", "URL", "BIN", "MO", "IVL_MO", "RTO_MO_PQ", "PIVL_TS", "EIVL_TS", "PIVL_PPD_TS",
            "EIVL_PPD_TS", "IVL_PPD_PQ", "IVL_PPD_TS", "SXCM_INT", "SXCM_REAL", "SXCM_MO", "SXCM_CD", "SXCM_PPD_PQ",
            "SXCM_PPD_TS", "SXPR_TS", "GLIST_TS", "GLIST_PQ", "SLIST_TS", "SLIST_PQ", "HXIT_CE", "HXIT_PQ", "BXIT_CD",
            "BXIT_IVL_PQ", "CR", "UVP_TS", "PQR", "thumbnail",
        ]
        return Dictionary(uniqueKeysWithValues: readable.map { ($0, true) } + others.map { ($0, false) })
    }()

    private mutating func value(_ value: XMLElement, type: String) throws(CDAFault) -> ItemValue? {
        switch type {
        case "PQ", "PPD_PQ", "SXCM_PQ", "REAL": return try CDADocument.quantity(value).map { .quantity($0) }
        case "INT":
            guard let text = try CDADocument.number(value) else { return nil }
            return Int32(text).map { .integer($0) } ?? .quantity(Self.plain(text))
        case "IVL_PQ", "IVL_INT", "IVL_REAL": return try Self.interval(value)
        case "RTO", "RTO_PQ_PQ", "RTO_QTY_QTY":
            let numerator = try CDADocument.quantity(value.child("numerator"))
            let denominator = try CDADocument.quantity(value.child("denominator"))
            return numerator == nil && denominator == nil
                ? nil : .ratio(numerator: numerator, denominator: denominator)
        case "CD", "CE", "CV", "CO", "CS", "SC":
            if type == "SC", let text = CDADocument.string(value) { return .text(text) }
            return try self.document.concept(value).map { .coded($0) }
        case "BL", "BN":
            return try CDADocument.boolean(value.attribute("value"), at: value, "value").map { .boolean($0) }
        case "TS", "PPD_TS", "SXCM_TS": return try CDADocument.time(value).map { .dateTime($0) }
        case "IVL_TS":
            switch try CDADocument.period(value) {
            case .time(let time): return .dateTime(time)
            case .period(let start, let end): return .period(start: start, end: end)
            case nil: return nil
            }
        case "II": return try CDADocument.identifier(value).map { .text($0.value) }
        case "PN", "EN": return CDADocument.personName(value)?.label.map { .text($0) }
        case "ON", "TN": return CDADocument.plain(value).map { .text($0) }
        case "ED": return try self.encapsulated(value)
        default: return CDADocument.string(value).map { .text($0) }
        }
    }

    private static func plain(_ value: String) -> Quantity {
        Quantity(comparator: nil, value: value, unit: nil, system: nil, code: nil)
    }

    /// An interval (IVL_PQ): with one bound, a comparison; bounds are part of it unless `inclusive` is false.
    private static func interval(_ value: XMLElement) throws(CDAFault) -> ItemValue? {
        if let single = try CDADocument.quantity(value) { return .quantity(single) }
        let (low, high) = (value.child("low"), value.child("high"))
        let lowest = try CDADocument.bound(low, inclusive: nil, exclusive: .greater)
        let highest = try CDADocument.bound(high, inclusive: nil, exclusive: .less)
        switch (lowest, highest) {
        case (nil, nil): return try CDADocument.quantity(value.child("center")).map { .quantity($0) }
        // A bound that is stated to be unknown still is a bound: only its absence makes the other one a comparison.
        case (.some, nil) where Self.isBound(high), (nil, .some) where Self.isBound(low):
            return .range(low: lowest, high: highest)
        case (.some, nil):
            return try CDADocument.bound(low, inclusive: .greaterOrEqual, exclusive: .greater).map { .quantity($0) }
        case (nil, .some):
            return try CDADocument.bound(high, inclusive: .lessOrEqual, exclusive: .less).map { .quantity($0) }
        case (.some, .some): return .range(low: lowest, high: highest)
        }
    }

    /// Whether an end of an interval is given but for its number; positive and negative infinity are no bound.
    private static func isBound(_ element: XMLElement?) -> Bool {
        guard let flavor = element?.attribute("nullFlavor") else { return false }
        return !["PINF", "NINF", "NA"].contains(flavor)
    }

    /// Text or data (ED): a reference into the narrative is its text there; data and addresses are rendered forms.
    private mutating func encapsulated(_ value: XMLElement) throws(CDAFault) -> ItemValue? {
        if let reference = value.child("reference")?.attribute("value") {
            guard reference.hasPrefix("#") else {
                try self.addForm(value, at: value)
                return nil
            }
            // Of two places with one ID either may be meant: neither is taken.
            guard case .found(let target) = self.document.target(of: reference.dropFirst()) else { return nil }
            return self.document.referenced(target).map { .text($0) }
        }
        guard value.attribute("representation") != "B64" else {
            try self.addForm(value, at: value)
            return nil
        }
        return CDADocument.string(value).map { .text($0) }
    }
}

extension CDADocument {
    /// An end of an interval; a comparator says whether it is part of it, where the caller has one for that.
    static func bound(
        _ element: XMLElement?,
        inclusive: Quantity.Comparator?,
        exclusive: Quantity.Comparator
    ) throws(CDAFault) -> Quantity? {
        guard let element, var quantity = try self.quantity(element) else { return nil }
        let isInclusive = try self.boolean(element.attribute("inclusive"), at: element, "inclusive") ?? true
        quantity.comparator = isInclusive ? inclusive : exclusive
        return quantity
    }
}
