import Foundation
import Ledger
import Primitives
import TestSupport
import Testing

@Suite("The pages list every code, and no other")
struct CodePagesTests {
    private static let page = "Documentation/Protocol/"

    /// Ranges and names of the rows whose first cell is a number or a range, with `.rest` spelled out.
    private func rows(_ name: String) throws -> [(range: ClosedRange<UInt16>, names: [String])] {
        let text = try String(contentsOf: TestData.repositoryFile(Self.page + name), encoding: .utf8)
        return text.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            guard line.hasPrefix("|"), cells.count > 3 else { return nil }
            let bounds = cells[1].split(separator: "-").map { UInt16($0.trimmingCharacters(in: .whitespaces)) }
            guard let first = bounds.first ?? nil, let last = bounds.last ?? nil else { return nil }
            var prefix = ""
            let parts = cells[2].split(separator: "`", omittingEmptySubsequences: false)
            let names = stride(from: 1, to: parts.count, by: 2).map { index -> String in
                let name = String(parts[index])
                if name.hasPrefix(".") { return prefix + name }
                prefix = String(name.prefix { $0 != "." })
                return name
            }
            return (first...last, names)
        }
    }

    @Test("Transactions.md")
    func transactions() throws {
        let rows = try self.rows("Transactions.md").filter { !$0.names.isEmpty && $0.names[0].contains(".") }
        for row in rows {
            let codes = TransactionCode.allCases.filter { row.range.contains($0.rawValue) }
            #expect(codes.map(\.name) == row.names)
            #expect(codes.first?.rawValue == row.range.lowerBound && codes.last?.rawValue == row.range.upperBound)
        }
        #expect(rows.reduce(0) { $0 + $1.names.count } == TransactionCode.allCases.count - 1, "all but success")
    }

    @Test("Recognition-Facts.md")
    func facts() throws {
        let rows = try self.rows("Recognition-Facts.md").filter { $0.names.first?.hasPrefix("recognition.") == true }
        #expect(rows.map(\.range.lowerBound) == RecognitionCode.allCases.map(\.rawValue))
        #expect(rows.flatMap(\.names) == RecognitionCode.allCases.map(\.name))
    }

    @Test("The measures and rates of Recognition-Facts.md")
    func measures() throws {
        let text = try String(
            contentsOf: TestData.repositoryFile(Self.page + "Recognition-Facts.md"),
            encoding: .utf8
        )
        func names(under heading: String) -> [String] {
            guard let start = text.range(of: heading) else { return [] }
            return text[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false)
                .drop { !$0.hasPrefix("| `") }.prefix { $0.hasPrefix("| `") }
                .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        }
        #expect(names(under: "### Measures") == Measure.allCases.map(\.rawValue))
        #expect(names(under: "### Rates") == Rate.allCases.map(\.rawValue))
    }
}
