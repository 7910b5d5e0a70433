import Records

extension CDABuilder {
    /// Adds an observation that is a result, and those inside it.
    mutating func addObservation(_ observation: XMLElement, _ context: Context) throws(CDAFault) {
        guard observation.attribute("nullFlavor") == nil else { return }
        guard let mood = observation.attribute("moodCode") else {
            throw CDAFault(.elementMissing, at: observation, "moodCode")
        }
        // Orders, goals and predictions are no results, nor is what serves them.
        guard mood == "EVN" else { return }
        // Images, their regions and the criteria of rules are observations of other classes.
        guard ["OBS", nil].contains(observation.attribute("classCode")) else { return }
        try self.checkSubject(observation)
        if try self.addChineseStatement(observation) { return }
        guard let code = try self.document.concept(observation.child("code")) else {
            // Neither a name nor a value says that there is nothing to say.
            guard observation.children("value").allSatisfy({ $0.attribute("nullFlavor") != nil }) else {
                throw CDAFault(.codeMissing, at: observation, "code")
            }
            return try self.readEntries(Self.inner(observation), context)
        }
        var inner = context
        inner.sort = context.sort ?? .studies
        if context.sort == nil { self.sorts.insert(.studies) }
        inner.status = try Self.status(observation) ?? context.status
        inner.effective = try CDADocument.period(observation.child("effectiveTime")) ?? context.effective
        inner.specimen = try self.specimen(of: observation) ?? context.specimen
        var item = self.item(code, inner)
        try self.readValues(of: observation, into: &item)
        try Self.negate(&item, observation)
        item.interpretations = try self.document.concepts(observation.children("interpretationCode"))
        for range in observation.children("referenceRange").compactMap({ $0.child("observationRange") }) {
            if let range = try self.referenceRange(range) { item.referenceRanges.append(range) }
        }
        item.bodySite = try self.document.concept(observation.child("targetSiteCode"))
        item.method = try self.document.concept(observation.child("methodCode"))
        item.device = Self.device(of: observation)
        item.notes = self.notes(of: observation, hasValue: item.value != nil || item.dataAbsentReason != nil)
        try self.append(item, inner, at: observation)
        inner.level += 1
        inner.isMember = true
        try self.readEntries(Self.inner(observation), inner)
    }

    func item(_ code: CodedConcept, _ context: Context) -> ExamItem {
        var item = ExamItem(
            code: code,
            status: context.status ?? .unknown,
            effective: context.effective,
            level: context.level
        )
        item.specimen = context.specimen
        return item
    }

    mutating func append(_ item: ExamItem, _ context: Context, at place: XMLElement) throws(CDAFault) {
        guard self.items.count < Self.itemsMax else { throw CDAFault(.tooManyItems, at: place) }
        if context.status == nil { self.undecided.append(self.items.count) }
        self.items.append(item)
    }

    /// Refuses what is about a relative, a fetus or a donor: in this exam it would be the patient's.
    func checkSubject(_ element: XMLElement) throws(CDAFault) {
        if let subject = element.child("subject") { throw CDAFault(.subjectConflict, at: subject) }
    }

    /// Reads a conclusion that is coded or only repeats the narrative; other observations are results.
    mutating func addConclusion(_ observation: XMLElement) throws(CDAFault) -> Bool {
        let values = observation.children("value")
        guard observation.attribute("moodCode") == "EVN", observation.attribute("negationInd") != "true",
            !values.isEmpty, Self.inner(observation).isEmpty
        else { return false }
        for value in values {
            switch value.schemaType {
            case "CD", "CE", "CV":
                if let concept = try self.document.concept(value) { self.conclusionCodes.append(concept) }
            case "ED", "ST": continue
            default: return false
            }
        }
        return true
    }

    // MARK: Parts of an observation

    /// The act status of HL7 version 3; `nil` if none is stated.
    static func status(_ act: XMLElement) throws(CDAFault) -> ExamStatus? {
        guard let element = act.child("statusCode") else { return nil }
        guard let code = element.attribute("code") else { return element.attribute("nullFlavor").map { _ in .unknown } }
        switch code {
        case "completed": return .final
        case "active", "new", "held", "suspended": return .registered
        case "cancelled", "aborted": return .cancelled
        case "nullified": return .enteredInError
        case "normal", "obsolete": return .unknown
        default: throw CDAFault(.badStatus, at: element)
        }
    }

    private func referenceRange(_ range: XMLElement) throws(CDAFault) -> ReferenceRange? {
        let value = range.child("value")
        var result = ReferenceRange(low: nil, high: nil, text: nil, appliesTo: [])
        if let value, ["IVL_PQ", "IVL_INT", "IVL_REAL", "PQ"].contains(value.schemaType ?? "") {
            result.low = try CDADocument.bound(value.child("low"), inclusive: nil, exclusive: .greater)
            result.high = try CDADocument.bound(value.child("high"), inclusive: nil, exclusive: .less)
        }
        result.text = range.child("text").flatMap(self.document.text)
        if result.text == nil, let value, ["ST", "ED"].contains(value.schemaType ?? "") {
            result.text = self.document.text(value)
        }
        for criterion in range.children("precondition").compactMap({ $0.child("criterion") }) {
            if let concept = try self.document.concept(criterion.child("value") ?? criterion.child("code")) {
                result.appliesTo.append(concept)
            }
        }
        if let meaning = try self.document.concept(range.child("interpretationCode")),
            meaning.primary?.code != "N", let label = meaning.label
        {
            // Bounds of what is abnormal must not look like bounds of what is normal.
            let bounds = [result.low?.value, result.high?.value].map { $0 ?? "" }.joined(separator: " - ")
            let text = result.text ?? (bounds == " - " ? nil : bounds)
            result = ReferenceRange(
                low: nil,
                high: nil,
                text: [label, text].compactMap { $0 }.joined(separator: ": "),
                appliesTo: result.appliesTo
            )
        }
        return result == ReferenceRange(low: nil, high: nil, text: nil, appliesTo: []) ? nil : result
    }

    /// Reads the first specimen of an act, and notes every new one for the exam.
    mutating func specimen(of act: XMLElement) throws(CDAFault) -> ExamSpecimen? {
        var first: ExamSpecimen?
        for role in act.children("specimen").compactMap({ $0.child("specimenRole") }) {
            let entity = role.child("specimenPlayingEntity")
            let specimen = ExamSpecimen(
                display: (entity?.child("name") ?? entity?.child("desc")).flatMap(CDADocument.plain),
                identifiers: try CDADocument.identifiers(in: role),
                type: try self.document.concept(entity?.child("code"))
            )
            guard specimen != ExamSpecimen(display: nil) else { continue }
            first = first ?? specimen
            self.note(specimen)
        }
        return first
    }

    mutating func note(_ specimen: ExamSpecimen) {
        guard self.specimens.count < Self.specimensMax, !self.specimens.contains(specimen) else { return }
        self.specimens.append(specimen)
    }

    /// Plates and blocks of one case.
    private static let specimensMax = 256

    private static func device(of observation: XMLElement) -> String? {
        let roles = observation.children("participant").filter { $0.attribute("typeCode") == "DEV" }
            .compactMap { $0.child("participantRole")?.child("playingDevice") }
        return roles.lazy.compactMap { device in
            (device.child("manufacturerModelName") ?? device.child("softwareName")).flatMap(CDADocument.plain)
                ?? device.child("code")?.attribute("displayName")
        }.first
    }

    /// Comments, and what the observation's own text says where it has no value.
    private func notes(of observation: XMLElement, hasValue: Bool) -> [String] {
        var notes: [String] = []
        for relation in observation.children("entryRelationship") {
            guard let act = relation.child("act"), let code = act.child("code")?.attribute("code"),
                // LOINC "Annotation comment": C-CDA comment activity, IHE comment.
                code == "48767-8", let text = act.child("text").flatMap(self.document.text)
            else { continue }
            notes.append(text)
        }
        if let text = observation.child("text"), text.child("reference") == nil || !hasValue,
            let own = self.document.text(text)
        {
            notes.append(own)
        }
        return notes
    }
}
