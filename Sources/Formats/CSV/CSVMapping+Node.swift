import Records

/// A map of the mapping's text with its path, and the keys that were asked for.
private struct MappingSection {
    let path: String
    private let members: [MappingNode.Member]

    /// Fails if `node` is no map, or has a key twice or one that is not in `allowed`.
    init(_ node: MappingNode, _ path: String, allowed: [String]) throws(CSVMappingFault) {
        guard case .map(let members) = node else { throw CSVMappingFault(.wrongKind, path) }
        self.path = path
        self.members = members
        var found: Set<String> = []
        for member in members {
            // A key may be anything; only a short one is repeated in an error.
            let key = self.path(String(member.key.prefix(64)))
            guard found.insert(member.key).inserted else { throw CSVMappingFault(.duplicateKey, key) }
            guard allowed.contains(member.key) else { throw CSVMappingFault(.unknownKey, key) }
        }
    }

    func path(_ key: String) -> String { self.path.isEmpty ? key : "\(self.path).\(key)" }

    subscript(key: String) -> MappingNode? { self.members.first { $0.key == key }?.value }

    func text(_ key: String) throws(CSVMappingFault) -> String? {
        guard let node = self[key] else { return nil }
        guard case .text(let text) = node else { throw CSVMappingFault(.wrongKind, self.path(key)) }
        return text
    }

    func list(_ key: String, max: Int) throws(CSVMappingFault) -> [(node: MappingNode, path: String)]? {
        guard let node = self[key] else { return nil }
        guard case .list(let list) = node else { throw CSVMappingFault(.wrongKind, self.path(key)) }
        guard list.count <= max else { throw CSVMappingFault(.tooLarge, self.path(key)) }
        return list.enumerated().map { ($0.element, "\(self.path(key))[\($0.offset)]") }
    }

    func texts(_ key: String, max: Int) throws(CSVMappingFault) -> [(text: String, path: String)]? {
        guard let list = try self.list(key, max: max) else { return nil }
        var texts: [(String, String)] = []
        for (node, path) in list {
            guard case .text(let text) = node else { throw CSVMappingFault(.wrongKind, path) }
            texts.append((text, path))
        }
        return texts
    }

    /// A text that is one of `choices`.
    func choice<Choice: RawRepresentable<String>>(_ key: String, _: Choice.Type) throws(CSVMappingFault) -> Choice? {
        guard let text = try self.text(key) else { return nil }
        guard let choice = Choice(rawValue: text) else { throw CSVMappingFault(.badValue, self.path(key)) }
        return choice
    }

    func offset(_ key: String) throws(CSVMappingFault) -> Int? {
        guard let text = try self.text(key) else { return nil }
        guard let offset = CSVTime.offset(text) else { throw CSVMappingFault(.badValue, self.path(key)) }
        return offset
    }

    func timeFormats(_ key: String) throws(CSVMappingFault) -> [CSVTimeFormat] {
        var formats: [CSVTimeFormat] = []
        for (text, path) in try self.texts(key, max: 16) ?? [] {
            guard let format = CSVTimeFormat(text) else { throw CSVMappingFault(.badValue, path) }
            formats.append(format)
        }
        return formats
    }
}

extension CSVColumn {
    /// A column's name, or a map that says more.
    fileprivate init(_ node: MappingNode, _ path: String) throws(CSVMappingFault) {
        if case .text(let name) = node {
            guard !name.isEmpty else { throw CSVMappingFault(.badValue, path) }
            self.init(.column(name))
            return
        }
        let allowed = ["column", "constant", "system", "values", "timeFormats", "utcOffset"]
        let section = try MappingSection(node, path, allowed: allowed)
        switch (try section.text("column"), try section.text("constant")) {
        case (let name?, nil) where !name.isEmpty: self.init(.column(name))
        case (nil, let text?) where !text.isEmpty: self.init(.constant(text))
        case (nil, nil): throw CSVMappingFault(.missingKey, section.path("column"))
        case (_?, _?): throw CSVMappingFault(.badValue, section.path("constant"))
        default: throw CSVMappingFault(.badValue, path)
        }
        self.system = try section.text("system")
        guard self.system != "" else { throw CSVMappingFault(.badValue, section.path("system")) }
        self.timeFormats = try section.timeFormats("timeFormats")
        self.offsetMinutes = try section.offset("utcOffset")
        guard let values = section["values"] else { return }
        guard case .map(let members) = values else { throw CSVMappingFault(.wrongKind, section.path("values")) }
        var found: Set<String> = []
        for member in members {
            guard found.insert(member.key).inserted else {
                throw CSVMappingFault(.duplicateKey, section.path("values"))
            }
            guard case .text(let meaning) = member.value else {
                throw CSVMappingFault(.wrongKind, section.path("values"))
            }
            self.values.append(Meaning(member.key, meaning))
        }
        // By bytes: the order in which the canonical form lists them.
        self.values.sort { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }
    }

    fileprivate var node: MappingNode {
        var members: [MappingNode.Member] = []
        switch self.source {
        case .column(let name):
            if self.system == nil, self.values.isEmpty, self.timeFormats.isEmpty, self.offsetMinutes == nil {
                return .text(name)
            }
            members.append(.init("column", .text(name)))
        case .constant(let text): members.append(.init("constant", .text(text)))
        }
        if let system = self.system { members.append(.init("system", .text(system))) }
        if !self.values.isEmpty {
            members.append(.init("values", .map(self.values.map { .init($0.text, .text($0.meaning)) })))
        }
        if !self.timeFormats.isEmpty {
            members.append(.init("timeFormats", .list(self.timeFormats.map { .text($0.pattern) })))
        }
        if let offset = self.offsetMinutes { members.append(.init("utcOffset", .text(CSVMapping.text(offset)))) }
        return .map(members)
    }
}

extension CSVMapping {
    /// Reads a mapping from its text's tree.
    ///
    /// - Throws: What is wrong, with the path of the key.
    package init(_ node: MappingNode) throws(CSVMappingFault) {
        let root = try MappingSection(
            node,
            "",
            allowed: [
                "mapping", "kind", "file", "decimalMark", "timeFormats", "utcOffset", "absent", "group",
                "incompleteOrders", "patient", "exam", "results",
            ]
        )
        guard try root.text("mapping") == Self.version else { throw CSVMappingFault(.version, "mapping") }
        let (identifiers, patient) = try Self.patient(root)
        let exam = try Self.columns(root["exam"], "exam", of: CSVExamField.self)
        var results: [[CSVResultField: CSVColumn]] = []
        for (node, path) in try root.list("results", max: Self.resultsMax) ?? [] {
            results.append(try Self.result(node, path))
        }
        guard !results.isEmpty else { throw CSVMappingFault(.missingKey, "results") }
        let group = try Self.group(root, exam)
        guard let mapping = CSVMapping(group: group, identifiers: identifiers, exam: exam, results: results) else {
            throw CSVMappingFault(.missingKey, "group")
        }
        self = mapping
        self.patient = patient
        self.kind = try root.choice("kind", ExamKind.self) ?? .laboratory
        self.decimalMark = try root.choice("decimalMark", DecimalMark.self) ?? .point
        self.incompleteOrders = try root.choice("incompleteOrders", IncompleteOrders.self) ?? .partial
        self.timeFormats = try root.timeFormats("timeFormats")
        self.offsetMinutes = try root.offset("utcOffset")
        if let absent = try root.texts("absent", max: 64) { self.absent = absent.map(\.text) }
        try self.readFile(root)
        try self.checkElements()
        var unresolved = self
        (unresolved.characterSet, unresolved.delimiter) = (nil, nil)
        guard unresolved.canonicalBytes.count <= Self.textBytesMax - Self.dialectBytesMax else {
            throw CSVMappingFault(.tooLarge, "")
        }
        // A century that is assumed makes another person of somebody born in 1926.
        let birthFormats = self.patient[.birthDate].map { $0.timeFormats.isEmpty ? self.timeFormats : $0.timeFormats }
        guard !(birthFormats ?? []).contains(where: \.hasShortYear) else {
            throw CSVMappingFault(.badValue, "patient.birthDate.timeFormats")
        }
    }

    /// Reads the canonical form.
    package static func read(canonical bytes: [UInt8]) -> Result<CSVMapping, CSVMappingFault> {
        guard bytes.count <= Self.textBytesMax else { return .failure(CSVMappingFault(.tooLarge, "")) }
        guard let node = MappingNode.read(json: bytes) else { return .failure(CSVMappingFault(.syntax, "")) }
        do throws(CSVMappingFault) { return .success(try CSVMapping(node)) } catch { return .failure(error) }
    }

    private mutating func readFile(_ root: MappingSection) throws(CSVMappingFault) {
        guard let node = root["file"] else { return }
        let allowed = ["layout", "results", "characterSet", "delimiter", "quoting"]
        let file = try MappingSection(node, "file", allowed: allowed)
        switch try file.text("layout") ?? "table" {
        case "table":
            guard file["results"] == nil else { throw CSVMappingFault(.unknownKey, "file.results") }
        case "jsonLines":
            self.layout = .jsonLines(results: try file.text("results"))
            for key in ["characterSet", "delimiter", "quoting"] where file[key] != nil {
                throw CSVMappingFault(.unknownKey, file.path(key))
            }
        default: throw CSVMappingFault(.badValue, "file.layout")
        }
        if let name = try file.text("characterSet") {
            guard let set = Self.characterSet(name) else { throw CSVMappingFault(.badValue, "file.characterSet") }
            self.characterSet = set
        }
        self.delimiter = try file.choice("delimiter", CSVDialect.Delimiter.self)
        self.quoting = try file.choice("quoting", CSVDialect.Quoting.self) ?? .double
    }

    /// A character set by its name or by those that people use.
    private static func characterSet(_ name: String) -> CharacterSet? {
        switch name.uppercased() {
        case "UTF8", "UTF-8-SIG": .utf8
        // Sources that say GB 2312 use characters beyond it; GB 18030 holds them all in the same bytes.
        case "GBK", "GB2312", "GB-18030", "CP936": .gb18030
        case let name: CharacterSet(rawValue: name)
        }
    }

    /// Refuses to take what holds for a whole line of JSON from one of its results.
    private func checkElements() throws(CSVMappingFault) {
        guard case .jsonLines(let results?) = self.layout else { return }
        let columns =
            self.identifiers.map { ("patient.identifiers", $0) }
            + self.patient.map { ("patient.\($0.key.rawValue)", $0.value) }
            + self.exam.map { ("exam.\($0.key.rawValue)", $0.value) }
        for (path, column) in columns.sorted(by: { $0.0 < $1.0 }) {
            guard case .column(let name) = column.source, name.hasPrefix(results + ".") else { continue }
            throw CSVMappingFault(.badValue, path)
        }
    }

    private static func patient(
        _ root: MappingSection
    ) throws(CSVMappingFault) -> ([CSVColumn], [CSVPatientField: CSVColumn]) {
        guard let node = root["patient"] else { throw CSVMappingFault(.missingKey, "patient") }
        let section = try MappingSection(
            node,
            "patient",
            allowed: ["identifiers"] + CSVPatientField.allCases.map(\.rawValue)
        )
        var identifiers: [CSVColumn] = []
        for (node, path) in try section.list("identifiers", max: Self.identifiersMax) ?? [] {
            let column = try CSVColumn(node, path)
            // One identifier for all rows would put all patients together.
            guard case .column = column.source else { throw CSVMappingFault(.badValue, path + ".constant") }
            identifiers.append(column)
        }
        guard !identifiers.isEmpty else { throw CSVMappingFault(.missingKey, "patient.identifiers") }
        var fields: [CSVPatientField: CSVColumn] = [:]
        for field in CSVPatientField.allCases {
            guard let node = section[field.rawValue] else { continue }
            fields[field] = try CSVColumn(node, section.path(field.rawValue))
        }
        for meaning in fields[.sex]?.values ?? [] where CSVTerms.Sex(rawValue: meaning.meaning) == nil {
            throw CSVMappingFault(.badValue, "patient.sex.values")
        }
        return (identifiers, fields)
    }

    private static func columns<Field>(
        _ node: MappingNode?,
        _ path: String,
        of: Field.Type
    ) throws(CSVMappingFault) -> [Field: CSVColumn]
    where Field: RawRepresentable<String> & CaseIterable & Hashable {
        guard let node else { return [:] }
        let section = try MappingSection(node, path, allowed: Field.allCases.map(\.rawValue))
        var columns: [Field: CSVColumn] = [:]
        for field in Field.allCases {
            guard let node = section[field.rawValue] else { continue }
            columns[field] = try CSVColumn(node, section.path(field.rawValue))
        }
        return columns
    }

    private static func result(
        _ node: MappingNode,
        _ path: String
    ) throws(CSVMappingFault) -> [CSVResultField: CSVColumn] {
        let result = try Self.columns(node, path, of: CSVResultField.self)
        guard result[.name] != nil || result[.code] != nil else { throw CSVMappingFault(.missingKey, path + ".name") }
        guard let value = result[.value] ?? result[.valueCode] else {
            throw CSVMappingFault(.missingKey, path + ".value")
        }
        guard case .column = value.source else { throw CSVMappingFault(.badValue, path + ".value.constant") }
        for meaning in result[.status]?.values ?? [] where ExamStatus(rawValue: meaning.meaning) == nil {
            throw CSVMappingFault(.badValue, path + ".status.values")
        }
        return result
    }

    private static func group(
        _ root: MappingSection,
        _ exam: [CSVExamField: CSVColumn]
    ) throws(CSVMappingFault) -> [GroupField]? {
        guard let texts = try root.texts("group", max: 8) else { return nil }
        var group: [GroupField] = []
        for (text, path) in texts {
            if text == "row", texts.count == 1 { return [.row] }
            let field = CSVExamField(rawValue: text)
            guard text == "patient" || field.flatMap({ exam[$0] }) != nil, field != .conclusion, field != .performer
            else {
                throw CSVMappingFault(.badValue, path)
            }
            let next = field.map(GroupField.field) ?? .patient
            guard !group.contains(next) else { throw CSVMappingFault(.duplicateKey, path) }
            group.append(next)
        }
        // All results of a patient, of whatever day, are no exam.
        guard group.contains(where: { $0 != .patient }) else { throw CSVMappingFault(.missingKey, "group") }
        return group
    }

    // MARK: Writing

    /// The canonical form: JSON, which is YAML too.
    package var canonicalBytes: [UInt8] { Array(self.node.json.utf8) }

    /// The mapping as YAML for people to edit.
    package var yaml: String { self.node.yaml }

    /// The tree of the mapping's text; reading it gives an equal mapping.
    package var node: MappingNode {
        var members: [MappingNode.Member] = [
            .init("mapping", .text(Self.version)), .init("kind", .text(self.kind.rawValue)),
        ]
        if let file = self.fileNode { members.append(.init("file", file)) }
        if self.decimalMark != .point { members.append(.init("decimalMark", .text(self.decimalMark.rawValue))) }
        if !self.timeFormats.isEmpty {
            members.append(.init("timeFormats", .list(self.timeFormats.map { .text($0.pattern) })))
        }
        if let offset = self.offsetMinutes { members.append(.init("utcOffset", .text(Self.text(offset)))) }
        if self.absent != Self.absentByDefault {
            members.append(.init("absent", .list(self.absent.map { .text($0) })))
        }
        let group = self.group.map { field -> MappingNode in
            switch field {
            case .patient: .text("patient")
            case .row: .text("row")
            case .field(let field): .text(field.rawValue)
            }
        }
        members.append(.init("group", .list(group)))
        if self.incompleteOrders != .partial {
            members.append(.init("incompleteOrders", .text(self.incompleteOrders.rawValue)))
        }
        let identifiers = MappingNode.Member("identifiers", .list(self.identifiers.map(\.node)))
        members.append(.init("patient", .map([identifiers] + Self.members(self.patient))))
        if !self.exam.isEmpty { members.append(.init("exam", .map(Self.members(self.exam)))) }
        members.append(.init("results", .list(self.results.map { .map(Self.members($0)) })))
        return .map(members)
    }

    private var fileNode: MappingNode? {
        var members: [MappingNode.Member] = []
        if case .jsonLines(let results) = self.layout {
            members.append(.init("layout", .text("jsonLines")))
            if let results { members.append(.init("results", .text(results))) }
            return .map(members)
        }
        if let set = self.characterSet { members.append(.init("characterSet", .text(set.rawValue))) }
        if let delimiter = self.delimiter { members.append(.init("delimiter", .text(delimiter.rawValue))) }
        if self.quoting != .double { members.append(.init("quoting", .text(self.quoting.rawValue))) }
        return members.isEmpty ? nil : .map(members)
    }

    private static func members<Field>(_ columns: [Field: CSVColumn]) -> [MappingNode.Member]
    where Field: RawRepresentable<String> & CaseIterable & Hashable {
        Field.allCases.compactMap { field in
            columns[field].map { MappingNode.Member(field.rawValue, $0.node) }
        }
    }

    /// An offset from UTC as `+08:00`.
    fileprivate static func text(_ offsetMinutes: Int) -> String {
        let minutes = abs(offsetMinutes)
        let digits = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return (offsetMinutes < 0 ? "-" : "+") + digits(minutes / 60) + ":" + digits(minutes % 60)
    }
}
