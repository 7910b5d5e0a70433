import Records

extension ExamBuilder {
    /// Adds the observation that `reference` names, and those that it groups, to the items.
    mutating func addResult(
        _ reference: FHIRReference,
        from owner: Int,
        root: Int,
        level: Int,
        _ key: JSONKey
    ) throws(FHIRFault) {
        guard let target = try self.follow(reference, from: owner, key) else {
            // A business identifier or a text says only that there is more; nothing can be missing from the input.
            guard let literal = reference.literal else { return }
            if key.name == FHIRKey.hasMember.name, let name = ResourceGraph.key(of: literal),
                !name.hasPrefix(ResourceType.observation.rawValue + "/")
            {
                return  // A questionnaire's answers or a gene sequence: no result that is read.
            }
            // Never a report with a gap: a reader would take it for the whole.
            throw FHIRFault(.resultUnresolved, at: reference.value, key.name)
        }
        guard Self.type(of: target.value) == .observation else {
            throw FHIRFault(.referenceType, at: reference.value, key.name)
        }
        try self.addItem(target, root: root, level: level)
    }

    mutating func addItem(_ target: ResourceGraph.Target, root: Int, level: Int) throws(FHIRFault) {
        // Each once: rings end here, and a result that two groups share is shown under the first.
        guard self.itemOffsets.insert(target.value.offset).inserted else { return }
        guard level < Self.levelsMax, self.items.count < Self.itemsMax else {
            throw FHIRFault(.tooManyItems, at: target.value, FHIRKey.hasMember.name)
        }
        let value = target.value
        try self.checkSubject(of: value, owner: target.owner, root: root)
        let effective = try value.clinicalPeriod(FHIRKey.effective)
        let status = try Self.status(value, allowed: Self.observationStatuses)
        var item = try Self.item(value, status: status, effective: effective, level: level)
        item.bodySite = try value.concept(FHIRKey.bodySite)
        item.method = try value.concept(FHIRKey.method)
        if let reference = try value.reference(FHIRKey.specimen) {
            item.specimen = try self.specimen(reference, from: target.owner)
        }
        if let reference = try value.reference(FHIRKey.device) {
            item.device = try self.device(reference, from: target.owner)
        }
        item.notes = try value.notes(FHIRKey.note)
        for component in try value.objects(FHIRKey.component) {
            if let rule = component.present(FHIRKey.modifierExtension) {
                throw FHIRFault(.modifierExtension, at: rule, FHIRKey.modifierExtension.name)
            }
            item.components.append(try Self.item(component, status: status, effective: effective, level: level))
        }
        self.items.append(item)
        self.itemCategories += try value.concepts(FHIRKey.category)
        for reference in try value.references(FHIRKey.hasMember) {
            try self.addResult(reference, from: target.owner, root: root, level: level + 1, FHIRKey.hasMember)
        }
    }

    /// What an observation and a component of one have in common.
    private static func item(
        _ value: JSONValue,
        status: ExamStatus,
        effective: ClinicalPeriod?,
        level: Int
    ) throws(FHIRFault) -> ExamItem {
        let code = try Self.requiredCode(value)
        var item = ExamItem(code: code, status: status, effective: effective, level: level)
        item.value = try value.itemValue()
        item.dataAbsentReason = try value.concept(FHIRKey.dataAbsentReason)
        item.interpretations = try value.concepts(FHIRKey.interpretation)
        for range in try value.objects(FHIRKey.referenceRange) {
            item.referenceRanges.append(
                ReferenceRange(
                    low: try range.quantity(FHIRKey.low),
                    high: try range.quantity(FHIRKey.high),
                    text: try range.text(FHIRKey.text),
                    appliesTo: try range.concepts(FHIRKey.appliesTo)
                )
            )
        }
        return item
    }
}

extension JSONValue {
    /// `value[x]` of an Observation or of its components.
    func itemValue() throws(FHIRFault) -> ItemValue? {
        guard let (type, value) = try self.choice(FHIRKey.value) else { return nil }
        switch type {
        case "String": return .text(try value.asText(FHIRKey.value))
        case "Boolean": return .boolean(try value.asBoolean(FHIRKey.value))
        case "Integer": return .integer(try value.asInteger(FHIRKey.value))
        case "Time": return .time(try value.asTimeOfDay(FHIRKey.value))
        case "DateTime": return .dateTime(try value.asDateTime(FHIRKey.value))
        default: break
        }
        guard value.kind == .object else { throw FHIRFault(.badStructure, at: value, FHIRKey.value.name) }
        switch type {
        case "Quantity": return .quantity(try value.asQuantity())
        case "CodeableConcept": return .coded(try value.asConcept())
        case "Range": return .range(low: try value.quantity(FHIRKey.low), high: try value.quantity(FHIRKey.high))
        case "Ratio":
            return .ratio(
                numerator: try value.quantity(FHIRKey.numerator),
                denominator: try value.quantity(FHIRKey.denominator)
            )
        case "SampledData": return .sampledData(try value.asSampledData())
        case "Period":
            let (start, end) = try value.asPeriod()
            return .period(start: start, end: end)
        default: throw FHIRFault(.unknownValueType, at: value, FHIRKey.value.name)
        }
    }

    private func asSampledData() throws(FHIRFault) -> SampledData {
        guard let origin = try self.quantity(FHIRKey.origin), let period = try self.decimal(FHIRKey.period),
            let dimensions = try self.positiveInteger(FHIRKey.dimensions)
        else { throw FHIRFault(.elementMissing, at: self, FHIRKey.origin.name) }
        return SampledData(origin: origin, period: period, dimensions: dimensions)
    }
}
