import Records

extension HL7v2ExamBuilder {
    /// Reads the results, notes, specimens and attachments of one order, in the order in which they stand.
    struct ResultReader {
        private let text: HL7v2Text
        private let values: HL7v2Values
        private let facility: String
        private let order: [HL7v2Segment]
        /// OBR-25, which an OBX without a status of its own has.
        private let orderStatus: ExamStatus?
        private let request: HL7v2Segment?
        private(set) var exam: Exam
        /// Of each result that has one of its own.
        private(set) var statuses: [ExamStatus] = []
        private(set) var performers = UniquePerformers()
        /// Whether a result names who observed it (OBX-16).
        private(set) var namesObserver = false
        private var lastPerformer: ArraySlice<UInt8> = []
        private var lastTime: (bytes: ArraySlice<UInt8>, time: ClinicalPeriod?)?
        private var level = 0
        private var repeated = 0
        /// The specimen that results belong to while it is open.
        private var specimen: ExamSpecimen?
        private var paragraph: Paragraph?
        private var noteTarget = NoteTarget.none
        private var note: [String] = []

        /// Lines of one text that are sent as one OBX each.
        private struct Paragraph {
            var item: Int
            var key: [ArraySlice<UInt8>]
            var lines: [String]
        }

        private enum NoteTarget {
            case none, order
            case item(Int)
        }

        init(_ builder: HL7v2ExamBuilder, _ order: HL7v2Order, _ exam: Exam, own: String?) {
            self.text = builder.text
            self.values = builder.values
            self.facility = builder.facility
            self.order = order.segments.lazy.filter { $0.role != .header }.map { builder.message.segments[$0.index] }
            self.request = order.request.map { builder.message.segments[$0] }
            self.exam = exam
            self.orderStatus = own.map(HL7v2Status.order).flatMap { $0 == .partial ? nil : $0 }
        }

        mutating func read() throws(HL7v2Fault) {
            // An import holds thousands of exams at a time: no room that is not used.
            let results = self.order.lazy.count { $0.id == "OBX" }
            self.exam.items.reserveCapacity(min(results, HL7v2Limits.itemsMax))
            try self.addParent()
            for segment in self.order {
                if segment.id != "NTE" { self.closeNote() }
                switch segment.id {
                case "OBX":
                    try self.add(result: segment)
                    continue
                case "NTE": self.add(note: segment)
                case "SPM": try self.add(specimen: segment)
                case "OBR", "TXA": (self.specimen, self.noteTarget) = (nil, .order)
                case "ORC": self.specimen = nil
                case "PRT", "TQ1", "TQ2", "CTD", "FT1", "CTI", "SAC", "INV": break
                default: self.noteTarget = .none
                }
                self.closeParagraph()
            }
            self.closeNote()
            self.closeParagraph()
            // The sample's time is the examination's, where the order gives none.
            if self.exam.effective == nil {
                self.exam.effective =
                    self.exam.specimens.lazy.compactMap(\.collected).first
                    ?? self.exam.items.lazy.compactMap(\.effective).first
            }
            for index in self.exam.items.indices where self.exam.items[index].effective == nil {
                // OBX-14 is needed only where it differs from OBR-7.
                self.exam.items[index].effective = self.exam.effective
            }
        }

        // MARK: Results

        /// The result that a child order goes into, such as the germ that was tested (OBR-26): what it was found to be
        /// is sent with the child.
        private mutating func addParent() throws(HL7v2Fault) {
            guard let request = self.request else { return }
            let parent = request.field(26).firstRepetition
            guard let value = self.text.string(parent.component(3)),
                let code = self.text.concept(parent.nested(1)), code.label != nil
            else { return }
            var item = ExamItem(code: code, status: self.orderStatus ?? .unknown, effective: nil, level: 0)
            item.value = .text(value)
            try self.append(item, request, field: 26)
            self.level = 1
        }

        private mutating func append(_ item: ExamItem, _ segment: HL7v2Segment, field: Int) throws(HL7v2Fault) {
            self.repeated += item.components.count
            guard self.exam.items.count + self.repeated < HL7v2Limits.itemsMax else {
                throw HL7v2Fault(.tooManyItems, segment, field: field)
            }
            self.exam.items.append(item)
        }

        private mutating func add(result segment: HL7v2Segment) throws(HL7v2Fault) {
            let type = self.text.string(segment.field(2).bytes) ?? ""
            let field = segment.field(5)
            let isText = type == "TX" || type == "FT"
            let key = isText ? [3, 4, 11].map { segment.field($0).bytes } : []
            if isText, let paragraph = self.paragraph, paragraph.key == key, segment.field(8).isEmpty {
                let line = self.lines(field)
                self.paragraph?.lines.append(line)
                self.noteTarget = .item(paragraph.item)
                return
            }
            self.closeParagraph()
            var code = self.text.concept(segment.field(3).firstRepetition)
            if code?.label == nil {
                let isNarrative = isText || ["ST", "ED", "RP", ""].contains(type)
                if field.isEmpty {
                    guard isText else { return }
                } else if !isNarrative {
                    throw HL7v2Fault(.codeMissing, segment, field: 3)
                }
                code = self.exam.code
            }
            guard let code else { return }
            let state = self.text.string(segment.field(11).bytes)
            let status = state.map(HL7v2Status.result) ?? self.orderStatus ?? .unknown
            if state != nil { self.statuses.append(status) }
            if type == "ED" || type == "RP" {
                try self.addForms(field, type, title: code.label, segment)
                self.noteTarget = .none
                if type == "ED" { return }
            }
            var item = ExamItem(
                code: code,
                status: status,
                effective: try self.time(of: segment),
                level: self.level
            )
            let unit = HL7v2Values.Unit(segment.field(6), self.text)
            if isText {
                self.paragraph = Paragraph(item: self.exam.items.count, key: key, lines: [self.lines(field)])
            } else {
                try self.read(field, type, unit, segment, into: &item)
            }
            if item.value == nil, item.components.isEmpty, !isText {
                item.dataAbsentReason = state.flatMap(HL7v2Status.absence)
            }
            try self.addContext(of: segment, unit, to: &item)
            self.addPerformer(of: segment)
            if !segment.field(16).isEmpty { self.namesObserver = true }
            self.noteTarget = .item(self.exam.items.count)
            try self.append(item, segment, field: 5)
            self.addConclusion(segment, item)
        }

        /// OBX-14; most results of an order have the same.
        private mutating func time(of segment: HL7v2Segment) throws(HL7v2Fault) -> ClinicalPeriod? {
            let bytes = segment.field(14).bytes
            if bytes.isEmpty { return nil }
            if let last = self.lastTime, bytes.elementsEqual(last.bytes) { return last.time }
            let time = try self.text.time(segment, 14).map { ClinicalPeriod.time($0) }
            self.lastTime = (bytes, time)
            return time
        }

        /// The value, or a component for each where there are several.
        private func read(
            _ field: HL7v2Field,
            _ type: String,
            _ unit: HL7v2Values.Unit,
            _ segment: HL7v2Segment,
            into item: inout ExamItem
        ) throws(HL7v2Fault) {
            let repetitions = field.repetitions
            guard repetitions.count <= HL7v2Limits.repetitionsMax else {
                throw HL7v2Fault(.tooManyItems, segment, field: 5)
            }
            let isText = type == "ST" || type.isEmpty
            if repetitions.count == 1 || isText {
                guard !isText else {
                    let lines = repetitions.compactMap { self.text.whole($0) }
                    item.value = lines.isEmpty ? nil : .text(lines.joined(separator: "\n"))
                    return
                }
                item.value = try self.values.value(field, type: type, unit: unit, segment)
                return
            }
            for repetition in repetitions {
                guard let value = try self.values.value(repetition, type: type, unit: unit, segment) else { continue }
                var component = ExamItem(
                    code: item.code,
                    status: item.status,
                    effective: item.effective,
                    level: item.level
                )
                component.value = value
                item.components.append(component)
            }
        }

        private func addContext(
            of segment: HL7v2Segment,
            _ unit: HL7v2Values.Unit,
            to item: inout ExamItem
        ) throws(HL7v2Fault) {
            if let range = self.values.referenceRange(segment.field(7), unit: unit) { item.referenceRanges = [range] }
            for flag in segment.field(8).repetitions.prefix(HL7v2Limits.repetitionsMax) {
                guard var concept = self.text.concept(flag), concept.label != nil else { continue }
                if let first = concept.codings.first, first.system == nil {
                    concept.codings[0].system = HL7v2CodeSystem.interpretation
                }
                item.interpretations.append(concept)
            }
            item.method = self.text.concept(segment.field(17).firstRepetition)
            item.device = self.text.string(segment.field(18).firstRepetition.component(1))
            item.bodySite = self.text.concept(segment.field(20).firstRepetition)
            item.specimen = self.specimen
        }

        /// The laboratory (OBX-23), else the producer (OBX-15); most results of a message name the same.
        private mutating func addPerformer(of segment: HL7v2Segment) {
            let field = segment.field(23).isEmpty ? segment.field(15) : segment.field(23)
            guard !field.isEmpty, !field.bytes.elementsEqual(self.lastPerformer) else { return }
            self.lastPerformer = field.bytes
            if !segment.field(23).isEmpty {
                self.performers.add(self.text.performer(organization: field.firstRepetition, facility: self.facility))
            } else if let producer = self.text.concept(field.firstRepetition), producer.label != nil {
                let id = producer.primary?.code.map { SourceIdentifier(system: producer.primary?.system, value: $0) }
                self.performers.add(ExamPerformer(display: producer.label, identifiers: id.map { [$0] } ?? []))
            }
        }

        private mutating func addForms(
            _ field: HL7v2Field,
            _ type: String,
            title: String?,
            _ segment: HL7v2Segment
        ) throws(HL7v2Fault) {
            for repetition in field.repetitions where !repetition.isEmpty {
                guard self.exam.presentedForms.count < HL7v2Limits.itemsMax else {
                    throw HL7v2Fault(.tooManyItems, segment, field: 5)
                }
                if type == "RP" {
                    self.exam.presentedForms.append(self.text.reference(repetition, title: title))
                } else if !repetition.component(5).isEmpty {
                    self.exam.presentedForms.append(try self.text.attachment(repetition, title: title, segment))
                }
            }
        }

        /// Section 7.2.4: a result whose code has the suffix IMP is the report's impression.
        private mutating func addConclusion(_ segment: HL7v2Segment, _ item: ExamItem) {
            guard segment.field(3).subcomponent(1, 2).elementsEqual("IMP".utf8) else { return }
            switch item.value {
            case .text(let text): self.addToConclusion(text)
            case .coded(let concept): self.exam.conclusionCodes.append(concept)
            default: if let lines = self.paragraph?.lines { self.addToConclusion(lines.joined(separator: "\n")) }
            }
        }

        private mutating func addToConclusion(_ text: String) {
            guard self.exam.conclusion != nil else {
                self.exam.conclusion = text
                return
            }
            self.exam.conclusion?.append("\n")
            self.exam.conclusion?.append(text)
        }

        // MARK: Text

        /// One OBX of a text: its repetitions are lines.
        private func lines(_ field: HL7v2Field) -> String {
            field.repetitions.map { self.text.whole($0) ?? "" }.joined(separator: "\n")
        }

        private mutating func closeParagraph() {
            guard let paragraph = self.paragraph else { return }
            self.paragraph = nil
            let text = paragraph.lines.joined(separator: "\n")
            // Empty lines divide paragraphs; around them they say nothing.
            let visible = text.drop { $0.isNewline }.reversed().drop { $0.isWhitespace }.reversed()
            self.exam.items[paragraph.item].value = visible.allSatisfy(\.isWhitespace) ? nil : .text(String(visible))
        }

        /// NTE: lines of one note, which a new first line ends.
        private mutating func add(note segment: HL7v2Segment) {
            if !self.note.isEmpty, self.text.string(segment.field(1).bytes) == "1" { self.closeNote() }
            self.note.append(self.lines(segment.field(3)))
        }

        private mutating func closeNote() {
            let text = self.note.joined(separator: "\n")
            self.note = []
            guard text.contains(where: { !$0.isWhitespace }) else { return }
            switch self.noteTarget {
            case .none: break
            case .order: self.addToConclusion(text)
            case .item(let index): self.exam.items[index].notes.append(text)
            }
        }

        // MARK: Specimens

        private mutating func add(specimen segment: HL7v2Segment) throws(HL7v2Fault) {
            var identifiers: [SourceIdentifier] = []
            let name = segment.field(2).firstRepetition
            for component in [2, 1] {
                if let id = self.text.entity(name.nested(component), facility: self.facility) { identifiers.append(id) }
            }
            let specimen = ExamSpecimen(
                display: self.text.string(segment.field(14).firstRepetition.bytes),
                identifiers: identifiers,
                type: self.text.concept(segment.field(4).firstRepetition),
                collected: try self.text.period(segment, 17)
            )
            self.exam.specimens.append(specimen)
            self.specimen = specimen
            self.noteTarget = .none
        }
    }

    /// Performers in the order in which they are first named.
    struct UniquePerformers {
        private(set) var elements: [ExamPerformer] = []
        private var known: Set<ExamPerformer> = []

        mutating func add(_ performer: ExamPerformer?) {
            guard let performer, self.known.insert(performer).inserted else { return }
            self.elements.append(performer)
        }
    }
}
