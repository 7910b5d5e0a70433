import Records

/// Reads the general datatypes of FHIR R4.
extension JSONValue {
    func concept(_ key: JSONKey) throws(FHIRFault) -> CodedConcept? {
        guard let value = try self.object(key) else { return nil }
        return try value.asConcept()
    }

    func concepts(_ key: JSONKey) throws(FHIRFault) -> [CodedConcept] {
        var concepts: [CodedConcept] = []
        for value in try self.objects(key) { concepts.append(try value.asConcept()) }
        return concepts
    }

    func asConcept() throws(FHIRFault) -> CodedConcept {
        var codings: [Coding] = []
        for value in try self.objects(FHIRKey.coding) { codings.append(try value.asCoding()) }
        return CodedConcept(text: try self.text(FHIRKey.text), codings: codings)
    }

    func coding(_ key: JSONKey) throws(FHIRFault) -> Coding? {
        guard let value = try self.object(key) else { return nil }
        return try value.asCoding()
    }

    func asCoding() throws(FHIRFault) -> Coding {
        Coding(
            system: try self.uri(FHIRKey.system),
            code: try self.code(FHIRKey.code),
            display: try self.text(FHIRKey.display)
        )
    }

    /// The identifiers of a member that is an array; one without a value identifies nothing and is left out.
    func identifiers(_ key: JSONKey) throws(FHIRFault) -> [SourceIdentifier] {
        var identifiers: [SourceIdentifier] = []
        for value in try self.objects(key) {
            if let identifier = try value.asIdentifier() { identifiers.append(identifier) }
        }
        return identifiers
    }

    func asIdentifier() throws(FHIRFault) -> SourceIdentifier? {
        let system = try self.uri(FHIRKey.system)
        let type = try self.concept(FHIRKey.type)
        guard let value = try self.text(FHIRKey.value) else { return nil }
        return SourceIdentifier(system: system, value: value, type: type)
    }

    func quantity(_ key: JSONKey) throws(FHIRFault) -> Quantity? {
        guard let value = try self.object(key) else { return nil }
        return try value.asQuantity()
    }

    func asQuantity() throws(FHIRFault) -> Quantity {
        var comparator: Quantity.Comparator?
        if let code = try self.code(FHIRKey.comparator) {
            comparator = Quantity.Comparator(rawValue: code)
            guard comparator != nil else { throw FHIRFault(.badCode, at: self, FHIRKey.comparator.name) }
        }
        return Quantity(
            comparator: comparator,
            value: try self.decimal(FHIRKey.value),
            unit: try self.text(FHIRKey.unit),
            system: try self.uri(FHIRKey.system),
            code: try self.code(FHIRKey.code)
        )
    }

    func asPeriod() throws(FHIRFault) -> (start: ClinicalTime?, end: ClinicalTime?) {
        (try self.dateTime(FHIRKey.start), try self.dateTime(FHIRKey.end))
    }

    /// An `effective[x]` or `collected[x]`; a timing schedule is no point in time and gives `nil`.
    func clinicalPeriod(_ prefix: JSONKey) throws(FHIRFault) -> ClinicalPeriod? {
        guard let (type, value) = try self.choice(prefix) else { return nil }
        switch type {
        case "DateTime": return .time(try value.asDateTime(prefix))
        case "Instant": return .time(try value.asInstant(prefix))
        case "Period":
            guard value.kind == .object else { throw FHIRFault(.badStructure, at: value, prefix.name) }
            let (start, end) = try value.asPeriod()
            return start == nil && end == nil ? nil : .period(start: start, end: end)
        default: return nil
        }
    }

    /// Text of each annotation.
    func notes(_ key: JSONKey) throws(FHIRFault) -> [String] {
        var notes: [String] = []
        for value in try self.objects(key) {
            if let text = try value.text(FHIRKey.text) { notes.append(text) }
        }
        return notes
    }

    func reference(_ key: JSONKey) throws(FHIRFault) -> FHIRReference? {
        guard let value = try self.object(key) else { return nil }
        return try FHIRReference(value)
    }

    func references(_ key: JSONKey) throws(FHIRFault) -> [FHIRReference] {
        var references: [FHIRReference] = []
        for value in try self.objects(key) { references.append(try FHIRReference(value)) }
        return references
    }
}

/// A reference from one resource to another, literal or by business identifier.
struct FHIRReference {
    let value: JSONValue
    /// URL, `Type/id`, `urn:uuid:…` or `#id`.
    let literal: String?
    let identifier: SourceIdentifier?
    let display: String?

    init(_ value: JSONValue) throws(FHIRFault) {
        self.value = value
        self.literal = try value.text(FHIRKey.reference)
        self.identifier = try value.object(FHIRKey.identifier)?.asIdentifier()
        self.display = try value.text(FHIRKey.display)
    }
}
