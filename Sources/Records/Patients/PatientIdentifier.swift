/// An identifier by which a person is known somewhere: a system and a value in it, normalised.
///
/// Written `SYSTEM:VALUE` for the short systems (`CN-RIC:` resident identity card, `CN-PP:` passport,
/// `CN-HMP:` and `CN-TWP:` permits of residents of Hong Kong, Macao and Taiwan, `CN-FPR:` foreign permanent residents,
/// `MRN@institution:` a hospital's own number, `TEMP@institution:` a temporary one) and `URI|VALUE` for any identifier
/// system of FHIR.
package struct PatientIdentifier: Hashable, Sendable {
    package static let systemBytesMax = 256
    package static let valueBytesMax = 128

    /// Why a text names no identifier.
    ///
    /// No case carries the text: it may hold a real number.
    package enum Refusal: Error, Hashable, Sendable {
        case noSystem, emptyValue, tooLong, badCheckDigit, badLength, badCharacter
    }

    package let system: String
    package let value: String

    /// The resident identity card of GB 11643.
    package static let residentIdentityCard = "CN-RIC"
    package static let passport = "CN-PP"
    package static let hongKongMacaoPermit = "CN-HMP"
    package static let taiwanPermit = "CN-TWP"
    package static let foreignResident = "CN-FPR"
    /// Names a patient whom nobody knows yet, or a newborn without an own number, at one institution.
    package static let temporaryPrefix = "TEMP@"
    /// Digits of a temporary identifier before its check character: a guess hits none of a million in 10^6 tries.
    package static let temporaryDigits = 12

    /// FHIR and HL7 names of the systems that have a short name here.
    private static let aliases = [
        "urn:oid:2.16.156.10011.1.3": residentIdentityCard,
        "2.16.156.10011.1.3": residentIdentityCard,
        "urn:oid:2.16.840.1.113883.4.330.156": passport,
    ]

    private static let shortSystems: Set<String> = [
        residentIdentityCard, passport, hongKongMacaoPermit, taiwanPermit, foreignResident,
    ]

    /// Checks and normalises an identifier.
    package init(system: String, value: String) throws(Refusal) {
        let system = Self.aliases[system] ?? Self.temporarySystem(system) ?? system
        let value = Self.trimmed(value)
        guard !system.isEmpty else { throw .noSystem }
        guard !value.isEmpty else { throw .emptyValue }
        guard system.utf8.count <= Self.systemBytesMax, value.utf8.count <= Self.valueBytesMax else { throw .tooLong }
        guard value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else { throw .badCharacter }
        self.system = system
        switch system {
        case Self.residentIdentityCard: self.value = try Self.residentIdentityNumber(value)
        case Self.passport, Self.hongKongMacaoPermit, Self.taiwanPermit, Self.foreignResident:
            self.value = Self.upperCased(value)
        case _ where system.hasPrefix(Self.temporaryPrefix): self.value = try Self.temporaryNumber(value)
        default: self.value = value
        }
    }

    /// Reads `SYSTEM:VALUE` or `URI|VALUE`.
    package init(parsing text: String) throws(Refusal) {
        let text = Self.trimmed(text)
        if let bar = text.firstIndex(of: "|") {
            self = try PatientIdentifier(
                system: String(text[..<bar]),
                value: String(text[text.index(after: bar)...])
            )
            return
        }
        guard let colon = text.firstIndex(of: ":") else { throw .noSystem }
        let system = String(text[..<colon])
        guard Self.shortSystems.contains(system) || system.hasPrefix("MRN@") || system.hasPrefix(Self.temporaryPrefix)
        else { throw .noSystem }
        self = try PatientIdentifier(system: system, value: String(text[text.index(after: colon)...]))
    }

    /// The bytes a pseudonym is computed over: system, a zero byte, value.
    ///
    /// Pinned: changing them renames everybody.
    package var pseudonymInput: [UInt8] { Array(self.system.utf8) + [0] + Array(self.value.utf8) }

    /// Whether it names a person by itself, everywhere.
    package var isNational: Bool { self.system == Self.residentIdentityCard || self.system == Self.passport }

    /// Whether it is one that an institution gave to somebody whom nobody knew, or who had no number yet.
    package var isTemporary: Bool { self.system.hasPrefix(Self.temporaryPrefix) }

    /// A temporary identifier of an institution.
    ///
    /// `digits`: ``temporaryDigits`` random decimal digits.
    package init(temporary digits: [UInt8], institution: some StringProtocol) {
        precondition(digits.count == Self.temporaryDigits && digits.allSatisfy { $0 < 10 }, "twelve decimal digits")
        self.system = Self.temporaryPrefix + institution
        let characters = digits.map { $0 + 0x30 }
        self.value = String(decoding: characters + [Self.checkCharacter(characters)], as: UTF8.self)
    }

    /// An identifier with all but the last two characters hidden, for a person to compare by eye.
    package var masked: String {
        let shown = self.value.suffix(self.value.count > 4 ? 2 : 0)
        return self.system + ":" + String(repeating: "*", count: self.value.count - shown.count) + shown
    }

    /// GB 11643-1999: 17 digits and a check character by ISO 7064 MOD 11-2; the older 15-digit form is extended.
    private static func residentIdentityNumber(_ value: String) throws(Refusal) -> String {
        var characters = Array(Self.upperCased(value).utf8)
        let digits = characters.count == 18 ? 17 : characters.count
        guard characters.count == 18 || characters.count == 15 else { throw .badLength }
        guard characters.prefix(digits).allSatisfy({ (0x30...0x39).contains($0) }) else { throw .badCharacter }
        if characters.count == 15 {
            // Only people born before 2000 hold 15-digit numbers.
            characters.insert(contentsOf: Array("19".utf8), at: 6)
            characters.append(Self.checkCharacter(characters))
            return String(decoding: characters, as: UTF8.self)
        }
        guard Self.checkCharacter(Array(characters.prefix(17))) == characters[17] else { throw .badCheckDigit }
        return String(decoding: characters, as: UTF8.self)
    }

    /// `TEMP@institution` as an address, which is what FHIR asks of the name of a system.
    private static func temporarySystem(_ system: String) -> String? {
        let prefix = "urn:entente:temporary:"
        return system.hasPrefix(prefix) ? self.temporaryPrefix + system.dropFirst(prefix.count) : nil
    }

    /// Digits and a check character by ISO 7064 MOD 11-2: it is copied by hand from a wristband.
    private static func temporaryNumber(_ value: String) throws(Refusal) -> String {
        let characters = Array(Self.upperCased(value).utf8)
        guard characters.count == Self.temporaryDigits + 1 else { throw .badLength }
        let digits = Array(characters.dropLast())
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .badCharacter }
        guard Self.checkCharacter(digits) == characters.last else { throw .badCheckDigit }
        return String(decoding: characters, as: UTF8.self)
    }

    /// ISO 7064 MOD 11-2 over decimal digits.
    private static func checkCharacter(_ digits: [UInt8]) -> UInt8 {
        var sum = 0
        for digit in digits { sum = (sum + Int(digit) - 0x30) * 2 % 11 }
        return Array("0123456789X".utf8)[(12 - sum) % 11]
    }

    private static func upperCased(_ text: String) -> String {
        String(
            decoding: text.utf8.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 32 : $0 },
            as: UTF8.self
        )
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d || $0 == 0x0a }
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(Substring(bytes[first...last]))
    }
}
