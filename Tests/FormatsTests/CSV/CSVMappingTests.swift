import Formats
import Foundation
import Records
import TestSupport
import Testing

@Suite("A mapping says what columns mean")
struct CSVMappingTests {
    @Test("A mapping is read again from its canonical form and its tree")
    func roundTrip() throws {
        let everything = CSVVectors.map([
            "mapping": CSVVectors.version, "kind": .text("vital-signs"),
            "file": CSVVectors.texts(["characterSet": "gbk", "delimiter": "tab", "quoting": "none"]),
            "decimalMark": .text("comma"), "timeFormats": .list([.text("d.M.yyyy H:mm")]), "utcOffset": .text("-03:30"),
            "absent": .list([.text("-"), .text("n/a")]), "group": .list([.text("patient"), .text("received")]),
            "incompleteOrders": .text("refuse"),
            "patient": CSVVectors.map([
                "identifiers": .list([.text("a"), CSVVectors.texts(["column": "b \"x\"", "system": "CN-RIC"])]),
                "sex": CSVVectors.map([
                    "column": .text("s"), "values": CSVVectors.texts(["甲": "male", "\u{1}": "female"]),
                ]),
                "birthDate": CSVVectors.map(["column": .text("d"), "timeFormats": .list([.text("yyyyMMdd")])]),
            ]),
            "exam": CSVVectors.map([
                "received": CSVVectors.texts(["column": "r", "utcOffset": "Z"]),
                "performer": CSVVectors.texts(["constant": "Lab"]),
            ]),
            "results": .list([
                CSVVectors.texts(["name": "n", "value": "v"]), CSVVectors.texts(["code": "c", "valueCode": "w"]),
            ]),
        ])
        let mapping = try CSVMapping(everything)
        #expect(mapping.characterSet == .gb18030)
        #expect(mapping.offsetMinutes == -210)
        #expect(mapping.results.count == 2)
        #expect(CSVMapping.read(canonical: mapping.canonicalBytes) == .success(mapping))
        #expect(try CSVMapping(mapping.node) == mapping)
        for other in [try CSVVectors.orders(), try CSVVectors.wide(), try CSVVectors.lines()] {
            #expect(CSVMapping.read(canonical: other.canonicalBytes) == .success(other))
        }
    }

    @Test("The YAML of a mapping is what people would write")
    func yaml() throws {
        let mapping = try CSVVectors.small(extra: [
            "utcOffset": .text("+08:00"), "absent": .list([.text("no"), .text("1")]),
        ])
        #expect(
            mapping.yaml == """
                mapping: entente-csv/1
                kind: lab
                utcOffset: "+08:00"
                absent:
                  - "no"
                  - "1"
                group:
                  - order
                patient:
                  identifiers:
                    - pid
                  name: name
                exam:
                  order: order
                  reported: time
                results:
                  - name: item
                    value: value
                    unit: unit

                """
        )
    }

    /// A change to a good mapping, and the fault that it makes.
    struct Mistake: Sendable, CustomTestStringConvertible {
        var path: [String]
        var node: MappingNode?
        var refusal: CSVMappingRefusal
        var at: String
        var testDescription: String { "\(self.at) \(self.refusal.code)" }
    }

    static let mistakes = [
        Mistake(path: ["mapping"], node: .text("entente-csv/2"), refusal: .version, at: "mapping"),
        Mistake(path: ["mapping"], node: nil, refusal: .version, at: "mapping"),
        Mistake(path: ["colour"], node: .text("x"), refusal: .unknownKey, at: "colour"),
        Mistake(path: ["kind"], node: .text("blood"), refusal: .badValue, at: "kind"),
        Mistake(path: ["kind"], node: .list([]), refusal: .wrongKind, at: "kind"),
        Mistake(path: ["file"], node: .text("csv"), refusal: .wrongKind, at: "file"),
        Mistake(
            path: ["file"],
            node: .map([.init("characterSet", .text("EBCDIC"))]),
            refusal: .badValue,
            at: "file.characterSet"
        ),
        Mistake(path: ["file"], node: .map([.init("delimiter", .text(","))]), refusal: .badValue, at: "file.delimiter"),
        Mistake(path: ["file"], node: .map([.init("results", .text("x"))]), refusal: .unknownKey, at: "file.results"),
        Mistake(path: ["utcOffset"], node: .text("8"), refusal: .badValue, at: "utcOffset"),
        Mistake(path: ["timeFormats"], node: .list([.text("dd/mm")]), refusal: .badValue, at: "timeFormats[0]"),
        Mistake(path: ["group"], node: .list([.text("patient")]), refusal: .missingKey, at: "group"),
        Mistake(path: ["group"], node: .list([.text("specimenID")]), refusal: .badValue, at: "group[0]"),
        Mistake(
            path: ["group"],
            node: .list([.text("order"), .text("order")]),
            refusal: .duplicateKey,
            at: "group[1]"
        ),
        Mistake(path: ["patient"], node: nil, refusal: .missingKey, at: "patient"),
        Mistake(path: ["patient", "identifiers"], node: nil, refusal: .missingKey, at: "patient.identifiers"),
        Mistake(path: ["patient", "identifiers"], node: .text("pid"), refusal: .wrongKind, at: "patient.identifiers"),
        Mistake(
            path: ["patient", "identifiers"],
            node: .list([.map([.init("constant", .text("1"))])]),
            refusal: .badValue,
            at: "patient.identifiers[0].constant"
        ),
        Mistake(
            path: ["patient", "sex"],
            node: .map([.init("column", .text("s")), .init("values", .map([.init("1", .text("man"))]))]),
            refusal: .badValue,
            at: "patient.sex.values"
        ),
        Mistake(
            path: ["patient", "birthDate"],
            node: .map([.init("column", .text("d")), .init("timeFormats", .list([.text("dd.MM.yy")]))]),
            refusal: .badValue,
            at: "patient.birthDate.timeFormats"
        ),
        Mistake(path: ["patient", "weight"], node: .text("w"), refusal: .unknownKey, at: "patient.weight"),
        Mistake(path: ["exam"], node: nil, refusal: .missingKey, at: "group"),
        Mistake(path: ["exam", "order"], node: .text(""), refusal: .badValue, at: "exam.order"),
        Mistake(path: ["exam", "order"], node: .map([]), refusal: .missingKey, at: "exam.order.column"),
        Mistake(
            path: ["exam", "order"],
            node: .map([.init("column", .text("a")), .init("constant", .text("b"))]),
            refusal: .badValue,
            at: "exam.order.constant"
        ),
        Mistake(path: ["results"], node: .list([]), refusal: .missingKey, at: "results"),
        Mistake(
            path: ["results"],
            node: .list([.map([.init("name", .text("n"))])]),
            refusal: .missingKey,
            at: "results[0].value"
        ),
        Mistake(
            path: ["results"],
            node: .list([.map([.init("value", .text("n"))])]),
            refusal: .missingKey,
            at: "results[0].name"
        ),
        Mistake(
            path: ["results"],
            node: .list(Array(repeating: .text("x"), count: CSVMapping.resultsMax + 1)),
            refusal: .tooLarge,
            at: "results"
        ),
        Mistake(
            path: ["absent"],
            node: .list([.text(String(repeating: "x", count: CSVMapping.textBytesMax))]),
            refusal: .tooLarge,
            at: ""
        ),
    ]

    private func changed(_ node: MappingNode, _ path: ArraySlice<String>, _ value: MappingNode?) -> MappingNode {
        guard let key = path.first, case .map(var members) = node else { return value ?? node }
        let old = members.first { $0.key == key }?.value ?? .map([])
        let place = members.firstIndex { $0.key == key }
        members.removeAll { $0.key == key }
        let new = path.count == 1 ? value : self.changed(old, path.dropFirst(), value)
        if let new { members.insert(MappingNode.Member(key, new), at: place ?? members.endIndex) }
        return .map(members)
    }

    @Test("A mistake is named with its path", arguments: mistakes)
    func namesPath(_ mistake: Mistake) throws {
        let node = self.changed(try CSVVectors.small().node, mistake.path[...], mistake.node)
        // The group that the canonical form always has would hide what follows from its absence.
        let bare = mistake.path == ["exam"] ? self.changed(node, ["group"], nil) : node
        #expect(throws: CSVMappingFault(mistake.refusal, mistake.at)) { try CSVMapping(bare) }
    }

    @Test("A key that occurs twice is refused")
    func duplicates() throws {
        guard case .map(let members) = try CSVVectors.small().node else { return }
        #expect(throws: CSVMappingFault(.duplicateKey, "kind")) {
            try CSVMapping(.map(members + [.init("kind", .text("lab"))]))
        }
    }

    @Test("What holds for a line of JSON is not taken from one of its results")
    func jsonLines() {
        #expect(throws: CSVMappingFault(.badValue, "exam.collected")) { try CSVVectors.lines(time: "labs.taken") }
    }

    @Test("Bytes that are no mapping are refused")
    func canonical() {
        #expect(CSVMapping.read(canonical: Array("{".utf8)) == .failure(CSVMappingFault(.syntax, "")))
        #expect(CSVMapping.read(canonical: Array(#"{"mapping":null}"#.utf8)) == .failure(CSVMappingFault(.syntax, "")))
        #expect(CSVMapping.read(canonical: Array("[]".utf8)) == .failure(CSVMappingFault(.wrongKind, "")))
    }

    @Test("The documentation lists every code with its meaning")
    func documentation() throws {
        let url = TestData.repositoryFile("Documentation/Protocol/CSV-Import.md")
        let text = try String(contentsOf: url, encoding: .utf8)
        for refusal in CSVRefusal.allCases { #expect(text.contains("| `\(refusal.code)` | \(refusal.message) |")) }
        for refusal in CSVMappingRefusal.allCases {
            #expect(text.contains("| `\(refusal.code)` | \(refusal.message) |"))
        }
        #expect(Set(CSVRefusal.allCases.map(\.message)).count == CSVRefusal.allCases.count)
    }
}
