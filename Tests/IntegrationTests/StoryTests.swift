import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("The main job on four agents", .serialized)
    struct StoryTests {}
}

extension IntegrationTests.StoryTests {
    @Test("Hospital B finds, is granted, opens, proves and loses access to an exam of hospital A")
    func story() throws {
        let hospitals = try Consortium(["a", "b", "c", "d"])
        let imported = try hospitals.importing("a", Samples.path("hospital-a"))
        #expect(imported["committed"].int == 14)
        #expect(imported["quarantined"].int == 1)
        #expect(imported["batches"][0]["count"].int == 14)
        #expect(try hospitals.importing("c", Samples.path("hospital-c"))["committed"].int == 1)

        let lin = try hospitals.reader("b")
        let found = try lin.find(Person.wang) { results in
            Set(results.map { $0["institution"].string }) == ["a", "c"]
        }
        #expect(found.allSatisfy { $0["access"].string == "not-granted" })
        let record = try #require(found.first { $0["institution"].string == "a" && $0["item"].string == "58410-2" })[
            "record"
        ].string
        let refused = try lin.fetch(record)
        #expect(refused.status == 4)
        #expect(refused.code == "access.not-granted")

        let key = try hospitals.enrol(Person.wang, at: "b")
        let grant = try hospitals.grant(Person.wang, at: "b", key: key, ["--to", "b", "--kinds", "lab"])
        let opened = try lin.fetch(record) { $0.status == 0 }
        try Self.expectBloodCount(opened.json["exam"])
        #expect(opened.json["proof"]["custodian"].string == "a")
        #expect(opened.json["proof"]["grant"].string == grant)
        try Self.expectScope(hospitals, lin, record)

        let evidence = hospitals.path("evidence")
        try Consortium.expect(0, lin.fetch(record, ["--evidence", evidence]))
        try Self.expectEvidence(hospitals, evidence)

        hospitals.stop("a")
        try Self.expectBloodCount(Consortium.expect(0, lin.fetch(record)).json["exam"])
        try Self.expectLog(hospitals, "b", record)
        try hospitals.start("a")
        try Self.expectLog(hospitals, "a", record)

        try hospitals.succeed("b", ["revoke", grant, "--key", key])
        let revoked = try lin.fetch(record)
        #expect(revoked.status == 5)
        #expect(revoked.code == "access.revoked")
        #expect(revoked.output.isEmpty)
        // The proof of the past stays a proof.
        try Consortium.expect(0, Program.run(["verify", evidence, "--genesis", hospitals.path("genesis")]))
        for name in hospitals.names {
            let listed = try hospitals.eventually(name, ["grants", "--patient", "-"], input: Person.wang) { result in
                result.json["grants"][0]["state"].string == "revoked"
            }.json["grants"]
            #expect(listed.list.count == 1)
            #expect(listed[0]["grant"].string == grant)
            #expect(listed[0]["to"].strings == ["b"])
            #expect(listed[0]["kinds"].strings == ["lab"])
        }
    }

    /// What the grant leaves out stays closed.
    private static func expectScope(_ hospitals: Consortium, _ lin: Reader, _ record: String) throws {
        let results = try lin.find(Person.wang)
        for result in results {
            let isLab = result["kind"].string == "lab"
            #expect(result["access"].string == (isLab ? "granted" : "not-granted"))
        }
        let imaging = try #require(results.first { $0["kind"].string == "imaging" })["record"].string
        #expect(try lin.fetch(imaging).code == "access.not-granted")
        #expect(try lin.fetch(record, ["--purpose", "HRESCH"]).code == "access.purpose")
        let elsewhere = try hospitals.reader("d")
        let seen = try elsewhere.find(Person.wang) { $0.count == results.count }
        #expect(seen.allSatisfy { $0["access"].string == "not-granted" })
        #expect(try elsewhere.fetch(record).code == "access.not-granted")
    }

    /// The values of `Samples/hospital-a/blood-count.json`, read here with another parser.
    private static func expectBloodCount(_ exam: JSON) throws {
        let text = try String(contentsOfFile: Samples.path("hospital-a/blood-count.json"), encoding: .utf8)
        let resources = try JSON(text)["entry"].list.map { $0["resource"] }
        let observations = resources.filter { $0["resourceType"].string == "Observation" }
        #expect(observations.count == 5)
        #expect(exam["items"].list.count == observations.count)
        for (item, observation) in zip(exam["items"].list, observations) {
            #expect(item["code"]["codings"][0]["code"].string == observation["code"]["coding"][0]["code"].string)
            #expect(item["value"].decimal == observation["valueQuantity"]["value"].decimal)
            #expect(item["unit"].string == observation["valueQuantity"]["unit"].string)
            #expect(item["flags"].strings == [observation["interpretation"][0]["coding"][0]["code"].string])
            let range = item["range"].string.components(separatedBy: " - ").map { Decimal(string: $0) }
            #expect(range == ["low", "high"].map { observation["referenceRange"][0][$0]["value"].decimal })
        }
        let report = try #require(resources.first { $0["resourceType"].string == "DiagnosticReport" })
        #expect(exam["effective"].string == report["effectiveDateTime"].string)
        #expect(exam["issued"].string == report["issued"].string)
        #expect(exam["status"].string == "final")
        // Of the patient no more than a reader needs to compare by eye.
        #expect(exam["patient"]["identifier"].string == "****************43")
        #expect(exam["patient"]["name"].string == "王**")
    }

    private static func expectEvidence(_ hospitals: Consortium, _ path: String) throws {
        let genesis = hospitals.path("genesis")
        let valid = try Consortium.expect(0, Program.run(["verify", path, "--genesis", genesis, "--json"]))
        #expect(valid.json["valid"].bool)
        #expect(valid.json["findings"].list.allSatisfy { $0["ok"].bool })
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let tampered = hospitals.file("tampered")
        // Every part of the file is hit, each bit in turn; the single bits of each part are tried below the I/O line.
        for step in 0..<24 {
            var copy = bytes
            copy[(bytes.count - 1) * step / 23] ^= 1 << UInt8(step % 8)
            try Data(copy).write(to: tampered)
            let result = try Program.run(["verify", tampered.path, "--genesis", genesis, "--json"])
            #expect(result.status == 7, "a flipped bit passed: step \(step)")
            #expect(!result.json["valid"].bool)
        }
        let others = try Consortium(["a", "b"], starting: false)
        let foreign = try Program.run(["verify", path, "--genesis", others.path("genesis")])
        #expect(foreign.status == 7)
    }

    private static func expectLog(_ hospitals: Consortium, _ name: String, _ record: String) throws {
        let reads = try hospitals.eventually(name, ["access-log", "--patient", "-"], input: Person.wang) { result in
            let reads = result.json["reads"].list
            return !reads.isEmpty && reads.allSatisfy { $0["anchored"].bool }
        }.json["reads"]
        #expect(reads[0]["record"].string == record)
        #expect(reads[0]["institution"].string == "b")
        #expect(reads[0]["clinician"].string == "lin")
        #expect(reads[0]["custodian"].string == "a")
        #expect(reads[0]["purpose"].string == "TREAT")
    }

    @Test("An exam is found by each of its patient's identifiers, and by no other")
    func identifiers() throws {
        let hospitals = try Consortium(["a", "b"])
        _ = try hospitals.importing("a", Samples.path("hospital-a/blood-count.json"))
        let lin = try hospitals.reader("b")
        let byCard = try lin.find(Person.wang) { $0.count == 1 }
        let byNumber = try lin.find(Person.wangAtHospitalA)
        #expect(byNumber.map { $0["record"].string } == byCard.map { $0["record"].string })
        #expect(try lin.find(Person.other).isEmpty)
        #expect(try lin.find(Person.wang, ["--items", "58410-2"]).count == 1)
        #expect(try lin.find(Person.wang, ["--items", "24325-3"]).isEmpty)
        #expect(try lin.find(Person.wang, ["--since", "2026-10-08T08:15:00+08:00"]).count == 1)
        #expect(try lin.find(Person.wang, ["--since", "2026-10-08T08:15:01+08:00"]).isEmpty)
    }

    @Test("The source's own bytes come back to the byte")
    func original() throws {
        let hospitals = try Consortium(["a", "b"])
        // Spaces, an escape, a trailing zero and a member that nobody knows: all must survive.
        let resource =
            #"{ "resourceType":"Observation", "id":"o1","status" : "final","code":{"coding":[{"system":"http://loinc.org","code":"2345-7"}],"text":"Gl\u0075cose"},"subject":{"identifier":{"system":"urn:test:patient","value":"P1"}},"effectiveDateTime":"2026-10-08","valueQuantity":{"value":5.60,"unit":"mmol\/L"},"_note":{"x":[1.0,1e2]} }"#
        let path = try hospitals.write(resource, to: "observation.json")
        #expect(try hospitals.importing("a", path)["committed"].int == 1)
        let lin = try hospitals.reader("b")
        let record = try #require(try lin.find("urn:test:patient|P1") { $0.count == 1 }.first)["record"].string
        _ = try hospitals.grant("urn:test:patient|P1", witnessedBy: "b", ["--to", "b"])
        try lin.fetch(record) { $0.status == 0 }
        let copy = hospitals.path("original")
        let fetched = try Consortium.expect(0, lin.fetch(record, ["--original", copy]))
        #expect(fetched.json["exam"]["items"][0]["value"].string == "5.60")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: copy))
        #expect(String(decoding: bytes, as: UTF8.self).contains(resource))
    }
}
