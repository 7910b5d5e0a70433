import Records

/// Reads the data types of HL7 version 3, release 1, that CDA uses.
extension CDADocument {
    /// A root and an extension together name what HL7 calls an instance.
    private static let identifierBytesMax = 1024
    private static let numberBytesMax = 128

    // MARK: Identifiers

    /// An instance identifier (II): system and extension, or the root alone; `nil` if it has a null flavor or names
    /// nothing.
    static func identifier(_ element: XMLElement) throws(CDAFault) -> SourceIdentifier? {
        guard element.attribute("nullFlavor") == nil else { return nil }
        let root = element.attribute("root")
        let number = element.attribute("extension")
        for (name, text) in [("root", root), ("extension", number)] {
            guard let text else { continue }
            let isWritable = text.utf8.allSatisfy { $0 > 0x20 || (name == "extension" && $0 == 0x20) }
            guard isWritable, text.utf8.count <= Self.identifierBytesMax else {
                throw CDAFault(.badID, at: element, name)
            }
        }
        switch (root, number) {
        case (let root?, let number?): return SourceIdentifier(system: CDAVocabulary.uri(root), value: number)
        case (let root?, nil):
            return SourceIdentifier(system: "urn:ietf:rfc:3986", value: CDAVocabulary.uri(root))
        case (nil, let number?): return SourceIdentifier(system: nil, value: number)
        case (nil, nil): return nil
        }
    }

    /// The identifiers among the children of an element.
    static func identifiers(in parent: XMLElement?) throws(CDAFault) -> [SourceIdentifier] {
        var identifiers: [SourceIdentifier] = []
        for element in parent?.children("id") ?? [] {
            if let identifier = try Self.identifier(element) { identifiers.append(identifier) }
        }
        return identifiers
    }

    // MARK: Codes

    /// A coded value with its translations (CD, CE, CV, CS); `nil` if it has neither code nor text.
    func concept(_ element: XMLElement?) throws(CDAFault) -> CodedConcept? {
        guard let element else { return nil }
        var codings: [Coding] = []
        if let coding = Self.coding(element) { codings.append(coding) }
        for translation in element.children("translation") {
            if let coding = Self.coding(translation) { codings.append(coding) }
        }
        let text = element.child("originalText").flatMap(self.text)
        return text == nil && codings.isEmpty ? nil : CodedConcept(text: text, codings: codings)
    }

    func concepts(_ elements: [XMLElement]) throws(CDAFault) -> [CodedConcept] {
        var concepts: [CodedConcept] = []
        for element in elements {
            if let concept = try self.concept(element) { concepts.append(concept) }
        }
        return concepts
    }

    static func coding(_ element: XMLElement) -> Coding? {
        let code = element.attribute("code")
        let display = element.attribute("displayName")
        guard code != nil || display != nil else { return nil }
        return Coding(
            system: element.attribute("codeSystem").map(CDAVocabulary.system),
            code: code,
            display: display
        )
    }

    /// Why there is no value.
    static func nullFlavor(_ element: XMLElement) -> CodedConcept? {
        element.attribute("nullFlavor").map { flavor in
            CodedConcept(text: nil, codings: [Coding(system: CDAVocabulary.nullFlavors, code: flavor, display: nil)])
        }
    }

    // MARK: Numbers

    /// A physical quantity (PQ), a number (INT, REAL) or a bound of an interval; `nil` if there is no number.
    ///
    /// Where the unit has no code, the number stands in a translation with the unit's text.
    static func quantity(_ element: XMLElement?) throws(CDAFault) -> Quantity? {
        guard let element else { return nil }
        guard let value = try Self.number(element) else {
            for translation in element.children("translation") {
                guard let value = try Self.number(translation) else { continue }
                let text = translation.child("originalText").flatMap(Self.plain)
                let unit = text ?? translation.attribute("displayName") ?? translation.attribute("code")
                return Quantity(comparator: nil, value: value, unit: unit, system: nil, code: nil)
            }
            return nil
        }
        var quantity = Quantity(comparator: nil, value: value, unit: nil, system: nil, code: nil)
        quantity.unit = element.attribute("unit")
        // PQ.unit is a UCUM code; what cannot be one is kept as a text.
        if let unit = quantity.unit, unit.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
            quantity.system = CDAVocabulary.ucum
            quantity.code = unit
        }
        return quantity
    }

    /// The digits of `value`, exactly as written.
    static func number(_ element: XMLElement) throws(CDAFault) -> String? {
        guard let text = element.attribute("value") else { return nil }
        guard Self.isNumber(text) else { throw CDAFault(.badNumber, at: element) }
        return text
    }

    /// A decimal number of XML Schema, with or without an exponent.
    static func isNumber(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        guard rest.count <= Self.numberBytesMax else { return false }
        func dropSign() { if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() } }
        func dropDigits() -> Int {
            let digits = rest.prefix(while: CDATime.isDigit).count
            rest = rest.dropFirst(digits)
            return digits
        }
        dropSign()
        var digits = dropDigits()
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            digits += dropDigits()
        }
        guard digits > 0 else { return false }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest.removeFirst()
            dropSign()
            guard dropDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    static func boolean(_ text: String?, at element: XMLElement, _ name: String) throws(CDAFault) -> Bool? {
        switch text {
        case nil: return nil
        case "true", "1": return true
        case "false", "0": return false
        default: throw CDAFault(.badBoolean, at: element, name)
        }
    }

    // MARK: Times

    /// A point in time (TS); `nil` if it has none.
    static func time(_ element: XMLElement?) throws(CDAFault) -> ClinicalTime? {
        guard let element, let text = element.attribute("value") else { return nil }
        guard let time = CDATime.read(text) else { throw CDAFault(.badTime, at: element) }
        return time
    }

    /// A point or an interval in time (TS, IVL_TS); `nil` if it has neither.
    static func period(_ element: XMLElement?) throws(CDAFault) -> ClinicalPeriod? {
        guard let element else { return nil }
        if let time = try Self.time(element) { return .time(time) }
        let start = try Self.time(element.child("low"))
        let end = try Self.time(element.child("high"))
        if start != nil || end != nil { return .period(start: start, end: end) }
        return try Self.time(element.child("center")).map { .time($0) }
    }

    // MARK: Names

    /// A person's name (PN): the parts, or the text where it has none; `nil` if it has neither.
    static func personName(_ element: XMLElement) -> PersonName? {
        guard element.attribute("nullFlavor") == nil else { return nil }
        let families = element.children("family").compactMap(Self.plain)
        let given = element.children("given").compactMap(Self.plain)
        if families.isEmpty, given.isEmpty {
            return Self.plain(element).map { PersonName(text: $0, family: nil, given: []) }
        }
        return PersonName(
            text: nil,
            family: families.isEmpty ? nil : families.joined(separator: " "),
            given: given
        )
    }

    /// The name that a person is known by: a legal one, else the first that is not only for searching or an alias.
    static func personName(among elements: [XMLElement]) -> PersonName? {
        var best: (rank: Int, name: PersonName)?
        for element in elements {
            let uses = element.attribute("use")?.split(separator: " ") ?? []
            let isOther = uses.contains { ["SRCH", "PHON", "SNDX", "A", "P", "I", "R"].contains($0) }
            let rank = uses.contains("L") || uses.contains("C") ? 2 : isOther ? 0 : 1
            guard rank > best?.rank ?? -1, let name = Self.personName(element) else { continue }
            best = (rank, name)
        }
        return best?.name
    }
}
