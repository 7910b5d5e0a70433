import AgentRuntime
import Formats
import Foundation
import Primitives
import Records
import TestSupport
import Testing

@Suite("Studies of a PACS are read when they have settled")
struct StudyWatchTests {
    private static func facts(_ number: Int) -> Digest { Digest(hashing: Array("facts \(number)".utf8)) }

    private static func look(_ watch: inout StudyWatch, _ studies: [(String, Int)], uptime: Int64) -> [String] {
        watch.beginLook()
        for (uid, number) in studies { watch.see(uid, Self.facts(number), uptime: uptime) }
        watch.endLook()
        return watch.due(uptime: uptime).map(\.uid)
    }

    @Test("A study is due when it was the same for the settling time, and settles anew after every change")
    func settles() {
        var watch = StudyWatch(settleMilliseconds: 60_000)
        #expect(Self.look(&watch, [("1", 1)], uptime: 0) == [])
        #expect(Self.look(&watch, [("1", 1)], uptime: 59_999) == [])
        #expect(Self.look(&watch, [("1", 1), ("2", 1)], uptime: 60_000) == ["1"])
        #expect(Self.look(&watch, [("1", 2), ("2", 1)], uptime: 61_000) == [], "it grew")
        #expect(Self.look(&watch, [("1", 2), ("2", 1)], uptime: 121_000) == ["2", "1"], "the longest known first")
        watch.done("2")
        watch.restart("1", uptime: 121_000)
        #expect(watch.due(uptime: 180_999).isEmpty)
        #expect(watch.due(uptime: 181_000).map(\.uid) == ["1"])
        #expect(Self.look(&watch, [], uptime: 182_000) == [] && watch.count == 0, "the PACS has it no longer")
    }

    @Test("A study that fails is left alone for longer and longer, at most an hour, and the others are not")
    func postponed() {
        var watch = StudyWatch(settleMilliseconds: 0)
        _ = Self.look(&watch, [("1", 1), ("2", 1)], uptime: 0)
        var now: Int64 = 0
        var pauses: [Int64] = []
        for _ in 0..<80 {
            watch.postpone("1", uptime: now)
            #expect(watch.due(uptime: now).map(\.uid) == ["2"])
            var pause = StudyWatch.retryMilliseconds
            while watch.due(uptime: now + pause).count < 2 { pause += StudyWatch.retryMilliseconds }
            pauses.append(pause / StudyWatch.retryMilliseconds)
            now += pause
        }
        #expect(pauses.prefix(7) == [1, 2, 4, 8, 16, 32, 60])
        #expect(pauses.dropFirst(7).allSatisfy { $0 == 60 })
    }

    @Test("More studies than are watched wait for those to be read")
    func bounded() {
        var watch = StudyWatch(settleMilliseconds: 0)
        watch.beginLook()
        for number in 0..<StudyWatch.studiesMax + 5 { watch.see("\(number)", Self.facts(1), uptime: 0) }
        #expect(watch.count == StudyWatch.studiesMax)
    }
}

@Suite("Metadata of a study is read as its files are")
struct StudyReadingTests {
    private static func instance(_ study: String, _ number: Int, name: String = "Wang^XiaoDong") -> String {
        """
        {"00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
         "00080018": {"vr": "UI", "Value": ["2.25.9.\(number)"]}, "00080060": {"vr": "CS", "Value": ["CT"]},
         "00080070": {"vr": "LO", "Value": ["Example Devices"]}, "00081090": {"vr": "LO", "Value": ["Scanner 9"]},
         "00081010": {"vr": "SH", "Value": ["CT-1"]}, "00081030": {"vr": "LO", "Value": ["He said \\"chest\\" [1]"]},
         "00100010": {"vr": "PN", "Value": [{"Alphabetic": "\(name)"}]}, "00100020": {"vr": "LO", "Value": ["P1"]},
         "00189073": {"vr": "FD", "Value": [1.5]}, "00280010": {"vr": "US", "Value": [512]},
         "0020000D": {"vr": "UI", "Value": ["\(study)"]}, "0020000E": {"vr": "UI", "Value": ["2.25.8"]},
         "00200013": {"vr": "IS", "Value": [\(number)]},
         "7FE00010": {"vr": "OW", "BulkDataURI": "http://example/bulk"}}
        """
    }

    private static func reading(_ instances: [String], study: String = "2.25.1") -> StudyReading {
        StudyReading(Array("[\(instances.joined(separator: ","))]".utf8), study: study)
    }

    @Test("One exam with its device, the first instance as it came and the others in their compact form")
    func exam() throws {
        let reading = Self.reading((1...3).map { Self.instance("2.25.1", $0) })
        let parsed = try #require(reading.exam)
        #expect(reading.refused.isEmpty && reading.instances == 3)
        #expect(parsed.exam.imaging[0].series[0].instances.count == 3)
        #expect(parsed.exam.devices == ["Example Devices Scanner 9, CT-1"] && parsed.exam.origin == .device)
        #expect(parsed.parts[0].bytes == Array(Self.instance("2.25.1", 1).utf8))
        let compact = String(decoding: parsed.parts[1].bytes, as: UTF8.self)
        #expect(!compact.contains("00280010") && !compact.contains("\n") && !compact.contains("bulk"))
        #expect(compact.contains(#""00081030":{"vr":"LO","Value":["He said \"chest\" [1]"]}"#))
        // From the parts alone the same exam is read again.
        let again = try DICOMExamReader.read(parsed.parts).get()
        #expect(again.exam == parsed.exam && again.parts == parsed.parts)
    }

    @Test("Instances of another study, broken ones and answers without instances are set aside")
    func refused() {
        let mixed = Self.reading([Self.instance("2.25.1", 1), Self.instance("2.25.2", 2), "{\"x\":{}}"])
        #expect(mixed.exam != nil && mixed.instances == 3)
        #expect(mixed.refused.map(\.refusal.code) == ["dicom.study-conflict", "dicom.json-structure"])
        let two = Self.reading([Self.instance("2.25.1", 1), Self.instance("2.25.1", 2, name: "Li^Na")])
        #expect(two.exam == nil && two.refused.map(\.refusal.code) == ["dicom.patient-conflict"])
        let list = Self.reading([#"{"0020000D":{"vr":"UI","Value":["2.25.1"]},"00100020":{"vr":"LO","Value":["P1"]}}"#])
        #expect(list.exam == nil && list.refused.map(\.refusal.code) == ["dicom.instance-uid-missing"])
        for bytes in [[], Array("<html>".utf8), Array("[1]".utf8)] as [[UInt8]] {
            let reading = StudyReading(bytes, study: "2.25.1")
            #expect(reading.exam == nil && reading.refused.count == 1)
        }
        #expect(StudyReading(Array("[]".utf8), study: "2.25.1").exam == nil)
    }

    @Test("The facts of a listed study are the same however they are written, and others when it grows")
    func facts() throws {
        func facts(_ text: String) throws -> Digest {
            let answer = try DICOMMatch.answer(Array("[\(text)]".utf8)).get()
            return try #require(answer.matches.first).facts
        }
        let count = #""00201208":{"vr":"IS","Value":[2]}"#
        let uid = #""0020000D":{"vr":"UI","Value":["1.2.3"]}"#
        let first = try facts("{\(count),\(uid)}")
        #expect(try facts("{ \(uid) ,\n\(count), \"00081190\":{\"vr\":\"UR\",\"Value\":[\"http://other\"]}}") == first)
        #expect(try facts("{\(uid),\(count.replacing("[2]", with: "[\"2\"]"))}") == first)
        #expect(try facts("{\(uid),\(count.replacing("[2]", with: "[3]"))}") != first)
        #expect(try facts("{\(uid)}") != first)
        let answer = try DICOMMatch.answer(Array("[{},{\(uid),\(count)}]".utf8)).get()
        #expect(answer.faults.map(\.refusal) == [.studyUIDMissing] && answer.matches[0].numberOfInstances == 2)
    }

    @Test("Every cut of an answer and a thousand altered ones give an exam or a refusal")
    func hostile() {
        let bytes = Array("[\(Self.instance("2.25.1", 1))]".utf8)
        for count in bytes.indices { _ = StudyReading(Array(bytes.prefix(count)), study: "2.25.1") }
        var generator = SeededGenerator(seed: 20_261_124)
        for _ in 0..<1_000 {
            var altered = bytes
            for _ in 0..<3 {
                altered[Int.random(in: 0..<altered.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            let reading = StudyReading(altered, study: "2.25.1")
            #expect(reading.exam != nil || !reading.refused.isEmpty)
            _ = DICOMMatch.answer(altered)
        }
    }
}

@Suite("What came in is counted, and how long it took")
struct FeedBookTests {
    private static func exam(_ text: String, offset: Int?, precision: ClinicalTime.Precision = .second) -> Exam {
        var exam = Exam(
            kind: .laboratory,
            source: ExamSource(system: "s", value: "v"),
            identifiers: [],
            code: CodedConcept(text: "x", codings: []),
            categories: [],
            status: .final
        )
        exam.issued = ClinicalTime(
            text: text,
            precision: precision,
            offsetMinutes: offset,
            earliest: Timestamp(milliseconds: 1_000_000)
        )
        return exam
    }

    @Test("The lag runs from an exam's release to its batch being final, by feed, whichever is known first")
    func lag() throws {
        let book = FeedBook(zone: try #require(TimeZone(secondsFromGMT: 8 * 3600)))
        let exam = Self.exam("x", offset: 0)
        book.count(.mllp, FeedBook.Counts(read: 2, committed: 2))
        book.wrote(.mllp, [exam], batch: 1, received: Timestamp(milliseconds: 1_001_000))
        book.final(1, now: Timestamp(milliseconds: 1_003_000))
        // Final before it was known what it held.
        book.final(2, now: Timestamp(milliseconds: 1_005_000))
        book.wrote(.mllp, [exam], batch: 2, received: Timestamp(milliseconds: 1_004_500))
        let figures = try #require(book.figures.first)
        #expect(book.figures.count == 1 && figures.feed == .mllp && figures.counts.read == 2)
        #expect(figures.sinceCreation == FeedBook.Lag(count: 2, p50: 3_000, p99: 3_000))
        #expect(figures.sinceReceipt == FeedBook.Lag(count: 2, p50: 500, p99: 500))
    }

    @Test("A time without an offset is local, a day is no time, and a clock that runs ahead gives no lag below zero")
    func times() throws {
        let book = FeedBook(zone: try #require(TimeZone(secondsFromGMT: 600)))
        #expect(book.created(Self.exam("x", offset: nil))?.milliseconds == Int64(400_000))
        #expect(book.created(Self.exam("x", offset: 480))?.milliseconds == Int64(1_000_000))
        #expect(book.created(Self.exam("x", offset: nil, precision: .day)) == nil)
        book.count(.folder, FeedBook.Counts(read: 1))
        book.wrote(.folder, [Self.exam("x", offset: 0)], batch: 7, received: Timestamp(milliseconds: 5))
        book.final(7, now: Timestamp(milliseconds: 1))
        #expect(book.figures[0].sinceCreation?.p50 == 0 && book.figures[0].sinceReceipt?.p50 == 0)
    }

    @Test("Only the last lags count, and what never becomes final is forgotten")
    func bounded() {
        let book = FeedBook()
        book.count(.dicomweb, FeedBook.Counts(read: 1))
        let exam = Self.exam("x", offset: 0)
        for number in 0..<UInt64(FeedBook.windowMax + 100) {
            book.wrote(.dicomweb, [exam], batch: number, received: Timestamp(milliseconds: 0))
            book.final(number, now: Timestamp(milliseconds: number < 100 ? 9_000_000 : 1_000_007))
        }
        #expect(book.figures[0].sinceCreation == FeedBook.Lag(count: FeedBook.windowMax, p50: 7, p99: 7))
    }
}

@Suite("The codes of a PACS that errs")
struct DICOMWebRefusalTests {
    @Test("Every refusal has its own stable code and a sentence, and the page lists both")
    func codes() throws {
        #expect(Set(DICOMWebRefusal.allCases.map(\.message)).count == DICOMWebRefusal.allCases.count)
        #expect(DICOMWebRefusal.allCases.allSatisfy { $0.code.hasPrefix("dicomweb.") })
        let page = TestData.repositoryFile("Documentation/Protocol/DICOMweb-Import.md")
        let documentation = String(decoding: try Data(contentsOf: page), as: UTF8.self)
        for refusal in DICOMWebRefusal.allCases {
            #expect(documentation.contains("| `\(refusal.code)` | \(refusal.message) |"))
        }
    }
}
