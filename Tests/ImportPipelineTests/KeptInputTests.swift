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

    /// One image of a study as DICOM JSON.
    private func image(study: String, number: Int, patient: String = "P-17") -> String {
        func tag(_ name: String, _ representation: String, _ value: String) -> String {
            "\"\(name)\": {\"vr\": \"\(representation)\", \"Value\": [\"\(value)\"]}"
        }
        return "{"
            + [
                tag("00080016", "UI", "1.2.840.10008.5.1.4.1.1.2"), tag("00080018", "UI", "\(study).7.\(number)"),
                tag("00080020", "DA", "20260510"), tag("00080060", "CS", "CT"), tag("00100020", "LO", patient),
                tag("0020000D", "UI", study), tag("0020000E", "UI", "\(study).7"),
                "\"00200013\": {\"vr\": \"IS\", \"Value\": [\(number)]}",
            ].joined(separator: ", ") + "}"
    }

    private func studies(_ text: String) throws -> [[RecordContent.Part]] {
        guard case .success(.studies(let studies)) = RetriedInput.read(Array(text.utf8)) else {
            Issue.record("the images can be read")
            return []
        }
        return studies
    }

    @Test("Images are tried again by study, together with those that are imported already")
    func images() throws {
        let (one, two, other) = (
            self.image(study: "1.2.3", number: 1), self.image(study: "1.2.3", number: 2),
            self.image(study: "1.2.4", number: 1)
        )
        let studies = try self.studies("[\(one), \(other), \(two)]")
        #expect(studies.map(\.count) == [2, 1])
        let kept = try #require(KeptInput(kind: .images, parts: [studies[0][1]], fault: 0))
        guard case .success(.studies(let again)) = RetriedInput.read(kept.encoded) else {
            Issue.record("kept images are a study")
            return
        }
        #expect(again == [[studies[0][1]]])
        let alone = try RetriedInput.study(again[0]).get()
        #expect(alone.exam.imaging.flatMap(\.series).map(\.instances.count) == [1])
        // What is there already is neither lost nor doubled.
        for known in [[studies[0][0]], studies[0]] {
            let joined = try RetriedInput.study(again[0], joinedWith: known).get()
            #expect(joined.exam.imaging.flatMap(\.series).map(\.instances.count) == [2])
            #expect(joined.exam.source == alone.exam.source)
        }
    }

    @Test("Images without a patient stay refused")
    func unidentifiedImages() throws {
        let studies = try self.studies("[\(self.image(study: "1.2.3", number: 1, patient: ""))]")
        guard case .failure(let refusal) = RetriedInput.study(studies[0]) else {
            Issue.record("nobody could find them")
            return
        }
        #expect(refusal.code.hasPrefix("subject."))
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
