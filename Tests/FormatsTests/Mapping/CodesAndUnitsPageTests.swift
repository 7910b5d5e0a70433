import Formats
import Foundation
import TestSupport
import Testing

@Suite("The page on codes and units lists every refusal")
struct CodesAndUnitsPageTests {
    private func check<Refusal: FormatRefusalCode>(_: Refusal.Type, prefix: String) throws {
        let page = try String(
            contentsOf: TestData.repositoryFile("Documentation/Protocol/Codes-and-Units.md"),
            encoding: .utf8
        )
        let all = Array(Refusal.allCases)
        #expect(Set(all.map(\.message)).count == all.count)
        for refusal in all {
            #expect(refusal.code.hasPrefix(prefix))
            #expect(page.contains("| `\(refusal.code)` | \(refusal.message) |"), "\(refusal.code)")
        }
    }

    @Test("Units")
    func units() throws {
        try self.check(UnitRefusal.self, prefix: "unit.")
    }

    @Test("Code maps")
    func codeMaps() throws {
        try self.check(CodeMapRefusal.self, prefix: "map.")
    }
}
