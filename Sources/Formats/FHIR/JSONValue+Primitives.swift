package import Records

/// Reads primitive elements by the rules of FHIR R4 section 2.24 and refuses what breaks them.
///
/// A missing element and `null` both give `nil`: a value may be absent while an extension says why.
extension JSONValue {
    /// A number has a few dozen digits at most; a longer one is an attack on whoever calculates with it.
    private static var numberBytesMax: Int { 128 }
    /// FHIR R4: "strings SHALL NOT exceed 1 MB in size".
    private static var stringBytesMax: Int { 1 << 20 }

    /// The member named `key`, unless it is `null`.
    func present(_ key: JSONKey) -> JSONValue? {
        guard let value = self[key], value.kind != .null else { return nil }
        return value
    }

    package func text(_ key: JSONKey) throws(FHIRFault) -> String? {
        guard let value = self.present(key) else { return nil }
        return try value.asText(key)
    }

    /// This value as `string` or `markdown`: not empty, no control characters but tab, LF and CR.
    func asText(_ key: JSONKey) throws(FHIRFault) -> String {
        guard self.range.count <= Self.stringBytesMax, let text = self.string, !text.isEmpty else {
            throw FHIRFault(.badString, at: self, key.name)
        }
        // Only an escape can stand for a control character.
        guard !self.node.hasEscapes || text.utf8.allSatisfy({ $0 >= 0x20 || $0 == 9 || $0 == 10 || $0 == 13 }) else {
            throw FHIRFault(.badString, at: self, key.name)
        }
        return text
    }

    /// A code, `[^\s]+(\s[^\s]+)*`.
    package func code(_ key: JSONKey) throws(FHIRFault) -> String? {
        guard let value = self.present(key) else { return nil }
        guard value.range.count <= Self.stringBytesMax, let text = value.string, Self.isCode(text) else {
            throw FHIRFault(.badCode, at: value, key.name)
        }
        return text
    }

    private static func isCode(_ text: String) -> Bool {
        var wasSpace = true
        for byte in text.utf8 {
            let isSpace = byte == 0x20 || (0x09...0x0d).contains(byte)
            guard byte >= 0x20, !(isSpace && wasSpace) else { return false }
            wasSpace = isSpace
        }
        return !wasSpace
    }

    /// `\S*`, but not empty.
    package func uri(_ key: JSONKey) throws(FHIRFault) -> String? {
        guard let value = self.present(key) else { return nil }
        guard value.range.count <= Self.stringBytesMax, let text = value.string, !text.isEmpty,
            text.utf8.allSatisfy({ $0 > 0x20 })
        else { throw FHIRFault(.badURI, at: value, key.name) }
        return text
    }

    /// An id, `[A-Za-z0-9\-\.]{1,64}`.
    package func identity(_ key: JSONKey) throws(FHIRFault) -> String? {
        guard let value = self.present(key) else { return nil }
        guard let text = value.string, Self.isID(text) else { throw FHIRFault(.badID, at: value, key.name) }
        return text
    }

    static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    package func asBoolean(_ key: JSONKey) throws(FHIRFault) -> Bool {
        switch self.kind {
        case .true: return true
        case .false: return false
        default: throw FHIRFault(.badBoolean, at: self, key.name)
        }
    }

    /// The digits of a number exactly as written.
    package func decimal(_ key: JSONKey) throws(FHIRFault) -> String? {
        guard let value = self.present(key) else { return nil }
        guard value.kind == .number, value.range.count <= Self.numberBytesMax else {
            throw FHIRFault(.badDecimal, at: value, key.name)
        }
        return String(decoding: value.bytes, as: UTF8.self)
    }

    /// Whole numbers are written without fraction and exponent, and not as -0.
    package func asInteger(_ key: JSONKey) throws(FHIRFault) -> Int32 {
        guard self.kind == .number, self.range.count <= 11,
            let number = Int32(String(decoding: self.bytes, as: UTF8.self)), number != 0 || self.range.count == 1
        else { throw FHIRFault(.badInteger, at: self, key.name) }
        return number
    }

    func unsignedInteger(_ key: JSONKey) throws(FHIRFault) -> UInt32? {
        guard let value = self.present(key) else { return nil }
        guard let number = UInt32(exactly: try value.asInteger(key)) else {
            throw FHIRFault(.badInteger, at: value, key.name)
        }
        return number
    }

    package func positiveInteger(_ key: JSONKey) throws(FHIRFault) -> UInt32? {
        guard let value = self.present(key) else { return nil }
        guard let number = UInt32(exactly: try value.asInteger(key)), number > 0 else {
            throw FHIRFault(.badInteger, at: value, key.name)
        }
        return number
    }

    package func date(_ key: JSONKey) throws(FHIRFault) -> ClinicalTime? {
        guard let value = self.present(key) else { return nil }
        guard let text = value.string, let time = FHIRTime.date(text) else {
            throw FHIRFault(.badDate, at: value, key.name)
        }
        return time
    }

    package func dateTime(_ key: JSONKey) throws(FHIRFault) -> ClinicalTime? {
        guard let value = self.present(key) else { return nil }
        return try value.asDateTime(key)
    }

    func asDateTime(_ key: JSONKey) throws(FHIRFault) -> ClinicalTime {
        guard self.range.count <= Self.numberBytesMax, let text = self.string, let time = FHIRTime.dateTime(text) else {
            throw FHIRFault(.badDate, at: self, key.name)
        }
        return time
    }

    package func instant(_ key: JSONKey) throws(FHIRFault) -> ClinicalTime? {
        guard let value = self.present(key) else { return nil }
        return try value.asInstant(key)
    }

    func asInstant(_ key: JSONKey) throws(FHIRFault) -> ClinicalTime {
        guard self.range.count <= Self.numberBytesMax, let text = self.string, let time = FHIRTime.instant(text) else {
            throw FHIRFault(.badDate, at: self, key.name)
        }
        return time
    }

    func asTimeOfDay(_ key: JSONKey) throws(FHIRFault) -> String {
        guard self.range.count <= Self.numberBytesMax, let text = self.string, FHIRTime.isTimeOfDay(text) else {
            throw FHIRFault(.badTime, at: self, key.name)
        }
        return text
    }

    /// The number of bytes that base64 data stands for.
    func base64Size(_ key: JSONKey) throws(FHIRFault) -> UInt64? {
        guard let value = self.present(key) else { return nil }
        guard value.kind == .string else { throw FHIRFault(.badBase64, at: value, key.name) }
        var (digits, padding) = (UInt64(0), UInt64(0))
        for byte in JSONText.content(value.node, in: value.document.bytes) {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                guard padding == 0 else { throw FHIRFault(.badBase64, at: value, key.name) }
                digits += 1
            case UInt8(ascii: "="): padding += 1
            case 0x09, 0x0a, 0x0d, 0x20: break
            default: throw FHIRFault(.badBase64, at: value, key.name)
            }
        }
        guard digits > 0, padding <= 2, (digits + padding).isMultiple(of: 4) else {
            throw FHIRFault(.badBase64, at: value, key.name)
        }
        return digits * 6 / 8
    }

    /// A member that is an object.
    func object(_ key: JSONKey) throws(FHIRFault) -> JSONValue? {
        guard let value = self.present(key) else { return nil }
        guard value.kind == .object else { throw FHIRFault(.badStructure, at: value, key.name) }
        return value
    }

    /// The objects of a member that is an array; FHIR allows no empty array.
    func objects(_ key: JSONKey) throws(FHIRFault) -> JSONElements {
        guard let value = self.present(key) else { return JSONElements(document: self.document, index: 0, end: 0) }
        guard value.kind == .array, value.count > 0, value.elements.allSatisfy({ $0.kind == .object }) else {
            throw FHIRFault(.badStructure, at: value, key.name)
        }
        return value.elements
    }

    /// The member of an element that may have several types, named `prefix` and the type.
    func choice(_ prefix: JSONKey) throws(FHIRFault) -> (type: String, value: JSONValue)? {
        guard let (suffix, first, second) = self.members(prefix: prefix) else { return nil }
        if let second { throw FHIRFault(.choiceConflict, at: second, prefix.name) }
        return first.kind == .null ? nil : (suffix, first)
    }
}
