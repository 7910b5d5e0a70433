package import Primitives

/// What the result of an item is made of.
package enum ValueKind: UInt8, NamedByte {
    /// Nothing to compare: images, panels, free text.
    case none = 0
    case quantity = 1
    case titre = 2
    case ordinal = 3

    package var name: String {
        switch self {
        case .none: "none"
        case .quantity: "quantity"
        case .titre: "titre"
        case .ordinal: "ordinal"
        }
    }
}

/// What an item is compared and counted with.
package enum ItemCategory: UInt8, NamedByte {
    case laboratory = 1
    case ct = 2
    case mr = 3
    case radiography = 4
    case ultrasound = 5
    case other = 6

    package var name: String {
        switch self {
        case .laboratory: "laboratory"
        case .ct: "ct"
        case .mr: "mr"
        case .radiography: "radiography"
        case .ultrasound: "ultrasound"
        case .other: "other"
        }
    }

    package var isImaging: Bool { self != .laboratory && self != .other }
}

extension PolicyPack {
    /// One examination that the consortium recognises, under one code.
    package struct Item: Hashable, Sendable {
        package static let aliasesMax = 64
        package static let componentsMax = 64
        package static let choicesMax = 16

        package var code: String
        /// LOINC and local codes that mean the same.
        package var aliases: [String]
        package var chinese: String
        package var english: String
        package var category: ItemCategory
        package var modality: String?
        package var bodySites: [String]
        /// Specimens that are equivalent for the item; any if there is none.
        package var specimens: [String]
        /// Methods whose results may be compared; any if there is none.
        package var methods: [String]
        package var valueKind: ValueKind
        /// The unit, as UCUM code, in which quantities are compared.
        package var unit: String?
        /// Items that an exam of this item answers too, such as the analytes of a panel.
        package var components: [String]
        /// Whether an order of this item is an order of its components, each decided by itself.
        package var isJoint: Bool
        /// Whether a line of this item means something without its report; an antibiogram line does not.
        package var standsAlone: Bool
        /// First and last second of exams that may be recognised, both included.
        package var activeFrom: Int64?
        package var activeTo: Int64?
        /// Schemes of external quality assessment, one of which the laboratory must have passed; none if empty.
        package var schemes: [String]

        package init(code: String, chinese: String, english: String, category: ItemCategory) {
            self.code = code
            self.chinese = chinese
            self.english = english
            self.category = category
            (self.aliases, self.bodySites, self.specimens, self.methods) = ([], [], [], [])
            (self.components, self.schemes) = ([], [])
            (self.modality, self.unit, self.activeFrom, self.activeTo) = (nil, nil, nil, nil)
            self.valueKind = .none
            self.isJoint = false
            self.standsAlone = true
        }
    }

    /// How a value of one unit becomes one of the item's unit: `value * factor + offset`.
    package struct Conversion: Hashable, Sendable {
        package var item: String
        package var unit: String
        package var factor: ExactDecimal
        package var offset: ExactDecimal

        package init(item: String, unit: String, factor: ExactDecimal, offset: ExactDecimal) {
            self.item = item
            self.unit = unit
            self.factor = factor
            self.offset = offset
        }
    }

    /// One spelling of a qualitative result.
    package struct Ordinal: Hashable, Sendable {
        package var text: String
        package var value: String

        package init(text: String, value: String) {
            self.text = text
            self.value = value
        }
    }

    /// Areas that recognise each other's marks: a set, not a prefix.
    package struct Pact: Hashable, Sendable {
        package static let membersMax = 512

        package var name: String
        package var chinese: String
        package var english: String
        package var members: [AreaPath]

        package init(name: String, chinese: String, english: String, members: [AreaPath]) {
            self.name = name
            self.chinese = chinese
            self.english = english
            self.members = members
        }
    }

    /// Who may give marks, and up to which scope; marks of others do not count.
    package struct Authority: Hashable, Sendable {
        package var name: String
        package var chinese: String
        package var english: String
        package var scope: Scope

        package init(name: String, chinese: String, english: String, scope: Scope) {
            self.name = name
            self.chinese = chinese
            self.english = english
            self.scope = scope
        }
    }
}

extension PolicyPack.Item: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.code)
        encoder.encode(self.aliases)
        encoder.encode(self.chinese)
        encoder.encode(self.english)
        encoder.encode(self.category)
        encoder.encode(self.modality)
        encoder.encode(self.bodySites)
        encoder.encode(self.specimens)
        encoder.encode(self.methods)
        encoder.encode(self.valueKind)
        encoder.encode(self.unit)
        encoder.encode(self.components)
        encoder.encode(self.isJoint)
        encoder.encode(self.standsAlone)
        encoder.encode(self.activeFrom.map(UInt64.init(bitPattern:)))
        encoder.encode(self.activeTo.map(UInt64.init(bitPattern:)))
        encoder.encode(self.schemes)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let (code, text) = (ItemReference.codeBytesMax, PolicyPack.textBytesMax)
        self.code = try decoder.decodeString(max: code)
        self.aliases = try decoder.decodeStrings(max: Self.aliasesMax, lengthMax: code)
        self.chinese = try decoder.decodeString(max: text)
        self.english = try decoder.decodeString(max: text)
        self.category = try decoder.decode()
        self.modality = try decoder.decodeOptionalString(max: code)
        self.bodySites = try decoder.decodeStrings(max: Self.choicesMax, lengthMax: code)
        self.specimens = try decoder.decodeStrings(max: Self.choicesMax, lengthMax: code)
        self.methods = try decoder.decodeStrings(max: Self.choicesMax, lengthMax: code)
        self.valueKind = try decoder.decode()
        self.unit = try decoder.decodeOptionalString(max: code)
        self.components = try decoder.decodeStrings(max: Self.componentsMax, lengthMax: code)
        self.isJoint = try decoder.decode()
        self.standsAlone = try decoder.decode()
        self.activeFrom = try decoder.decodeOptionalUInt64().map(Int64.init(bitPattern:))
        self.activeTo = try decoder.decodeOptionalUInt64().map(Int64.init(bitPattern:))
        self.schemes = try decoder.decodeStrings(max: Self.choicesMax, lengthMax: PolicyPack.nameBytesMax)
    }
}

extension PolicyPack.Conversion: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.item)
        encoder.encode(self.unit)
        encoder.encode(self.factor)
        encoder.encode(self.offset)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.item = try decoder.decodeString(max: ItemReference.codeBytesMax)
        self.unit = try decoder.decodeString(max: ItemReference.codeBytesMax)
        self.factor = try decoder.decode()
        self.offset = try decoder.decode()
    }
}

extension PolicyPack.Ordinal: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.text)
        encoder.encode(self.value)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.text = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.value = try decoder.decodeString(max: PolicyPack.nameBytesMax)
    }
}

extension PolicyPack.Pact: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.name)
        encoder.encode(self.chinese)
        encoder.encode(self.english)
        encoder.encode(self.members)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.name = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.chinese = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.english = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.members = try decoder.decodeArray(max: Self.membersMax)
    }
}

extension PolicyPack.Authority: CanonicalCodable {
    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(self.name)
        encoder.encode(self.chinese)
        encoder.encode(self.english)
        encoder.encode(self.scope)
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        self.name = try decoder.decodeString(max: PolicyPack.nameBytesMax)
        self.chinese = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.english = try decoder.decodeString(max: PolicyPack.textBytesMax)
        self.scope = try decoder.decode()
    }
}
