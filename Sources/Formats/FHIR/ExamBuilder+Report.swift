import Primitives
import Records

extension ExamBuilder {
    /// Reads a DiagnosticReport with everything it names.
    mutating func report(_ value: JSONValue, _ root: Int) throws(FHIRFault) -> Exam {
        var exam = Exam(
            kind: .other,
            source: .init(system: "", value: ""),
            identifiers: try value.identifiers(FHIRKey.identifier),
            code: try Self.requiredCode(value),
            categories: try value.concepts(FHIRKey.category),
            status: try Self.status(value, allowed: Self.reportStatuses)
        )
        exam.source = Self.source(of: self.graph.entries[root], exam.identifiers)
        exam.effective = try value.clinicalPeriod(FHIRKey.effective)
        exam.issued = try value.instant(FHIRKey.issued)
        for key in [FHIRKey.performer, FHIRKey.resultsInterpreter] {
            exam.performers += try self.performers(value, root, key)
        }
        exam.conclusion = try value.text(FHIRKey.conclusion)
        exam.conclusionCodes = try value.concepts(FHIRKey.conclusionCode)
        exam.presentedForms = try Self.presentedForms(value)
        for reference in try value.references(FHIRKey.specimen) {
            exam.specimens.append(try self.specimen(reference, from: root))
        }
        for reference in try value.references(FHIRKey.result) {
            try self.addResult(reference, from: root, root: root, level: 0, FHIRKey.result)
        }
        exam.items = self.items
        for reference in try value.references(FHIRKey.imagingStudy) {
            guard let target = try self.follow(reference, from: root, FHIRKey.imagingStudy) else { continue }
            guard Self.type(of: target.value) == .imagingStudy else {
                throw FHIRFault(.referenceType, at: reference.value, FHIRKey.imagingStudy.name)
            }
            try self.checkSubject(of: target.value, owner: target.owner, root: root)
            exam.imaging.append(try target.value.asImagingSummary())
        }
        exam.kind = ExamKind(exam, itemCategories: self.itemCategories)
        return exam
    }

    /// Reads an Observation that belongs to no report as an exam of its own.
    mutating func observation(_ value: JSONValue, _ root: Int) throws(FHIRFault) -> Exam {
        try self.addItem(ResourceGraph.Target(value: value, owner: root), root: root, level: 0)
        var exam = Exam(
            kind: .other,
            source: .init(system: "", value: ""),
            identifiers: try value.identifiers(FHIRKey.identifier),
            code: self.items[0].code,
            categories: try value.concepts(FHIRKey.category),
            status: self.items[0].status
        )
        exam.source = Self.source(of: self.graph.entries[root], exam.identifiers)
        exam.effective = self.items[0].effective
        exam.issued = try value.instant(FHIRKey.issued)
        exam.performers = try self.performers(value, root, FHIRKey.performer)
        exam.specimens = self.items[0].specimen.map { [$0] } ?? []
        exam.items = self.items
        exam.kind = ExamKind(exam, itemCategories: self.itemCategories)
        return exam
    }

    /// Reads an ImagingStudy that belongs to no report as an exam of its own.
    mutating func study(_ value: JSONValue, _ root: Int) throws(FHIRFault) -> Exam {
        let summary = try value.asImagingSummary()
        let procedures = try value.concepts(FHIRKey.procedureCode)
        var exam = Exam(
            kind: .imaging,
            source: .init(system: "", value: ""),
            identifiers: try value.identifiers(FHIRKey.identifier),
            code: procedures.first ?? CodedConcept(text: summary.description, codings: summary.modalities),
            categories: [],
            status: try Self.status(value, allowed: Self.studyStatuses)
        )
        exam.source =
            summary.studyUID.map { ExamSource(system: JSONValue.dicomUIDSystem, value: "urn:oid:\($0)") }
            ?? Self.source(of: self.graph.entries[root], exam.identifiers)
        exam.effective = summary.started.map { .time($0) }
        exam.imaging = [summary]
        return exam
    }

    // MARK: Parts of an exam

    static let reportStatuses: Set<ExamStatus> = [
        .registered, .partial, .preliminary, .final, .amended, .corrected, .appended, .cancelled, .enteredInError,
        .unknown,
    ]
    static let observationStatuses = Self.reportStatuses.subtracting([.partial, .appended])
    static let studyStatuses: Set<ExamStatus> = [
        .registered, .available, .cancelled, .enteredInError, .unknown, .inactive,
    ]

    static func status(_ value: JSONValue, allowed: Set<ExamStatus>) throws(FHIRFault) -> ExamStatus {
        guard let element = value.present(FHIRKey.status) else {
            throw FHIRFault(.statusMissing, at: value, FHIRKey.status.name)
        }
        guard let status = element.string.flatMap({ ExamStatus(rawValue: $0) }), allowed.contains(status) else {
            throw FHIRFault(.badStatus, at: element, FHIRKey.status.name)
        }
        return status
    }

    static func requiredCode(_ value: JSONValue) throws(FHIRFault) -> CodedConcept {
        guard let code = try value.concept(FHIRKey.code), code.label != nil else {
            throw FHIRFault(.codeMissing, at: value, FHIRKey.code.name)
        }
        return code
    }

    /// Names the exam within its source: by the resource's id, else by its first complete business identifier, else by
    /// its full URL, else by its content.
    ///
    /// The id comes first because business identifiers are often shared: one order number for several reports.
    static func source(of entry: ResourceGraph.Entry, _ identifiers: [SourceIdentifier]) -> ExamSource {
        if let key = entry.key { return ExamSource(system: "fhir", value: key) }
        for identifier in identifiers {
            if let system = identifier.system { return ExamSource(system: system, value: identifier.value) }
        }
        if let url = entry.fullURL { return ExamSource(system: "fhir", value: url) }
        return ExamSource(system: "sha-256", value: Digest(hashing: entry.value.bytes).hex)
    }

    private mutating func performers(
        _ value: JSONValue,
        _ owner: Int,
        _ key: JSONKey
    ) throws(FHIRFault) -> [ExamPerformer] {
        var performers: [ExamPerformer] = []
        var known: Set<ExamPerformer> = []
        for reference in try value.references(key) {
            let target = try self.follow(reference, from: owner, key)
            if Self.isPerson(reference, target) { self.namesPerson = true }
            var performer = ExamPerformer(
                display: reference.display,
                identifiers: reference.identifier.map { [$0] } ?? []
            )
            if let target {
                performer.identifiers += try target.value.identifiers(FHIRKey.identifier)
                if performer.display == nil { performer.display = try self.name(of: target) }
            }
            guard performer.display != nil || !performer.identifiers.isEmpty,
                known.insert(performer).inserted
            else { continue }
            performers.append(performer)
        }
        return performers
    }

    /// By the resource, or by the type that the reference names where that is not in the input.
    private static func isPerson(_ reference: FHIRReference, _ target: ResourceGraph.Target?) -> Bool {
        if let target {
            return [.practitioner, .practitionerRole, .patient].contains(Self.type(of: target.value))
        }
        let path = reference.literal?.split(separator: "/").dropLast().last ?? ""
        return ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"].contains(path)
    }

    /// The name of a person, organization or role.
    private mutating func name(of target: ResourceGraph.Target) throws(FHIRFault) -> String? {
        switch Self.type(of: target.value) {
        case .organization: return try target.value.text(FHIRKey.name)
        case .practitioner, .patient: return try target.value.personName()?.label
        case .practitionerRole:
            for key in [FHIRKey.practitioner, FHIRKey.organization] {
                guard let reference = try target.value.reference(key) else { continue }
                if let display = reference.display { return display }
                guard let next = try self.follow(reference, from: target.owner, key) else { continue }
                switch Self.type(of: next.value) {
                case .organization: return try next.value.text(FHIRKey.name)
                case .practitioner: return try next.value.personName()?.label
                default: continue
                }
            }
            return nil
        default: return nil
        }
    }

    private static func presentedForms(_ value: JSONValue) throws(FHIRFault) -> [PresentedForm] {
        var forms: [PresentedForm] = []
        for form in try value.objects(FHIRKey.presentedForm) {
            let embedded = try form.base64Size(FHIRKey.data)
            let stated = try form.unsignedInteger(FHIRKey.size)
            forms.append(
                PresentedForm(
                    contentType: try form.code(FHIRKey.contentType),
                    title: try form.text(FHIRKey.title),
                    size: embedded ?? stated.map { UInt64($0) }
                )
            )
        }
        return forms
    }

    mutating func specimen(_ reference: FHIRReference, from owner: Int) throws(FHIRFault) -> ExamSpecimen {
        guard let target = try self.follow(reference, from: owner, FHIRKey.specimen) else {
            return ExamSpecimen(display: reference.display, identifiers: reference.identifier.map { [$0] } ?? [])
        }
        return ExamSpecimen(
            display: reference.display,
            identifiers: try target.value.identifiers(FHIRKey.identifier),
            type: try target.value.concept(FHIRKey.type),
            collected: try target.value.object(FHIRKey.collection)?.clinicalPeriod(FHIRKey.collected)
        )
    }

    /// The name of a device, from the reference or from the Device itself.
    mutating func device(_ reference: FHIRReference, from owner: Int) throws(FHIRFault) -> String? {
        let target = try self.follow(reference, from: owner, FHIRKey.device)
        if let display = reference.display { return display }
        guard let target else { return reference.identifier?.value }
        for name in try target.value.objects(FHIRKey.deviceName) {
            if let text = try name.text(FHIRKey.name) { return text }
        }
        return try target.value.concept(FHIRKey.type)?.label
    }
}
