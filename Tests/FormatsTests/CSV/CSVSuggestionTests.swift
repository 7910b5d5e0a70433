import Formats
import TestSupport
import Testing

@Suite("The header of a table suggests a mapping")
struct CSVSuggestionTests {
    private func suggestion(_ text: String) throws -> CSVSuggestion {
        try CSVSuggestion(Array(text.utf8)[...], isWhole: true)
    }

    @Test("A Chinese export is understood, and what a person must decide is asked")
    func chinese() throws {
        let bytes = try CSVVectors.bytes("orders.csv")
        let suggestion = try CSVSuggestion(bytes[...], isWhole: true)
        let expected = try CSVVectors.orders()
        let mapping = try #require(suggestion.mapping)
        #expect(mapping.characterSet == .gb18030)
        #expect(mapping.patient == expected.patient)
        #expect(mapping.results == expected.results)
        #expect(mapping.exam.mapValues(\.source) == expected.exam.mapValues(\.source))
        #expect(
            suggestion.undecided.map { "\($0.question.rawValue) \($0.name)" } == [
                "identifier-system 住院号", "code-system results[0].code", "utc-offset utcOffset",
            ]
        )
        #expect(suggestion.yaml.contains("order: 申请单号\n"))
        let input = CSVInput(bytes, mapping: mapping)
        #expect(input.exams.count == 2 && input.refused.isEmpty)
    }

    @Test(
        "A date that may be two days is asked for, and one that cannot is not",
        arguments: [
            ("5/6/2026", nil, true), ("5/13/2026", "M/d/yyyy", false), ("13/5/2026", "d/M/yyyy", false),
            ("2026-05-13", nil, false),
            ("13.5.2026 8:30", "d.M.yyyy H:mm", false), ("46152", nil, true),
        ]
    )
    func dates(text: String, format: String?, isAsked: Bool) throws {
        let suggestion = try self.suggestion("patient_id,report_date,test_name,result\nP1,\(text),K,4\n")
        #expect(suggestion.mapping?.exam[.reported]?.timeFormats.map(\.pattern) == (format.map { [$0] } ?? []))
        #expect(suggestion.undecided.contains { $0.question == .timeFormat } == isAsked)
    }

    @Test("Names are compared without case, spaces and signs, and the first of two of one meaning is taken")
    func names() throws {
        let header = "Patient ID;PATIENT-NAME;申请号;申请单号;Test Name;Result;colour;年龄\n"
        let suggestion = try self.suggestion(header + "1;a;2;3;b;c;d;e\n")
        let mapping = try #require(suggestion.mapping)
        #expect(mapping.delimiter == .semicolon)
        #expect(mapping.exam[.order]?.source == .column("申请单号"))
        #expect(suggestion.unused == ["年龄"])
        #expect(suggestion.undecided.contains(.init(question: .secondColumn, name: "申请号")))
        #expect(suggestion.undecided.contains(.init(question: .unknownColumn, name: "colour")))
    }

    @Test("A title above the header is passed over, and texts that are not known are asked for")
    func title() throws {
        let text = "检验报告导出\n2026-05-01,2026-05-31\n病历号,性别,检验项目,结果,报告时间,状态\n1,雄,K,4,2026-05-10,Q\n"
        let suggestion = try self.suggestion(text)
        #expect(suggestion.mapping?.identifiers.map(\.source) == [.column("病历号")])
        #expect(
            suggestion.undecided.filter { $0.question == .meaning }.map(\.name) == ["patient.sex", "results[0].status"]
        )
    }

    @Test("What is missing is asked for, and then there is no mapping")
    func missing() throws {
        let suggestion = try self.suggestion("a,b\n1,2\n")
        #expect(suggestion.mapping == nil)
        #expect(
            suggestion.undecided.filter { $0.question == .missingField }.map(\.name) == [
                "patient.identifiers", "results[0].value", "results[0].name", "exam.order",
            ]
        )
    }

    @Test(
        "What is no table has no mapping",
        arguments: [
            ("", CSVRefusal.emptyFile), ("one column\n1\n", .notATable), ("\u{1}\u{2},b\n", .notATable),
            ("a;b,c\n1;2,3\n", .delimiterAmbiguous),
        ]
    )
    func noTable(text: String, refusal: CSVRefusal) {
        #expect(throws: CSVFault(refusal)) { try self.suggestion(text) }
    }
}
