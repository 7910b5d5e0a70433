package import Primitives

/// What is known of a person, in the form in which persons are compared.
package struct PersonTraits: Hashable, Sendable {
    /// An identifier, and whether somebody saw the document that it stands on.
    package struct KnownIdentifier: Hashable, Sendable {
        package var identifier: PatientIdentifier
        package var isVerified: Bool

        package init(_ identifier: PatientIdentifier, isVerified: Bool) {
            self.identifier = identifier
            self.isVerified = isVerified
        }
    }

    /// A birth date as far as it is known: year, year and month, or day.
    package struct BirthDate: Hashable, Sendable {
        package var year: Int
        package var month: Int?
        package var day: Int?

        package init(year: Int, month: Int? = nil, day: Int? = nil) {
            self.year = year
            self.month = month
            self.day = month == nil ? nil : day
        }

        /// The date as a source wrote it; `nil` if its first digits are no date.
        package init?(_ time: ClinicalTime) {
            let digits = time.text.utf8.prefix { $0 != UInt8(ascii: "T") && $0 != UInt8(ascii: " ") }
                .filter { (0x30...0x39).contains($0) }.map { Int($0) - 0x30 }
            func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
            guard digits.count >= 4 else { return nil }
            let date = BirthDate(
                year: number(0..<4),
                month: time.precision >= .month && digits.count >= 6 ? number(4..<6) : nil,
                day: time.precision >= .day && digits.count >= 8 ? number(6..<8) : nil
            )
            guard date.year > 0, date.month.map({ (1...12).contains($0) }) ?? true,
                date.day.map({ (1...31).contains($0) }) ?? true
            else { return nil }
            self = date
        }
    }

    /// Systems of identifiers that a state gives to one person.
    private static let strongSystems: Set<String> = [
        PatientIdentifier.residentIdentityCard, PatientIdentifier.passport, PatientIdentifier.hongKongMacaoPermit,
        PatientIdentifier.taiwanPermit, PatientIdentifier.foreignResident,
    ]
    /// Passports of any state: FHIR's naming systems and HL7's object identifiers.
    private static let strongPrefixes = [
        "http://hl7.org/fhir/sid/passport-", "urn:oid:2.16.840.1.113883.4.330.",
    ]

    package var identifiers: [KnownIdentifier]
    package var name: IdentityName?
    /// Unknown and other are not compared: they say nothing.
    package var sex: PatientDemographics.Sex?
    package var birthDate: BirthDate?

    package init(
        identifiers: [KnownIdentifier] = [],
        name: IdentityName? = nil,
        sex: PatientDemographics.Sex? = nil,
        birthDate: BirthDate? = nil
    ) {
        self.identifiers = identifiers
        self.name = name
        self.sex = sex == .male || sex == .female ? sex : nil
        self.birthDate = birthDate
    }

    /// Whether an identifier names one person everywhere.
    package static func isStrong(_ identifier: PatientIdentifier) -> Bool {
        self.strongSystems.contains(identifier.system)
            || self.strongPrefixes.contains { identifier.system.hasPrefix($0) }
    }

    /// Whether an identifier of this system stays with a person for life; passports and permits are renewed.
    static func isForLife(_ system: String) -> Bool { system == PatientIdentifier.residentIdentityCard }
}

extension PatientIdentifier {
    /// The birth date and sex that a resident identity number says: digits 7 to 14, and the parity of the 17th.
    package var written: (birthDate: PersonTraits.BirthDate, sex: PatientDemographics.Sex)? {
        guard self.system == Self.residentIdentityCard else { return nil }
        let digits = self.value.utf8.map { Int($0) - 0x30 }
        guard digits.count == 18 else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        return (
            PersonTraits.BirthDate(year: number(6..<10), month: number(10..<12), day: number(12..<14)),
            digits[16].isMultiple(of: 2) ? .female : .male
        )
    }
}

extension PersonTraits: CanonicalCodable {
    private static let identifiersMax = 16
    private static let nameBytesMax = 2048

    package func encode(into encoder: inout CanonicalEncoder) {
        encoder.encode(UInt8(min(self.identifiers.count, Self.identifiersMax)))
        for known in self.identifiers.prefix(Self.identifiersMax) {
            encoder.encode(known.identifier.system)
            encoder.encode(known.identifier.value)
            encoder.encode(known.isVerified)
        }
        encoder.encode(self.name?.form ?? "")
        encoder.encode(self.sex?.rawValue ?? "")
        let birth = self.birthDate
        encoder.encode(UInt32(clamping: birth?.year ?? 0))
        encoder.encode(UInt8(clamping: birth?.month ?? 0))
        encoder.encode(UInt8(clamping: birth?.day ?? 0))
    }

    package init(from decoder: inout CanonicalDecoder) throws(CanonicalError) {
        let count = Int(try decoder.decode(UInt8.self))
        guard count <= Self.identifiersMax else { throw .invalid }
        var identifiers: [KnownIdentifier] = []
        for _ in 0..<count {
            let system = try decoder.decodeString(max: PatientIdentifier.systemBytesMax)
            let value = try decoder.decodeString(max: PatientIdentifier.valueBytesMax)
            let isVerified: Bool = try decoder.decode()
            guard let identifier = try? PatientIdentifier(system: system, value: value) else { throw .invalid }
            identifiers.append(KnownIdentifier(identifier, isVerified: isVerified))
        }
        let name = try decoder.decodeString(max: Self.nameBytesMax)
        let sex = try decoder.decodeString(max: 16)
        let year = Int(try decoder.decode(UInt32.self))
        let month = Int(try decoder.decode(UInt8.self))
        let day = Int(try decoder.decode(UInt8.self))
        self.init(
            identifiers: identifiers,
            name: IdentityName(composed: name),
            sex: PatientDemographics.Sex(rawValue: sex),
            birthDate: year == 0
                ? nil : BirthDate(year: year, month: month == 0 ? nil : month, day: day == 0 ? nil : day)
        )
    }
}
