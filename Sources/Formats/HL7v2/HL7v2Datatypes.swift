import Records

/// Reads the general datatypes of HL7 version 2.
extension HL7v2Text {
    /// CE, CWE, CNE, CF and the early CM of the same shape: up to three codes and the source's own text.
    ///
    /// A field without components is a code of no named system, as in IS and ID.
    func concept(_ field: HL7v2Field) -> CodedConcept? {
        if field.bytes.isEmpty { return nil }
        guard field.hasComponents else {
            return self.string(field.subcomponent(1, 1)).map {
                CodedConcept(text: nil, codings: [Coding(system: nil, code: $0, display: nil)])
            }
        }
        let components = field.components(max: 20)
        func component(_ number: Int) -> String? {
            number <= components.count ? self.string(components[number - 1]) : nil
        }
        var codings: [Coding] = []
        var text: String?
        for (first, oid) in [(1, 14), (4, 17), (10, 20)] where first <= components.count {
            // A code of early versions may have a suffix as its second subcomponent.
            let hasSuffix = components[first - 1].contains(self.delimiters.subcomponent)
            let value = hasSuffix ? self.string(field.subcomponent(first, 1)) : component(first)
            let display = component(first + 1)
            guard let value else {
                text = text ?? display
                continue
            }
            let uri = component(oid) ?? component(first + 2)
            codings.append(Coding(system: uri.map(HL7v2CodeSystem.uri), code: value, display: display))
        }
        text = component(9) ?? text
        return codings.isEmpty && text == nil ? nil : CodedConcept(text: text, codings: codings)
    }

    /// HD (`namespace^universal ID^type`), beginning at a component; a local name is one of `facility`.
    func namespace(_ field: HL7v2Field, at component: Int, facility: String) -> String? {
        self.namespace(
            local: self.string(field.component(component)),
            universal: self.string(field.component(component + 1)),
            type: self.string(field.component(component + 2)),
            facility: facility
        )
    }

    func namespace(local: String?, universal: String?, type: String?, facility: String) -> String? {
        if let uri = HL7v2Namespace.universal(universal, type: type) { return uri }
        return (local ?? universal).map { "\(HL7v2Namespace.localPrefix)\(facility)/\($0)" }
    }

    /// EI (`identifier^namespace^universal ID^type`).
    func entity(_ field: HL7v2Field, facility: String) -> SourceIdentifier? {
        guard let value = self.string(field.component(1)) else { return nil }
        return SourceIdentifier(system: self.namespace(field, at: 2, facility: facility), value: value)
    }

    /// A time in a field's first component, with the precision of a TS in its second.
    ///
    /// - Returns: `nil` if there is none.
    func time(_ segment: HL7v2Segment, _ number: Int) throws(HL7v2Fault) -> ClinicalTime? {
        try self.time(segment.field(number).firstRepetition, 1, segment, number)
    }

    func time(
        _ field: HL7v2Field,
        _ component: Int,
        _ segment: HL7v2Segment,
        _ number: Int
    ) throws(HL7v2Fault) -> ClinicalTime? {
        // A DR of version 2.3 to 2.6 has its ends in components, each a TS with subcomponents.
        let bytes = Self.trimmed(field.subcomponent(component, 1))
        guard !bytes.isEmpty, !bytes.elementsEqual([0x22, 0x22]) else { return nil }
        let isAlone = component == 1 && field.component(3).isEmpty
        let precision = isAlone && field.component(2).count == 1 ? field.component(2).first : nil
        guard case .time(let time) = HL7v2Time.dateTime(bytes, precision: precision) else {
            throw HL7v2Fault(.badTime, segment, field: number)
        }
        return time
    }

    /// DR (`start^end`).
    func period(_ segment: HL7v2Segment, _ number: Int) throws(HL7v2Fault) -> ClinicalPeriod? {
        let field = segment.field(number).firstRepetition
        let start = try self.time(field, 1, segment, number)
        let end = try self.time(field, 2, segment, number)
        return Self.period(start, end)
    }

    /// One time where both ends are the same.
    static func period(_ start: ClinicalTime?, _ end: ClinicalTime?) -> ClinicalPeriod? {
        guard let end else { return start.map { .time($0) } }
        return start == end ? .time(end) : .period(start: start, end: end)
    }

    /// The name and number of a person (XCN, CNN and the early CN): `id^family^given^second^suffix^prefix`.
    func performer(person field: HL7v2Field, facility: String) -> ExamPerformer? {
        let family = self.string(field.subcomponent(2, 1))
        let given = [3, 4].compactMap { self.string(field.subcomponent($0, 1)) }
        let name = PersonName(text: nil, family: family, given: given)
        var identifiers: [SourceIdentifier] = []
        if let id = self.string(field.subcomponent(1, 1)) {
            let authority = field.nested(9)
            identifiers = [SourceIdentifier(system: self.namespace(authority, at: 1, facility: facility), value: id)]
        }
        return name.label == nil && identifiers.isEmpty
            ? nil : ExamPerformer(display: name.label, identifiers: identifiers)
    }

    /// The name and number of an organization (XON, `name^…^…^id` and since 2.5 the id as tenth component).
    func performer(organization field: HL7v2Field, facility: String) -> ExamPerformer? {
        let name = self.string(field.component(1))
        var identifiers: [SourceIdentifier] = []
        if let id = self.string(field.component(10)) ?? self.string(field.component(3)) {
            let authority = field.nested(6)
            identifiers = [SourceIdentifier(system: self.namespace(authority, at: 1, facility: facility), value: id)]
        }
        return name == nil && identifiers.isEmpty ? nil : ExamPerformer(display: name, identifiers: identifiers)
    }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (start, end) = (bytes.startIndex, bytes.endIndex)
        while start < end, bytes[end - 1] == 0x20 { end -= 1 }
        while start < end, bytes[start] == 0x20 { start += 1 }
        return bytes[start..<end]
    }
}
