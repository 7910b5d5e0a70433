import Primitives
import Records

/// Reads exams out of a graph of resources; everything that goes into an exam is checked, nothing else is.
struct ExamBuilder: Sendable {
    /// Results of one exam: no more than a record has parts for.
    static let itemsMax = RecordContent.partsMax / 2
    /// Bytes of one exam's parts; sealing adds its overhead to them.
    static let bytesMax = SealedObject.bodyBytesMax / 4 * 3
    /// Levels of observations that group observations.
    static let levelsMax = 16

    let graph: ResourceGraph
    /// Entries that the exam being read was read from, in the order of first use.
    private var used: [Int] = []
    private var isUsed: Set<Int> = []
    /// First bytes of the observations that are already items of it.
    var itemOffsets: Set<Int> = []
    var items: [ExamItem] = []
    var itemCategories: [CodedConcept] = []
    /// Whether a performer is a person.
    var namesPerson = false
    private var patients: [Int: PatientDemographics] = [:]

    init(_ graph: ResourceGraph) { self.graph = graph }

    /// Reads the exam whose report, study or observation is the entry `root`.
    mutating func exam(_ root: Int) throws(FHIRFault) -> ParsedExam {
        self.used = [root]
        self.isUsed = [root]
        self.items = []
        self.itemCategories = []
        self.namesPerson = false
        self.itemOffsets = []
        let entry = self.graph.entries[root]
        try Self.checkResource(entry.value)
        let subject = try self.subject(of: entry.value, owner: root)
        var exam =
            switch entry.type {
            case .diagnosticReport: try self.report(entry.value, root)
            case .imagingStudy: try self.study(entry.value, root)
            default: try self.observation(entry.value, root)
            }
        exam.namesPerson = self.namesPerson
        guard self.used.count <= RecordContent.partsMax else {
            throw FHIRFault(.tooManyItems, at: entry.value, entry.type.rawValue)
        }
        let size = self.used.reduce(0) { size, index in
            let entry = self.graph.entries[index]
            return size + entry.value.range.count + (entry.fullURL?.utf8.count ?? 0) + 64
        }
        guard size <= Self.bytesMax else { throw FHIRFault(.tooLarge, at: entry.value, entry.type.rawValue) }
        return ParsedExam(
            format: .fhirR4JSON,
            exam: exam,
            subject: subject,
            parts: self.used.map { self.part($0) },
            offset: entry.value.offset,
            bundleIndex: entry.bundleIndex
        )
    }

    private func part(_ index: Int) -> RecordContent.Part {
        let entry = self.graph.entries[index]
        let role = entry.fullURL.map { "\(entry.type.rawValue) \($0)" } ?? entry.type.rawValue
        return RecordContent.Part(type: role, bytes: Array(entry.value.bytes))
    }

    private mutating func use(_ index: Int) {
        guard self.isUsed.insert(index).inserted else { return }
        self.used.append(index)
    }

    /// Checks what every resource that goes into an exam must satisfy.
    static func checkResource(_ value: JSONValue) throws(FHIRFault) {
        _ = try value.identity(FHIRKey.id)
        for key in [FHIRKey.modifierExtension, FHIRKey.implicitRules] {
            guard let rule = value.present(key) else { continue }
            // FHIR R4 2.1.0.1: who does not understand a modifier must not process the resource.
            throw FHIRFault(.modifierExtension, at: rule, key.name)
        }
    }

    // MARK: References

    /// Follows a reference and counts what it leads to as used.
    ///
    /// - Returns: `nil` if the reference is not literal or leads to nothing in the input.
    mutating func follow(
        _ reference: FHIRReference,
        from owner: Int,
        _ key: JSONKey
    ) throws(FHIRFault) -> ResourceGraph.Target? {
        guard let literal = reference.literal else { return nil }
        switch self.graph.resolve(literal, from: owner) {
        case .absent: return nil
        case .ambiguous: throw FHIRFault(.referenceAmbiguous, at: reference.value, key.name)
        case .found(let target):
            try Self.checkResource(target.value)
            self.use(target.owner)
            return target
        }
    }

    /// The type of an entry or a contained resource.
    static func type(of value: JSONValue) -> ResourceType? {
        value[FHIRKey.resourceType]?.string.flatMap { ResourceType(rawValue: $0) }
    }

    // MARK: Patients

    /// Reads the patient that is the entry `index`.
    mutating func patient(_ index: Int) throws(FHIRFault) -> PatientDemographics {
        if let patient = self.patients[index] { return patient }
        let value = self.graph.entries[index].value
        try Self.checkResource(value)
        let patient = try value.asPatient()
        self.patients[index] = patient
        return patient
    }

    private mutating func subject(of value: JSONValue, owner: Int) throws(FHIRFault) -> ExamSubject {
        guard let reference = try value.reference(FHIRKey.subject) else { return .missing }
        if let target = try self.follow(reference, from: owner, FHIRKey.subject) {
            guard Self.type(of: target.value) == .patient else { return .notAPatient }
            let isEntry = self.graph.entries[target.owner].value.offset == target.value.offset
            return .patient(isEntry ? try self.patient(target.owner) : try target.value.asPatient())
        }
        // A business identifier names the patient as well as a resource does.
        if let identifier = reference.identifier ?? reference.literal.flatMap(Self.searchedIdentifier) {
            let name = reference.display.map { PersonName(text: $0, family: nil, given: []) }
            return .patient(PatientDemographics(identifiers: [identifier], name: name))
        }
        guard let literal = reference.literal else { return .unresolved }
        let type = ResourceGraph.key(of: literal)?.prefix { $0 != "/" }
        return type == nil || type == "Patient" ? .unresolved : .notAPatient
    }

    /// The identifier in a conditional reference of a transaction, `Patient?identifier=system|value`.
    private static func searchedIdentifier(_ literal: String) -> SourceIdentifier? {
        let prefix = "Patient?identifier="
        guard literal.hasPrefix(prefix), !literal.contains("&") else { return nil }
        var bytes: [UInt8] = []
        var rest = literal.utf8.dropFirst(prefix.utf8.count)
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(JSONReader.hexadecimalValue),
                let low = rest.popFirst().flatMap(JSONReader.hexadecimalValue)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self), let bar = text.firstIndex(of: "|") else {
            return nil
        }
        let (system, value) = (text[..<bar], text[text.index(after: bar)...])
        guard !system.isEmpty, !value.isEmpty else { return nil }
        return SourceIdentifier(system: String(system), value: String(value))
    }

    /// Refuses a result whose subject is literally another resource than the exam's.
    func checkSubject(of value: JSONValue, owner: Int, root: Int) throws(FHIRFault) {
        guard let own = value[FHIRKey.subject]?[FHIRKey.reference],
            let exam = self.graph.entries[root].value[FHIRKey.subject]?[FHIRKey.reference],
            own.bytes != exam.bytes, let ownText = own.string, let examText = exam.string
        else { return }
        switch (self.graph.resolve(ownText, from: owner), self.graph.resolve(examText, from: root)) {
        case (.found(let left), .found(let right)) where left.value.offset == right.value.offset: return
        case (.absent, .absent):
            // Neither is here: an absolute and a relative form may still mean the same patient.
            guard ResourceGraph.key(of: ownText) != ResourceGraph.key(of: examText) else { return }
        default: break
        }
        throw FHIRFault(.subjectConflict, at: own, FHIRKey.subject.name)
    }
}
