import Primitives
import Records

/// Reads the exam out of one document: everything that goes into the exam is checked, nothing else is.
struct CDABuilder {
    /// Results of one document.
    static let itemsMax = RecordContent.partsMax / 2

    let document: CDADocument
    var items: [ExamItem] = []
    /// Items that state no status themselves: theirs is the document's.
    var undecided: [Int] = []
    var panels: [CodedConcept] = []
    var specimens: [ExamSpecimen] = []
    var conclusions: [String] = []
    var conclusionCodes: [CodedConcept] = []
    /// Narratives of sections that hold results but no coded ones.
    var narratives: [String] = []
    var presentedForms: [PresentedForm] = []
    var imaging: [ImagingSummary] = []
    var performers: [ExamPerformer] = []
    /// Whether one of them is a person.
    var namesPerson = false
    /// Numbers of the report, the request and the specimen that the header gives as the patient's.
    var orderNumbers: [SourceIdentifier] = []
    /// What the sections with results are about.
    var sorts: Set<CDASection.Sort> = []
    /// Whether an organizer says that it is a battery of tests.
    var hasBattery = false
    /// Whether it says more than results, such as diagnoses and medication.
    var hasOtherContent = false

    init(_ document: CDADocument) { self.document = document }

    /// Reads exam and patient of the document that `bytes` are.
    mutating func exam(in bytes: ArraySlice<UInt8>) throws(CDAFault) -> (exam: Exam, patient: PatientDemographics) {
        let root = self.document.root
        let header = try CDAHeader(self.document)
        let patient = try self.patient()
        try self.readPerformers()
        try self.readBody()
        var exam = Exam(
            kind: .other,
            source: header.source ?? Self.source(hashing: bytes),
            identifiers: header.identifiers + self.orderNumbers,
            code: header.code,
            categories: header.restriction + self.panels,
            status: .unknown
        )
        exam.kind = self.kind(of: header.code)
        exam.status = self.status(header)
        for index in self.undecided {
            self.items[index].status = header.documentStatus
            for component in self.items[index].components.indices {
                self.items[index].components[component].status = header.documentStatus
            }
        }
        exam.effective = try self.effective(root)
        exam.issued = header.issued
        exam.performers = self.performers
        exam.namesPerson = self.namesPerson
        exam.conclusion = self.conclusion
        exam.conclusionCodes = self.conclusionCodes
        exam.presentedForms = self.presentedForms
        exam.specimens = self.specimens
        exam.items = self.items
        exam.imaging = self.imaging
        guard !self.document.isExceeded else { throw CDAFault(.tooLarge, at: root) }
        return (exam, patient)
    }

    private static func source(hashing bytes: ArraySlice<UInt8>) -> ExamSource {
        ExamSource(system: "sha-256", value: Digest(hashing: Array(bytes)).hex)
    }

    private var conclusion: String? {
        var texts = self.conclusions
        if texts.isEmpty { texts = self.narratives }
        // Without any result the document's own words are all there is.
        if texts.isEmpty, self.items.isEmpty {
            texts = CDADocument.narratives(self.document.sections)
        }
        let text = texts.joined(separator: "\n")
        return text.isEmpty ? nil : CDADocument.cut(Array(text.utf8)[...])
    }

    // MARK: Status and time

    /// The exam's status: that of its results, where some are still to come or none will; else the document's.
    private func status(_ header: CDAHeader) -> ExamStatus {
        let statuses = self.items.enumerated().filter { !self.undecided.contains($0.offset) }.map(\.element.status)
        guard !statuses.isEmpty, statuses.count == self.items.count else {
            return statuses.contains { $0 == .registered } ? .partial : header.documentStatus
        }
        if Set(statuses).count == 1, let status = statuses.first, status != .final, status != .unknown { return status }
        if statuses.contains(.registered) { return .partial }
        return header.replaces ? .corrected : statuses.contains(.final) ? .final : header.documentStatus
    }

    /// When the examination took place: from the first to the last result, else what the header says of the event.
    private func effective(_ root: XMLElement) throws(CDAFault) -> ClinicalPeriod? {
        let periods = Set(self.items.compactMap(\.effective))
        if periods.count == 1 { return periods.first }
        if !periods.isEmpty {
            let times = self.items.compactMap(\.effective).flatMap { period -> [ClinicalTime] in
                switch period {
                case .time(let time): [time]
                case .period(let start, let end): [start, end].compactMap { $0 }
                }
            }
            // The first of equal ones, so that the text is the same however often it is read.
            let first = times.reduce(times[0]) { $1.earliest < $0.earliest ? $1 : $0 }
            let last = times.reduce(times[0]) { $1.earliest > $0.earliest ? $1 : $0 }
            return first == last ? .time(first) : .period(start: first, end: last)
        }
        for documentation in root.children("documentationOf") {
            guard let event = documentation.child("serviceEvent"), event.attribute("classCode") != "PCPR" else {
                continue  // The provision of care over years is no examination.
            }
            if let period = try CDADocument.period(event.child("effectiveTime")) { return period }
        }
        return try CDADocument.period(root.descendant("componentOf", "encompassingEncounter", "effectiveTime"))
    }
}
