import Primitives
import Records
import TestSupport
import Testing
import Vault

/// Values the tests share.
///
/// All of it is invented.
enum Fixtures {
    static let home = "/home"
    static let limits = Vault.Limits(segmentBytesMax: 64 << 10, reserveBytes: 0)

    static func institution(_ text: String = "hospital-a") throws -> InstitutionID {
        try #require(InstitutionID(text), "the name is well formed")
    }

    static func keys(_ disk: SimulatedDisk, institution: String = "hospital-a") throws -> HomeKeys {
        try HomeKeys.create(
            home: Self.home,
            institution: Self.institution(institution),
            passphrase: nil,
            files: disk
        )
    }

    static func vault(
        _ disk: SimulatedDisk,
        keys: HomeKeys? = nil,
        limits: Vault.Limits = Fixtures.limits
    ) throws -> Vault {
        let keys = try keys ?? HomeKeys.open(home: Self.home, passphrase: nil, files: disk)
        return try Vault(home: Self.home, keys: keys, lock: nil, files: disk, limits: limits)
    }

    /// A laboratory report with `results` observations, as a FHIR server would write it.
    static func content(_ seed: UInt64, results: Int = 8) -> RecordContent {
        var generator = SeededGenerator(seed: seed)
        func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }
        func id() -> String { String(UInt64.random(in: .min ... .max, using: &generator), radix: 16) }
        let patient = id()
        let names = ["Hemoglobin", "Leukocytes", "Platelets", "Creatinine", "Potassium", "Sodium", "Glucose", "Urea"]
        let observations = (0..<results).map { index in
            let name = names[index % names.count]
            return """
                {"resourceType":"Observation","id":"\(id())","status":"final","code":{"coding":[{"system":\
                "http://loinc.org","code":"\(number(1000..<99999))-\(index % 10)","display":"\(name)"}],"text":"\(name)"},\
                "subject":{"reference":"Patient/\(patient)"},"effectiveDateTime":"2026-0\(number(1..<9))-11T08:\
                \(number(10..<59)):00+08:00","valueQuantity":{"value":\(number(1..<400)).\(number(0..<99)),"unit":"g/L",\
                "system":"http://unitsofmeasure.org","code":"g/L"},"referenceRange":[{"low":{"value":\(number(1..<99)),\
                "unit":"g/L"},"high":{"value":\(number(100..<400)),"unit":"g/L"}}]}
                """
        }
        let report = """
            {"resourceType":"DiagnosticReport","id":"\(id())","status":"final","code":{"coding":[{"system":\
            "http://loinc.org","code":"58410-2","display":"CBC panel"}]},"subject":{"reference":"Patient/\(patient)"},\
            "issued":"2026-03-11T09:00:00+08:00","conclusion":"\(id())"}
            """
        let parts = [RecordContent.Part(type: "DiagnosticReport", bytes: Array(report.utf8))]
        return RecordContent(
            format: .fhirR4JSON,
            parts: parts + observations.map { RecordContent.Part(type: "Observation", bytes: Array($0.utf8)) }
        )
    }

    static let chain = ChainID(Digest(hashing: [1]))
}
