import Foundation
import TestSupport
import Testing

extension IntegrationTests {
    @Suite("Formats other than FHIR", .serialized)
    struct FormatTests {}
}

extension IntegrationTests.FormatTests {
    private static let patient = "CN-RIC:110101199003070038"

    private static func vector(_ name: String) -> String {
        TestData.repositoryFile("Tests/Vectors").appending(path: name).path
    }

    @Test("A message's orders are found by the patient's card, read as a report, and come back byte for byte")
    func messages() throws {
        let hospitals = try Consortium(["a"])
        let file = Self.vector("hl7v2/orders.hl7")
        let first = try hospitals.importing("a", file)
        #expect(first["committed"].int == 3)
        #expect(try hospitals.importing("a", file)["duplicates"].int == 3)
        let reader = try hospitals.reader("a")
        let found = try reader.find(Self.patient)
        let panel = try #require(found.first { $0["item"].string == "24323-8" })
        #expect(panel["examTime"].string == "2026-05-10T00:00:00Z")
        let original = hospitals.path("original")
        let opened = try reader.fetch(panel["record"].string, ["--original", original])
        #expect(opened.status == 0)
        #expect(opened.json["exam"]["effective"].string.hasPrefix("2026-05-10T08:00:00+08:00"))
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: original)))
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        // Its own segments as they stood, and nothing of the other orders.
        for segment in bytes.split(separator: 0x0d) { #expect(whole.firstRange(of: segment) != nil) }
        #expect(bytes.firstRange(of: Array("18906-8".utf8)) == nil)
        #expect(bytes.firstRange(of: Array("2951-2".utf8)) != nil)
        // What comes back is a message that can be imported.
        #expect(try hospitals.importing("a", original)["duplicates"].int == 1)
        let text = try hospitals.succeed("a", ["fetch", panel["record"].string, "--as", reader.credential]).output
        #expect(!text.contains("\u{fffd}"), "texts of several lines are printed as such")
    }

    @Test("A table is imported with a mapping that its header suggests, and refused without one")
    func tables() throws {
        let hospitals = try Consortium(["a"])
        let file = Self.vector("csv/orders.csv")
        let refused = try hospitals.importing("a", file)
        #expect(refused["rejections"]["file.mapping-missing"].int == 1)
        let mapping = hospitals.path("mapping.yaml")
        try hospitals.succeed("a", ["mapping", "columns", file, "--output", mapping])
        let first = try hospitals.command("a", ["import", "--json", file, "--mapping", mapping])
        #expect(first.json["committed"].int == 2)
        let again = try hospitals.command("a", ["import", "--json", file, "--mapping", mapping])
        #expect(again.json["duplicates"].int == 2)
        try Data("mapping: entente-csv/1\nresults: 7\n".utf8).write(to: hospitals.file("mapping.yaml"))
        let wrong = try hospitals.expect(2, "a", ["import", file, "--mapping", mapping])
        #expect(wrong.code == "usage.mapping")
    }

    @Test("A document and its correction are one exam in two versions")
    func documents() throws {
        let hospitals = try Consortium(["a"])
        let file = Self.vector("cda/laboratory.xml")
        #expect(try hospitals.importing("a", file)["committed"].int == 1)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let changed = try #require(text.firstRange(of: #"value="#).map { _ in text + "<!-- released again -->\n" })
        let copy = try hospitals.write(changed, to: "changed.xml")
        let again = try hospitals.importing("a", copy)
        #expect(again["newVersions"].int == 1)
        #expect(again["committed"].int == 1)
    }

    @Test("What was set aside is shown with its long numbers masked, mended, and tried again")
    func quarantine() throws {
        let hospitals = try Consortium(["a"])
        let whole = try String(contentsOfFile: Self.vector("hl7v2/orders.hl7"), encoding: .utf8)
        let broken = whole.replacing("20260510080000+0800|20260510080500+0800", with: "20261310080000+0800|")
        _ = try hospitals.importing("a", hospitals.write(broken, to: "broken.hl7"))
        let item = try #require(
            try hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"].list.first
        )
        #expect(item["code"].string.hasPrefix("hl7."))
        let show = ["quarantine", "show", item["id"].string]
        let shown = try hospitals.succeed("a", show).output
        #expect(shown.contains("****************38"))
        #expect(!shown.contains("110101199003070038"))
        #expect(!shown.contains("\u{fffd}"))
        #expect(try hospitals.succeed("a", show + ["--full"]).output.contains("110101199003070038"))
        // Still broken: it stays, and says why again.
        let again = try hospitals.command("a", ["quarantine", "retry", "--json"])
        #expect(again.status == 8)
        #expect(try hospitals.succeed("a", ["quarantine", "list", "--json"]).json["items"].list.count == 1)
    }
}
