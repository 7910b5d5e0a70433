/// One result of an exam (FHIR R4 Observation, or a component of one).
package struct ExamItem: Hashable, Sendable {
    package var code: CodedConcept
    /// A component has the status and time of the result it belongs to.
    package var status: ExamStatus
    package var effective: ClinicalPeriod?
    package var value: ItemValue?
    /// The amount in the unit that the consortium's catalogue has for the item, computed from ``value``, which stays what the
    /// source wrote.
    package var canonical: Quantity?
    package var dataAbsentReason: CodedConcept?
    package var interpretations: [CodedConcept] = []
    package var referenceRanges: [ReferenceRange] = []
    package var bodySite: CodedConcept?
    package var method: CodedConcept?
    package var specimen: ExamSpecimen?
    package var device: String?
    package var notes: [String] = []
    package var components: [ExamItem] = []
    /// 0 for a result that the report names; 1 for a member of such a result, and so on.
    package var level: Int

    package init(code: CodedConcept, status: ExamStatus, effective: ClinicalPeriod?, level: Int) {
        self.code = code
        self.status = status
        self.effective = effective
        self.level = level
    }
}

/// A result's value.
package enum ItemValue: Hashable, Sendable {
    case quantity(Quantity)
    case coded(CodedConcept)
    case text(String)
    case boolean(Bool)
    case integer(Int32)
    indirect case range(low: Quantity?, high: Quantity?)
    indirect case ratio(numerator: Quantity?, denominator: Quantity?)
    indirect case sampledData(SampledData)
    /// `hh:mm:ss`, with fractions where the source wrote them.
    case time(String)
    case dateTime(ClinicalTime)
    case period(start: ClinicalTime?, end: ClinicalTime?)
}

/// A measured amount.
///
/// Its digits are the source's own: 1.0 and 1.00 differ in precision.
package struct Quantity: Hashable, Sendable {
    /// How the real amount stands to the one that is given.
    package enum Comparator: String, Hashable, Sendable {
        case less = "<"
        case lessOrEqual = "<="
        case greaterOrEqual = ">="
        case greater = ">"
    }

    package var comparator: Comparator?
    /// Decimal number exactly as written.
    package var value: String?
    /// Unit as people read it.
    package var unit: String?
    /// URI of the unit's code system, mostly UCUM.
    package var system: String?
    package var code: String?

    package init(comparator: Comparator?, value: String?, unit: String?, system: String?, code: String?) {
        self.comparator = comparator
        self.value = value
        self.unit = unit
        self.system = system
        self.code = code
    }
}

/// A series of measurements at equal intervals, such as a curve; its points stay in the original.
package struct SampledData: Hashable, Sendable {
    package var origin: Quantity
    /// Milliseconds between samples, exactly as written.
    package var period: String
    /// Values measured at each point in time.
    package var dimensions: UInt32

    package init(origin: Quantity, period: String, dimensions: UInt32) {
        self.origin = origin
        self.period = period
        self.dimensions = dimensions
    }
}

/// The values that the performing laboratory expects.
package struct ReferenceRange: Hashable, Sendable {
    package var low: Quantity?
    package var high: Quantity?
    package var text: String?
    /// Whom it is for, where the source says so.
    package var appliesTo: [CodedConcept]

    package init(low: Quantity?, high: Quantity?, text: String?, appliesTo: [CodedConcept]) {
        self.low = low
        self.high = high
        self.text = text
        self.appliesTo = appliesTo
    }
}
