import Records

/// What a structured report (PS3.3 section C.17) or an encapsulated document (PS3.3 section C.24) says.
struct DICOMDocument: Sendable {
    /// The content tree in its order, the title first at level 0.
    var items: [ExamItem] = []
    /// Texts under the headings for impression and conclusion.
    var conclusions: [String] = []
    var conclusionCodes: [CodedConcept] = []
    /// When the last observer verified it.
    var issued: ClinicalTime?
    var observers: [ExamPerformer] = []
    var form: PresentedForm?

    /// The most content items that one study's reports may have: what a clinician can read ends long before.
    static let itemsMax = 16_384

    /// Returns `nil` for an instance that is neither.
    init?(_ dataSet: DICOMDataSet, sopClass: String) throws(DICOMFault) {
        let isEncapsulated =
            dataSet.element(.encapsulatedDocument) != nil
            || dataSet.element(.mimeTypeOfEncapsulatedDocument) != nil
        let (hasType, hasContent) = (dataSet.element(.valueType) != nil, dataSet.element(.contentSequence) != nil)
        let isReport =
            sopClass.hasPrefix("1.2.840.10008.5.1.4.1.1.88.") ? hasType || hasContent : hasType && hasContent
        guard isEncapsulated || isReport else { return nil }
        if isEncapsulated { self.form = try Self.form(dataSet) }
        guard isReport else { return }
        var walk = ContentWalk(status: try Self.status(dataSet))
        try walk.read(dataSet, level: 0, isConclusion: false)
        self.items = walk.items
        self.conclusions = walk.conclusions
        self.conclusionCodes = walk.conclusionCodes
        for item in try dataSet.items(.verifyingObserverSequence) {
            if let name = try item.name(.verifyingObserverName), let label = DICOMPersonName(name).name?.label {
                self.observers.append(ExamPerformer(display: label, identifiers: []))
            }
            guard let text = try item.string(.verificationDateTime) else { continue }
            guard let time = DICOMTime.combined(text) else { throw item.fault(.badDate, .verificationDateTime) }
            if self.issued.map({ $0.earliest < time.earliest }) ?? true { self.issued = time }
        }
    }

    private static func form(_ dataSet: DICOMDataSet) throws(DICOMFault) -> PresentedForm {
        let stated = dataSet.unsigned(.encapsulatedDocumentLength).map { UInt64($0) }
        let found = dataSet.element(.encapsulatedDocument).map { UInt64($0.value.count) }
        return PresentedForm(
            contentType: try dataSet.string(.mimeTypeOfEncapsulatedDocument),
            title: try dataSet.text(.documentTitle),
            size: stated ?? found
        )
    }

    /// PS3.3 C.17.2: a report is preliminary until somebody answers for it.
    private static func status(_ dataSet: DICOMDataSet) throws(DICOMFault) -> ExamStatus {
        let preliminary = try dataSet.string(.preliminaryFlag)
        switch (try dataSet.string(.completionFlag), try dataSet.string(.verificationFlag)) {
        case ("PARTIAL", _): return .partial
        case ("COMPLETE", _) where preliminary == "PRELIMINARY": return .preliminary
        case ("COMPLETE", _) where preliminary == "FINAL": return .final
        case ("COMPLETE", "VERIFIED"): return .final
        case ("COMPLETE", _): return .preliminary
        default: return .unknown
        }
    }
}

/// Makes items of a content tree, depth first.
private struct ContentWalk {
    let status: ExamStatus
    var items: [ExamItem] = []
    var conclusions: [String] = []
    var conclusionCodes: [CodedConcept] = []

    private static let referencedContentItemIdentifier = DICOMTag(0x0040_db73)
    private static let relationshipType = DICOMTag(0x0040_a010)

    /// PS3.16 CID 7000 and LOINC: headings under which a report gives its result.
    private static let conclusionCodes: Set<String> = [
        "121072", "121073", "121076", "121077", "19005-8", "55110-1",
    ]

    init(status: ExamStatus) { self.status = status }

    /// Reads the content item that `dataSet` is, and those in it.
    mutating func read(_ dataSet: DICOMDataSet, level: Int, isConclusion: Bool) throws(DICOMFault) {
        guard let type = try dataSet.string(.valueType) else {
            // An item by reference repeats one that stands elsewhere in the tree.
            guard dataSet.element(Self.referencedContentItemIdentifier) == nil else { return }
            throw DICOMFault(.valueTypeMissing, offset: dataSet.offset, .valueType)
        }
        let concept = try dataSet.coding(.conceptNameCodeSequence)
        let isConclusion = isConclusion || concept?.code.map { Self.conclusionCodes.contains($0) } ?? false
        var childLevel = level
        switch type {
        case "IMAGE", "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD":
            // The instances themselves are listed with the study; places in them need the image beside them.
            break
        default:
            guard self.items.count < DICOMDocument.itemsMax else {
                throw DICOMFault(.tooManyItems, offset: dataSet.offset, .contentSequence)
            }
            var item = ExamItem(
                code: CodedConcept(text: nil, codings: concept.map { [$0] } ?? []),
                status: self.status,
                effective: nil,
                level: level
            )
            try self.fill(&item, type, dataSet)
            if isConclusion { self.conclude(item) }
            self.items.append(item)
            childLevel += 1
        }
        for child in try dataSet.items(.contentSequence) {
            // A modifier or a property of a conclusion is not what was concluded.
            let isPart = try child.string(Self.relationshipType) == "CONTAINS"
            try self.read(child, level: childLevel, isConclusion: isConclusion && isPart)
        }
    }

    private mutating func conclude(_ item: ExamItem) {
        switch item.value {
        case .text(let text): self.conclusions.append(text)
        case .coded(let concept): self.conclusionCodes.append(concept)
        default: break
        }
    }

    private func fill(_ item: inout ExamItem, _ type: String, _ dataSet: DICOMDataSet) throws(DICOMFault) {
        switch type {
        case "TEXT": item.value = try dataSet.text(.textValue).map { .text($0) }
        case "CODE":
            item.value = try dataSet.coding(.conceptCodeSequence).map { .coded(CodedConcept(text: nil, codings: [$0])) }
        case "NUM":
            item.value = try self.quantity(dataSet).map { .quantity($0) }
            item.dataAbsentReason = try dataSet.coding(.numericValueQualifierCodeSequence)
                .map { CodedConcept(text: nil, codings: [$0]) }
        case "DATE":
            guard let text = try dataSet.string(.contentDate) else { return }
            guard let date = DICOMTime.date(text) else { throw dataSet.fault(.badDate, .contentDate) }
            item.value = .dateTime(date)
        case "TIME":
            guard let text = try dataSet.string(.contentTime) else { return }
            guard let clock = DICOMTime.clock(text) else { throw dataSet.fault(.badTime, .contentTime) }
            item.value = .time(clock)
        case "DATETIME":
            guard let text = try dataSet.string(.contentDateTime) else { return }
            guard let time = DICOMTime.combined(text) else { throw dataSet.fault(.badDate, .contentDateTime) }
            item.value = .dateTime(time)
        case "PNAME":
            item.value = try dataSet.name(.personName).flatMap { DICOMPersonName($0).name?.label }.map { .text($0) }
        case "UIDREF": item.value = try dataSet.uid(.uid).map { .text($0) }
        default: break
        }
    }

    private func quantity(_ dataSet: DICOMDataSet) throws(DICOMFault) -> Quantity? {
        guard let measured = try dataSet.items(.measuredValueSequence).first,
            let text = try measured.string(.numericValue)
        else { return nil }
        guard Self.isDecimal(text) else { throw measured.fault(.badNumber, .numericValue) }
        let unit = try measured.coding(.measurementUnitsCodeSequence)
        return Quantity(
            comparator: nil,
            value: text,
            unit: unit?.display ?? unit?.code,
            system: unit?.system,
            code: unit?.code
        )
    }

    /// A decimal string (PS3.5 table 6.2-1); longer ones than its 16 bytes are written too.
    private static func isDecimal(_ text: String) -> Bool {
        guard text.utf8.count <= 64 else { return false }
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let mantissa = rest.prefix { JSONReader.isDigit($0) || $0 == UInt8(ascii: ".") }
        guard mantissa.contains(where: JSONReader.isDigit), mantissa.count(where: { $0 == UInt8(ascii: ".") }) <= 1
        else { return false }
        rest = rest.dropFirst(mantissa.count)
        guard let sign = rest.first else { return true }
        guard sign == UInt8(ascii: "e") || sign == UInt8(ascii: "E") else { return false }
        rest.removeFirst()
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        return !rest.isEmpty && rest.allSatisfy(JSONReader.isDigit)
    }
}
