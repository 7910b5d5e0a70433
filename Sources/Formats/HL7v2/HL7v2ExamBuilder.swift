import Primitives
import Records

/// Reads the exam of each order of one message.
struct HL7v2ExamBuilder {
    let message: HL7v2Message
    let text: HL7v2Text
    let values: HL7v2Values
    /// Who sends: MSH-4, else MSH-3; local names are told apart by it.
    let facility: String
    private let isChina: Bool
    private var patients: [Int: PatientDemographics] = [:]

    /// An exam and what it is about.
    struct Built {
        var exam: Exam
        var subject: ExamSubject
    }

    init(_ message: HL7v2Message) {
        self.message = message
        self.text = message.text
        self.values = HL7v2Values(text: message.text)
        let header = message.header
        let facility = [4, 3].lazy.compactMap { [text = message.text] number -> String? in
            let field = header.field(number).firstRepetition
            return text.string(field.component(2)) ?? text.string(field.component(1))
        }.first
        self.facility = facility ?? ""
        let country = message.text.string(header.field(17).component(1))
        self.isChina = country == "CHN" || country == "CN"
    }

    mutating func build(_ order: HL7v2Order) throws(HL7v2Fault) -> Built {
        let subject = try self.subject(order)
        let isDocument = self.message.code == "MDM"
        let request = order.request.map { self.message.segments[$0] }
        let document = isDocument ? self.first("TXA", order) : nil
        guard let head = request ?? document else {
            let offset = order.range(in: self.message).lowerBound
            throw HL7v2Fault(.orderMissing, offset: offset, element: isDocument ? "TXA" : "OBR")
        }
        let control = self.first("ORC", order)
        let code =
            request.flatMap { self.text.concept($0.field(4).firstRepetition) }
            ?? document.flatMap { self.documentType($0) }
        guard let code, code.label != nil else {
            throw HL7v2Fault(.codeMissing, head, field: head.id == "OBR" ? 4 : 2)
        }
        var exam = Exam(
            kind: .other,
            source: .init(system: "", value: ""),
            identifiers: self.identifiers(request, control, document),
            code: code,
            categories: self.categories(request),
            status: .unknown
        )
        exam.source = self.source(order, request, control, document, code)
        if let request {
            exam.effective = HL7v2Text.period(try self.text.time(request, 7), try self.text.time(request, 8))
            exam.issued = try self.text.time(request, 22)
        }
        if let document {
            let (activity, edited) = (try self.text.time(document, 4), try self.text.time(document, 8))
            let originated = try self.text.time(document, 6)
            exam.effective = exam.effective ?? activity.map { .time($0) }
            exam.issued = edited ?? originated ?? exam.issued
        }
        var results = ResultReader(self, order, exam, own: request.flatMap { self.text.string($0.field(25).bytes) })
        try results.read()
        exam = results.exam
        exam.status = self.status(request, control, document, results.statuses)
        let persons = self.performers(request, document)
        exam.performers = persons + results.performers.elements
        exam.namesPerson = !persons.isEmpty || results.namesObserver
        if let request { self.addSource(of: request, to: &exam) }
        exam.kind = ExamKind(exam, request: request, document: document, text: self.text, message: self.message)
        return Built(exam: exam, subject: subject)
    }

    func first(_ id: HL7v2SegmentID, _ order: HL7v2Order) -> HL7v2Segment? {
        order.own.lazy.map { self.message.segments[$0] }.first { $0.id == id }
    }

    private mutating func subject(_ order: HL7v2Order) throws(HL7v2Fault) -> ExamSubject {
        guard let index = order.patient else { return .missing }
        if let known = self.patients[index] { return .patient(known) }
        let segment = self.message.segments[index]
        let patient = try self.text.patient(segment, facility: self.facility, isChina: self.isChina)
        self.patients[index] = patient
        return .patient(patient)
    }

    // MARK: Names

    /// Filler's and placer's number, from OBR or else ORC; of a document its own; of a child the parent's too.
    private func identifiers(
        _ request: HL7v2Segment?,
        _ control: HL7v2Segment?,
        _ document: HL7v2Segment?
    ) -> [SourceIdentifier] {
        var identifiers: [SourceIdentifier] = []
        func add(_ field: HL7v2Field?, _ type: String) {
            guard let field, var identifier = self.text.entity(field, facility: self.facility) else { return }
            let coding = Coding(system: HL7v2CodeSystem.identifierType, code: type, display: nil)
            identifier.type = CodedConcept(text: nil, codings: [coding])
            identifiers.append(identifier)
        }
        add(document?.field(12).firstRepetition, "DOC")
        add(self.entity(request, 3, control, 3), "FILL")
        add(self.entity(request, 2, control, 2), "PLAC")
        if let request, !request.field(29).isEmpty {
            let parent = request.field(29).firstRepetition
            for (component, kind) in [(2, "Parent filler order number"), (1, "Parent placer order number")] {
                guard var identifier = self.text.entity(parent.nested(component), facility: self.facility) else {
                    continue
                }
                identifier.type = CodedConcept(text: kind, codings: [])
                identifiers.append(identifier)
            }
        }
        return identifiers
    }

    private func entity(_ first: HL7v2Segment?, _ field: Int, _ second: HL7v2Segment?, _ other: Int) -> HL7v2Field? {
        for (segment, number) in [(first, field), (second, other)] {
            guard let value = segment?.field(number).firstRepetition, self.text.string(value.component(1)) != nil
            else { continue }
            return value
        }
        return nil
    }

    /// The name by which a correction finds what it corrects; see Documentation/Protocol/HL7v2-Import.md.
    private func source(
        _ order: HL7v2Order,
        _ request: HL7v2Segment?,
        _ control: HL7v2Segment?,
        _ document: HL7v2Segment?,
        _ code: CodedConcept
    ) -> ExamSource {
        if let document {
            // A replacement names the document that it replaces.
            let number = self.message.trigger == "T10" && !document.field(13).isEmpty ? 13 : 12
            if let id = self.text.entity(document.field(number).firstRepetition, facility: self.facility) {
                return ExamSource(system: "hl7v2-document:" + self.authority(id), value: id.value)
            }
        }
        // One order number stands for several tests as a rule, so the test is part of the name, and of a child the
        // result that it goes into.
        var test = code.primary?.code ?? code.label ?? ""
        if let request {
            // A code alone is no result of a parent; some write OBR-25 one field too late.
            let parent = request.field(26).firstRepetition
            let isParent = parent.hasComponents || !request.field(29).isEmpty
            let names = [self.text.string(parent.subcomponent(1, 1)), self.text.string(parent.component(2))]
            let suffix = names.compactMap { $0 }.joined(separator: ".")
            if isParent, !suffix.isEmpty { test += "/\(suffix)" }
        }
        for (kind, field) in [
            ("filler", self.entity(request, 3, control, 3)), ("placer", self.entity(request, 2, control, 2)),
        ] {
            guard let field, let id = self.text.entity(field, facility: self.facility) else { continue }
            return ExamSource(system: "hl7v2-\(kind):" + self.authority(id), value: "\(id.value)/\(test)")
        }
        if let id = self.text.string(self.message.header.field(10).bytes) {
            let set = request.flatMap { self.text.string($0.field(1).bytes) } ?? "1"
            return ExamSource(system: "hl7v2-message:" + self.facility, value: "\(id)/\(set)/\(test)")
        }
        let bytes = self.message.bytes[order.range(in: self.message)]
        return ExamSource(system: "sha-256", value: Digest(hashing: bytes).hex)
    }

    private func authority(_ identifier: SourceIdentifier) -> String {
        identifier.system ?? "\(HL7v2Namespace.localPrefix)\(self.facility)"
    }

    private func documentType(_ document: HL7v2Segment) -> CodedConcept? {
        guard var concept = self.text.concept(document.field(2).firstRepetition) else { return nil }
        if let first = concept.codings.first, first.system == nil {
            concept.codings[0].system = HL7v2CodeSystem.documentType
        }
        return concept
    }

    private func categories(_ request: HL7v2Segment?) -> [CodedConcept] {
        guard let section = request.flatMap({ self.text.string($0.field(24).component(1)) }) else { return [] }
        let coding = Coding(system: "http://terminology.hl7.org/CodeSystem/v2-0074", code: section, display: nil)
        return [CodedConcept(text: nil, codings: [coding])]
    }

    // MARK: State, performers, specimen source

    private func status(
        _ request: HL7v2Segment?,
        _ control: HL7v2Segment?,
        _ document: HL7v2Segment?,
        _ results: [ExamStatus]
    ) -> ExamStatus {
        if let document {
            return HL7v2Status.document(
                completion: self.text.string(document.field(17).component(1)),
                availability: self.text.string(document.field(19).component(1)),
                trigger: self.message.trigger
            )
        }
        if let code = request.flatMap({ self.text.string($0.field(25).component(1)) }) {
            return HL7v2Status.order(code)
        }
        // Cancelled, discontinued or not done, by the order's control code.
        let control = control.flatMap { self.text.string($0.field(1).bytes) }
        if let control, ["CA", "OC", "CR", "DC", "OD", "DR"].contains(control) { return .cancelled }
        return HL7v2Status.summary(results)
    }

    private func performers(_ request: HL7v2Segment?, _ document: HL7v2Segment?) -> [ExamPerformer] {
        var performers: [ExamPerformer] = []
        // OBR-32 and 33 are NDL: the name is the first component, its parts subcomponents.
        for number in [32, 33] {
            for field in request?.field(number).repetitions.prefix(HL7v2Limits.repetitionsMax) ?? [] {
                let person = field.component(1).contains(self.text.delimiters.subcomponent) ? field.nested(1) : field
                if let performer = self.text.performer(person: person, facility: self.facility) {
                    performers.append(performer)
                }
            }
        }
        if let author = document?.field(5).firstRepetition.bytes.isEmpty == false
            ? document?.field(5) : document?.field(9),
            let performer = self.text.performer(person: author.firstRepetition, facility: self.facility)
        {
            performers.append(performer)
        }
        return performers
    }

    /// OBR-15 of versions before 2.5: `specimen source^additives^collection method text^body site`.
    private func addSource(of request: HL7v2Segment, to exam: inout Exam) {
        let field = request.field(15).firstRepetition
        guard exam.specimens.isEmpty, !field.isEmpty, let type = self.text.concept(field.nested(1)) else { return }
        exam.specimens = [ExamSpecimen(display: nil, type: type)]
    }
}
