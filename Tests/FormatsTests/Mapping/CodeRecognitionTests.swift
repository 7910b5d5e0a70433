import Formats
import Primitives
import Records
import TestSupport
import Testing

@Suite("Codes, systems, sex and times are recognised in the forms that sources use")
struct CodeRecognitionTests {
    @Test(
        "A code system has one name",
        arguments: [
            ("http://loinc.org", "http://loinc.org", true), ("http://loinc.org/", "http://loinc.org", true),
            ("urn:oid:2.16.840.1.113883.6.1", "http://loinc.org", true), ("LN", "http://loinc.org", true),
            ("ln", "http://loinc.org", true), ("SCT", "http://snomed.info/sct", true),
            ("2.16.840.1.113883.6.96", "http://snomed.info/sct", true), ("I10", "http://hl7.org/fhir/sid/icd-10", true),
            ("HL70078", "http://terminology.hl7.org/CodeSystem/v2-0078", true),
            ("2.16.840.1.113883.12.78", "http://terminology.hl7.org/CodeSystem/v2-0078", true),
            ("L", "L", false), ("99abc", "99ABC", false), ("1.2.156.1", "urn:oid:1.2.156.1", false),
            ("urn:oid:1.2.156.1", "urn:oid:1.2.156.1", false), ("http://example.org/x", "http://example.org/x", false),
            ("HL7", "HL7", false), ("HL7x001", "HL7x001", false), ("", "", false),
        ]
    )
    func system(text: String, name: String, isStandard: Bool) {
        let system = CodeSystem(recognising: text)
        #expect(system.name == name)
        #expect(system.isStandard == isStandard)
        #expect(CodeSystem(recognising: system.name) == system, "recognising a name again changes nothing")
    }

    @Test("Check digits of LOINC codes", arguments: ["718-7", "2345-7", "14749-6", "8867-4", "98979-8", "33914-3"])
    func loinc(code: String) {
        #expect(CodePattern.isLOINC(code))
        let digits = code.utf8.dropLast()
        for digit in 0...9 where !code.hasSuffix(String(digit)) {
            #expect(!CodePattern.isLOINC(String(decoding: digits, as: UTF8.self) + String(digit)))
        }
    }

    @Test(
        "Texts that are no LOINC code",
        arguments: ["", "-", "718", "718-", "-7", "0718-7", "718-77", "LP1-2", "7 18-7", "７18-7"]
    )
    func notLOINC(code: String) {
        #expect(!CodePattern.isLOINC(code))
    }

    @Test(
        "ICD-10 codes and their Chinese extensions lead to WHO's code",
        arguments: [
            ("I10", ICD10Code.Form.who, "I10"), ("e11.9", .who, "E11.9"), ("A17.0+", .who, "A17.0"),
            ("M23.31", .who, "M23.3"), ("I10.x00", .sixCharacters, "I10"), ("E11.900", .sixCharacters, "E11.9"),
            ("I10.x00x002", .clinical, "I10"), ("K29.500x003", .clinical, "K29.5"),
            ("U07.100", .sixCharacters, "U07.1"),
        ]
    )
    func icd10(code: String, form: ICD10Code.Form, who: String) {
        #expect(ICD10Code(code)?.form == form)
        #expect(ICD10Code(code)?.who == who)
    }

    @Test(
        "Texts that are no ICD-10 code",
        arguments: ["", "I1", "I1A", "I10.", "I10.x", "I10x00", "M80000/3", "I10.x0", "E11.900x1", "110", "E11.9001"]
    )
    func notICD10(code: String) {
        #expect(ICD10Code(code) == nil)
    }

    @Test(
        "Sex by number, letter and word",
        arguments: [
            ("1", .male), ("2", .female), ("0", .unknown), ("9", .unknown), ("M", .male), ("f", .female), ("男", .male),
            ("女 ", .female), ("男性", .male), ("unknown", .unknown), ("\u{ff11}", .male), ("5", .other), ("x", nil),
            ("", nil),
            ("3", nil), ("男女", nil),
        ] as [(String, PatientDemographics.Sex?)]
    )
    func sex(text: String, sex: PatientDemographics.Sex?) {
        #expect(SexCode.read(text) == sex)
    }

    @Test(
        "Times that begin with the year are read",
        arguments: [
            ("2026-05-10", .day, nil, 1_778_371_200_000), ("2026-05-10 08:30:00", .second, nil, 1_778_401_800_000),
            ("2026/5/10 8:30", .minute, nil, 1_778_401_800_000), ("2026.05.10", .day, nil, 1_778_371_200_000),
            ("2026年5月10日", .day, nil, 1_778_371_200_000), ("2026年5月10日8时30分", .minute, nil, 1_778_401_800_000),
            ("2026年05月10日 08:30", .minute, nil, 1_778_401_800_000), ("20260510", .day, nil, 1_778_371_200_000),
            ("202605100830", .minute, nil, 1_778_401_800_000), ("20260510083000.25", .fraction, nil, 1_778_401_800_250),
            ("2026-05-10T08:30:00+08:00", .second, 480, 1_778_373_000_000),
            ("20260510083000+0800", .second, 480, 1_778_373_000_000),
            ("2026-05-10 08:30:00Z", .second, 0, 1_778_401_800_000), ("2026051008", .hour, nil, 1_778_400_000_000),
            (" 2026-05-10 ", .day, nil, 1_778_371_200_000), ("2024-02-29", .day, nil, 1_709_164_800_000),
        ] as [(String, ClinicalTime.Precision, Int?, Int64)]
    )
    func time(text: String, precision: ClinicalTime.Precision, offset: Int?, milliseconds: Int64) throws {
        let time = try #require(WrittenTime.read(text))
        #expect(time.text == text)
        #expect(time.precision == precision)
        #expect(time.offsetMinutes == offset)
        #expect(time.earliest == Timestamp(milliseconds: milliseconds))
    }

    @Test("The source's offset counts where the text has none, and only for times of day")
    func sourceOffset() throws {
        let time = try #require(WrittenTime.read("2026-05-10 08:30", offsetMinutes: 480))
        #expect(time.offsetMinutes == 480)
        #expect(time.earliest == Timestamp(milliseconds: 1_778_373_000_000))
        #expect(WrittenTime.read("2026-05-10", offsetMinutes: 480)?.offsetMinutes == nil)
        #expect(WrittenTime.read("2026-05-10 08:30Z", offsetMinutes: 480)?.offsetMinutes == 0)
    }

    @Test(
        "Times that do not exist or could be read in two ways are refused",
        arguments: [
            "", "05/10/2026", "10-05-26", "26-05-10", "2026-13-01", "2026-02-29", "2026-00-01", "2026-05", "2026",
            "0000-01-01",
            "2026-05-10 24:00", "2026-05-10 08:60", "2026-05-10 08", "2026-05-108:30", "2026-05/10", "2026年5月10",
            "2026-05-10 08:30:00+15:00", "2026-05-10 08:30:00.", "20260510083", "20260510083000123",
            "2026-05-10 08:30 PM",
            "2026-5-10x", "\u{ff12}\u{ff10}26-05-10", String(repeating: "2", count: 70),
        ]
    )
    func noTime(text: String) {
        #expect(WrittenTime.read(text) == nil)
    }

    @Test("Resident identity numbers: the 15-digit form is extended, a small x is a check character")
    func residentIdentity() throws {
        let long = try PatientIdentifier(parsing: "CN-RIC:11010519491231002X")
        #expect(try PatientIdentifier(parsing: "CN-RIC:11010519491231002x") == long)
        #expect(try PatientIdentifier(parsing: "CN-RIC:110105491231002") == long)
        #expect(throws: PatientIdentifier.Refusal.badCheckDigit) {
            try PatientIdentifier(parsing: "CN-RIC:110105194912310021")
        }
    }
}
