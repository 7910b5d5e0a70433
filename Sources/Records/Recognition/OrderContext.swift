package import Primitives

/// What a doctor is about to order, for whom and where: all that the rules may depend on.
package struct OrderContext: Hashable, Sendable {
    package static let textBytesMax = 128
    package static let consortiaMax = 16
    package static let diagnosesMax = 32
    /// No place on Earth is further from UTC.
    package static let offsetMinutesMax: Int64 = 14 * 60

    /// A reference that means something to the caller only.
    package var patient: String
    package var item: ItemReference
    /// Seconds since 1970-01-01T00:00:00Z.
    package var time: Int64
    /// Minutes east of UTC, for rules that count calendar days.
    package var offsetMinutes: Int64
    package var institution: String
    /// The receiver's level: 10, 20, 30 for first to third, plus 1 to 3 for grades C to A; 0 if it has none.
    package var level: UInt8
    package var area: AreaPath
    package var consortia: [String]
    package var department: String
    package var doctor: String
    package var visitType: VisitType
    package var visit: String
    /// ICD-10.
    package var diagnoses: [String]
    /// The patient's age in completed days.
    package var ageDays: UInt32
    package var flags: Set<ClinicalFlag>

    package init(
        patient: String,
        item: ItemReference,
        time: Int64,
        offsetMinutes: Int64,
        institution: String,
        level: UInt8,
        area: AreaPath,
        consortia: [String] = [],
        department: String,
        doctor: String,
        visitType: VisitType,
        visit: String,
        diagnoses: [String] = [],
        ageDays: UInt32,
        flags: Set<ClinicalFlag> = []
    ) {
        self.patient = patient
        self.item = item
        self.time = time
        self.offsetMinutes = offsetMinutes
        self.institution = institution
        self.level = level
        self.area = area
        self.consortia = consortia
        self.department = department
        self.doctor = doctor
        self.visitType = visitType
        self.visit = visit
        self.diagnoses = diagnoses
        self.ageDays = ageDays
        self.flags = flags
    }
}

extension OrderContext: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.patient)
        encoder.encode(self.item)
        encoder.encode(self.time)
        encoder.encode(self.offsetMinutes)
        encoder.encode(self.institution)
        encoder.encode(self.level)
        encoder.encode(self.area)
        encoder.encode(self.consortia)
        encoder.encode(self.department)
        encoder.encode(self.doctor)
        encoder.encode(self.visitType)
        encoder.encode(self.visit)
        encoder.encode(self.diagnoses)
        encoder.encode(self.ageDays)
        // A set has no order of its own.
        encoder.encode(self.flags.sorted { $0.rawValue < $1.rawValue })
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let max = Self.textBytesMax
        self.patient = try decoder.decodeString(max: max)
        self.item = try decoder.decode()
        self.time = try decoder.decode()
        self.offsetMinutes = try decoder.decode()
        self.institution = try decoder.decodeString(max: max)
        self.level = try decoder.decode()
        self.area = try decoder.decode()
        self.consortia = try decoder.decodeStrings(max: Self.consortiaMax, lengthMax: Scope.nameBytesMax)
        self.department = try decoder.decodeString(max: max)
        self.doctor = try decoder.decodeString(max: max)
        self.visitType = try decoder.decode()
        self.visit = try decoder.decodeString(max: max)
        self.diagnoses = try decoder.decodeStrings(max: Self.diagnosesMax, lengthMax: max)
        self.ageDays = try decoder.decode()
        let flags: [ClinicalFlag] = try decoder.decodeArray(max: ClinicalFlag.allCases.count)
        guard zip(flags, flags.dropFirst()).allSatisfy({ $0.rawValue < $1.rawValue }) else { throw .notCanonical }
        self.flags = Set(flags)
        guard self.offsetMinutes.magnitude <= Self.offsetMinutesMax.magnitude else { throw .invalid }
    }
}
