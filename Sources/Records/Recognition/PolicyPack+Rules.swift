package import Primitives

/// What a window is counted in.
package enum WindowUnit: UInt8, NamedByte {
    /// Blocks of 3,600 seconds.
    case hours = 1
    /// Midnights between the two times, by the order's own clock.
    case days = 2

    package var name: String { self == .hours ? "hours" : "days" }
}

/// The time of an exam that its window begins with.
package enum WindowBasis: UInt8, NamedByte {
    case specimen = 1
    case exam = 2
    case report = 3

    package var name: String {
        switch self {
        case .specimen: "specimen"
        case .exam: "exam"
        case .report: "report"
        }
    }
}

extension PolicyPack {
    /// Which orders or exams a rule is about.
    ///
    /// Every list that is not empty must hold the value; empty ones allow any.
    package struct Selector: Hashable, Sendable {
        package var items: [String]
        package var categories: [ItemCategory]
        package var departments: [String]
        package var visitTypes: [VisitType]
        /// Completed days of age, both included.
        package var ageFromDays: UInt32
        package var ageToDays: UInt32

        package init(
            items: [String] = [],
            categories: [ItemCategory] = [],
            departments: [String] = [],
            visitTypes: [VisitType] = [],
            ageFromDays: UInt32 = 0,
            ageToDays: UInt32 = .max
        ) {
            self.items = items
            self.categories = categories
            self.departments = departments
            self.visitTypes = visitTypes
            self.ageFromDays = ageFromDays
            self.ageToDays = ageToDays
        }

        package func matches(item: Item, order: OrderContext) -> Bool {
            (self.items.isEmpty || self.items.contains(item.code))
                && (self.categories.isEmpty || self.categories.contains(item.category))
                && (self.visitTypes.isEmpty || self.visitTypes.contains(order.visitType))
                && (self.ageFromDays...max(self.ageFromDays, self.ageToDays)).contains(order.ageDays)
                && (self.departments.isEmpty || self.departments.contains(order.department))
        }

        /// Whether everything that `other` matches is matched here.
        package func includes(_ other: Selector) -> Bool {
            func holds<Value: Hashable>(_ wide: [Value], _ narrow: [Value]) -> Bool {
                wide.isEmpty || (!narrow.isEmpty && Set(narrow).isSubset(of: wide))
            }
            return holds(self.items, other.items) && holds(self.categories, other.categories)
                && holds(self.departments, other.departments) && holds(self.visitTypes, other.visitTypes)
                && self.ageFromDays <= other.ageFromDays && other.ageToDays <= self.ageToDays
        }
    }

    /// How old an exam may be; the first rule that matches decides.
    package struct Window: Hashable, Sendable {
        package var rule: String
        package var clause: String
        package var selector: Selector
        package var amount: UInt32
        package var unit: WindowUnit
        package var basis: WindowBasis

        package init(
            rule: String,
            clause: String,
            selector: Selector,
            amount: UInt32,
            unit: WindowUnit,
            basis: WindowBasis
        ) {
            self.rule = rule
            self.clause = clause
            self.selector = selector
            self.amount = amount
            self.unit = unit
            self.basis = basis
        }
    }

    /// The level that a performer needs; the first rule that matches decides, and without one any level will do.
    package struct LevelRule: Hashable, Sendable {
        package var rule: String
        package var clause: String
        package var selector: Selector
        /// The rule is for receivers of this level or above.
        package var receiverFrom: UInt8
        package var performerFrom: UInt8
        /// Whether institutions of one consortium recognise each other whatever their levels.
        package var exemptsConsortium: Bool

        package init(
            rule: String,
            clause: String,
            selector: Selector,
            receiverFrom: UInt8,
            performerFrom: UInt8,
            exemptsConsortium: Bool
        ) {
            self.rule = rule
            self.clause = clause
            self.selector = selector
            self.receiverFrom = receiverFrom
            self.performerFrom = performerFrom
            self.exemptsConsortium = exemptsConsortium
        }
    }

    /// What is never recognised: everything that the selector and each list that is not empty name.
    package struct NegativeRule: Hashable, Sendable {
        package var rule: String
        package var clause: String
        package var selector: Selector
        package var performers: [String]
        /// Beginnings of ICD-10 codes.
        package var diagnoses: [String]
        package var methods: [String]

        package init(
            rule: String,
            clause: String,
            selector: Selector,
            performers: [String],
            diagnoses: [String],
            methods: [String]
        ) {
            self.rule = rule
            self.clause = clause
            self.selector = selector
            self.performers = performers
            self.diagnoses = diagnoses
            self.methods = methods
        }
    }

    /// A confidentiality label that keeps an exam from all departments but those named.
    package struct LabelRule: Hashable, Sendable {
        package var label: String
        package var clause: String
        package var departments: [String]

        package init(label: String, clause: String, departments: [String]) {
            self.label = label
            self.clause = clause
            self.departments = departments
        }
    }

    /// The reason that a clinical circumstance suggests to the doctor.
    package struct FlagRule: Hashable, Sendable {
        package var flag: ClinicalFlag
        package var reason: RefusalReason
        package var clause: String

        package init(flag: ClinicalFlag, reason: RefusalReason, clause: String) {
            self.flag = flag
            self.reason = reason
            self.clause = clause
        }
    }

    /// A code with its meaning in both languages.
    package struct ReasonText: Hashable, Sendable {
        package var code: String
        package var chinese: String
        package var english: String

        package init(code: String, chinese: String, english: String) {
            self.code = code
            self.chinese = chinese
            self.english = english
        }
    }

    /// What an outer system's code for a refusal stands for.
    package struct ReasonMap: Hashable, Sendable {
        /// Name of the outer set of codes, such as `national`.
        package var set: String
        package var code: String
        package var reason: RefusalReason

        package init(set: String, code: String, reason: RefusalReason) {
            self.set = set
            self.code = code
            self.reason = reason
        }
    }
}

extension PolicyPack.Selector: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.items)
        encoder.encode(self.categories)
        encoder.encode(self.departments)
        encoder.encode(self.visitTypes)
        encoder.encode(self.ageFromDays)
        encoder.encode(self.ageToDays)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let max = PolicyPack.listMax
        self.items = try decoder.decodeStrings(max: max, lengthMax: ItemReference.codeBytesMax)
        self.categories = try decoder.decodeArray(max: max)
        self.departments = try decoder.decodeStrings(max: max, lengthMax: OrderContext.textBytesMax)
        self.visitTypes = try decoder.decodeArray(max: max)
        self.ageFromDays = try decoder.decode()
        self.ageToDays = try decoder.decode()
    }
}

extension PolicyPack.Window: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.rule)
        encoder.encode(self.clause)
        encoder.encode(self.selector)
        encoder.encode(self.amount)
        encoder.encode(self.unit)
        encoder.encode(self.basis)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.rule = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.clause = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.selector = try decoder.decode()
        self.amount = try decoder.decode()
        self.unit = try decoder.decode()
        self.basis = try decoder.decode()
    }
}

extension PolicyPack.LevelRule: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.rule)
        encoder.encode(self.clause)
        encoder.encode(self.selector)
        encoder.encode(self.receiverFrom)
        encoder.encode(self.performerFrom)
        encoder.encode(self.exemptsConsortium)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.rule = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.clause = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.selector = try decoder.decode()
        self.receiverFrom = try decoder.decode()
        self.performerFrom = try decoder.decode()
        self.exemptsConsortium = try decoder.decode()
    }
}

extension PolicyPack.NegativeRule: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.rule)
        encoder.encode(self.clause)
        encoder.encode(self.selector)
        encoder.encode(self.performers)
        encoder.encode(self.diagnoses)
        encoder.encode(self.methods)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let (max, text) = (PolicyPack.listMax, OrderContext.textBytesMax)
        self.rule = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.clause = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.selector = try decoder.decode()
        self.performers = try decoder.decodeStrings(max: max, lengthMax: text)
        self.diagnoses = try decoder.decodeStrings(max: max, lengthMax: text)
        self.methods = try decoder.decodeStrings(max: max, lengthMax: text)
    }
}

extension PolicyPack.LabelRule: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.label)
        encoder.encode(self.clause)
        encoder.encode(self.departments)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.label = try decoder.decodeString(max: Candidate.textBytesMax)
        self.clause = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.departments = try decoder.decodeStrings(
            max: PolicyPack.listMax,
            lengthMax: OrderContext.textBytesMax
        )
    }
}

extension PolicyPack.FlagRule: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.flag)
        encoder.encode(self.reason)
        encoder.encode(self.clause)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.flag = try decoder.decode()
        self.reason = try decoder.decode()
        self.clause = try decoder.decodeString(max: PolicyPack.textBytesMax)
    }
}

extension PolicyPack.ReasonText: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.code)
        encoder.encode(self.chinese)
        encoder.encode(self.english)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.code = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.chinese = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.english = try decoder.decodeString(max: PolicyPack.textBytesMax)
    }
}

extension PolicyPack.ReasonMap: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.set)
        encoder.encode(self.code)
        encoder.encode(self.reason)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.set = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.code = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.reason = try decoder.decode()
    }
}
