import Formats
import Foundation
import Records
import TestSupport
import Testing

/// The example catalogue of this repository, and a small map for tests.
enum CodeMapSamples {
    /// Reads the subset of YAML that the example keeps to: two levels, plain or quoted values, lists of words in one line.
    static func example() throws -> MappingNode {
        let text = try String(contentsOf: TestData.repositoryFile("Samples/catalogue/example.yaml"), encoding: .utf8)
        var top: [MappingNode.Member] = []
        var (listName, list, fields): (String?, [MappingNode], [MappingNode.Member]) = (nil, [], [])
        func endFields() {
            if !fields.isEmpty { list.append(.map(fields)) }
            fields = []
        }
        func endList() {
            endFields()
            if let name = listName { top.append(MappingNode.Member(name, .list(list))) }
            (listName, list) = (nil, [])
        }
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let content = line.drop { $0 == " " || $0 == "-" }
            let colon = try #require(content.firstIndex(of: ":"))
            let key = String(content[..<colon])
            let value = content[content.index(after: colon)...].drop { $0 == " " }
            if !line.hasPrefix(" ") {
                endList()
                if value.isEmpty {
                    listName = key
                } else {
                    top.append(MappingNode.Member(key, Self.value(value)))
                }
            } else {
                if line.hasPrefix("  - ") { endFields() }
                fields.append(MappingNode.Member(key, Self.value(value)))
            }
        }
        endList()
        return .map(top)
    }

    private static func value(_ text: Substring) -> MappingNode {
        if text.hasPrefix("[") {
            let items = text.dropFirst().dropLast().split(separator: ",")
            return .list(items.map { .text(String($0.drop { $0 == " " })) })
        }
        return .text(text.hasPrefix("\"") ? String(text.dropFirst().dropLast()) : String(text))
    }

    static func map(_ fields: (String, MappingNode)...) -> MappingNode {
        .map(fields.map { MappingNode.Member($0.0, $0.1) })
    }

    static let glucose = CatalogueItem(
        code: CatalogueCode(system: CodeSystem.loinc, code: "14749-6"),
        display: "葡萄糖",
        names: ["Glucose", "空腹血糖"],
        specimen: "血清",
        unit: "mmol/L",
        molarMass: "180.156"
    )
    static let urineGlucose = CatalogueItem(
        code: CatalogueCode(system: CodeSystem.loinc, code: "25428-4"),
        display: "尿葡萄糖",
        specimen: "尿"
    )
    static let hemoglobin = CatalogueItem(
        code: CatalogueCode(system: CodeSystem.loinc, code: "718-7"),
        display: "血红蛋白",
        names: ["Hemoglobin"],
        unit: "g/L"
    )

    static func small(_ entries: [CodeMapEntry], reversed: Bool = false) throws -> CodeMap {
        let items = [self.glucose, self.urineGlucose, self.hemoglobin]
        return try CodeMap(
            version: "1",
            effective: try #require(GregorianDate(year: 2026, month: 1, day: 31)),
            items: reversed ? items.reversed() : items,
            entries: reversed ? entries.reversed() : entries
        )
    }
}
