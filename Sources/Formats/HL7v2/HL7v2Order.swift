import Records

/// One order of a message with everything that belongs to it, as positions of segments.
struct HL7v2Order {
    /// What a run of segments is in a record's content.
    enum Role: String {
        /// The message's own segments and the patient's.
        case header = "Header"
        /// Results about the patient that belong to no order (since version 2.7.1).
        case patientResults = "PatientResults"
        /// A specimen that several orders share.
        case specimen = "Specimen"
        case order = "Order"
    }

    /// Positions of segments by role; orders of one patient share the first ones.
    var header: [Int] = []
    var patientResults: [Int] = []
    var specimen: [Int] = []
    var own: [Int] = []
    /// How many bytes all of them have.
    var size = 0
    /// Position of the patient's PID; `nil` where there is none.
    var patient: Int?
    /// Position of the OBR; `nil` in a document without one.
    var request: Int?

    /// All segments in the message's order.
    var segments: [(index: Int, role: Role)] {
        var segments: [(index: Int, role: Role)] = self.header.map { ($0, .header) }
        segments += self.patientResults.map { ($0, .patientResults) }
        segments += self.specimen.map { ($0, .specimen) }
        segments += self.own.map { ($0, .order) }
        return segments.sorted { $0.index < $1.index }
    }

    /// The orders of a message.
    ///
    /// ORU_R01 and OUL_R21: `[ORC] OBR …` begins an order. OUL_R22 and R23: specimens come first, ORC follows OBR.
    /// OUL_R24: ORC follows OBR. MDM: all is one document.
    static func orders(of message: HL7v2Message) throws(HL7v2Fault) -> [HL7v2Order] {
        var grouping = Grouping(
            message.segments,
            isDocument: message.code == "MDM",
            isSpecimenFirst: message.code == "OUL" && (message.trigger == "R22" || message.trigger == "R23"),
            isOrderControlLast: message.code == "OUL" && message.trigger != "R21"
        )
        for (index, segment) in message.segments.enumerated() { try grouping.add(index, segment) }
        grouping.close()
        guard !grouping.orders.isEmpty else {
            throw HL7v2Fault(.orderMissing, offset: message.segments.last?.range.lowerBound ?? 0)
        }
        return grouping.orders
    }

    private struct Grouping {
        let isDocument: Bool
        let isSpecimenFirst: Bool
        let isOrderControlLast: Bool
        var orders: [HL7v2Order] = []
        private var message: [Int] = []
        private var patient: [Int] = []
        /// Both of them, once an order needs them.
        private var header: [Int] = []
        private var headerBytes = 0
        private var specimenBytes = 0
        private let sizes: [Int]
        private var patientIndex: Int?
        private var patientResults: [Int] = []
        private var isInPatientResults = false
        private var specimen: [Int] = []
        private var isInSpecimen = false
        private var current: [Int]?
        private var request: Int?
        private var hasOrderControl = false

        init(_ segments: [HL7v2Segment], isDocument: Bool, isSpecimenFirst: Bool, isOrderControlLast: Bool) {
            self.sizes = segments.map(\.range.count)
            self.isDocument = isDocument
            self.isSpecimenFirst = isSpecimenFirst
            self.isOrderControlLast = isOrderControlLast
        }

        mutating func add(_ index: Int, _ segment: HL7v2Segment) throws(HL7v2Fault) {
            switch segment.id {
            case "PID":
                let hasOrder = self.current != nil
                self.close()
                // Two in a row: whose the results are cannot be told. A document has one patient.
                guard self.patientIndex == nil || hasOrder && !self.isDocument else {
                    throw HL7v2Fault(.patientConflict, segment, field: 3)
                }
                (self.patientIndex, self.patient, self.patientResults, self.specimen) = (index, [index], [], [])
                (self.isInPatientResults, self.isInSpecimen) = (false, false)
                (self.header, self.headerBytes, self.specimenBytes) = ([], 0, 0)
            case "ORC":
                let isOwn = self.isOrderControlLast && self.request != nil && !self.hasOrderControl
                if self.current == nil || !self.isDocument && !isOwn && (self.request != nil || self.hasOrderControl) {
                    self.open()
                }
                self.hasOrderControl = true
                self.current?.append(index)
            case "OBR":
                if self.current == nil || self.request != nil && !self.isDocument { self.open() }
                self.request = self.request ?? index
                self.current?.append(index)
            case "TXA" where self.isDocument, "OBX" where self.isDocument:
                if self.current == nil { self.open() }
                self.current?.append(index)
            case "SPM" where self.current == nil || self.isSpecimenFirst && self.request != nil:
                self.close()
                (self.specimen, self.specimenBytes) = ([index], 0)
                self.isInSpecimen = true
            default: self.addOther(index, segment.id)
            }
        }

        private mutating func addOther(_ index: Int, _ id: HL7v2SegmentID) {
            if self.current != nil {
                self.current?.append(index)
            } else if self.isInSpecimen {
                self.specimen.append(index)
            } else if self.patientIndex == nil {
                self.message.append(index)
            } else if id == "OBX" || self.isInPatientResults && (id == "NTE" || id == "PRT") {
                self.isInPatientResults = true
                self.patientResults.append(index)
            } else {
                self.isInPatientResults = false
                self.patient.append(index)
            }
        }

        private func bytes(_ indices: [Int]) -> Int { indices.reduce(0) { $0 + self.sizes[$1] } }

        private mutating func open() {
            self.close()
            self.current = []
        }

        mutating func close() {
            defer { (self.current, self.request, self.hasOrderControl) = (nil, nil, false) }
            guard let current = self.current else { return }
            var order = HL7v2Order()
            if self.header.isEmpty { self.header = self.message + self.patient }
            order.header = self.header
            // The patient's own results are shown with the first order, and with no other: each order is a record.
            order.patientResults = self.patientResults
            self.patientResults = []
            order.specimen = self.specimen
            order.own = current
            order.size = self.bytes(order.patientResults) + self.bytes(current)
            if self.headerBytes == 0 { self.headerBytes = self.bytes(self.header) }
            if self.specimenBytes == 0 { self.specimenBytes = self.bytes(self.specimen) }
            order.size += self.headerBytes + self.specimenBytes
            order.patient = self.patientIndex
            order.request = self.request
            self.orders.append(order)
        }
    }
}

// MARK: - Parts

extension HL7v2Order {
    /// The order's first and last byte that is its own.
    func range(in message: HL7v2Message) -> Range<Int> {
        guard let first = self.own.first, let last = self.own.last else { return 0..<message.bytes.count }
        return message.segments[first].range.lowerBound..<message.segments[last].range.upperBound
    }

    /// The message's bytes without other orders: joined they are a message with this order alone.
    ///
    /// Orders of one message that have the same name are told apart by `occurrence`, from 1.
    func parts(of message: HL7v2Message, occurrence: Int) -> [RecordContent.Part] {
        var runs: [(role: Role, range: Range<Int>)] = []
        for (index, next) in self.segments {
            let range = message.segments[index].range
            if let last = runs.last, last.role == next, last.range.upperBound == range.lowerBound {
                runs[runs.count - 1].range = last.range.lowerBound..<range.upperBound
            } else {
                runs.append((next, range))
            }
        }
        var parts = runs.map { RecordContent.Part(type: $0.role.rawValue, bytes: Array(message.bytes[$0.range])) }
        if let set = message.detected { parts[0].type += " " + set.rawValue }
        if occurrence > 1 { parts[parts.count - 1].type += " \(occurrence)" }
        return parts
    }
}
