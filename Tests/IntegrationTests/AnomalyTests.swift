import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("What looks forged is reported", .serialized)
    struct AnomalyTests {}
}

/// Exams of our own making with something wrong about them: one bundle a line.
private enum PlantedExam {
    /// Of a laboratory report `id` with a glucose value, what the source says besides.
    struct Report {
        var id: String
        var specimen: String?
        var value = "5.5"
        var status = "final"
        var examined = "2026-03-01T08:15:00+08:00"
        var issued: String?
        var birthDate = "1960-01-01"
    }

    static let patientNumber = "PLANTED-77310"

    private static let glucose =
        #"{"coding":[{"system":"http://loinc.org","code":"2345-7","display":"Glucose"}]}"#
    private static let laboratory =
        #"[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB"}]}]"#

    static func line(_ report: Report) -> String {
        let subject = #""subject":{"reference":"Patient/p"},"effectiveDateTime":"\#(report.examined)""#
        let issued = report.issued.map { #","issued":"\#($0)""# } ?? ""
        let specimen = report.specimen == nil ? "" : #","specimen":{"reference":"Specimen/s"}"#
        var resources = [
            #"{"resourceType":"DiagnosticReport","id":"\#(report.id)","status":"\#(report.status)","category":\#(self.laboratory),"code":\#(self.glucose),\#(subject)\#(issued),"result":[{"reference":"Observation/o"}]}"#,
            #"{"resourceType":"Observation","id":"o","status":"final","code":\#(self.glucose),\#(subject)\#(specimen),"valueQuantity":{"value":\#(report.value),"unit":"mmol/L"}}"#,
        ]
        if let specimen = report.specimen {
            resources.append(
                #"{"resourceType":"Specimen","id":"s","identifier":[{"system":"urn:test:specimen","value":"\#(specimen)"}],"subject":{"reference":"Patient/p"}}"#
            )
        }
        return self.bundle(resources, birthDate: report.birthDate)
    }

    /// A study; without an `instance` it has no series.
    static func study(_ uid: String, instance: String?) -> String {
        let series =
            instance.map {
                #","series":[{"uid":"\#(uid).1","modality":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"CT"},"instance":[{"uid":"\#($0)","sopClass":{"system":"urn:ietf:rfc:3986","code":"urn:oid:1.2.840.10008.5.1.4.1.1.2"}}]}]"#
            } ?? ""
        return self.bundle(
            [
                #"{"resourceType":"ImagingStudy","id":"i\#(uid)","identifier":[{"system":"urn:dicom:uid","value":"urn:oid:\#(uid)"}],"status":"available","subject":{"reference":"Patient/p"},"started":"2026-03-01T08:15:00+08:00"\#(series)}"#
            ],
            birthDate: "1960-01-01"
        )
    }

    private static func bundle(_ resources: [String], birthDate: String) -> String {
        let patient =
            #"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:test:patient","value":"\#(self.patientNumber)"}],"birthDate":"\#(birthDate)"}"#
        return #"{"resourceType":"Bundle","type":"collection","entry":["#
            + ([patient] + resources).map { #"{"resource":\#($0)}"# }.joined(separator: ",") + "]}"
    }
}

extension Consortium {
    /// The anomalies that `name` lists once `condition` holds for them.
    fileprivate func anomalies(
        _ name: String,
        _ options: [String] = [],
        until condition: ([JSON]) -> Bool
    ) throws -> [JSON] {
        try self.eventually(name, ["anomalies"] + options) { condition($0.json["anomalies"].list) }
            .json["anomalies"].list
    }

    fileprivate func importing(_ name: String, lines: [String], as file: String) throws -> JSON {
        try self.importing(name, self.write(lines.joined(separator: "\n") + "\n", to: file))
    }
}

extension IntegrationTests.AnomalyTests {
    private static let specimen = "SPECIMEN-88154-TUBE"

    @Test(
        "Planted conflicts are imported, reported on the chain and listed everywhere; clean exams and corrections are not"
    )
    func planted() throws {
        let hospitals = try Consortium(["a", "b"])
        let imported = try hospitals.importing(
            "a",
            lines: [
                PlantedExam.line(.init(id: "clean")),
                PlantedExam.line(.init(id: "twin-1", specimen: Self.specimen)),
                PlantedExam.line(.init(id: "twin-2", specimen: Self.specimen, value: "7.5")),
                PlantedExam.line(.init(id: "agrees", specimen: "\(Self.specimen)-B")),
                PlantedExam.line(.init(id: "agrees-too", specimen: "\(Self.specimen)-B", value: "5.50")),
                PlantedExam.line(.init(id: "early", issued: "2026-02-20T08:00:00+08:00")),
                PlantedExam.line(.init(id: "unborn", birthDate: "2026-05-01")),
                PlantedExam.study("1.2.3.1", instance: nil),
                PlantedExam.study("1.2.3.2", instance: "1.2.3.9.1"),
                PlantedExam.study("1.2.3.3", instance: "1.2.3.9.1"),
                PlantedExam.line(.init(id: "silent")),
                PlantedExam.line(.init(id: "declared")),
            ],
            as: "planted.ndjson"
        )
        #expect(imported["committed"].int == 12, "nothing is refused")
        let changed = try hospitals.importing(
            "a",
            lines: [
                PlantedExam.line(.init(id: "silent", value: "9.5")),
                PlantedExam.line(.init(id: "declared", value: "9.5", status: "corrected")),
                PlantedExam.line(.init(id: "clean")),
            ],
            as: "changed.ndjson"
        )
        #expect(changed["newVersions"].int == 2)
        #expect(changed["duplicates"].int == 1)

        // "early" is late as well: it was released months before it was committed.
        let expected = [
            "accession.conflict", "attestation.late", "imaging.no-series", "instance.two-contents",
            "result.before-exam", "specimen.two-results", "time.impossible",
        ]
        let own = try hospitals.anomalies("a") { $0.count == expected.count && $0.allSatisfy { $0["reported"].bool } }
        #expect(own.map { $0["kind"].string }.sorted() == expected)
        let twins = try #require(own.first { $0["kind"].string == "specimen.two-results" })
        #expect(twins["records"].list.count == 2)
        #expect(twins["facts"].list.map { $0["name"].string } == ["specimen"])
        #expect(twins["facts"][0]["text"].string == "SP…BE")
        #expect(own.allSatisfy { $0["height"].int > 0 && $0["institution"].string == "a" })

        // The other hospital sees the same, without the reasons.
        let seen = try hospitals.anomalies("b", ["--institution", "a"]) { $0.count == expected.count }
        #expect(Set(seen.map { $0["commitment"].string }) == Set(own.map { $0["commitment"].string }))
        #expect(seen.allSatisfy { $0["facts"].list.isEmpty })
        #expect(
            try hospitals.succeed("b", ["anomalies", "--json", "--institution", "b"]).json["anomalies"].list.isEmpty
        )
        #expect(try hospitals.command("b", ["anomalies", "--institution", "nobody"]).status == 3)

        for name in ["a", "b"] {
            hospitals.stop(name)
            try Self.expectNothingPlain(in: hospitals.home(name))
            #expect(!hospitals.log(name).contains(Self.specimen))
        }
    }

    /// Neither files nor names of files hold what the anomalies are about.
    private static func expectNothingPlain(in home: URL) throws {
        let files = try #require(FileManager.default.enumerator(at: home, includingPropertiesForKeys: nil))
        for case let file as URL in files {
            guard let bytes = try? Data(contentsOf: file, options: .alwaysMapped) else { continue }
            for planted in [Self.specimen, PlantedExam.patientNumber, "1.2.3.9.1"] {
                let isThere = bytes.range(of: Data(planted.utf8)) != nil
                #expect(!isThere, "\(file.lastPathComponent)")
            }
        }
    }

    @Test("An agent killed between finding and reporting reports everything once, whenever it was killed")
    func killed() throws {
        let hospitals = try Consortium(["a"])
        for round in 0..<6 {
            let imported = try hospitals.importing(
                "a",
                lines: [
                    PlantedExam.line(.init(id: "first-\(round)", specimen: "\(Self.specimen)-\(round)")),
                    PlantedExam.line(.init(id: "second-\(round)", specimen: "\(Self.specimen)-\(round)", value: "7.5")),
                ],
                as: "round-\(round).ndjson"
            )
            #expect(imported["committed"].int == 2)
            // Later kills fall into the gathering, the preparing, the sending and the deciding; the last on nothing.
            for _ in 0..<round * round * 2 {
                let listed = try hospitals.succeed("a", ["anomalies", "--json"]).json["anomalies"].list
                #expect(listed.count == round + 1, "found and not lost, whether reported or not")
            }
            hospitals.kill("a")
            try hospitals.start("a")
        }
        let all = try hospitals.anomalies("a") { $0.count == 6 && $0.allSatisfy { $0["reported"].bool } }
        #expect(Set(all.map { $0["commitment"].string }).count == 6)
        #expect(Set(all.map { "\($0["report"].int)/\($0["position"].int)" }).count == 6)
        // Reports are numbered without a gap, so none is on the chain twice.
        let reports = Set(all.map { $0["report"].int })
        #expect(reports == Set(0..<reports.count))
        let height = try hospitals.settle()
        hospitals.stop("a")
        try hospitals.start("a")
        #expect(try hospitals.settle() == height)
        #expect(try hospitals.succeed("a", ["anomalies", "--json"]).json["anomalies"].list.count == 6)
    }
}
