import Records

/// A result as the data elements of WS 363 spread it over observations (WS/T 500.6 and .7-2016): one names the test,
/// others beside or inside it hold the amount, its unit, the words and the judgement.
struct ChineseResult {
    /// An entry as it is, or several that are one result.
    enum Group {
        case entry(XMLElement)
        case result(ChineseResult)
    }

    /// DE04.30.019.00 检验项目代码 and DE04.30.020.00 检查/检验项目名称.
    private(set) var names: [XMLElement]
    /// The observations that hold what was found.
    private(set) var parts: [XMLElement] = []

    private static let nameElements: Set<String> = ["DE04.30.019.00", "DE04.30.020.00"]
    /// 检查/检验结果, 定量结果, 计量单位, 结果代码.
    private static let partElements: Set<String> = [
        "DE04.30.009.00", "DE04.30.015.00", "DE04.30.016.00", "DE04.30.017.00",
    ]

    /// The data element that an observation is, such as `DE04.30.015.00`.
    static func element(_ entry: XMLElement) -> String? {
        guard entry.name == "observation", let code = entry.child("code")?.attribute("code"), code.hasPrefix("DE"),
            entry.child("code")?.attribute("codeSystem")?.hasPrefix("2.16.156.10011.") == true
        else { return nil }
        return code
    }

    /// Joins entries that are one result: a name and what follows it up to the next name.
    static func groups(_ entries: [XMLElement]) -> [Group] {
        var groups: [Group] = []
        var current: ChineseResult?
        func close() {
            if let result = current { groups.append(.result(result)) }
            current = nil
        }
        for entry in entries {
            let element = Self.element(entry) ?? ""
            if Self.nameElements.contains(element) {
                let isSecondName = current.map { result in
                    result.parts.isEmpty && result.names.count == 1 && Self.element(result.names[0]) != element
                }
                if isSecondName == true {
                    current?.names.append(entry)
                } else {
                    close()
                    current = ChineseResult(names: [entry])
                }
                for inner in CDABuilder.inner(entry) { current?.take(inner) }
            } else if current?.take(entry) != true {
                close()
                groups.append(.entry(entry))
            }
        }
        close()
        return groups
    }

    /// Takes an observation of each sort, the first.
    @discardableResult
    private mutating func take(_ entry: XMLElement) -> Bool {
        guard let element = Self.element(entry), Self.partElements.contains(element), self.part(element) == nil else {
            return false
        }
        self.parts.append(entry)
        return true
    }

    func part(_ element: String) -> XMLElement? { self.parts.first { Self.element($0) == element } }
}

extension CDABuilder {
    /// Adds a result that several observations make up.
    mutating func addChineseResult(_ result: ChineseResult, _ context: Context) throws(CDAFault) {
        var inner = context
        var code = CodedConcept(text: nil, codings: [])
        for name in result.names {
            try self.checkStatement(name)
            inner.status = try Self.status(name) ?? inner.status
            inner.effective = try CDADocument.period(name.child("effectiveTime")) ?? inner.effective
            guard let value = name.child("value") else { continue }
            if let concept = try self.document.concept(value) {
                code.codings += concept.codings
                code.text = code.text ?? concept.text
            } else if let text = CDADocument.string(value) {
                if ChineseResult.element(name) == "DE04.30.019.00", result.names.count > 1 {
                    code.codings.append(Coding(system: nil, code: text, display: nil))
                } else {
                    code.text = text
                }
            }
        }
        guard code.label != nil else { throw CDAFault(.codeMissing, at: result.names[0], "value") }
        inner.specimen = try self.chineseSpecimen(in: result) ?? context.specimen
        var item = self.item(code, inner)
        for part in result.parts { try self.checkStatement(part) }
        if let amount = result.part("DE04.30.015.00") {
            try self.readValues(of: amount, into: &item)
            try self.setUnit(of: &item, amount, beside: result.part("DE04.30.016.00"))
        }
        if let words = result.part("DE04.30.009.00") {
            if item.value == nil {
                try self.readValues(of: words, into: &item)
            } else if let text = words.child("value").flatMap(CDADocument.string) {
                item.notes.append(text)
            }
        }
        if let judgement = result.part("DE04.30.017.00") {
            item.interpretations = try self.document.concepts(judgement.children("value"))
        }
        try self.append(item, inner, at: result.names[0])
        inner.level += 1
        inner.isMember = true
        // What else stands inside, without what was read here.
        let used: Set<String> = ["DE04.50.134.00", "DE04.50.135.00"]
        for name in result.names {
            let rest = Self.inner(name).filter { entry in
                !result.parts.contains { $0.index == entry.index } && !used.contains(ChineseResult.element(entry) ?? "")
            }
            try self.readEntries(rest, inner)
        }
    }

    /// Gives an amount the unit that stands beside or inside it.
    func setUnit(of item: inout ExamItem, _ amount: XMLElement, beside: XMLElement?) throws(CDAFault) {
        let unit = beside ?? Self.inner(amount).first { ChineseResult.element($0) == "DE04.30.016.00" }
        guard case .quantity(var quantity)? = item.value, quantity.unit == nil, let value = unit?.child("value") else {
            return
        }
        quantity.unit = CDADocument.string(value) ?? value.attribute("displayName") ?? value.attribute("code")
        item.value = .quantity(quantity)
    }

    private func checkStatement(_ observation: XMLElement) throws(CDAFault) {
        try self.checkSubject(observation)
        guard observation.attribute("moodCode") == "EVN" else {
            throw CDAFault(.elementMissing, at: observation, "moodCode")
        }
        // Where several observations make one result, it cannot be said what the negation is of.
        if try CDADocument.boolean(observation.attribute("negationInd"), at: observation, "negationInd") == true {
            throw CDAFault(.badBoolean, at: observation, "negationInd")
        }
    }

    /// DE04.50.134.00 标本类别, whose time is that of collection, and DE04.50.135.00 标本状态.
    private mutating func chineseSpecimen(in result: ChineseResult) throws(CDAFault) -> ExamSpecimen? {
        var specimen = ExamSpecimen(display: nil)
        for entry in result.names.flatMap({ Self.inner($0) }) {
            let text = entry.child("value").flatMap { CDADocument.string($0) ?? $0.attribute("displayName") }
            switch ChineseResult.element(entry) {
            case "DE04.50.134.00":
                specimen.type = text.map { CodedConcept(text: $0, codings: []) }
                specimen.collected = try CDADocument.period(entry.child("effectiveTime"))
            case "DE04.50.135.00": specimen.display = text
            default: break
            }
        }
        guard specimen != ExamSpecimen(display: nil) else { return nil }
        self.note(specimen)
        return specimen
    }

    /// Reads an observation that is the report's conclusion or names who made it.
    ///
    /// - Returns: Whether it was one.
    mutating func addChineseStatement(_ observation: XMLElement) throws(CDAFault) -> Bool {
        guard let element = ChineseResult.element(observation) else { return false }
        let text = observation.child("value").flatMap(CDADocument.string)
        switch element {
        // 检验报告结果 and 检查报告结果-主观提示.
        case "DE04.50.130.00", "DE04.50.132.00": if let text { self.conclusions.append(text) }
        // 报告科室 and 报告机构名称.
        case "DE08.10.026.00", "DE08.10.013.00":
            if let text { self.note(ExamPerformer(display: text, identifiers: [])) }
        default: return false
        }
        return true
    }
}
