import Records

/// A mapping while it is being guessed.
struct CSVSuggestionDraft {
    private typealias Target = CSVHeaderTerms.Target
    private let names: [String]
    private var identifiers: [(column: Int, system: String?)] = []
    private var patient: [CSVPatientField: Int] = [:]
    private var exam: [CSVExamField: Int] = [:]
    private var result: [CSVResultField: Int] = [:]
    private var timeFormats: [Int: String] = [:]
    private(set) var undecided: [CSVSuggestion.Undecided] = []
    private(set) var unused: [String] = []

    init(_ names: [String]) {
        self.names = names
        let order = names.indices.sorted { (CSVHeaderTerms.rank(names[$0]), $0) < (CSVHeaderTerms.rank(names[$1]), $1) }
        for index in order { self.place(index) }
        // A table of single tests names the test that was ordered, and it only.
        if self.result[.name] == nil, self.result[.code] == nil {
            self.result[.code] = self.exam.removeValue(forKey: .panelCode)
            self.result[.name] = self.exam.removeValue(forKey: .panelName)
        }
        self.askForFields()
    }

    private mutating func place(_ index: Int) {
        let name = self.names[index]
        var isSecond = false
        switch CSVHeaderTerms.target(name) {
        case nil:
            self.ask(.unknownColumn, name)
            return
        case .unused:
            self.unused.append(name)
            return
        case .identifier(let system):
            self.identifiers.append((index, system))
            isSecond = self.identifiers.count > CSVMapping.identifiersMax
            if isSecond { self.identifiers.removeLast() }
        case .patient(let field): isSecond = Self.put(index, field, &self.patient)
        case .exam(let field): isSecond = Self.put(index, field, &self.exam)
        case .result(let field): isSecond = Self.put(index, field, &self.result)
        }
        if isSecond { self.ask(.secondColumn, name) }
    }

    private static func put<Field>(_ index: Int, _ field: Field, _ fields: inout [Field: Int]) -> Bool {
        guard fields[field] == nil else { return true }
        fields[field] = index
        return false
    }

    private mutating func ask(_ question: CSVSuggestion.Question, _ name: String) {
        self.undecided.append(CSVSuggestion.Undecided(question: question, name: name))
    }

    private mutating func askForFields() {
        if self.identifiers.isEmpty { self.ask(.missingField, "patient.identifiers") }
        for (index, system) in self.identifiers where system == nil {
            self.ask(.identifierSystem, self.names[index])
        }
        if self.result[.value] == nil, self.result[.valueCode] == nil { self.ask(.missingField, "results[0].value") }
        if self.result[.name] == nil, self.result[.code] == nil { self.ask(.missingField, "results[0].name") }
        if self.exam[.order] == nil, self.exam[.specimenID] == nil, self.exam[.collected] == nil,
            self.exam[.reported] == nil
        {
            self.ask(.missingField, "exam.order")
        }
        if self.result[.code] != nil { self.ask(.codeSystem, "results[0].code") }
        if self.result[.valueCode] != nil { self.ask(.codeSystem, "results[0].valueCode") }
        if self.exam[.panelCode] != nil { self.ask(.codeSystem, "exam.panelCode") }
        if self.result[.status] == nil { self.ask(.status, "results[0].status") }
    }

    // MARK: Times

    /// Formats that are common and that a date which starts with the year does not need.
    private static let formats = [
        "M/d/yyyy", "d/M/yyyy", "M/d/yyyy H:mm", "d/M/yyyy H:mm", "M/d/yyyy H:mm:ss", "d/M/yyyy H:mm:ss",
        "M/d/yyyy h:mm a", "M/d/yyyy h:mm:ss a", "d.M.yyyy", "d.M.yyyy H:mm", "d.M.yyyy H:mm:ss", "d-M-yyyy",
        "d-M-yyyy H:mm", "d-M-yyyy H:mm:ss", "d.M.yy", "M/d/yy", "d/M/yy",
    ].compactMap { CSVTimeFormat($0) }

    /// Tries formats on the texts of the columns with times.
    mutating func decideTimes(_ sample: CSVSample) {
        var isWithoutOffset = false
        let fields = CSVExamField.allCases.filter(\.isTime).compactMap { field in
            self.exam[field].map { (path: "exam.\(field.rawValue)", index: $0, isBirth: false) }
        }
        let birth = self.patient[.birthDate].map { [(path: "patient.birthDate", index: $0, isBirth: true)] } ?? []
        for field in fields + birth {
            let texts = sample.texts(field.index).map { Array($0.utf8)[...] }
            let isYearFirst = texts.allSatisfy { CSVTime.read($0, [], offsetMinutes: nil) != nil }
            let formats = Self.formats.filter { format in
                !(field.isBirth && format.hasShortYear)
                    && texts.allSatisfy { CSVTime.read($0, [format], offsetMinutes: nil) != nil }
            }
            if !isYearFirst {
                if formats.count == 1 {
                    self.timeFormats[field.index] = formats[0].pattern
                } else {
                    self.ask(.timeFormat, field.path)
                }
            }
            let times = texts.compactMap { CSVTime.read($0, isYearFirst ? [] : formats, offsetMinutes: nil) }
            if times.contains(where: { $0.precision > .day && $0.offsetMinutes == nil }) { isWithoutOffset = true }
        }
        if isWithoutOffset { self.ask(.offset, "utcOffset") }
    }

    /// Asks for what texts of sex and status mean that are not known.
    mutating func askForMeanings(_ sample: CSVSample) {
        if let index = self.patient[.sex], sample.texts(index).contains(where: { CSVTerms.sexes[$0] == nil }) {
            self.ask(.meaning, "patient.sex")
        }
        if let index = self.result[.status], sample.texts(index).contains(where: { CSVTerms.statuses[$0] == nil }) {
            self.ask(.meaning, "results[0].status")
        }
    }

    // MARK: Writing

    func node(_ dialect: CSVDialect) -> MappingNode {
        let file: MappingNode = .map([
            .init("characterSet", .text(dialect.characterSet.rawValue)),
            .init("delimiter", .text(dialect.delimiter.rawValue)),
        ])
        var patient: [MappingNode.Member] = []
        if !self.identifiers.isEmpty {
            let columns = self.identifiers.map { identifier in
                let system = identifier.system.map { [MappingNode.Member("system", .text($0))] } ?? []
                return MappingNode.map([.init("column", .text(self.names[identifier.column]))] + system)
            }
            patient.append(.init("identifiers", .list(columns)))
        }
        patient += self.members(self.patient)
        return .map([
            .init("mapping", .text(CSVMapping.version)), .init("file", file), .init("patient", .map(patient)),
            .init("exam", .map(self.members(self.exam))), .init("results", .list([.map(self.members(self.result))])),
        ])
    }

    private func members<Field>(_ fields: [Field: Int]) -> [MappingNode.Member]
    where Field: RawRepresentable<String> & CaseIterable & Hashable {
        Field.allCases.compactMap { field in
            guard let index = fields[field] else { return nil }
            let name = MappingNode.text(self.names[index])
            guard let format = self.timeFormats[index] else { return .init(field.rawValue, name) }
            let formats = MappingNode.list([.text(format)])
            return .init(field.rawValue, .map([.init("column", name), .init("timeFormats", formats)]))
        }
    }
}
