import Formats
import Foundation
import ImportPipeline
import Records
import TestSupport
import Testing

@Suite("What is set aside is kept with all that trying again needs")
struct KeptInputTests {
    private func refused(_ text: String, mapping: CSVMapping?) throws -> [RefusedInput] {
        let folder = try TemporaryFolder()
        let file = folder.file("t.csv")
        try Data(text.utf8).write(to: file)
        let reader = ImportReader(spoolFolder: folder.url, options: ImportOptions(mapping: mapping))
        var refused: [RefusedInput] = []
        try reader.read([.path(file.path)]) { unit in
            if case .refused(let input) = unit { refused.append(input) }
        }
        return refused
    }

    private static let header = "住院号,姓名,申请单号,报告时间,项目代码,项目名称,结果,单位"
    private static let good = "T1,诸葛,S1,2026-05-10 09:30:00,WBC,白细胞,9.20,10^9/L"
    private static let odd = "T1,诸葛,S1,10.05.2026 09:31,PLT,血小板,211,10^9/L"

    private func mapping(_ header: String = Self.header) throws -> CSVMapping {
        try #require(CSVSuggestion(Array((header + "\n" + Self.good + "\n").utf8)[...], isWhole: true).mapping)
    }

    @Test("A row is kept with its order, and another mapping reads the order whole")
    func rows() throws {
        let text = [Self.header, Self.good, Self.odd].joined(separator: "\n") + "\n"
        let mapping = try self.mapping()
        let input = try #require(try self.refused(text, mapping: mapping).first)
        #expect(input.position.line == 3)
        let kept = try #require(KeptInput(encoded: input.sealedBytes))
        #expect(kept.kind == .rows)
        #expect(kept.rows == [Array(Self.good.utf8), Array(Self.odd.utf8)])
        #expect(kept.parts[kept.fault].bytes == Array(Self.odd.utf8))
        guard case .failure(let refusal) = RetriedInput.read(input.sealedBytes) else {
            Issue.record("the same mapping refuses the row again")
            return
        }
        #expect(refusal.code == input.code)
        var mended = mapping
        mended.timeFormats = ["dd.MM.yyyy HH:mm", "yyyy-MM-dd HH:mm:ss"].compactMap { CSVTimeFormat($0) }
        guard case .success(.exams(let exams)) = RetriedInput.read(input.sealedBytes, mapping: mended) else {
            Issue.record("the mended mapping reads it")
            return
        }
        #expect(exams.map(\.exam.items.count) == [2])
        #expect(exams[0].parts.count { $0.type.hasPrefix("gap") } == 0)
    }

    @Test("A table without a mapping is kept whole")
    func table() throws {
        let text = [Self.header, Self.good].joined(separator: "\n") + "\n"
        let input = try #require(try self.refused(text, mapping: nil).first)
        #expect(input.code == "file.mapping-missing")
        guard case .failure(let refusal) = RetriedInput.read(input.sealedBytes) else {
            Issue.record("a table means nothing without a mapping")
            return
        }
        #expect(refusal.code == "retry.mapping-missing")
        guard case .success(.exams(let exams)) = RetriedInput.read(input.sealedBytes, mapping: try self.mapping())
        else {
            Issue.record("with one it is read")
            return
        }
        #expect(exams.count == 1)
    }

    @Test("More than is kept is not kept, and bytes that were cut off are none")
    func bounds() throws {
        let part = RecordContent.Part(type: "row", bytes: Array(repeating: 0x41, count: 1000))
        #expect(KeptInput(kind: .rows, parts: Array(repeating: part, count: 5000), fault: 0) == nil)
        #expect(KeptInput(kind: .rows, parts: [part], fault: 1) == nil)
        let kept = try #require(KeptInput(kind: .images, parts: [part, part], fault: 1))
        #expect(KeptInput(encoded: kept.encoded) == kept)
        for length in [0, 1, 16, 17, 20, kept.encoded.count - 1] {
            #expect(KeptInput(encoded: Array(kept.encoded.prefix(length))) == nil)
        }
    }
}
