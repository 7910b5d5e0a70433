import Primitives
import Records
import Testing

@Suite("A patient's identifier")
struct PatientIdentifierTests {
    @Test(
        "A resident identity number is taken with a right check character only",
        arguments: [
            ("11010519491231002X", true), ("110105194912310021", false), ("11010519491231002x", true),
            ("999999195803121043", true), ("999999195803121044", false), ("99999919580312104", false),
            ("1234567890123456789", false), ("ABCDEF195803121043", false),
        ]
    )
    func checkCharacter(number: String, isRight: Bool) {
        let identifier = try? PatientIdentifier(system: "CN-RIC", value: number)
        #expect((identifier != nil) == isRight)
    }

    @Test("The older number of 15 digits names the same person as its 18-digit form")
    func fifteenDigits() throws {
        let old = try PatientIdentifier(parsing: "CN-RIC:110105491231002")
        let new = try PatientIdentifier(parsing: "CN-RIC:11010519491231002X")
        #expect(old == new)
    }

    @Test("Names of the same system are one system")
    func aliases() throws {
        let short = try PatientIdentifier(parsing: "CN-RIC:999999195803121043")
        let uri = try PatientIdentifier(parsing: "urn:oid:2.16.156.10011.1.3|999999195803121043")
        #expect(short == uri)
        #expect(short.pseudonymInput == Array("CN-RIC\u{0}999999195803121043".utf8))
    }

    @Test("Space around an identifier is no part of it")
    func space() throws {
        #expect(
            try PatientIdentifier(parsing: "  CN-PP: e12345678 \r\n")
                == PatientIdentifier(system: "CN-PP", value: "E12345678")
        )
    }

    @Test(
        "What names no identifier is refused with its reason",
        arguments: [
            ("", PatientIdentifier.Refusal.noSystem), ("12345", .noSystem), ("XX:1", .noSystem), ("|1", .noSystem),
            ("http://a|", .emptyValue), ("CN-RIC:", .emptyValue), ("CN-RIC:12", .badLength),
            ("http://a|a\u{1}b", .badCharacter),
        ]
    )
    func refusals(text: String, reason: PatientIdentifier.Refusal) {
        #expect(throws: reason) { try PatientIdentifier(parsing: text) }
    }

    @Test("A long value is refused, and a masked one shows two characters at most")
    func lengthAndMask() throws {
        #expect(throws: PatientIdentifier.Refusal.tooLong) {
            try PatientIdentifier(system: "http://a", value: String(repeating: "9", count: 129))
        }
        let masked = try PatientIdentifier(parsing: "CN-RIC:999999195803121043").masked
        #expect(masked.hasSuffix("43"))
        #expect(!masked.contains("1958"))
    }
}

@Suite("A pseudonym")
struct PatientPseudonymTests {
    /// Stands for the function's output for an identifier.
    private func output(_ text: String) throws -> [UInt8] {
        let digest = Digest(hashing: try PatientIdentifier(parsing: text).pseudonymInput)
        return digest.bytes + digest.bytes
    }

    private func pseudonym(_ text: String) throws -> PatientPseudonym {
        PatientPseudonym(output: try self.output(text))
    }

    @Test("Its bytes are pinned: another value would rename everybody")
    func pinned() throws {
        let pseudonym = try self.pseudonym("CN-RIC:999999195803121043")
        let hospital = try #require(InstitutionID("hospital-a"))
        let identifier = try PatientIdentifier(parsing: "CN-RIC:999999195803121043")
        #expect(identifier.pseudonymInput == Array("CN-RIC\u{0}999999195803121043".utf8))
        let output = try self.output("CN-RIC:999999195803121043")
        let message = Array("chain".utf8) + [0, 0, 0, 0]
        #expect(pseudonym.digest == MessageAuthentication.code(key: output, message: message))
        #expect(PatientPseudonym(output: output, epoch: 1) != pseudonym)
        var encoder = CanonicalEncoder()
        encoder.encode("locator/1")
        encoder.encode(hospital)
        encoder.encode(UInt64(3))
        let tag = MessageAuthentication.code(key: pseudonym.digest.bytes, message: encoder.bytes)
        #expect(pseudonym.locatorTag(institution: hospital, index: 3).bytes == Array(tag.bytes.prefix(16)))
    }

    @Test("Tags of different uses, institutions and indexes never meet")
    func distinct() throws {
        let pseudonym = try self.pseudonym("CN-PP:E1")
        var tags: Set<LocatorTag> = []
        for name in ["hospital-a", "hospital-b"] {
            let hospital = try #require(InstitutionID(name))
            for index in UInt64(0)..<50 {
                tags.insert(pseudonym.locatorTag(institution: hospital, index: index))
                tags.insert(pseudonym.aliasTag(institution: hospital, index: index))
                tags.insert(pseudonym.receiptTag(institution: hospital, index: index))
            }
        }
        #expect(tags.count == 300)
    }

    @Test("A handle depends on salt and person")
    func handles() throws {
        let first = try self.pseudonym("CN-PP:E1")
        let second = try self.pseudonym("CN-PP:E2")
        let salt = [UInt8](repeating: 1, count: 16)
        #expect(first.handle(salt: salt) == first.handle(salt: salt))
        #expect(first.handle(salt: salt) != second.handle(salt: salt))
        #expect(first.handle(salt: salt) != first.handle(salt: [UInt8](repeating: 2, count: 16)))
    }
}
