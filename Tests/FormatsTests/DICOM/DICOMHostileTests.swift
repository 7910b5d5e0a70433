import Formats
import Foundation
import Records
import TestSupport
import Testing

@Suite("Hostile DICOM input is read without a trap, and within bounds")
struct DICOMHostileTests {
    private static let own: [[UInt8]] = {
        var instance = TestInstance(characterSet: "\\ISO 2022 IR 87", issuer: "HIS")
        instance.name = Array("Yamada^Tarou=\u{1b}$B;3ED\u{1b}(B^\u{1b}$BB@O:\u{1b}(B".utf8)
        instance.before0010 = { $0.code(0x0008_1032, "C1", "LN", "CT chest") }
        let report = DICOMDocumentTests.report(flags: ("COMPLETE", "VERIFIED"))
        let deflated = DICOMWriter(.deflated).file() + Deflate.stored(report.write(.deflated).bytes)
        return DICOMWriter.Encoding.native.map { instance.file($0) } + [
            instance.write(.implicitLittle).bytes, report.file(), report.file(.implicitLittle), deflated,
        ]
    }()

    /// Own inputs, and small third-party ones where they are.
    private static let inputs: [[UInt8]] =
        own
        + DICOMTruth.files.compactMap { file in
            guard let bytes = try? file.bytes(), bytes.count < 12_000, !file.path.contains("/media/") else {
                return nil
            }
            return bytes
        }

    private static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        // Headers are where the structure is: half of the changes fall on the first kilobyte.
        let end = Bool.random(using: &generator) ? min(bytes.count, 1024) : bytes.count
        guard end > 1 else { return }
        let place = Int.random(in: 0..<end, using: &generator)
        let length = Int.random(in: 1...min(24, bytes.count - place), using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = [0, 0xff, 0x7f, 0x80, 0x1b, 0x5c].randomElement(using: &generator)!
        case 2: bytes.removeSubrange(place..<place + length)
        case 3: bytes.insert(contentsOf: [UInt8].random(count: length, using: &generator), at: place)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<place + length]), at: place)
        default: bytes.removeSubrange(place...)
        }
    }

    @Test(
        "Changed bytes never trap, and every exam that comes out can be read again",
        arguments: 0..<6 as Range<UInt64>
    )
    func mutations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var exams = 0
        for original in Self.inputs {
            for _ in 0..<60 {
                var bytes = original
                for _ in 0...Int.random(in: 0..<3, using: &generator) { Self.mutate(&bytes, using: &generator) }
                let input = DICOMInput(files: [bytes, original])
                for parsed in input.exams {
                    exams += 1
                    guard DICOMExamReader.read(parsed.parts).map(\.exam) == .success(parsed.exam) else {
                        Issue.record("seed \(seed): an exam differs from its parts")
                        return
                    }
                }
            }
        }
        #expect(exams > Self.own.count * 10)
    }

    @Test("Random bytes behind a good beginning never trap", arguments: 0..<4 as Range<UInt64>)
    func noise(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for original in Self.own {
            for _ in 0..<200 {
                let length = Int.random(in: 0..<original.count, using: &generator)
                let bytes = original[..<length] + [UInt8].random(count: 200, using: &generator)
                let input = DICOMInput(files: [Array(bytes)])
                #expect(input.exams.count + input.refused.count + input.directories <= 1)
            }
        }
    }

    @Test("A reader that is given wrong places never traps", arguments: 0..<4 as Range<UInt64>)
    func windows(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for original in Self.own {
            for _ in 0..<40 {
                var reader = DICOMHeaderReader(fileSize: Int.random(in: 0..<2 * original.count, using: &generator))
                reading: for _ in 0..<100 {
                    let start = Int.random(in: -5..<original.count, using: &generator)
                    let end = Int.random(in: max(start, 0)...original.count, using: &generator)
                    switch reader.advance(Array(original[max(start, 0)..<end]), at: start) {
                    case .needs(let range): #expect(!range.isEmpty)
                    case .header, .refused: break reading
                    }
                }
            }
        }
    }

    @Test("Parts that are no DICOM are refused")
    func parts() throws {
        let file = TestInstance().file()
        #expect(DICOMExamReader.read([]).failure?.code == "dicom.not-dicom")
        #expect(
            DICOMExamReader.read([RecordContent.Part(type: "Instance", bytes: [])]).failure?.code == "dicom.not-dicom"
        )
        #expect(DICOMExamReader.read([RecordContent.Part(type: "", bytes: file)]).failure?.code == "dicom.not-dicom")
        #expect(
            DICOMExamReader.read([RecordContent.Part(type: "DICOMJSON", bytes: file)]).failure?.code
                == "dicom.json-syntax"
        )
        let parsed = try #require(DICOMInput(files: [file]).exams.first)
        #expect(ExamReader.read(RecordContent(format: .dicom, parts: parsed.parts)) == .success(parsed))
    }

    @Test("Many elements and many items end in a refusal, not in memory without end")
    func counts() {
        var writer = TestInstance(pixelDataBytes: nil).write()
        for element in 0..<70_000 as Range<UInt32> {
            writer.add(0x0029_0000 + (element / 0xff00) << 17 + element % 0xff00, "LO", "x")
        }
        #expect(DICOMInput(files: [writer.file()]).code == "dicom.too-large")
        var report = TestInstance(sopClass: "1.2.840.10008.5.1.4.1.1.88.22", pixelDataBytes: nil)
        report.after0020 = { writer in
            writer.add(0x0040_a040, "CS", "CONTAINER")
            writer.add(0x0040_a730, items: Array(repeating: { $0.add(0x0040_a040, "CS", "TEXT") }, count: 20_000))
        }
        #expect(DICOMInput(files: [report.file()]).code == "dicom.too-many-items")
    }
}
