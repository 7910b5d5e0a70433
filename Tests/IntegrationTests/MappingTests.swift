import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Local codes and the consortium's catalogue", .serialized)
    struct MappingTests {}
}

extension IntegrationTests.MappingTests {
    private static let patient = "CN-RIC:110101199003070038"
    private static let catalogue = TestData.repositoryFile("Samples/catalogue/example.yaml").path

    /// A report with an order code and two results in a laboratory's own codes.
    private static func message(_ order: String) -> String {
        [
            #"MSH|^~\&|LIS|HOSP|HIE|AREA|20260510083000+0800||ORU^R01|M\#(order)|P|2.5.1|||||CHN|UNICODE UTF-8"#,
            "PID|1||4711^^^HIS^MR~110101199003070038^^^^NNCHN||诸桂荣||19900307|M",
            "OBR|1||\(order)|GLUP^血糖测定^L|||20260510080000+0800|||||||||||||||20260510083000+0800||CH|F",
            "OBX|1|NM|GLU^空腹血糖^L||99|mg/dL|70-110|N|||F",
            "OBX|2|NM|HGB^血红蛋白测定^L||13.5|g/dL||N|||F",
        ].joined(separator: "\r") + "\r"
    }

    private func unmapped(_ hospitals: Consortium) throws -> [JSON] {
        try hospitals.succeed("a", ["mapping", "list", "--unmapped", "--json"]).json["unmapped"].list
    }

    private func item(_ exam: JSON, _ code: String) throws -> JSON {
        try #require(exam["items"].list.first { $0["code"]["codings"][0]["code"].string == code })
    }

    @Test(
        "Unmapped codes are imported and listed; a mapping counts from then on, and rewrites nothing"
    )
    func story() throws {
        let hospitals = try Consortium(["a"])
        let reader = try hospitals.reader("a")
        let first = try hospitals.write(Self.message("F1"), to: "first.hl7")
        #expect(try hospitals.importing("a", first)["committed"].int == 1)
        #expect(try Set(self.unmapped(hospitals).map { $0["code"].string }) == ["GLUP", "GLU", "HGB"])
        let glucose = try #require(try self.unmapped(hospitals).first { $0["code"].string == "GLU" })
        #expect(glucose["name"].string == "空腹血糖")
        #expect(glucose["unit"].string == "mg/dL")
        #expect(glucose["system"].string == "L")
        #expect(glucose["count"].int == 1)
        #expect(glucose["reason"].string == "unmapped")
        // Nothing can be mapped before there is a catalogue.
        #expect(try hospitals.expect(9, "a", ["mapping", "suggest", "--json"]).code == "mapping.no-catalogue")
        #expect(try hospitals.expect(9, "a", ["mapping", "set", "L|GLU", "14749-6"]).code == "mapping.no-catalogue")

        let loaded = try hospitals.succeed("a", ["mapping", "catalogue", Self.catalogue, "--json", "--author", "lab"])
            .json
        #expect(loaded["version"].string == "example-2026.1")
        #expect(
            try hospitals.succeed("a", ["mapping", "catalogue", Self.catalogue]).output.contains("example-2026.1:")
        )
        let suggested = try hospitals.succeed("a", ["mapping", "suggest", "GLU", "--json"]).json["codes"][0]["items"]
        #expect(suggested[0]["code"].string == "14749-6")
        #expect(suggested[0]["fitsUnit"].bool)
        #expect(try hospitals.expect(3, "a", ["mapping", "set", "L|GLU", "1-8"]).code == "mapping.no-item")
        let set = ["mapping", "set", "L|GLU", "14749-6", "--author", "王检验", "--json"]
        #expect(try hospitals.succeed("a", set).json["version"].string == "example-2026.1+1")
        #expect(try Set(self.unmapped(hospitals).map { $0["code"].string }) == ["GLUP", "HGB"])

        // The record that exists stays what it is, and is read with the map of whoever reads it.
        #expect(try hospitals.importing("a", first)["duplicates"].int == 1)
        let old = try #require(try reader.find(Self.patient).first)
        let oldExam = try reader.fetch(old["record"].string).json["exam"]
        #expect(oldExam["codes"]["version"].string == "")
        #expect(oldExam["codes"]["readerVersion"].string == "example-2026.1+1")
        #expect(try self.item(oldExam, "GLU")["canonicalValue"].string == "5.50")

        try hospitals.succeed("a", ["mapping", "set", "L|GLUP", "14749-6", "--author", "lab"])
        try self.imports(hospitals, reader)

        // Versions outlive the agent, and a kill.
        hospitals.kill("a")
        try hospitals.start("a")
        let list = try hospitals.succeed("a", ["mapping", "list", "--json"]).json
        #expect(list["current"]["version"].string == "example-2026.1+2")
        #expect(list["history"].list.map { $0["author"].string } == ["lab", "王检验", "lab"])
        #expect(list["mapped"].list.contains { $0["code"].string == "GLU" && $0["item"].string == "14749-6" })
    }

    /// What is imported after two codes were mapped.
    private func imports(_ hospitals: Consortium, _ reader: Reader) throws {
        let original = Self.message("F2")
        #expect(try hospitals.importing("a", hospitals.write(original, to: "second.hl7"))["committed"].int == 1)
        // Only what is still unmapped is counted.
        let counts = try self.unmapped(hospitals)
        #expect(counts.map { $0["code"].string } == ["HGB"])
        #expect(counts.map { $0["count"].int } == [2])
        // Both are found by the catalogue's code: one listed under it, one by what its own code stands for.
        #expect(try reader.find(Self.patient, ["--items", "14749-6"]).count == 2)
        #expect(try reader.find(Self.patient, ["--items", "GLUP"]).count == 2)
        #expect(try reader.find(Self.patient, ["--items", "718-7"]).isEmpty)
        let new = try #require(try reader.find(Self.patient).first { $0["item"].string == "14749-6" })
        let copy = hospitals.path("original")
        let opened = try reader.fetch(new["record"].string, ["--original", copy])
        let exam = opened.json["exam"]
        #expect(exam["codes"]["version"].string == "example-2026.1+2")
        #expect(exam["codes"]["digest"].string.count == 64)
        #expect(exam["codes"]["readerVersion"].string == "")
        let result = try self.item(exam, "GLU")
        #expect(result["value"].string == "99")
        #expect(result["unit"].string == "mg/dL")
        #expect(result["canonicalValue"].string == "5.50")
        #expect(result["canonicalUnit"].string == "mmol/L")
        #expect(result["code"]["codings"].list.map { $0["code"].string } == ["GLU", "14749-6"])
        #expect(try self.item(exam, "HGB")["canonicalValue"].string == "")
        let bytes = try String(contentsOfFile: copy, encoding: .utf8)
        #expect(bytes.hasSuffix("HGB^血红蛋白测定^L||13.5|g/dL||N|||F\r"), "the note is no part of the source's bytes")
    }

    @Test("A catalogue's version never changes, a newer one keeps what was set here, and --unit gives values a unit")
    func versions() throws {
        let hospitals = try Consortium(["a"])
        let text = try String(contentsOfFile: Self.catalogue, encoding: .utf8)
        try hospitals.succeed("a", ["mapping", "catalogue", Self.catalogue])
        let other = try hospitals.write(text.replacing("display: 葡萄糖", with: "display: 血葡萄糖"), to: "other.yaml")
        #expect(try hospitals.expect(2, "a", ["mapping", "catalogue", other]).code == "mapping.version")
        let older = text.replacing("example-2026.1", with: "old").replacing("2026-01-01", with: "2025-01-01")
        #expect(
            try hospitals.expect(2, "a", ["mapping", "catalogue", hospitals.write(older, to: "older.yaml")]).code
                == "mapping.version"
        )
        try hospitals.succeed("a", ["mapping", "set", "L|HGB", "718-7", "--unit", "g/dL"])
        #expect(
            try hospitals.expect(2, "a", ["mapping", "set", "L|X", "718-7", "--unit", "nonsense"]).code
                == "mapping.refused"
        )
        let newer = text.replacing("example-2026.1", with: "2026.2").replacing("2026-01-01", with: "2026-07-01")
        let version = try hospitals.succeed(
            "a",
            ["mapping", "catalogue", hospitals.write(newer, to: "newer.yaml"), "--json"]
        )
        #expect(version.json["version"].string == "2026.2+1")
        let message = Self.message("F1").replacing("13.5|g/dL", with: "13.5|")
        _ = try hospitals.importing("a", hospitals.write(message, to: "first.hl7"))
        let reader = try hospitals.reader("a")
        let record = try #require(try reader.find(Self.patient).first)["record"].string
        let exam = try reader.fetch(record).json["exam"]
        #expect(try self.item(exam, "HGB")["canonicalValue"].string == "135")
        #expect(try self.item(exam, "HGB")["unit"].string == "")
    }
}

extension IntegrationTests.MappingTests {
    private static let header = "住院号,姓名,性别,出生日期,申请单号,报告时间,项目代码,项目名称,结果,单位,电话"
    private func quarantined(_ hospitals: Consortium) throws -> JSON {
        let list = try hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"].list
        #expect(list.count == 1)
        return try #require(list.first)
    }

    private static func row(_ order: String, _ code: String, _ value: String, _ time: String) -> String {
        "T0001,欧阳桂荣,女,1980-02-29,\(order),\(time),\(code),白细胞,\(value),10^9/L,13800138000"
    }

    @Test(
        "A row set aside is shown by columns, its patient masked, and tried again with all rows of its order"
    )
    func rows() throws {
        let hospitals = try Consortium(["a"])
        let good = Self.row("S1", "WBC", "9.20", "2026-05-10 09:30:00")
        let odd = Self.row("S1", "PLT", "211", "10-05-2026 09:31")
        let other = Self.row("S2", "WBC", "7.1", "2026-05-10 09:40:00")
        let file = try hospitals.write([Self.header, good, odd, other].joined(separator: "\r\n") + "\r\n", to: "t.csv")
        let mapping = hospitals.path("mapping.yaml")
        try hospitals.succeed("a", ["mapping", "columns", file, "--output", mapping])
        let first = try hospitals.command("a", ["import", "--json", file, "--mapping", mapping]).json
        #expect(first["committed"].int == 2)
        #expect(first["quarantined"].int == 1)
        let listed = try #require(
            try hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"].list.first
        )
        #expect(listed["code"].string == "csv.bad-date")
        #expect(listed["position"].string.hasPrefix("line 3, byte "))
        let id = listed["id"].string
        let shown = try hospitals.succeed("a", ["quarantine", "show", id]).output
        #expect(shown.contains("姓名: 欧***"))
        #expect(shown.contains("项目代码: PLT"))
        #expect(!shown.contains("欧阳"))
        #expect(!shown.contains("13800138000"))
        #expect(try hospitals.succeed("a", ["quarantine", "show", id, "--full"]).output.contains("欧阳桂荣"))
        // As it was: the same refusal, and nothing is imported.
        #expect(
            try hospitals.expect(8, "a", ["quarantine", "retry", id, "--json"]).json["rejections"]["csv.bad-date"].int
                == 1
        )

        // The mapping is mended: the odd form of time is named in it.
        let text = try String(contentsOfFile: mapping, encoding: .utf8)
        try Data(
            (text + "timeFormats:\n  - \"dd-MM-yyyy HH:mm\"\n  - \"yyyy-MM-dd HH:mm:ss\"\n  - \"yyyy-MM-dd\"\n").utf8
        )
        .write(to: hospitals.file("mapping.yaml"))
        let again = try hospitals.succeed("a", ["quarantine", "retry", id, "--json", "--mapping", mapping]).json
        #expect(again["committed"].int == 1)
        #expect(again["newVersions"].int == 1, "the order with all its rows replaces the one that lacked a row")
        #expect(try hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"].list.isEmpty)
        #expect(try hospitals.expect(3, "a", ["quarantine", "retry", id]).code == "quarantine.unknown")
    }

    @Test("A table without a mapping is kept and imported when there is one")
    func table() throws {
        let hospitals = try Consortium(["a"])
        let row = Self.row("S1", "WBC", "9.20", "2026-05-10 09:30:00")
        let file = try hospitals.write(Self.header + "\n" + row + "\n", to: "t.csv")
        #expect(try hospitals.importing("a", file)["rejections"]["file.mapping-missing"].int == 1)
        let mapping = hospitals.path("mapping.yaml")
        try hospitals.succeed("a", ["mapping", "columns", file, "--output", mapping])
        try FileManager.default.removeItem(atPath: file)
        let without = try hospitals.expect(8, "a", ["quarantine", "retry", "--json"]).json
        #expect(without["rejections"]["retry.mapping-missing"].int == 1)
        let with = try hospitals.succeed("a", ["quarantine", "retry", "--json", "--mapping", mapping]).json
        #expect(with["committed"].int == 1)
    }

    @Test("A resource is kept with all that its exam is made of")
    func lines() throws {
        let hospitals = try Consortium(["a"])
        let patient = #"{"resourceType":"Patient","id":"p","name":[{"family":"诸葛","given":["桂荣"]}]}"#
        let result = [
            #"{"resourceType":"Observation","id":"o","status":"final","effectiveDateTime":"2026-13-10","#,
            #""code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]},"#,
            #""subject":{"reference":"Patient/p","display":"诸葛桂荣"},"valueQuantity":{"value":135,"unit":"g/L"}}"#,
        ].joined()
        let file = try hospitals.write(patient + "\n" + result + "\n", to: "x.ndjson")
        #expect(try hospitals.importing("a", file)["quarantined"].int == 1)
        let item = try self.quarantined(hospitals)
        #expect(item["position"].string.hasPrefix("line 2, byte "))
        let shown = try hospitals.succeed("a", ["quarantine", "show", item["id"].string]).output
        #expect(shown.contains("718-7"))
        #expect(!shown.contains("诸葛"))
        #expect(!shown.contains("桂荣"))
        let full = try hospitals.succeed("a", ["quarantine", "show", item["id"].string, "--full"]).output
        #expect(full.contains("诸葛"), "the patient that the result names is kept with it")
        let again = try hospitals.expect(8, "a", ["quarantine", "retry", "--json"]).json
        #expect(again["rejections"].keys == [item["code"].string])
    }
}
