import Records

extension CDABuilder {
    /// What an entry takes over from the organizer around it.
    struct Context {
        var sort: CDASection.Sort?
        var status: ExamStatus?
        var effective: ClinicalPeriod?
        var specimen: ExamSpecimen?
        var level = 0
        /// Whether an organizer or a result is around it.
        var isMember = false

        /// Whether everything inside is a result, whatever its template.
        var isResult: Bool { self.sort != nil }
    }

    /// Names of panels that an exam is found by; a yearly summary has some dozens.
    private static let panelsMax = 256

    mutating func readBody() throws(CDAFault) {
        let root = self.document.root
        let bodies = root.children("component").flatMap { $0.children("nonXMLBody") + $0.children("structuredBody") }
        guard !bodies.isEmpty || !self.document.sections.isEmpty else {
            throw CDAFault(.bodyMissing, at: root, "component")
        }
        for body in bodies where body.name == "nonXMLBody" { try self.readUnstructured(body) }
        for section in self.document.sections { try self.readSection(section, inside: .other) }
    }

    // MARK: Sections

    private mutating func readSection(_ section: XMLElement, inside outer: CDASection.Role) throws(CDAFault) {
        let role = CDASection(section, inside: outer).role
        let before = (items: self.items.count, conclusions: self.conclusions.count)
        var context = Context()
        switch role {
        case .imageCatalogue: try self.readCatalogue(section)
        case .results(let sort), .conclusion(let sort):
            try self.checkSubject(section)
            context.sort = sort
        case .other: self.hasOtherContent = self.hasOtherContent || Self.hasContent(section)
        }
        if case .conclusion = role, let text = section.child("text").flatMap(CDADocument.narrative) {
            self.conclusions.append(text)
        }
        if section.attribute("nullFlavor") == nil {
            let entries = section.children("entry").flatMap { Array($0.children.filter(\.isOwn)) }
            try self.readEntries(
                entries,
                context,
                inConclusion: { if case .conclusion = role { true } else { false } }()
            )
        }
        if case .results = role, self.items.count == before.items, self.conclusions.count == before.conclusions,
            let text = section.child("text").flatMap(CDADocument.narrative)
        {
            self.narratives += [section.child("title").flatMap(CDADocument.plain), text].compactMap { $0 }
        }
        for inner in CDADocument.sections(in: section) { try self.readSection(inner, inside: role) }
        if case .results(let sort) = role {
            let isEmpty = self.items.count == before.items && self.conclusions.count == before.conclusions
            if !isEmpty { self.sorts.insert(sort) }
        }
        if case .conclusion(let sort) = role, self.conclusions.count > before.conclusions { self.sorts.insert(sort) }
    }

    private static func hasContent(_ section: XMLElement) -> Bool {
        section.child("entry") != nil || section.child("text").flatMap(CDADocument.narrative) != nil
    }

    mutating func readEntries(
        _ entries: [XMLElement],
        _ context: Context,
        inConclusion: Bool = false
    ) throws(CDAFault) {
        for group in context.isResult ? ChineseResult.groups(entries) : entries.map(ChineseResult.Group.entry) {
            switch group {
            case .result(let result): try self.addChineseResult(result, context)
            case .entry(let entry):
                if inConclusion, entry.name == "observation", try self.addConclusion(entry) { continue }
                try self.readEntry(entry, context)
            }
        }
    }

    private func isResult(_ element: XMLElement, _ context: Context) -> Bool {
        context.isResult || CDASection.has(element, templateIn: CDASection.resultTemplates)
    }

    /// Reads an entry; what is no result itself is searched for results inside.
    private mutating func readEntry(_ entry: XMLElement, _ context: Context) throws(CDAFault) {
        switch entry.name {
        case "observation" where self.isResult(entry, context):
            try self.addObservation(entry, context)
        case "organizer" where context.isResult || CDASection.has(entry, templateIn: CDASection.organizerTemplates):
            try self.addOrganizer(entry, context)
        case "organizer", "observation", "act", "procedure", "encounter", "substanceAdministration", "supply":
            try self.readInside(entry, context)
        default: break
        }
    }

    private mutating func readInside(_ entry: XMLElement, _ context: Context) throws(CDAFault) {
        // What is ordered, intended or negated holds no results.
        guard ["EVN", nil].contains(entry.attribute("moodCode")), entry.attribute("negationInd") != "true" else {
            return
        }
        try self.readEntries(Self.inner(entry), context)
    }

    /// The acts directly related to an act, and the members of an organizer.
    static func inner(_ entry: XMLElement) -> [XMLElement] {
        entry.children.filter { $0.isOwn && ($0.name == "entryRelationship" || $0.name == "component") }
            .flatMap { Array($0.children.filter(\.isOwn)) }
    }

    private mutating func addOrganizer(_ organizer: XMLElement, _ outer: Context) throws(CDAFault) {
        guard organizer.attribute("nullFlavor") == nil, ["EVN", nil].contains(organizer.attribute("moodCode")) else {
            return
        }
        try self.checkSubject(organizer)
        var context = outer
        context.sort = outer.sort ?? .studies
        if outer.sort == nil { self.sorts.insert(.studies) }
        context.status = try Self.status(organizer) ?? outer.status
        context.effective = try CDADocument.period(organizer.child("effectiveTime")) ?? outer.effective
        context.specimen = try self.specimen(of: organizer) ?? outer.specimen
        if let code = try self.document.concept(organizer.child("code")) {
            if outer.isMember {
                // A group within a panel, such as the results of one isolate, gives its members their meaning.
                try self.append(self.item(code, context), context, at: organizer)
                context.level += 1
            } else if self.panels.count < Self.panelsMax, !self.panels.contains(code) {
                self.panels.append(code)
            }
        }
        context.isMember = true
        self.hasBattery = self.hasBattery || organizer.attribute("classCode") == "BATTERY"
        try self.readEntries(Self.inner(organizer), context)
    }
}
