import Formats
import Foundation
import Recognition
import Records
import TestSupport
import Testing

@Suite("The page about recognition")
struct RecognitionPageTests {
    @Test("The page lists every code of verdicts, refusals and findings, and no other")
    func codes() throws {
        let page = try String(
            contentsOf: TestData.repositoryFile("Documentation/Protocol/Recognition.md"),
            encoding: .utf8
        )
        let listed = page.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("| `") else { return nil }
            return line.dropFirst(3).split(separator: "`").first.map(String.init)
        }
        let known =
            IneligibilityCode.allCases.map(\.name) + RefusalReason.allCases.map(\.name)
            + VerdictOutcome.allCases.map(\.name) + RecognitionRefusal.allCases.map(\.rawValue)
            + PolicyFinding.Code.allCases.map(\.rawValue)
            + PolicyRefusal.allCases.map(\.rawValue)
        #expect(listed.sorted() == known.sorted())
    }
}
