import Primitives
import Records

/// Puts the rows of one exam together, row by row, and refuses rows that contradict each other.
struct CSVExamAssembly {
    let table: CSVTable
    private var key: CSVRowKey?
    private var source: ExamSource?
    private var order: SourceIdentifier?
    private var identifiers: [SourceIdentifier?]
    private var person: [CSVPatientField: String] = [:]
    private var sex: PatientDemographics.Sex?
    private var birthDate: ClinicalTime?
    private var collected: [ClinicalTime] = []
    private var reported: [ClinicalTime] = []
    private var panels: [CodedConcept] = []
    private var specimens: [ExamSpecimen] = []
    private var performers: [String] = []
    private var conclusions: [String] = []
    private var items: [ExamItem] = []

    init(_ table: CSVTable) {
        self.table = table
        self.identifiers = Array(repeating: nil, count: table.identifiers.count)
    }

    /// Adds a row that has been checked.
    mutating func add(_ cells: CSVCells, key: CSVRowKey) throws(CSVFault) {
        if let known = self.key, known != key {
            throw CSVFault(known.patient == key.patient ? .orderConflict : .patientConflict)
        }
        if self.key == nil {
            self.key = key
            self.source = try self.source(cells)
            if let field = self.table.exam[.order], let number = try self.table.text(field, cells) {
                self.order = SourceIdentifier(system: field.system, value: number)
            }
        }
        try self.addPatient(cells)
        let table = self.table
        let collected = try table.time(table.exam[.collected], cells)
        if let collected { Self.insert(collected, &self.collected) }
        if let reported = try table.time(table.exam[.reported], cells) { Self.insert(reported, &self.reported) }
        if let panel = try self.concept(table.exam[.panelName], table.exam[.panelCode], cells) {
            Self.insert(panel, &self.panels)
        }
        if let name = try table.text(table.exam[.performer], cells) { Self.insert(name, &self.performers) }
        if let text = try table.text(table.exam[.conclusion], cells) { Self.insert(text, &self.conclusions) }
        let specimen = try self.specimen(cells, collected)
        if let specimen { Self.insert(specimen, &self.specimens) }
        for element in 0..<cells.elementCount {
            for result in table.results {
                guard let item = try self.item(result, cells, element, specimen, collected) else { continue }
                guard self.items.count < CSVTable.itemsMax else { throw CSVFault(.tooManyRows) }
                self.items.append(item)
            }
        }
    }

    /// Adds what is not known yet; looks back a bounded way, for rows that belong together stand together.
    private static func insert<Element: Equatable>(_ element: Element, _ list: inout [Element]) {
        guard !list.suffix(64).contains(element) else { return }
        list.append(element)
    }

    // MARK: Patient

    private mutating func addPatient(_ cells: CSVCells) throws(CSVFault) {
        let table = self.table
        for (index, field) in table.identifiers.enumerated() {
            guard let value = try table.identifier(field, cells) else { continue }
            let identifier = SourceIdentifier(system: field.system, value: value)
            guard self.identifiers[index] == nil || self.identifiers[index] == identifier else {
                throw CSVFault(.patientConflict, field.element)
            }
            self.identifiers[index] = identifier
        }
        for name in [CSVPatientField.name, .family, .given] {
            guard let field = table.patient[name], let text = try table.text(field, cells) else { continue }
            guard self.person[name] == nil || self.person[name] == text else {
                throw CSVFault(.patientConflict, field.element)
            }
            self.person[name] = text
        }
        if let sex = try table.sex(cells) {
            guard self.sex == nil || self.sex == sex else { throw CSVFault(.patientConflict, "patient.sex") }
            self.sex = sex
        }
        if let birthDate = try table.time(table.patient[.birthDate], cells) {
            guard self.birthDate == nil || self.birthDate == birthDate else {
                throw CSVFault(.patientConflict, "patient.birthDate")
            }
            self.birthDate = birthDate
        }
    }

    private var patient: PatientDemographics {
        let name = PersonName(
            text: self.person[.name],
            family: self.person[.family],
            given: self.person[.given].map { [$0] } ?? []
        )
        return PatientDemographics(
            identifiers: self.identifiers.compactMap { $0 },
            name: self.person.isEmpty ? nil : name,
            sex: self.sex,
            birthDate: self.birthDate
        )
    }

    // MARK: Exam

    /// The order number in its system, or all that the mapping groups by, without the patient.
    private func source(_ cells: CSVCells) throws(CSVFault) -> ExamSource {
        var names: [String] = []
        var texts: [String] = []
        for group in self.table.mapping.group {
            switch group {
            case .patient: continue
            case .row: return ExamSource(system: "sha-256", value: Digest(hashing: Array(cells.row.bytes)).hex)
            case .field(let field):
                names.append(field.rawValue)
                texts.append(try self.table.groupText(field, cells))
            }
        }
        if names == ["order"], let system = self.table.exam[.order]?.system {
            return ExamSource(system: system, value: texts[0])
        }
        return ExamSource(
            system: "csv:" + names.joined(separator: "+"),
            value: texts.count == 1 ? texts[0] : texts.map { "\($0.utf8.count):\($0)" }.joined()
        )
    }

    private func specimen(_ cells: CSVCells, _ collected: ClinicalTime?) throws(CSVFault) -> ExamSpecimen? {
        let exam = self.table.exam
        let type = try self.concept(exam[.specimenType], exam[.specimenCode], cells)
        let number = try self.table.text(exam[.specimenID], cells)
        guard type != nil || number != nil else { return nil }
        return ExamSpecimen(
            display: nil,
            identifiers: number.map { [SourceIdentifier(system: exam[.specimenID]?.system, value: $0)] } ?? [],
            type: type,
            collected: collected.map(ClinicalPeriod.time)
        )
    }

    func concept(
        _ name: CSVField?,
        _ code: CSVField?,
        _ cells: CSVCells,
        _ element: Int = 0
    ) throws(CSVFault) -> CodedConcept? {
        let text = try self.table.text(name, cells, element)
        let coding = try self.table.text(code, cells, element).map {
            Coding(system: code?.system, code: $0, display: nil)
        }
        guard text != nil || coding != nil else { return nil }
        return CodedConcept(text: text, codings: coding.map { [$0] } ?? [])
    }

    /// The exam and its patient; `nil` without a row.
    func finish(isComplete: Bool) -> (Exam, PatientDemographics)? {
        guard let source = self.source, !self.items.isEmpty else { return nil }
        var exam = Exam(
            kind: self.table.mapping.kind,
            source: source,
            identifiers: self.order.map { [$0] } ?? [],
            code: self.code,
            categories: [],
            status: isComplete ? Self.status(self.items.map(\.status)) : .partial
        )
        let collected = Self.span(self.collected)
        exam.effective = collected
        exam.issued = self.reported.max { $0.earliest < $1.earliest }
        exam.performers = self.performers.map { ExamPerformer(display: $0, identifiers: []) }
        exam.conclusion = self.conclusions.isEmpty ? nil : self.conclusions.joined(separator: "\n")
        exam.specimens = self.specimens
        exam.items = self.items
        return (exam, self.patient)
    }

    /// The panel; without one what was measured, if that is one thing; else only what sort of report it is.
    private var code: CodedConcept {
        if let first = self.panels.first {
            guard self.panels.count > 1 else { return first }
            let texts = self.panels.compactMap(\.text)
            return CodedConcept(
                text: texts.isEmpty ? nil : texts.joined(separator: "; "),
                codings: self.panels.flatMap(\.codings)
            )
        }
        if let first = self.items.first?.code, self.items.allSatisfy({ $0.code == first }) { return first }
        switch self.table.mapping.kind {
        case .laboratory:
            let coding = Coding(system: "http://loinc.org", code: "11502-2", display: "Laboratory report")
            return CodedConcept(text: nil, codings: [coding])
        case let kind: return CodedConcept(text: kind.rawValue, codings: [])
        }
    }

    private static func span(_ times: [ClinicalTime]) -> ClinicalPeriod? {
        guard let first = times.min(by: { $0.earliest < $1.earliest }),
            let last = times.max(by: { $0.earliest < $1.earliest })
        else { return nil }
        return first.earliest == last.earliest ? .time(first) : .period(start: first, end: last)
    }

    /// What holds for all results that were not withdrawn; never more than the least of them allows.
    private static func status(_ statuses: [ExamStatus]) -> ExamStatus {
        let all = Set(statuses)
        let valid = all.subtracting([.cancelled, .enteredInError])
        guard let one = valid.first else { return all.contains(.cancelled) ? .cancelled : .enteredInError }
        if valid.count == 1 { return one }
        if valid.contains(.unknown) { return .unknown }
        let released: Set<ExamStatus> = [.final, .amended, .corrected, .appended]
        guard valid.isSubset(of: released) else { return .partial }
        return valid.contains(.corrected) ? .corrected : .amended
    }
}
